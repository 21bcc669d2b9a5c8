"""Groups the tickets that change by conditions on few facts: boxes over the situations that tickets fall in.

A situation without tickets may be in any box; one with tickets of which none changes is in no box. If there are too
many situations, fewer facts are used, and more tickets of a region do not change.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.clock.zone import Column
from engine.columns.fact_columns import Mask
from engine.diff.box_cover import Box, cover
from engine.diff.nouns import Change, OutcomeState
from engine.replay.nouns import Example, TicketRegion
from engine.replay.space import Space
from engine.replay.tally import MAX_EXAMPLES, OutcomeTally

MAX_ROOM: Final = 1 << 18
"""The most situations over which regions are computed."""

MAX_CHANGED: Final = 1_500
"""The most changed situations for which regions are exact."""

FEW: Final = 8
"""The most regions of one change each that are not summarized."""


def regions(space: Space, tally: OutcomeTally) -> tuple[TicketRegion, ...]:
    """Return regions that together contain all tickets that change in a known situation, the largest first."""
    moved = {change: counts for change, counts in tally.moved.items() if counts}
    if not moved:
        return ()
    found = _Found(space, tally, moved)
    exact = found.by(list(moved), [{change} for change in moved])
    if len(exact) > FEW:
        exact = min((exact, *(found.by(list(moved), _ends(moved, end)) for end in ("after", "before"))), key=len)
    return tuple(sorted(exact, key=lambda one: (-one.changed, -one.tickets, str(one.when))))


def _ends(moved: Iterable[Change], end: str) -> list[set[Change]]:
    """Group changes that have one end in common."""
    groups: dict[OutcomeState, set[Change]] = {}
    for change in moved:
        groups.setdefault(getattr(change, end), set()).add(change)
    return list(groups.values())


@dataclass(frozen=True, slots=True)
class _Seen:
    """Situations as positions on the axes, and which of them must be covered."""

    positions: Column
    wanted: Mask


class _Found:
    """The situations that tickets fall in, and the changes in each."""

    def __init__(self, space: Space, tally: OutcomeTally, moved: Mapping[Change, Mapping[int, int]]) -> None:
        self._space, self._tally, self._moved = space, tally, moved
        self._cells = list(tally.cells)
        self._tickets = np.array(list(tally.cells.values()), np.int64)
        self._positions = space.positions(self._cells)
        at = {cell: row for row, cell in enumerate(self._cells)}
        self._counts = {change: np.zeros(len(self._cells), np.int64) for change in moved}
        for change, counts in moved.items():
            self._counts[change][[at[cell] for cell in counts]] = list(counts.values())
        known = {**{cell: one for found in tally.examples.values() for cell, one in found.items()}, **tally.spots}
        self._examples = [(at[cell], one) for cell, one in known.items() if cell in at]

    def by(self, changes: list[Change], groups: list[set[Change]]) -> list[TicketRegion]:
        """Return the regions of each group of changes."""
        found: dict[Box, TicketRegion] = {}
        for group in groups:
            wanted = np.sum([self._counts[change] for change in changes if change in group], axis=0) > 0
            for box in self._boxes(wanted):
                found[box] = self._described(box)
        return list(found.values())

    def _boxes(self, wanted: Mask) -> list[Box]:
        axes = list(range(len(self._space.shape)))
        while True:
            seen = self._over(axes, wanted)
            used = [np.unique(seen.positions[seen.wanted][:, at]) for at in range(len(axes))]
            if math.prod(map(len, used)) <= MAX_ROOM and int(seen.wanted.sum()) <= MAX_CHANGED:
                break
            axes.pop(max(range(len(axes)), key=lambda at: len(used[at])))
        free = _cropped(seen, used)
        whole = [tuple(range(size)) for size in self._space.shape]
        return [
            self._spread(_widened(box, seen, [self._space.shape[axis] for axis in axes]), axes, whole) for box in free
        ]

    def _over(self, axes: list[int], wanted: Mask) -> _Seen:
        """Reduce the situations to some axes: one is wanted if any of those that it represents is."""
        if len(axes) == len(self._space.shape):
            return _Seen(self._positions, wanted)
        distinct, which = np.unique(self._positions[:, axes], axis=0, return_inverse=True)
        some = np.zeros(len(distinct), np.bool_)
        some[which.ravel()[wanted]] = True
        return _Seen(distinct, some)

    @staticmethod
    def _spread(box: Box, axes: list[int], whole: list[tuple[int, ...]]) -> Box:
        spread = list(whole)
        for axis, positions in zip(axes, box, strict=True):
            spread[axis] = positions
        return tuple(spread)

    def _described(self, box: Box) -> TicketRegion:
        inside = np.ones(len(self._cells), np.bool_)
        for axis, positions in enumerate(box):
            if len(positions) < self._space.shape[axis]:
                inside &= _among(self._positions[:, axis], positions, self._space.shape[axis])
        changes = {change: int(counts[inside].sum()) for change, counts in self._counts.items()}
        changes = dict(
            sorted(
                ((change, count) for change, count in changes.items() if count),
                key=lambda pair: (-pair[1], str(pair[0])),
            )
        )
        named = (
            axis.fact.named(member for at in positions for member in axis.members[at])
            for axis, positions in zip(self._space.axes, box, strict=True)
        )
        examples = sorted((one for at, one in self._examples if inside[at]), key=lambda one: one.row)
        return TicketRegion(
            when=tuple(values for values in named if values is not None),
            tickets=int(self._tickets[inside].sum()),
            changed=sum(changes.values()),
            changes=changes,
            examples=_distinct(examples),
        )


def _distinct(examples: list[Example]) -> tuple[Example, ...]:
    return tuple({one.row: one for one in examples}.values())[:MAX_EXAMPLES]


def _cropped(seen: _Seen, used: list[Column]) -> list[Box]:
    """Cover the wanted situations over the positions that occur; situations without tickets may be covered too."""
    shape = tuple(map(len, used))
    within = (
        np.logical_and.reduce([np.isin(seen.positions[:, at], there) for at, there in enumerate(used)])
        if used
        else np.ones(len(seen.positions), np.bool_)
    )
    index = tuple(np.searchsorted(there, seen.positions[within][:, at]) for at, there in enumerate(used))
    wanted, room = np.zeros(shape, np.bool_), np.ones(shape, np.bool_)
    wanted[tuple(part[seen.wanted[within]] for part in index)] = True
    room[tuple(part[~seen.wanted[within]] for part in index)] = False
    return [
        tuple(tuple(used[at][list(positions)].tolist()) for at, positions in enumerate(box))
        for box in cover(wanted, room)
    ]


def _widened(box: Box, seen: _Seen, shape: list[int]) -> Box:
    """Widen a box to the whole axis, or to all sent values, if no unchanged ticket is in the way."""
    others = seen.positions[~seen.wanted]
    inside = [_among(others[:, axis], positions, shape[axis]) for axis, positions in enumerate(box)]
    wide = list(box)
    for axis in sorted(range(len(box)), key=lambda axis: -len(box[axis])):
        rest = (
            np.logical_and.reduce([one for at, one in enumerate(inside) if at != axis])
            if len(box) > 1
            else np.ones(len(others), np.bool_)
        )
        against = set(others[rest, axis].tolist())
        for more in (tuple(range(shape[axis])), tuple(range(1, shape[axis]))):
            if not against & set(more) and set(box[axis]) <= set(more):
                wide[axis] = more
                inside[axis] = _among(others[:, axis], more, shape[axis])
                break
    return tuple(wide)


def _among(positions: Column, chosen: tuple[int, ...], size: int) -> Mask:
    marks = np.zeros(size, np.bool_)
    marks[list(chosen)] = True
    return marks[positions]
