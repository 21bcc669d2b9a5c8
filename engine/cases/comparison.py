"""Expected and actual values as text for people: lists by their differences, instants with one offset."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from engine.decide.answer_times_json import iso
from engine.model.quoting import visible

LONG: Final = 30
"""The length of an item above which it is quoted."""

_OFFSET: Final = re.compile(r"[+-]\d\d(:?\d\d)?$", re.ASCII)


def lists_compared(expected: Sequence[str], got: Sequence[str]) -> str:
    """Return how two lists differ: missing and additional items, or both lists if they share nothing.

    >>> print(lists_compared(["a", "b, c"], ["a", "d"]))
    missing "b, c"; more "d"
    >>> print(lists_compared([], ["a", "b, c"]))
    expected [], got [a, "b, c"]
    >>> print(lists_compared(["a", "b"], ["b", "a"]))
    expected [a, b], got [b, a]
    """
    missing, more = Counter(expected) - Counter(got), Counter(got) - Counter(expected)
    if not (missing or more) or missing.total() == len(expected):
        return f"expected {list_text(expected)}, got {list_text(got)}"
    parts = (
        (word, ", ".join(map(_quoted, found.elements()))) for word, found in (("missing", missing), ("more", more))
    )
    return "; ".join(f"{word} {items}" for word, items in parts if items)


def instants_compared(expected: str, got: datetime) -> str:
    """Return the expected and the actual instant, both with the offset of the case.

    >>> instants_compared("2026-01-27T10:00:00+11:00", datetime(2026, 1, 27, 23, tzinfo=UTC))
    'expected 2026-01-27T10:00:00+11:00, got 2026-01-28T10:00:00+11:00'
    """
    offset = _OFFSET.search(expected)
    zone = datetime.fromisoformat(f"2000-01-01T00:00{offset[0]}").tzinfo if offset else UTC
    return f"expected {expected}, got {iso(got.astimezone(zone))}"


def list_text(items: Sequence[str]) -> str:
    """Return a list as text in which its items are distinct.

    >>> print(list_text([]), list_text(["a", "b, c"]))
    [] [a, "b, c"]
    """
    return f"[{', '.join(_quoted(item) if _needs_quotes(item) else item for item in items)}]"


def _needs_quotes(item: str) -> bool:
    return not item or len(item) > LONG or any(mark in item for mark in ',[]"') or visible(item) != item


def _quoted(item: str) -> str:
    return '"' + visible(item).replace('"', '\\"') + '"'
