"""A diagram of changes -> regions that a reader can take in: boxes of few facts, with counts and examples.

Few facts make a difference to a change, and few of their classes, so most changes are covered as a small array. Where
that would be large, the ways down the diagram with the most situations are described instead.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.diagrams.store import Diagrams, Node, TooManyNodes
from engine.diagrams.transfer import transfer
from engine.diff.box_cover import Box, Mask

MOST_CELLS: Final = 1 << 18
"""The most cells of an array in which boxes are found."""

MOST_WAYS: Final = 24
"""The most ways down a diagram that are described."""

MOST_ORDERED: Final = 100_000
"""The most nodes of a diagram whose ways are described."""

Numbers = npt.NDArray[np.int32]

Way = tuple[int, tuple[tuple[str, tuple[int, ...]], ...]]
"""A number of situations, and the classes of some facts."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells that some functions distinguish: of each fact that they ask, by name, the groups of its classes."""

    store: Diagrams
    groups: Mapping[str, tuple[tuple[int, ...], ...]]

    @property
    def many(self) -> bool:
        """Whether there are too many for an array."""
        return math.prod(map(len, self.groups.values())) > MOST_CELLS

    def array(self, node: Node, number: Callable[[Any], int] = int) -> Numbers:
        """Return the value of a function in every cell, as a number."""
        store = self.store
        asked = sorted(self.groups, key=store.level.__getitem__)
        picked = [[group[0] for group in self.groups[name]] for name in asked]
        known: dict[tuple[Node, int], Numbers] = {}

        def visit(here: Node, depth: int) -> Numbers:
            found = known.get((here, depth))
            if found is None:
                if store.is_leaf(here):
                    found = np.full(tuple(map(len, picked[depth:])), number(store.value(here)), np.int32)
                elif store.asks(here) == asked[depth]:
                    below = store.children(here)
                    found = np.stack([visit(below[one], depth + 1) for one in picked[depth]])
                else:
                    below_once = visit(here, depth + 1)
                    found = np.broadcast_to(below_once, (len(picked[depth]), *below_once.shape))
                known[here, depth] = found
            return found

        by_name = [asked.index(name) for name in self.groups]
        return np.array(visit(node, 0).transpose(by_name), order="C")

    def weights(self, classes: Mapping[str, Sequence[int]]) -> npt.NDArray[Any]:
        """Return how many combinations of these classes each cell has; exact, however many."""
        sizes = [np.array(self.sizes(name, classes), dtype=object) for name in self.groups]
        whole: npt.NDArray[Any] = reduce(np.multiply.outer, sizes, np.array(1, dtype=object))
        return whole if whole.sum() >= 1 << 62 else whole.astype(np.int64)

    def sizes(self, name: str, classes: Mapping[str, Sequence[int]]) -> list[int]:
        """Return how many of the classes of a fact are in each group."""
        return [sum(one in group for one in classes[name]) for group in map(frozenset, self.groups[name])]

    def named(self, box: Box) -> dict[str, tuple[int, ...]]:
        """Return the classes of a box, of each fact that it restricts."""
        return {
            name: tuple(one for at in positions for one in groups[at])
            for (name, groups), positions in zip(self.groups.items(), box, strict=True)
            if len(positions) < len(groups)
        }

    def fewest(self, box: Box, changed: Mask) -> dict[str, int]:
        """Return classes of a cell of a box, of those marked, with as few known facts as possible."""
        unsent = [
            np.array([int(0 in groups[at]) for at in positions])
            for groups, positions in zip(self.groups.values(), box, strict=True)
        ]
        fewest: npt.NDArray[np.int64] = reduce(np.add.outer, unsent, np.zeros((), dtype=np.int64))
        best = np.unravel_index(int(np.where(changed, fewest, -1).argmax()), changed.shape)
        found = {}
        for (name, groups), positions, at in zip(self.groups.items(), box, best, strict=True):
            group = groups[positions[int(at)]]
            if 0 not in group:
                found[name] = group[0]
        return found


def cells_of(store: Diagrams, *nodes: Node) -> Cells:
    """Return the cells that functions distinguish."""
    found = {}
    for name, numbers in sorted(store.alike(*nodes).items()):
        groups: dict[int, list[int]] = {}
        for one, number in enumerate(numbers):
            groups.setdefault(number, []).append(one)
        found[name] = tuple(map(tuple, groups.values()))
    return Cells(store, found)


def whatever(store: Diagrams, node: Node, facts: Sequence[str]) -> Node:
    """Return where a function of yes and no is yes whatever the facts are beside these."""
    gone = [name for name in store.support(node) if name not in facts]
    return store.some(node, gone, lambda one, other: one and other)


def heaviest_ways(
    store: Diagrams, node: Node, classes: Mapping[str, Sequence[int]], order: Sequence[str]
) -> list[dict[str, tuple[int, ...]]]:
    """Return the ways on which a function of yes and no is yes, those with the most situations first.

    Facts are asked in ``order``, so that nothing depends on the order of the store.
    """
    asked = set(store.support(node))
    sizes = {name: store.sizes[store.level[name]] for name in order if name in asked}
    ordered = Diagrams(sizes, MOST_ORDERED)
    try:
        root = transfer(store, ordered, {name: range(size) for name, size in sizes.items()})(node)
    except TooManyNodes:
        return []
    names = ordered.facts
    # In how many combinations of the facts from each level on a way leads on.
    rest = [1]
    for name in reversed(names):
        rest.append(rest[-1] * len(classes[name]))
    rest.reverse()

    def level(here: Node) -> int:
        return len(names) if ordered.is_leaf(here) else ordered.level[ordered.asks(here)]

    best: dict[Node, list[Way]] = {}
    for here in sorted(ordered.reachable(root), key=level, reverse=True):
        if ordered.is_leaf(here):
            best[here] = [(1, ())] if ordered.value(here) else []
            continue
        name, below = ordered.asks(here), ordered.children(here)
        found: list[Way] = []
        for child in dict.fromkeys(below):
            leading = tuple(one for one, other in enumerate(below) if other == child)
            wide = sum(one in leading for one in classes[name]) * rest[level(here) + 1] // rest[level(child)]
            found += [(wide * count, ((name, leading), *way)) for count, way in best[child] if wide]
        best[here] = heapq.nsmallest(MOST_WAYS, found, key=lambda way: (-way[0], way[1]))
    return [dict(way) for _, way in best[root]]
