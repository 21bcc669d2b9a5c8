"""The matrices of two versions side by side, as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.diff.words import value_text
from engine.model.policy import Literal, Policy, SameAs, Table
from engine.model.targets import Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixDiff:
    """A matrix of two versions: rows and columns of both, and the text of each cell before and after ("" for none)."""

    table: str
    about: str
    down: str
    across: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    before: Mapping[tuple[str, str], str]
    after: Mapping[tuple[str, str], str]

    @property
    def changed(self) -> tuple[tuple[str, str], ...]:
        """The cells whose value differs."""
        return tuple(
            (row, column)
            for row in self.rows
            for column in self.columns
            if self.before.get((row, column), "") != self.after.get((row, column), "")
        )


def matrices(before: Policy, after: Policy) -> tuple[MatrixDiff, ...]:
    """Return every matrix of either version, by table."""
    found = []
    for name in dict.fromkeys((*after.tables, *before.tables)):
        one, other = before.tables.get(name), after.tables.get(name)
        written = next((table for table in (other, one) if table is not None and table.matrix), None)
        if written is None or written.matrix is None:
            continue
        sides = [table for table in (one, other) if table is not None and table.matrix]
        rows = tuple(dict.fromkeys(row for table in reversed(sides) if table.matrix for row in table.matrix.rows))
        columns = tuple(
            dict.fromkeys(column for table in reversed(sides) if table.matrix for column in table.matrix.columns)
        )
        found.append(
            MatrixDiff(
                table=name,
                about=written.about,
                down=written.matrix.down,
                across=written.matrix.across,
                rows=rows,
                columns=columns,
                before=_cells(one),
                after=_cells(other),
            )
        )
    return tuple(found)


def _cells(table: Table | None) -> dict[tuple[str, str], str]:
    """Return the cells of a matrix from its rules, row by row."""
    if table is None or table.matrix is None:
        return {}
    places = [(row, column) for row in table.matrix.rows for column in table.matrix.columns]
    return {place: _text(rule.then[table.produces[0]]) for place, rule in zip(places, table.rules, strict=True)}


def _text(value: Literal | SameAs | Measure) -> str:
    return f"as {value.fact}" if isinstance(value, SameAs) else value_text(value)
