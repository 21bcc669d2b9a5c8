"""Values that no rule distinguishes form one class; a table has one axis of classes for each fact that it reads.

An *atom* is the smallest set of values that a rule of the version can distinguish: a word of a choice, or the numbers
between two thresholds. Atoms belong to the whole version, classes to one table. Atom 0 and class 0 are ``unknown``.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.model.conditions import Condition
from engine.model.vocabulary import Fact, FactType, number_text

Mask = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Atoms:
    """The atoms of one fact; ``samples[i]`` is a value of atom ``i + 1``."""

    fact: Fact
    samples: tuple[str | float, ...]
    cuts: tuple[float, ...] = ()
    piece_atoms: tuple[int, ...] = ()
    positions: Mapping[str, int] = field(default_factory=dict)

    def of(self, value: str | float | None) -> int:
        """Return the atom of a value; 0 for None, which is unknown."""
        if value is None:
            return 0
        if isinstance(value, str):
            return self.positions[value]
        at = bisect_left(self.cuts, value)
        return self.piece_atoms[2 * at + (at < len(self.cuts) and self.cuts[at] == value)]

    def text(self, atom: int) -> str:
        """Return a value of an atom as a caller would send it."""
        sample = self.samples[atom - 1]
        return sample if isinstance(sample, str) else number_text(sample)

    def mask(self, condition: Condition) -> Mask:
        """Return whether a condition holds, for each atom."""
        holds = [condition.holds(sample) for sample in self.samples]
        return np.array([condition.unknown, *holds], dtype=np.bool_)


def atoms_of(fact: Fact, conditions: Iterable[Condition]) -> Atoms:
    """Return the atoms of a fact; numbers are split at every threshold of the conditions.

    >>> from engine.model.conditions import NumberInterval
    >>> from engine.model.problems import Place
    >>> share = Fact(name="share", type=FactType.NUMBER, minimum=0, maximum=100)
    >>> half = Condition(
    ...     fact="share",
    ...     words=frozenset(),
    ...     intervals=(NumberInterval(low=50, high=math.inf, low_closed=False, high_closed=False),),
    ...     negated=False,
    ...     unknown=False,
    ...     text="> 50",
    ...     place=Place(file=""),
    ... )
    >>> atoms = atoms_of(share, [half])
    >>> atoms.samples
    (0.0, 25.0, 50.0, 75.0, 100.0)
    >>> atoms.of(None), atoms.of(49.9), atoms.of(50), atoms.of(50.1)
    (0, 2, 3, 4)
    """
    if not fact.numeric:
        words = fact.words
        return Atoms(fact=fact, samples=words, positions={word: at for at, word in enumerate(words, start=1)})
    ends = {
        end for condition in conditions for interval in condition.intervals for end in (interval.low, interval.high)
    }
    limits = {float(limit) for limit in (fact.minimum, fact.maximum) if limit is not None}
    cuts = tuple(sorted(float(end) for end in ends | limits if math.isfinite(end)))
    samples: list[float] = []
    piece_atoms: list[int] = []
    for piece in range(2 * len(cuts) + 1):
        sample = sample_of(fact, cuts, piece)
        if sample is not None:
            samples.append(sample)
        piece_atoms.append(len(samples) if sample is not None else 0)
    return Atoms(fact=fact, samples=tuple(samples), cuts=cuts, piece_atoms=tuple(piece_atoms))


def sample_of(fact: Fact, cuts: tuple[float, ...], piece: int) -> float | None:
    """Return a number from a piece of the number line, or None if the fact cannot have any number from it.

    Odd pieces are the thresholds themselves; even pieces are the open intervals before, between and after them.
    """
    at, is_cut = divmod(piece, 2)
    whole = fact.type is FactType.INTEGER
    if is_cut:
        return cuts[at] if not whole or cuts[at] == int(cuts[at]) else None
    low = cuts[at - 1] if at > 0 else -math.inf
    high = cuts[at] if at < len(cuts) else math.inf
    if (fact.minimum is not None and high <= fact.minimum) or (fact.maximum is not None and low >= fact.maximum):
        return None
    if low == -math.inf:
        sample = high - 1 if math.isfinite(high) else 0.0
    elif high == math.inf:
        sample = low + 1
    else:
        sample = (low + high) / 2
    if whole:
        sample = math.floor(low) + 1 if math.isfinite(low) else math.ceil(high) - 1 if math.isfinite(high) else 0
        return float(sample) if low < sample < high else None
    return sample


@dataclass(frozen=True, slots=True)
class Axis:
    """The classes of one fact of a table: the class of each atom, and one atom of each class."""

    fact: str
    class_of: Indices
    members: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of classes, including unknown."""
        return len(self.members)


def axis_of(fact: str, signatures: Iterable[object]) -> Axis:
    """Return the classes of a fact: atoms with equal signatures are one class; the first signature is for unknown.

    >>> axis_of("channel", [None, "a", "b", "a"])
    Axis(fact='channel', class_of=array([0, 1, 2, 1], dtype=int32), members=(0, 1, 2))
    """
    numbers: dict[object, int] = {}
    members: list[int] = []
    class_of: list[int] = []
    for atom, signature in enumerate(signatures):
        if signature not in numbers:
            numbers[signature] = len(members)
            members.append(atom)
        class_of.append(numbers[signature])
    return Axis(fact, np.array(class_of, dtype=np.int32), tuple(members))


def joint_axes(given: Iterable[tuple[Axis, ...]]) -> tuple[Axis, ...]:
    """Return axes that distinguish all values that any of the given axes distinguishes."""
    found: dict[str, list[Axis]] = {}
    for axis in (axis for axes in given for axis in axes):
        found.setdefault(axis.fact, []).append(axis)
    return tuple(_joint(axes) for _, axes in sorted(found.items()))


def _joint(axes: list[Axis]) -> Axis:
    first, *others = axes
    if all(np.array_equal(first.class_of, axis.class_of) for axis in others):
        return first
    return axis_of(first.fact, zip(*(axis.class_of.tolist() for axis in axes), strict=True))


class Masks:
    """The masks of conditions over atoms, each computed once."""

    def __init__(self, atoms: Mapping[str, Atoms]) -> None:
        self.atoms = atoms
        self._known: dict[tuple[object, ...], Mask] = {}
        self._allowed: dict[tuple[int, int], tuple[int, ...]] = {}

    def __call__(self, condition: Condition) -> Mask:
        """Return the mask of a condition over the atoms of its fact."""
        key = (condition.fact, condition.words, condition.intervals, condition.negated, condition.unknown)
        if key not in self._known:
            self._known[key] = self.atoms[condition.fact].mask(condition)
        return self._known[key]

    def classes(self, condition: Condition, axis: Axis) -> tuple[int, ...]:
        """Return the classes of an axis that a condition allows."""
        mask = self(condition)
        key = (id(mask), id(axis))
        if key not in self._allowed:
            self._allowed[key] = tuple(np.unique(axis.class_of[mask]).tolist())
        return self._allowed[key]

    def axis(self, fact: str, conditions: Iterable[Condition], apart: bool = False) -> Axis:
        """Return the axis of a fact for these conditions; with ``apart``, each atom is a class of its own."""
        count = len(self.atoms[fact].samples)
        distinct = {id(mask): mask for mask in map(self, conditions)}
        if apart or not distinct:
            signatures: list[object] = list(range(count)) if apart else [0] * count
        else:
            stacked = np.packbits(np.stack(list(distinct.values()))[:, 1:], axis=0)
            signatures = [stacked[:, at].tobytes() for at in range(count)]
        return axis_of(fact, [None, *signatures])
