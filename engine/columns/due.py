"""Due times and their states as columns: rows with the same clock and unit are computed at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np

from engine.clock.calendar import DayRule
from engine.clock.clock import Clock
from engine.clock.columns import NOWHERE, add_column, add_days_column, count_column
from engine.clock.zone import MICRO, Column
from engine.columns.fact_columns import Mask
from engine.columns.lookup import DECIDED, NOT_COVERED, UNDECIDED, BlockOutcomes, Level, Scale, levels_of
from engine.columns.read import Block
from engine.deadlines.clocks import Clocks
from engine.deadlines.due import UNITS, left_at_risk
from engine.model.answer import DeadlineState
from engine.model.policy import Deadline, WhenPast
from engine.model.targets import BY_DAY, Target, Unit

STATES: Final = tuple(DeadlineState)
"""A column of states has positions in this list, or ``NO_STATE``."""

NO_STATE: Final = len(STATES)

OptionalInstants = tuple[Column, Mask]
"""Instants, and in which rows they are given."""


@dataclass(frozen=True, slots=True)
class ClockGroup:
    """Rows whose time counts by the same clock, in the same unit."""

    clock: Clock
    unit: Unit
    rule: str

    def add(self, starts: Column, amounts: Column) -> tuple[Column, Mask]:
        """Return the due times of starts, and which of them are certain and exist."""
        if self.unit in BY_DAY:
            return add_days_column(self.clock, starts, amounts, DayRule(self.rule))
        return add_column(self.clock, starts, amounts)

    def failed(self, starts: Column) -> Level:
        """Return the level of starts without a due time: UNDECIDED if holidays are unknown, or else NOT_COVERED."""
        hours, listed = self.clock.hours, self.clock.calendar.holidays is not None
        inside = (starts >= hours.sure_from) & (starts < hours.sure_to)
        return np.where(listed & (~inside | hours.listed), UNDECIDED, NOT_COVERED).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class _At:
    """The instants for the state of a deadline: when it was met, or else now; and the rows that have one."""

    instants: Column
    met: Mask
    known: Mask

    def take(self, rows: Column) -> _At:
        return _At(self.instants.take(rows), self.met.take(rows), self.known.take(rows))


class DueColumn:
    """The due times of one deadline."""

    def __init__(self, deadline: Deadline, targets: Sequence[Target], clocks: Clocks) -> None:
        self.deadline, self._targets, self._clocks = deadline, targets, clocks
        self._clock_groups: list[ClockGroup] = []
        self._numbers: dict[object, int] = {}
        # The clock group and the amount of each code of a target, once it is met.
        self._met = np.zeros(Scale.VALUES + len(targets), np.bool_)
        self._met[: Scale.VALUES] = True
        self._groups, self._amounts = np.zeros((2, len(self._met)), np.int64)

    def of(self, found: BlockOutcomes, now: OptionalInstants | None) -> tuple[Level, Column, Level]:
        """Return the level, the due time and the state of the deadline in each row of a block."""
        block, codes = found.block, found.codes(self.deadline.name)
        for code in np.flatnonzero(np.bincount(codes, minlength=len(self._met)).astype(np.bool_) & ~self._met).tolist():
            self._groups[code], self._amounts[code] = self._clock_group(self._targets[code - Scale.VALUES])
            self._met[code] = True
        level = levels_of(codes)
        due, state = np.full(block.size, NOWHERE), np.full(block.size, NO_STATE, np.uint8)
        if self.deadline.starts not in block.instants:
            level[level == DECIDED] = UNDECIDED
            return level, due, state
        starts, given = block.instants[self.deadline.starts]
        groups = self._groups.astype(np.min_scalar_type(len(self._clock_groups)))
        clock_group_of = groups.take(codes, mode="clip")
        if not given.all():
            level[(level == DECIDED) & ~given] = UNDECIDED
            clock_group_of[~given] = 0
        at = _at(block, self.deadline.met, now)
        for number in np.flatnonzero(np.bincount(clock_group_of)[1:]).tolist():
            clock_group, rows = self._clock_groups[number], np.flatnonzero(clock_group_of == number + 1)
            begun = starts.take(rows, mode="clip")
            ends, sure = clock_group.add(begun, self._amounts.take(codes.take(rows, mode="clip"), mode="clip"))
            due[rows] = ends
            if not sure.all():
                level[rows[~sure]] = clock_group.failed(begun[~sure])
            if at is not None:
                state[rows] = self._standing(clock_group.clock, begun, ends, at.take(rows))
        return level, due, state

    def _clock_group(self, target: Target) -> tuple[int, int]:
        """Return the clock group of a target, and its amount; hours without closing are the same in all zones."""
        days = target.unit in BY_DAY
        clock = self._clocks.of(target.calendar, target.region)
        place = (target.calendar, clock.calendar.holidays is None) if clock.calendar.always and not days else clock
        number = self._numbers.setdefault((place, days, target.rule), len(self._clock_groups))
        if number == len(self._clock_groups):
            self._clock_groups.append(ClockGroup(clock, target.unit, target.rule))
        return number + 1, int(target.amount) if days else (target.amount * UNITS[target.unit]) // MICRO

    def _standing(self, clock: Clock, starts: Column, ends: Column, at: _At) -> Level:
        """Return the states of due times: when each was met, or else now."""
        state = np.full(len(starts), STATES.index(DeadlineState.RUNNING), np.uint8)
        if self.deadline.at_risk is not None:
            waiting = np.flatnonzero(at.known & ~at.met & (at.instants <= ends))
            begun, over = starts.take(waiting), ends.take(waiting)
            total, used = count_column(clock, begun, over)[0], count_column(clock, begun, at.instants.take(waiting))[0]
            state[waiting[total - used <= self._least(total)]] = STATES.index(DeadlineState.AT_RISK)
        state[at.met] = STATES.index(DeadlineState.MET)
        state[at.instants > ends] = STATES.index(
            DeadlineState.BREACHED if self.deadline.when_past is WhenPast.BREACHED else DeadlineState.PASSED
        )
        state[~at.known | (ends == NOWHERE)] = NO_STATE
        return state

    def _least(self, totals: Column) -> Column:
        """Return how much time is left when the deadline comes to be at risk, for each of these amounts."""
        distinct, which = np.unique(totals, return_inverse=True)
        least = [left_at_risk(self.deadline.at_risk, timedelta(microseconds=total)) for total in distinct.tolist()]
        return np.array([one // MICRO for one in least if one is not None], np.int64)[which]


def _at(block: Block, met: str, now: OptionalInstants | None) -> _At | None:
    """Return the instants at which the state of a deadline is read."""
    done = block.instants.get(met)
    if done is None and now is None:
        return None
    nothing = np.zeros(block.size, np.bool_)
    instants, given = now if now is not None else (np.zeros(block.size, np.int64), nothing)
    return (
        _At(instants, nothing, given)
        if done is None
        else _At(np.where(done[1], done[0], instants), done[1], done[1] | given)
    )
