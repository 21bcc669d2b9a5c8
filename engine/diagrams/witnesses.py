"""The shortest way to every value of a diagram, in one pass."""

from __future__ import annotations

from typing import Any

from engine.diagrams.store import Diagrams, Node


def shortest_of_each(store: Diagrams, node: Node) -> dict[Any, dict[str, int]]:
    """Return for each value of a function the fewest known facts, with their classes, with which it has this value.

    Of equally short ones it is the first by the names of the facts, and by their classes. Values are of one type.

    >>> store = Diagrams({"wet": 3, "cold": 2})
    >>> shortest_of_each(store, store.node("wet", [store.leaf(one) for one in ("dry", "damp", "wet")]))
    {'dry': {}, 'damp': {'wet': 1}, 'wet': {'wet': 2}}
    """
    best: dict[Node, dict[Any, tuple[int, tuple[tuple[str, int], ...]]]] = {}
    # Children come before their parents.
    levels = {
        here: store.level[store.asks(here)] if store.children(here) else len(store.facts)
        for here in store.reachable(node)
    }
    for here in sorted(levels, key=levels.__getitem__, reverse=True):
        below = store.children(here)
        if not below:
            best[here] = {store.value(here): (0, ())}
            continue
        fact = store.asks(here)
        found: dict[Any, tuple[int, tuple[tuple[str, int], ...]]] = {}
        for one, child in enumerate(below):
            for value, way in best[child].items():
                named = tuple(sorted([*way[1], (fact, one)])) if one else way[1]
                if value not in found or (len(named), named) < found[value]:
                    found[value] = len(named), named
        best[here] = found
    return {value: dict(way) for value, (_, way) in best[node].items()}
