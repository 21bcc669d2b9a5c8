"""Aligns the headings and cells of each matrix of a policy file in columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

FAST: Final[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""The loader that reads every scalar as text; the C version if it is installed."""

GAP: Final = 2
"""Spaces between the longest heading and the cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A row of a matrix on one line: the index of the line, its heading, its cells, and the comment after them."""

    at: int
    head: str
    cells: tuple[str, ...]
    tail: str
    tail_column: int


def align_matrices(text: str) -> str:
    r"""Align the matrices of a text; rows of different lengths stay as they are.

    >>> rows = "      rows:\n        x: [1, 2] # one\n        yyyyyy: [33, 4]\n"
    >>> print(align_matrices("tables:\n  t:\n    matrix:\n      columns: [a, bbb]\n" + rows), end="")
    tables:
      t:
        matrix:
          columns:   [a,  bbb]
          rows:
            x:       [1,  2] # one
            yyyyyy:  [33, 4]
    """
    lines = text.split("\n")
    for matrix in _matrices(yaml.compose(text, Loader=FAST)):
        found = [*_lines(matrix, lines)]
        if not found or len({len(line.cells) for line in found}) != 1:
            continue
        begin = max(len(line.head) for line in found) + GAP
        widths = [max(len(line.cells[at]) for line in found) for at in range(len(found[0].cells))]
        for line in found:
            cells = (
                "".join(f"{cell}, ".ljust(width + 2) for cell, width in zip(line.cells[:-1], widths, strict=False))
                + line.cells[-1]
            )
            made = f"{line.head.ljust(begin)}[{cells}]"
            if line.tail:
                made = f"{made} ".ljust(line.tail_column) + line.tail
            lines[line.at] = made
    return "\n".join(lines)


def _matrices(root: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    for table in _values(_get(root, "tables")):
        matrix = _get(table, "matrix")
        if isinstance(matrix, yaml.MappingNode):
            yield matrix


def _lines(matrix: yaml.MappingNode, lines: list[str]) -> Iterator[_Line]:
    """Yield the line of the columns and those of the rows; nothing unless each is a list on one line."""
    rows = _get(matrix, "rows")
    headed = [(key, value) for key, value in matrix.value if key.value == "columns"]
    headed += rows.value if isinstance(rows, yaml.MappingNode) and not rows.flow_style else []
    found = []
    for key, value in headed:
        plain = (
            isinstance(value, yaml.SequenceNode)
            and value.flow_style
            and value.value
            and all(isinstance(cell, yaml.ScalarNode) for cell in value.value)
        )
        if not plain or key.start_mark.line != value.end_mark.line:
            return
        line = lines[key.start_mark.line]
        cells = tuple(line[cell.start_mark.column : cell.end_mark.column] for cell in value.value)
        tail = line[value.end_mark.column :]
        comment = tail.lstrip()
        found.append(
            _Line(
                at=key.start_mark.line,
                head=line[: key.end_mark.column] + ":",
                cells=cells,
                tail=comment,
                tail_column=len(line) - len(comment),
            )
        )
    yield from found


def _get(node: yaml.Node | None, name: str) -> yaml.Node | None:
    return (
        next((value for key, value in node.value if key.value == name), None)
        if isinstance(node, yaml.MappingNode)
        else None
    )


def _values(node: yaml.Node | None) -> list[yaml.Node]:
    return [value for _, value in node.value] if isinstance(node, yaml.MappingNode) else []
