"""A list whose parts are drawn apart -> what matters of it in every case.

A diagram of whole lists would be far too large: 40 rules already give 2^40 lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine.diagrams.store import Diagrams, Node
from engine.tables.table_diagram import Items


def list_levels(
    store: Diagrams, parts: Iterable[Items], moved: Callable[[Node], Node], level: Callable[[tuple[str, ...]], int]
) -> Node:
    """Draw the highest ``level`` of the parts of a list, from 0; None where the list is undecided.

    ``moved`` brings what is possible of a part into the store.
    """
    found = store.leaf(0)
    for part in reversed(tuple(parts)):
        own = {code: level(listed) for code, listed in enumerate(part.lists)}
        found = store.combine(_higher, store.map(own.get, moved(part.possible)), found)
    return found


def _higher(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def items_of(parts: Iterable[Items]) -> tuple[str, ...]:
    """Return all items that a list can have, sorted."""
    return tuple(sorted({item for part in parts for listed in part.lists for item in listed}))
