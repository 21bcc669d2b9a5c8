"""Diagrams of one store -> diagrams of another, whose facts have finer classes, or another order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine.diagrams.store import Diagrams, Node


def transfer(
    source: Diagrams,
    target: Diagrams,
    classes: Mapping[str, Sequence[int]],
    known: Mapping[str, int] | None = None,
) -> Callable[[Node], Node]:
    """Return what brings a function of one store into another.

    ``classes`` has, for each fact of the source that functions ask, the class in the source of each class in the
    target. ``known`` has facts of the source with their classes; the result does not ask them.

    >>> coarse, fine = Diagrams({"wet": 2}), Diagrams({"cold": 2, "wet": 3})
    >>> wet = coarse.node("wet", [coarse.leaf("no"), coarse.leaf("yes")])
    >>> node = transfer(coarse, fine, {"wet": (0, 1, 1)})(wet)
    >>> fine.value_at(node, {"wet": 2}), fine.value_at(node, {"cold": 1})
    ('yes', 'no')
    """
    fixed = known or {}
    made: dict[Node, Node] = {}
    in_order = [fact for fact in source.facts if fact in classes and fact not in fixed]
    same_order = in_order == sorted(in_order, key=lambda fact: target.level[fact])
    selectors: dict[str, Node] = {}

    def moved(node: Node) -> Node:
        found = made.get(node)
        if found is None:
            if source.is_leaf(node):
                found = target.leaf(source.value(node))
            elif (fact := source.asks(node)) in fixed:
                found = moved(source.children(node)[fixed[fact]])
            else:
                below = [moved(child) for child in source.children(node)]
                if same_order:
                    found = target.node(fact, [below[one] for one in classes[fact]])
                else:
                    if fact not in selectors:
                        selectors[fact] = target.node(fact, [target.leaf(one) for one in classes[fact]])
                    found = target.choose(selectors[fact], below)
            made[node] = found
        return found

    return moved
