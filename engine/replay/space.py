"""The situations of an outcome by number: the cells of the space of one or both versions that tickets fall in.

Facts may have more combinations than a machine number can hold: then the number of a situation is a larger one.

A ticket falls in the cell in which both versions read it. If no value on the common scale fits how the two read one of
its facts (a spelling that only one of them has), the later version decides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from engine.clock.zone import Column
from engine.columns.combinations import Combinations
from engine.columns.fact_columns import Mask
from engine.columns.read import Atomic
from engine.diff.joint_facts import REFUSED, Classes, JointAxis
from engine.version.version import Version

NOWHERE: Final = -1
"""The number of a row outside the space."""

_MACHINE: Final = 1 << 50
"""Up to how many situations their numbers are those of the machine."""

_WORD: Final = 1 << 40
"""The size of the parts into which larger numbers are cut."""

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
        self, axes: Sequence[JointAxis], own: Sequence[Mapping[str, Classes] | None], versions: Sequence[Version | None]
    ) -> None:
        self.axes = tuple(axes)
        self.shape = tuple(axis.size for axis in axes)
        self.size = math.prod(self.shape)
        self._words: list[_Word] = []
        most = _MACHINE if self.size <= _MACHINE else _WORD
        stride, word = 1, _Word(1)
        for axis in reversed(self.axes):
            before, after = (_marks(axis.fact.name, of, version) for of, version in zip(own, versions, strict=True))
            if word.size * axis.size > most:
                self._words.append(word)
                word = _Word(stride)
            word.steps.append(_step(axis, before, after, word.size))
            word.size *= axis.size
            stride *= axis.size
        self._words.append(word)
        self._begin()

    def _begin(self) -> None:
        self._combinations = Combinations([word.size for word in self._words])
        self.met: list[int] = []

    def numbers(self, before: Read | None, after: Read, kept: Mask) -> Column:
        """Return a short number for the situation of each kept row: its position in ``met``; or else NOWHERE."""
        if len(self.met) > MAX_KEPT:
            self._begin()
        words = [word.cells(before, after, len(kept)) for word in self._words]
        inside = np.logical_and.reduce([kept, *(one >= 0 for one in words)])
        if inside.all():
            return self._short(words)
        numbers = np.full(len(kept), NOWHERE, np.int64)
        numbers[inside] = self._short([one[inside] for one in words])
        return numbers

    def _short(self, words: Sequence[Column]) -> Column:

        def meet(row: int) -> None:
            self.met.append(sum(int(one[row]) * word.stride for one, word in zip(words, self._words, strict=True)))

        return self._combinations.numbers(words, len(words[0]), meet)

    def positions(self, cells: Sequence[int]) -> Column:
        """Return the positions of situations on each axis: one row per situation."""
        if self.size <= _MACHINE and self.shape:
            return np.stack(np.unravel_index(np.array(cells, np.int64), self.shape), axis=1)
        found = np.zeros((len(cells), len(self.shape)), np.int64)
        for row, cell in enumerate(cells):
            rest = cell
            for at in reversed(range(len(self.shape))):
                rest, found[row, at] = divmod(rest, self.shape[at])
        return found


@dataclass(slots=True)
class _Word:
    """Some axes, and their share of the number of a situation: ``stride`` times the number on these."""

    stride: int
    size: int = 1
    steps: list[_Step] = field(default_factory=list)

    def cells(self, before: Read | None, after: Read, size: int) -> Column:
        """Return the number of each row on these axes; negative outside the space."""
        found = np.zeros(size, np.int64)
        for step in self.steps:
            key = step.key(None if before is None else before.atoms.get(step.fact), after.atoms.get(step.fact))
            found += step.adds[0] if key is None else step.adds.take(key, mode="clip")
        return found


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


def _marks(fact: str, own: Mapping[str, Classes] | None, version: Version | None) -> list[_Mark]:
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
