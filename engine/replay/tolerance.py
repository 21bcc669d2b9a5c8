"""Treats recorded values that are close to the decided ones as the same, and counts them."""

from __future__ import annotations

import numpy as np

from engine.columns.fact_columns import Mask
from engine.diff.nouns import OutcomeState
from engine.replay.nouns import OutcomeColumn
from engine.replay.side import SideDues


def near_dues(recorded: SideDues, decided: SideDues, most: float) -> tuple[SideDues, Mask]:
    """Replace recorded due times within a number of microseconds by the decided ones; mark those that differed."""
    both = recorded.given & decided.given
    apart = np.abs(np.where(both, decided.micros - np.where(both, recorded.micros, 0), 0))
    close = both & (apart > 0) & (apart <= most)
    return SideDues(np.where(close, decided.micros, recorded.micros), recorded.given), close


def near_states(recorded: OutcomeColumn, decided: OutcomeColumn, most: float) -> tuple[OutcomeColumn, Mask]:
    """Replace recorded numbers within a tolerance by the decided ones; mark those that differed."""
    before, after = (np.array([_number(state) for state in one.states], np.float64) for one in (recorded, decided))
    given = recorded.codes >= 0
    one = np.where(given, before.take(recorded.codes, mode="clip") if len(before) else np.nan, np.nan)
    other = after.take(decided.codes, mode="clip") if len(after) else np.full(len(one), np.nan)
    apart = np.abs(one - other)
    close = (apart > 0) & (apart <= most)
    codes = np.where(close, decided.codes.astype(np.int64) + len(recorded.states), recorded.codes.astype(np.int64))
    return OutcomeColumn(codes, (*recorded.states, *decided.states)), close


def _number(state: OutcomeState) -> float:
    value = state.value
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else np.nan
