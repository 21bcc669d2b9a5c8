"""The source line of a problem with a caret below it, for terminals.

A long line is cut around the caret. Tabs become spaces, and control characters become escapes, so that the caret is in
the right column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from rich.cells import cell_len

from engine.model.problems import Place
from engine.model.quoting import visible

MOST_COLUMNS: Final = 120
"""The most columns of an excerpt."""

LEAST_COLUMNS: Final = 24
"""The fewest columns of an excerpt; a narrower terminal wraps it."""

_TAB: Final = "    "
_CUT: Final = "…"
_IN_FRONT: Final = 3
"""The share of a cut line before the caret: one column of this many."""

_QUOTED: Final = re.compile(r"""\"(?:\\.|[^"\\])*\"|'(?:''|[^'])*'""")
_PLAIN: Final = re.compile(
    r"(?:[^\s:,\[\]{}]|:(?=[^\s,\[\]{}]))+(?: +(?:[^\s:,\[\]{}#=]|:(?=[^\s,\[\]{}]))(?:[^\s:,\[\]{}]|:(?=[^\s,\[\]{}]))*)*"
)
_SECRET: Final = re.compile(r"(?<=:)[^:@/\s]+(?=@)|[\w+/=]{16,}", re.ASCII)
_BRACKETS: Final = {"[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A source line and the line with the caret below it, without the line number."""

    line: str
    caret: str


def excerpt(place: Place, columns: int = MOST_COLUMNS) -> Excerpt | None:
    """Return the excerpt of a place, or None if its line is unknown or has no such column.

    >>> found = excerpt(Place(file="a.yaml", line=3, column=14, text="  high: [P1, P9, P3]"))
    >>> print(found.line), print(found.caret)
      high: [P1, P9, P3]
                 ^^
    (None, None)
    """
    text, start = place.text.rstrip(), place.column - 1
    if not text.strip() or start > len(text):
        return None
    columns = max(LEAST_COLUMNS, min(columns, MOST_COLUMNS))
    end = start + length(text, start)
    first, last = _window(text, start, end, columns)
    head = (_CUT if first else "") + _written(text[first:start])
    marked, rest = _written(text[start : min(end, last)]), _written(text[end:last]) + (_CUT if last < len(text) else "")
    return Excerpt(head + marked + rest, " " * cell_len(head) + "^" * max(1, cell_len(marked)))


def without_secrets(place: Place) -> Place:
    """Mask what may be a secret in the line of a place: passwords in URLs, and long words of letters and digits.

    >>> without_secrets(
    ...     Place(file="a", line=1, column=1, text="log = 'db://ann:secret@host', key gpk_0123456789abcdef")
    ... ).text
    "log = 'db://ann:******@host', key ********************"
    """
    return replace(place, text=_SECRET.sub(lambda found: "*" * len(found[0]), place.text))


def length(text: str, start: int) -> int:
    """Return the length of the YAML value that begins at a column, counted from 0; at least 1.

    >>> [length('a: ["b c", d e, {f: g}]', start) for start in (0, 3, 4, 11, 16)]
    [1, 20, 5, 3, 6]
    """
    sign = text[start : start + 1]
    if sign in _BRACKETS:
        return _closed(text, start)
    found = (_QUOTED if sign in "\"'" else _PLAIN).match(text, start)
    return max(1, found.end() - start) if found else 1


def _closed(text: str, start: int) -> int:
    """Return the length of a list or mapping in brackets, or 1 if it does not end on its line."""
    depth, at = 0, start
    while at < len(text):
        quoted = _QUOTED.match(text, at)
        depth += (text[at] in "[{") - (text[at] in "]}")
        at = quoted.end() if quoted else at + 1
        if depth == 0:
            return at - start
    return 1


def _window(text: str, start: int, end: int, columns: int) -> tuple[int, int]:
    """Return the start and end of the part of a line that is shown."""
    if cell_len(_written(text)) <= columns:
        return 0, len(text)
    room = columns - 2 * len(_CUT)
    first = start
    while first and cell_len(_written(text[first - 1 : start])) <= room // _IN_FRONT:
        first -= 1
    last = start
    while last < len(text) and cell_len(_written(text[first : last + 1])) <= room:
        last += 1
    while first and cell_len(_written(text[first - 1 : last])) <= room:
        first -= 1
    return first, max(last, min(end, start + 1))


def _written(text: str) -> str:
    return visible(text.replace("\t", _TAB))
