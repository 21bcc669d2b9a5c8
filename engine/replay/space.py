"""The situations of an outcome by number: the cells of the space of one or both versions that tickets fall in.

A ticket falls in the cell in which both versions read it. If no value on the common scale fits how the two read one of
its facts (a spelling that only one of them has), the later version decides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.clock.zone import Column
from engine.columns.combinations import Numbering
from engine.columns.read import Atomic
from engine.diff.joint_facts import REFUSED, JointAxis
from engine.tables.classes import Axis
from engine.version.version import Version

NOWHERE: Final = -1
"""The number of a row outside the space."""

MAX_SPACE: Final = 1 << 50
MAX_KEPT: Final = 1 << 20
"""The number of situations after which the short numbers restart."""

_MANY: Final = 1 << 16
"""The most pairs of atoms for a dense look-up table."""

_FAR: Final = -(1 << 55)


@dataclass(frozen=True, slots=True)
class Read:
    """The atoms of each fact of some rows as a version reads them; a rejected value is one past the last atom."""

    atoms: Mapping[str, Atomic]


class Space:
    """The situations over some axes.

    Args:
        axes: facts as both versions tell them apart.
        own: the axes of the tables of the version before (None: no version) and after.
        versions: these versions.
    """

    def __init__(
        self, axes: Sequence[JointAxis], own: Sequence[Mapping[str, Axis] | None], versions: Sequence[Version | None]
    ) -> None:
        self.axes = tuple(axes)
        self.shape = tuple(axis.size for axis in axes)
        self.size = math.prod(self.shape)
        self._steps: list[_Step] = []
        stride = 1
        for axis in reversed(self.axes):
            before, after = (_marks(axis.fact.name, of, version) for of, version in zip(own, versions, strict=True))
            self._steps.append(_step(axis, before, after, stride))
            stride *= axis.size
        self._begin()

    def _begin(self) -> None:
        self._numbering = Numbering(max(self.size, 1))
        self.met: list[int] = []

    def cells(self, before: Read | None, after: Read, size: int) -> Column:
        """Return the number of each row's situation; NOWHERE outside the space."""
        if self.size > MAX_SPACE:
            return np.full(size, NOWHERE, np.int64)
        found = np.zeros(size, np.int64)
        for step in self._steps:
            key = step.key(None if before is None else before.atoms.get(step.fact), after.atoms.get(step.fact))
            found += step.adds[0] if key is None else step.adds.take(key, mode="clip")
        return found if self.size <= 1 else np.maximum(found, NOWHERE)

    def numbers(self, cells: Column) -> Column:
        """Return a short number for each situation: its position in ``met``.

        Rows outside the space are removed before.
        """
        if len(self.met) > MAX_KEPT:
            self._begin()
        return self._numbering.numbers(cells, lambda row: self.met.append(int(cells[row])))

    def positions(self, cells: Sequence[int]) -> Column:
        """Return the positions of situations on each axis: one row per situation."""
        return (
            np.stack(np.unravel_index(np.array(cells, np.int64), self.shape), axis=1)
            if self.shape
            else np.zeros((len(cells), 0), np.int64)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """The share of a fact in the number of a situation, for each pair of marks.

    ``before`` and ``after`` have the mark of each atom (None: itself).
    """

    fact: str
    before: Atomic | None
    after: Atomic | None
    width: int
    adds: Atomic

    def key(self, before: Atomic | None, after: Atomic | None) -> Atomic | None:
        if before is not None:
            before = before if self.before is None else self.before.take(before, mode="clip")
        if after is not None:
            after = after if self.after is None else self.after.take(after, mode="clip")
        if before is None:
            return after
        return before * self.width if after is None else before * self.width + after


_Mark = tuple[int, bool]
"""The class of an atom, and whether its value is sent."""


def _marks(fact: str, own: Mapping[str, Axis] | None, version: Version | None) -> list[_Mark]:
    """Return the mark of each atom of a fact, the last for a rejected value.

    If the fact is unknown, there is only the mark of not sent.
    """
    if own is None or version is None or fact not in version.atoms:
        return [(0, False)]
    axis = own.get(fact)
    atoms = len(version.atoms[fact].samples) + 1
    return [*((0 if axis is None else int(axis.class_of[atom]), atom > 0) for atom in range(atoms)), (REFUSED, True)]


def _step(axis: JointAxis, before: list[_Mark], after: list[_Mark], stride: int) -> _Step:
    to_before, to_after = None, None
    if len(before) * len(after) > _MANY:
        (before, to_before), (after, to_after) = _apart(before), _apart(after)
    place = _Places(axis)
    adds = np.array([place.of(one, other) for one in before for other in after], np.int64)
    return _Step(
        fact=axis.fact.name,
        before=to_before,
        after=to_after,
        width=len(after),
        adds=np.where(adds < 0, _FAR, adds * stride).astype(np.intp),
    )


def _apart(marks: list[_Mark]) -> tuple[list[_Mark], Atomic]:
    """Return each mark once, and which each atom has."""
    numbers = {mark: at for at, mark in enumerate(dict.fromkeys(marks))}
    return list(numbers), np.array([numbers[mark] for mark in marks], np.intp)


class _Places:
    """The positions of pairs of marks on an axis."""

    def __init__(self, axis: JointAxis) -> None:
        self._unsent = next(at for at, members in enumerate(axis.members) if 0 in members)
        sent = [at for at in range(axis.size) if at != self._unsent]
        self._pairs = {(axis.before[at], axis.after[at]): at for at in sent}
        self._before = {axis.before[at]: at for at in reversed(sent)}
        self._after = {axis.after[at]: at for at in reversed(sent)}

    def of(self, before: _Mark, after: _Mark) -> int:
        """Return the position of a pair; NOWHERE if there is none."""
        if not before[1] and not after[1]:
            return self._unsent
        exact = self._pairs.get((before[0], after[0]))
        if exact is not None:
            return exact
        if after[1] and after[0] != REFUSED:
            return self._after.get(after[0], NOWHERE)
        return self._before.get(before[0], NOWHERE) if before[1] and before[0] != REFUSED else NOWHERE
