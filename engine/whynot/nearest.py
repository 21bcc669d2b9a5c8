"""A diagram and a ticket -> the nearest cases in which the diagram is true, in a few boxes.

A case is as far from the ticket as it has facts that differ. The nearest ones are grouped by which facts these are, and
each group is covered by boxes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from engine.diagrams.store import Diagrams, Node
from engine.diagrams.transfer import transfer

Box = Mapping[str, tuple[int, ...]]
"""The facts that change, each with the classes to which it can; any of these go together."""

Changes = Mapping[str, tuple[int, ...]]
"""The classes to which each fact can change: of those that make no difference from each other the first."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest cases: how many facts change, boxes of some cases, and how many cases no box has.

    Classes that make no difference from each other count once; a box has all of them.
    """

    changes: int
    boxes: tuple[Box, ...]
    more: int


def nearest(
    store: Diagrams, node: Node, start: Mapping[str, int], *, kept: frozenset[str] = frozenset(), most: int
) -> Nearest | None:
    """Return the nearest cases in which a diagram is true, in at most ``most`` boxes; None if there are none.

    ``start`` has the classes of the ticket. To leave out a fact is a change too, but is only taken if nothing else
    takes as few; facts that are ``kept`` are not left out.

    >>> store = Diagrams({"wet": 3, "cold": 3})
    >>> no, yes = store.leaf(False), store.leaf(True)
    >>> both = store.node("wet", [no, no, store.node("cold", [no, yes, yes])])
    >>> nearest(store, both, {"wet": 1, "cold": 0}, most=5)
    Nearest(changes=2, boxes=({'cold': (1, 2), 'wet': (2,)},), more=0)
    """
    alike = store.alike(node)
    changes = {fact: _changes(groups, start[fact]) for fact, groups in alike.items()}
    costs = _costs(store, node, start, changes)
    leaving = {fact: (0, *to) if start[fact] and fact not in kept else to for fact, to in changes.items()}
    if leaving != changes:
        fewer = _costs(store, node, start, leaving)
        if fewer[node] < costs[node]:
            changes, costs = leaving, fewer
    if costs[node] == inf:
        return None
    patterns, count = _patterns(store, node, start, changes, costs=costs, most=most)
    covers = [_Cover(store, node, start, {fact: changes[fact] for fact in pattern}) for pattern in patterns]
    hidden = count - sum(one.left() for one in covers)
    boxes: list[Box] = []
    # A box of each group in turn, so that every group is shown before one is shown in full.
    waiting = deque(covers)
    while waiting and len(boxes) < most:
        cover = waiting.popleft()
        boxes.append({fact: _all_alike(alike[fact], classes) for fact, classes in cover.box().items()})
        if cover.left():
            waiting.append(cover)
    return Nearest(
        changes=len(boxes[0]),
        boxes=tuple(sorted(boxes, key=lambda box: tuple(zip(*box.items(), strict=True)))),
        more=hidden + sum(one.left() for one in covers),
    )


def _changes(groups: Sequence[int], start: int) -> tuple[int, ...]:
    """Return the classes to which a fact can change, without being left out."""
    first: dict[int, int] = {}
    for one, group in enumerate(groups[1:], 1):
        first.setdefault(group, one)
    return tuple(one for group, one in first.items() if not start or group != groups[start])


def _all_alike(groups: Sequence[int], classes: Collection[int]) -> tuple[int, ...]:
    """Return the classes that make no difference from some of them; being left out stays apart."""
    chosen = {groups[one] for one in classes if one}
    return tuple(one for one, group in enumerate(groups) if (group in chosen if one else 0 in classes))


def _costs(store: Diagrams, node: Node, start: Mapping[str, int], changes: Changes) -> dict[Node, float]:
    """Return in how many facts the nearest true case below each node differs."""
    costs: dict[Node, float] = {}

    def visit(here: Node) -> float:
        found = costs.get(here)
        if found is None:
            if store.is_leaf(here):
                found = 0 if store.value(here) else inf
            else:
                fact, below = store.asks(here), store.children(here)
                found = min([visit(below[start[fact]]), *[1 + visit(below[one]) for one in changes[fact]]])
            costs[here] = found
        return found

    visit(node)
    return costs


def _patterns(
    store: Diagrams,
    node: Node,
    start: Mapping[str, int],
    changes: Changes,
    *,
    costs: Mapping[Node, float],
    most: int,
) -> tuple[tuple[tuple[str, ...], ...], int]:
    """Return which facts change on the nearest ways, and how many ways there are.

    The groups of facts are the first ``most`` by their names.
    """
    known: dict[Node, tuple[tuple[tuple[str, ...], ...], int]] = {}

    def visit(here: Node) -> tuple[tuple[tuple[str, ...], ...], int]:
        if store.is_leaf(here):
            return ((),), 1
        found = known.get(here)
        if found is None:
            fact, below = store.asks(here), store.children(here)
            patterns: set[tuple[str, ...]] = set()
            count = 0
            if costs[below[start[fact]]] == costs[here]:
                same, count = visit(below[start[fact]])
                patterns.update(same)
            for one in changes[fact]:
                if 1 + costs[below[one]] == costs[here]:
                    changed, ways = visit(below[one])
                    patterns.update(tuple(sorted((*pattern, fact))) for pattern in changed)
                    count += ways
            found = known[here] = tuple(sorted(patterns)[:most]), count
        return found

    return visit(node)


class _Cover:
    """Covers the cases in which some facts all change, one box after the other."""

    def __init__(self, store: Diagrams, node: Node, start: Mapping[str, int], changes: Changes) -> None:
        self.changes = changes
        self.store = Diagrams({fact: len(changes[fact]) for fact in sorted(changes)})
        stay = {fact: one for fact, one in start.items() if fact not in changes}
        self._no, self._yes = self.store.leaf(False), self.store.leaf(True)
        self._inside = self._left = transfer(store, self.store, changes, stay)(node)

    def left(self) -> int:
        """Return how many cases no box has yet."""
        return self.store.count(self._left).get(self._yes, 0)

    def box(self) -> Box:
        """Return the largest box around the first case that no box has yet."""
        box: dict[str, tuple[int, ...]] = dict.fromkeys(self.store.facts, (0,))
        here = self._left
        while not self.store.is_leaf(here):
            at, child = next((at, one) for at, one in enumerate(self.store.children(here)) if one != self._no)
            box[self.store.asks(here)] = (at,)
            here = child
        taken = self._yes
        for fact in self.store.facts:
            box[fact] = tuple(sorted(self._whole(fact, box)))
        for fact in reversed(self.store.facts):
            children = [taken if at in box[fact] else self._no for at in range(len(self.changes[fact]))]
            taken = self.store.node(fact, children)
        self._left = self.store.combine(lambda left, gone: left and not gone, self._left, taken)
        return {fact: tuple(self.changes[fact][at] for at in positions) for fact, positions in box.items()}

    def _whole(self, fact: str, box: Box) -> frozenset[int]:
        """Return the positions of a fact for which all of a box is inside."""
        every = frozenset(range(len(self.changes[fact])))
        known: dict[Node, frozenset[int]] = {self._no: frozenset(), self._yes: every}

        def visit(here: Node) -> frozenset[int]:
            if here not in known:
                below = self.store.children(here)
                if self.store.asks(here) == fact:
                    known[here] = frozenset(at for at, child in enumerate(below) if visit(child))
                else:
                    inside = box[self.store.asks(here)]
                    known[here] = every.intersection(*(visit(below[at]) for at in inside))
            return known[here]

        return visit(self._inside)
