"""Where an outcome changes, as regions: exact ones with one change each, and fewer ones by a common end."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from operator import eq
from typing import Final

import numpy as np

from engine.diagrams.store import Node
from engine.diff.box_cover import Box, Mask, cover, inside, tight
from engine.diff.joint_space import JointSpace
from engine.diff.nouns import Change, DiffRegion
from engine.diff.regions import MOST_WAYS, cells_of, heaviest_ways, whatever
from engine.diff.states import States, is_minor

MOST_ENDS: Final = 64
"""The most states by which changes are summarized."""


class Picture:
    """The numbers of changes in a space, 0 for none; ``changes`` has them by their numbers, the most frequent first."""

    def __init__(self, space: JointSpace, outcome: str, node: Node, changes: Mapping[int, Change]) -> None:
        self.space, self.node, self.changes = space, node, changes
        self.classes = space.situations(outcome).classes
        self._weights = {name: Counter(listed) for name, listed in self.classes.items()}
        self.cells = cells_of(space.store, node)
        counts = space.store.count(node, self.classes)
        self.counts = {space.store.value(leaf): count for leaf, count in counts.items() if space.store.value(leaf)}

    @cached_property
    def regions(self) -> dict[int, list[DiffRegion]]:
        """The regions of each change."""
        if self.cells.many:
            return self._described()
        array = self.cells.array(self.node)
        found: dict[int, list[DiffRegion]] = {}
        for number in self.changes:
            if number in self.counts:
                wanted = array == number
                found[number] = [self._exact(box, wanted, number) for box in cover(wanted)]
        return found

    @property
    def unnamed(self) -> int:
        """In how many changed situations no region is named."""
        if not self.cells.many:
            return 0
        named = sum(region.situations for listed in self.regions.values() for region in listed)
        return sum(self.counts.values()) - named

    def _exact(self, box: Box, wanted: Mask, number: int) -> DiffRegion:
        named = self.cells.named(box)
        return self._region(named, number, self.cells.fewest(box, wanted[inside(box)]))

    def _region(self, named: Mapping[str, Sequence[int]], number: int, example: Mapping[str, int]) -> DiffRegion:
        situations = self._situations(named)
        return DiffRegion(
            when=self.space.when(named),
            changes={self.changes[number]: situations},
            situations=situations,
            example=self.space.ticket(example),
        )

    def _situations(self, named: Mapping[str, Sequence[int]]) -> int:
        """Count the situations of these classes of facts, whatever the others are."""
        return math.prod(
            sum(weights[one] for one in named[name]) if name in named else len(self.classes[name])
            for name, weights in self._weights.items()
        )

    def _described(self) -> dict[int, list[DiffRegion]]:
        """Describe the ways with the most situations; no situation is on two."""
        found: list[tuple[int, int, dict[str, tuple[int, ...]]]] = []
        for number in self.changes:
            if number in self.counts:
                store = self.space.store
                changed = store.map(partial(eq, number), self.node)
                ways = heaviest_ways(store, changed, self.classes, self.space.order)
                found += [(self._situations(named), number, named) for named in ways]
        regions: dict[int, list[DiffRegion]] = {}
        found.sort(key=lambda way: (is_minor(self.changes[way[1]]), -way[0]))
        for _, number, named in found[:MOST_WAYS]:
            example = {name: 0 if 0 in listed else listed[0] for name, listed in named.items()}
            regions.setdefault(number, []).append(self._region(named, number, example))
        return regions

    def gist(self, states: States, nodes: tuple[Node, Node]) -> tuple[DiffRegion, ...] | None:
        """Summarize the changes by the later or the earlier state, whichever has fewer; None where that is large."""
        ends = [
            {number: getattr(change, end) for number, change in self.changes.items() if number in self.counts}
            for end in ("after", "before")
        ]
        at = int(len(set(ends[0].values())) > len(set(ends[1].values())))
        if len(set(ends[at].values())) > MOST_ENDS:
            return None
        store, found = self.space.store, []
        asked = store.support(self.node)
        rooms = {
            end: whatever(store, store.map(partial(states.ends_in, end), nodes[1 - at]), asked)
            for end in dict.fromkeys(ends[at].values())
        }
        cells = cells_of(store, self.node, *rooms.values())
        if cells.many:
            return None
        array, weights = cells.array(self.node), cells.weights(self.classes)
        others = math.prod(len(listed) for name, listed in self.classes.items() if name not in cells.groups)
        listed = sorted(ends[0], key=lambda number: states.numbers(self.changes[number]))
        for end, room in rooms.items():
            wanted = np.isin(array, [number for number, other in ends[at].items() if other == end])
            for box in cover(wanted, cells.array(room).astype(np.bool_)):
                narrow = tight(box, wanted)
                there = inside(narrow)
                numbers = set(np.unique(array[there]).tolist())
                counts = {
                    self.changes[number]: int(weights[there][array[there] == number].sum()) * others
                    for number in listed
                    if number in numbers
                }
                named = cells.named(narrow)
                situations = self._situations(named)
                found.append(
                    DiffRegion(
                        when=self.space.when(named),
                        changes=counts,
                        situations=situations,
                        example=self.space.ticket(cells.fewest(narrow, wanted[there])),
                        alike=situations - sum(counts.values()),
                    )
                )
        return tuple(sorted(found, key=lambda region: (all(map(is_minor, region.changes)), -region.situations)))
