"""Two tables on common axes: the situations that either distinguishes, and the change of an outcome in each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.diff.joint_facts import REFUSED, JointAxis, JointFact, joint_axis
from engine.diff.nouns import Change, OutcomeState, StateKind
from engine.model.policy import Literal
from engine.model.problems import PolicyErrors, Problem
from engine.tables.classes import Indices
from engine.tables.merge_alike import MergedArray, equal_groups, merge_alike
from engine.tables.missing_facts import Codes, PartialTable
from engine.tables.possible_sets import PossibleSets, possible_sets

MAX_SITUATIONS = 64_000_000
"""The most situations of two tables after equal positions are merged."""


@dataclass(frozen=True, slots=True)
class Layer:
    """An outcome of one version, in every cell of its table."""

    partial: PartialTable
    codes: Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class SituationChanges:
    """An outcome of two versions in every situation, with the number of its change (None: no change).

    ``weights`` has for each position of an axis the number of positions of both tables that it represents.
    """

    axes: tuple[JointAxis, ...]
    weights: tuple[tuple[int, ...], ...]
    array: Indices
    changes: tuple[Change | None, ...]
    after: tuple[OutcomeState, ...]
    before: tuple[OutcomeState, ...]

    @property
    def situations(self) -> int:
        """The number of situations."""
        return math.prod(sum(weights) for weights in self.weights)


def same_cells(before: Layer, after: Layer, axes: tuple[JointAxis, ...]) -> bool:
    """Return True if axes and cells are the same, so that nothing differs. False does not mean a difference."""
    one, other = before.partial, after.partial
    if one.cell.shape != other.cell.shape or before.codes.domain != after.codes.domain:
        return False
    if any(axis.before != axis.after for axis in axes) or [type(value) for value in before.codes.domain] != [
        type(value) for value in after.codes.domain
    ]:
        return False
    return (
        np.array_equal(before.codes.low, after.codes.low)
        and np.array_equal(before.codes.high, after.codes.high)
        and np.array_equal(one.settled, other.settled)
        and all(map(np.array_equal, one.open, other.open))
    )


def axes_of(before: Layer | None, after: Layer | None, fact: Callable[[str], JointFact]) -> tuple[JointAxis, ...]:
    """Return the axes of both tables, each fact once."""
    one, other = ({axis.fact: axis for axis in layer.partial.axes} if layer else {} for layer in (before, after))
    return tuple(joint_axis(fact(name), one.get(name), other.get(name)) for name in sorted({*one, *other}))


def compare_cells(
    before: Layer | None, after: Layer | None, axes: tuple[JointAxis, ...], place: Problem
) -> SituationChanges:
    """Compare an outcome of two versions in every situation; None is a version without it.

    Raises PolicyErrors (with ``place``) if there are too many.
    """
    sides = [_side(layer) for layer in (before, after)]
    joined = [_merged(axis, *(side.of.get(axis.fact.name) for side in sides)) for axis in axes]
    if math.prod(axis.size for axis, _ in joined) > MAX_SITUATIONS:
        raise PolicyErrors([place])
    numbers = [
        _spread(side, [axis for axis, _ in joined], last) for side, last in zip(sides, (False, True), strict=True)
    ]
    pairs = numbers[0] * np.int64(len(sides[1].states)) + numbers[1]
    distinct, inverse = _distinct(pairs, len(sides[0].states) * len(sides[1].states))
    keys: dict[tuple[Change | None, OutcomeState, OutcomeState], int] = {}
    compact = []
    for pair in distinct:
        one, other = (
            side.states[number] for side, number in zip(sides, divmod(pair, len(sides[1].states)), strict=True)
        )
        compact.append(keys.setdefault((_change(one, other), _plain(one), _plain(other)), len(keys)))
    array = np.array(compact, dtype=np.int32)[inverse]
    changes, befores, afters = zip(*keys, strict=True)
    return SituationChanges(
        axes=tuple(axis for axis, _ in joined),
        weights=tuple(weights for _, weights in joined),
        array=array,
        changes=changes,
        after=afters,
        before=befores,
    )


def _distinct(numbers: npt.NDArray[np.int64], most: int) -> tuple[list[int], npt.NDArray[np.intp]]:
    """Return the distinct numbers below ``most`` in an array, and the index of each element's number."""
    if most > 4 * numbers.size:
        distinct, inverse = np.unique(numbers, return_inverse=True)
        return distinct.tolist(), inverse.reshape(numbers.shape)
    found = np.flatnonzero(np.bincount(numbers.ravel(), minlength=most))
    position = np.zeros(most, dtype=np.intp)
    position[found] = np.arange(len(found))
    return found.tolist(), position[numbers]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One version's states in its own reduced array, and the new position of each class of its axes."""

    axes: tuple[str, ...]
    array: Indices
    of: Mapping[str, tuple[int, ...]]
    states: tuple[OutcomeState, ...]


