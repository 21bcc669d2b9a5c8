"""The source line of a place with a caret under what is meant, as every text on a terminal shows it.

In: a place that knows its line. Out: two texts of the same width, cut around the caret if the line is long. Tabs become
spaces, and characters that would move the cursor are written as escapes, so that the caret stands where it should.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from rich.cells import cell_len

from engine.model.problems import Place
from engine.model.quoting import visible

MOST_COLUMNS: Final = 120
"""The most columns of a source line that are shown."""

LEAST_COLUMNS: Final = 24
"""A terminal that is narrower wraps the line."""

_TAB: Final = "    "
_CUT: Final = "…"
_IN_FRONT: Final = 3
"""A line that is cut shows one column of so many in front of the caret."""

_QUOTED: Final = re.compile(r"""\"(?:\\.|[^"\\])*\"|'(?:''|[^'])*'""")
_PLAIN: Final = re.compile(
    r"(?:[^\s:,\[\]{}]|:(?=[^\s,\[\]{}]))+(?: +(?:[^\s:,\[\]{}#=]|:(?=[^\s,\[\]{}]))(?:[^\s:,\[\]{}]|:(?=[^\s,\[\]{}]))*)*"
)
_SECRET: Final = re.compile(r"(?<=:)[^:@/\s]+(?=@)|[\w+/=]{16,}", re.ASCII)
_BRACKETS: Final = {"[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A source line and, below it, the caret; both without the number of the line."""

    line: str
    caret: str


def excerpt(place: Place, columns: int = MOST_COLUMNS) -> Excerpt | None:
    """Return the line of a place and its caret, or None if the line is not known or has nothing there.

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
    """Hide in the line of a place what may be a secret: passwords in URLs, and every long word of letters and digits.

    >>> without_secrets(Place(file="a", line=1, column=1, text="log = 'db://ann:secret@host', key gpk_0123456789abcdef")).text
    "log = 'db://ann:******@host', key ********************"
    """
    return replace(place, text=_SECRET.sub(lambda found: "*" * len(found[0]), place.text))


def length(text: str, start: int) -> int:
    """Return how many characters belong to what begins at a column of a YAML line, from 0: at least one.

    >>> [length('a: ["b c", d e, {f: g}]', start) for start in (0, 3, 4, 11, 16)]
    [1, 20, 5, 3, 6]
    """
    sign = text[start : start + 1]
    if sign in _BRACKETS:
        return _closed(text, start)
    found = (_QUOTED if sign in "\"'" else _PLAIN).match(text, start)
    return max(1, found.end() - start) if found else 1


def _closed(text: str, start: int) -> int:
    """Return the length of a list or mapping in brackets, or 1 if it does not end in its line."""
    depth, at = 0, start
    while at < len(text):
        quoted = _QUOTED.match(text, at)
        depth += (text[at] in "[{") - (text[at] in "]}")
        at = quoted.end() if quoted else at + 1
        if depth == 0:
            return at - start
    return 1


def _window(text: str, start: int, end: int, columns: int) -> tuple[int, int]:
    """Return where the part of a line begins and ends that is shown."""
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
