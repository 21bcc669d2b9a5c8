"""Pairs of states before and after, by number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.clock.zone import Column
from engine.columns.fact_columns import Mask
from engine.diff.nouns import Change, OutcomeState, StateKind


def same_key(state: OutcomeState) -> object:
    """Return a key that is equal for states that count as the same.

    Possible values are ignored, and numbers compare by value.

    >>> (
    ...     same_key(OutcomeState(StateKind.DECIDED, 4)) == same_key(OutcomeState(StateKind.DECIDED, 4.0)),
    ...     same_key(OutcomeState(StateKind.DECIDED, 1)) == same_key(OutcomeState(StateKind.DECIDED, True)),
    ... )
    (True, False)
    """
    value = state.value
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return state.kind, "number" if number else type(value).__name__, value


class Pairs:
    """All pairs of some states before and after. A state before that equals one after is replaced by it."""

    def __init__(self, before: Sequence[OutcomeState], after: Sequence[OutcomeState]) -> None:
        numbers: dict[object, int] = {}
        for state in (*after, *before):
            numbers.setdefault(same_key(state), len(numbers))
        said = {
            number: OutcomeState(state.kind, state.value)
            for state in reversed((*after, *before))
            for number in (numbers[same_key(state)],)
        }
        self._after = [said[numbers[same_key(state)]] for state in after]
        self._before = [said[numbers[same_key(state)]] for state in before]
        self._ones, self._others = (
            np.array([numbers[same_key(state)] for state in states], np.int64) for states in (before, after)
        )
        self.width = len(after)
        self.size = len(before) * len(after)

    def differ(self, pairs: Column) -> Mask:
        """Return which pairs differ, by their numbers."""
        before, after = np.divmod(pairs, self.width)
        found: Mask = self._ones.take(before) != self._others.take(after)
        return found

    def change(self, number: int) -> Change:
        """Return a pair by its number."""
        before, after = divmod(number, self.width)
        return Change(self._before[before], self._after[after])


def changed(change: Change) -> bool:
    """Return whether the two sides of a pair differ."""
    return same_key(change.before) != same_key(change.after)


ABSENT = OutcomeState(StateKind.ABSENT)
"""The state of an outcome that a side does not have."""