def _side(layer: Layer | None) -> _Side:
    """Reduce the states of a version; the last state is that of a rejected request."""
    if layer is None:
        return _Side(
            axes=(),
            array=np.zeros((), dtype=np.int32),
            of={},
            states=(OutcomeState(StateKind.ABSENT), OutcomeState(StateKind.REFUSED)),
        )
    made: PossibleSets = possible_sets(layer.partial, layer.codes)
    small: MergedArray = merge_alike(made.set_numbers)
    names = tuple(axis.fact for axis in layer.partial.axes)
    return _Side(
        axes=names,
        array=small.array,
        of=dict(zip(names, small.position_of, strict=True)),
        states=(*_states(made, layer.codes), OutcomeState(StateKind.REFUSED)),
    )


def _states(made: PossibleSets, codes: Codes) -> tuple[OutcomeState, ...]:
    found = []
    for possible in made.sets:
        values = tuple(codes.domain[code] if code < codes.not_covered else None for code in possible)
        if len(values) > 1:
            found.append(OutcomeState(StateKind.UNDECIDED, possible=values))
        elif possible == (codes.not_covered,):
            found.append(OutcomeState(StateKind.NOT_COVERED))
        else:
            found.append(OutcomeState(StateKind.DECIDED, values[0]))
    return tuple(found)


def _merged(
    axis: JointAxis, before: tuple[int, ...] | None, after: tuple[int, ...] | None
) -> tuple[JointAxis, tuple[int, ...]]:
    """Merge the positions of an axis that neither reduced array distinguishes."""
    keys = [(_to(before, one), _to(after, other)) for one, other in zip(axis.before, axis.after, strict=True)]
    groups = equal_groups(keys)
    members = tuple(tuple(member for at in group for member in axis.members[at]) for group in groups)
    merged = JointAxis(
        fact=axis.fact,
        before=tuple(keys[group[0]][0] for group in groups),
        after=tuple(keys[group[0]][1] for group in groups),
        members=members,
    )
    return merged, tuple(map(len, groups))


def _to(of: tuple[int, ...] | None, at: int) -> int:
    if at == REFUSED:
        return REFUSED
    return 0 if of is None else of[at]


def _spread(side: _Side, axes: list[JointAxis], after: bool) -> Indices:
    """Return the number of a version's state in every situation."""
    classes = {axis.fact.name: np.array(axis.after if after else axis.before) for axis in axes}
    picks = [np.maximum(classes[name], 0) for name in side.axes]
    own = side.array[np.ix_(*picks)] if picks else side.array
    by_name = {name: at for at, name in enumerate(side.axes)}
    ordered = own.transpose([by_name[axis.fact.name] for axis in axes if axis.fact.name in by_name])
    shaped = ordered.reshape([axis.size if axis.fact.name in by_name else 1 for axis in axes])
    whole = np.array(np.broadcast_to(shaped, [axis.size for axis in axes]))
    for at, axis in enumerate(axes):
        refused = np.flatnonzero(classes[axis.fact.name] == REFUSED)
        whole[(slice(None),) * at + (refused,)] = len(side.states) - 1
    return whole


def _change(before: OutcomeState, after: OutcomeState) -> Change | None:
    """Return what changes between two states; None is nothing."""
    if _same(before, after):
        return None
    if (
        before.kind is after.kind is StateKind.DECIDED
        and isinstance(before.value, tuple)
        and isinstance(after.value, tuple)
    ):
        gone = tuple(sorted((Counter(before.value) - Counter(after.value)).elements()))
        come = tuple(sorted((Counter(after.value) - Counter(before.value)).elements()))
        if gone or come:
            return Change(OutcomeState(StateKind.DECIDED, gone), OutcomeState(StateKind.DECIDED, come), in_part=True)
    return Change(_plain(before), _plain(after))


def _plain(state: OutcomeState) -> OutcomeState:
    """Return a state without the values that are still possible."""
    return OutcomeState(state.kind, state.value)


def _same(before: OutcomeState, after: OutcomeState) -> bool:
    if before.kind is not after.kind or type(before.value) is not type(after.value) or before.value != after.value:
        return False
    return _possible(before.possible) == _possible(after.possible)


def _possible(values: tuple[Literal | None, ...]) -> set[tuple[type, object]]:
    return {(type(value), value) for value in values}
