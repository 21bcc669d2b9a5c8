"""A list whose parts are drawn apart -> what matters of it in every case.

A diagram of whole lists would be far too large: 40 rules already give 2^40 lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from engine.diagrams.store import Diagrams, Node
from engine.diagrams.transfer import transfer
from engine.tables.table_diagram import Items, PolicyDiagrams


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


def attainable_items(diagrams: PolicyDiagrams, parts: Sequence[Items]) -> tuple[str, ...]:
    """Return the items that are in a list for some ticket that decides it, sorted."""
    store = Diagrams(dict(zip(diagrams.store.facts, diagrams.store.sizes, strict=True)))
    moved = transfer(diagrams.store, store, {fact: range(part.size) for fact, part in diagrams.parts.items()})
    decided = store.map(lambda level: level is not None, list_levels(store, parts, moved, len))
    found: set[str] = set()
    for part in parts:
        codes = store.values(store.combine(lambda ok, code: code if ok else None, decided, moved(part.possible)))
        found.update(item for code in codes if code is not None for item in part.lists[code])
    return tuple(sorted(found))
