"""Compares one outcome of two versions, and groups the changed situations into few readable regions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import reduce

import numpy as np
import numpy.typing as npt

from engine.diff.box_cover import Box, cover, inside
from engine.diff.cells import Layer, SituationChanges, axes_of, compare_cells, same_cells
from engine.diff.joint_facts import JointFact
from engine.diff.nouns import Change, DiffRegion, OutcomeDiff, OutcomeState, StateKind, Values
from engine.model.problems import Place, Problem
from engine.tables.cells import sizes_text
from engine.tables.classes import Mask
from engine.tables.merge_alike import merge_alike


def compare_outcome(
    name: str, before: Layer | None, after: Layer | None, fact: Callable[[str], JointFact]
) -> OutcomeDiff:
    """Compare an outcome of two versions, either of which may not have it (None)."""
    axes = axes_of(before, after, fact)
    if before and after and same_cells(before, after, axes):
        return OutcomeDiff(name=name, situations=before.codes.low.size, changed=0, changes={}, regions=(), gist=())
    sizes = sizes_text({axis.fact.name: axis.size for axis in axes})
    place = after or before
    where = place.partial.grid.table.place if place else Place(file="")
    laid = compare_cells(
        before,
        after,
        axes,
        Problem(
            place=where,
            code="space-too-large",
            message=f"`{name}` of the two versions cannot be compared: {sizes}",
            help="compare each with a version in between that changes less of what it reads",
        ),
    )
    return _Picture(laid).diff(name)


class _Picture:
    """The change in every situation, reduced, with the axes to describe it."""

    def __init__(self, laid: SituationChanges) -> None:
        small = merge_alike(laid.array)
        self.laid, self.array = laid, small.array
        self.members = [
            [tuple(member for at in group for member in axis.members[at]) for group in groups]
            for axis, groups in zip(laid.axes, small.members, strict=True)
        ]
        per_axis = [
            np.array([sum(weights[at] for at in group) for group in groups], dtype=np.int64)
            for weights, groups in zip(laid.weights, small.members, strict=True)
        ]
        self.weights: npt.NDArray[np.int64] = reduce(np.multiply.outer, per_axis, np.ones((), dtype=np.int64))
        numbers: dict[Change, list[int]] = {}
        for number, change in enumerate(laid.changes):
            if change is not None:
                numbers.setdefault(change, []).append(number)
        self.same = self._is(number for number, change in enumerate(laid.changes) if change is None)
        self.changing = [number for found in numbers.values() for number in found]
        self.where = {change: self._is(found) for change, found in numbers.items()}

    def diff(self, name: str) -> OutcomeDiff:
        counts = {change: int(self.weights[mask].sum()) for change, mask in self.where.items()}
        ordered = dict(sorted(counts.items(), key=lambda pair: (_minor(pair[0]), -pair[1], str(pair[0]))))
        regions = [
            self._region(box, mask) for change in ordered for mask in (self.where[change],) for box in cover(mask)
        ]
        return OutcomeDiff(
            name=name,
            situations=self.laid.situations,
            changed=sum(counts.values()),
            changes=ordered,
            regions=tuple(regions),
            gist=self._gist(tuple(regions)),
        )

    def _gist(self, regions: tuple[DiffRegion, ...]) -> tuple[DiffRegion, ...]:
        """Summarize the changes by the later or the earlier value, whichever has fewer."""
        if len(regions) <= 1 or any(change.in_part for change in self.where):
            return regions
        ends = min(
            (self.laid.after, self.laid.before), key=lambda ends: len({ends[number] for number in self.changing})
        )
        summed = self._by(ends)
        return summed if len(summed) < len(regions) else regions

    def _by(self, ends: tuple[OutcomeState, ...]) -> tuple[DiffRegion, ...]:
        changed = ~self.same
        found = []
        for end in dict.fromkeys(ends[number] for number in self.changing):
            room = self._is(number for number, other in enumerate(ends) if other == end)
            found += [self._region(_tight(box, changed & room), changed & room) for box in cover(changed & room, room)]
        return tuple(sorted(found, key=lambda region: (all(map(_minor, region.changes)), -region.situations)))

    def _is(self, numbers: Iterable[int]) -> Mask:
        chosen = np.zeros(len(self.laid.changes), dtype=np.bool_)
        chosen[list(numbers)] = True
        return np.asarray(chosen[self.array])

    def _region(self, box: Box, changed: Mask) -> DiffRegion:
        there = inside(box)
        weights = self.weights[there]
        found = np.bincount(self.array[there].ravel(), weights.ravel(), len(self.laid.changes))
        counts: dict[Change, int] = {}
        for number in np.flatnonzero(found).tolist():
            change = self.laid.changes[number]
            if change is not None:
                counts[change] = counts.get(change, 0) + int(found[number])
        situations = int(weights.sum())
        return DiffRegion(
            when=self._when(box),
            changes=counts,
            situations=situations,
            example=self._example(box, changed[there]),
            alike=situations - sum(counts.values()),
        )

    def _when(self, box: Box) -> tuple[Values, ...]:
        named = (
            axis.fact.named(member for at in positions for member in members[at])
            for axis, members, positions in zip(self.laid.axes, self.members, box, strict=True)
        )
        return tuple(values for values in named if values is not None)

    def _example(self, box: Box, changed: Mask) -> Mapping[str, str]:
        """Return a ticket of a region in which something changes, with as few facts as possible."""
        unsent = [
            np.array([int(0 in members[at]) for at in positions])
            for members, positions in zip(self.members, box, strict=True)
        ]
        fewest: npt.NDArray[np.int64] = reduce(np.add.outer, unsent, np.zeros((), dtype=np.int64))
        best = np.unravel_index(int(np.where(changed, fewest, -1).argmax()), changed.shape)
        ticket = {}
        for axis, members, positions, at in zip(self.laid.axes, self.members, box, best, strict=True):
            there = members[positions[int(at)]]
            if 0 not in there:
                ticket[axis.fact.name] = axis.fact.values[there[0] - 1].sample
        return ticket


def _minor(change: Change) -> bool:
    """Return whether only the possible values change; such a change is reported last."""
    return change.before.kind is change.after.kind is StateKind.UNDECIDED


def _tight(box: Box, changed: Mask) -> Box:
    """Remove positions at which nothing changes from a box, but keep an axis that it spans whole.

    A fact whose axis is whole does not matter.
    """
    there = np.asarray(changed)[inside(box)]
    return tuple(
        positions
        if len(positions) == whole
        else tuple(
            at
            for at, any_change in zip(
                positions, there.any(axis=tuple(other for other in range(there.ndim) if other != axis)), strict=True
            )
            if any_change
        )
        for axis, (positions, whole) in enumerate(zip(box, np.asarray(changed).shape, strict=True))
    )
