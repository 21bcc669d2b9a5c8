"""Due times as columns: all rows that go by the same clock and the same unit at once, and how they stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np

from engine.clock.calendar import DayRule
from engine.clock.clock import Clock
from engine.clock.columns import NOWHERE, add_column, add_days_column, count_column
from engine.clock.zone import MICRO, Column
from engine.columns.lookup import DECIDED, NOT_COVERED, UNDECIDED, Found, Level
from engine.columns.read import Block
from engine.columns.schedule import AimColumn
from engine.columns.sent import Mask
from engine.deadlines.clocks import Clocks
from engine.deadlines.due import UNITS, left_at_risk
from engine.model.answer import DeadlineState
from engine.model.policy import Deadline, WhenPast
from engine.model.targets import BY_DAY, Target, Unit

STATES: Final = tuple(DeadlineState)
"""A column of states holds positions in this; ``NO_STATE`` where there is none."""

NO_STATE: Final = len(STATES)

Dated = tuple[Column, Mask]
"""Instants, and where they are given."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Rows that are counted alike: by one clock, in one unit."""

    clock: Clock
    unit: Unit
    rule: str

    def add(self, starts: Column, amounts: Column) -> tuple[Column, Mask]:
        """Return the due times of starts, and which of them are sure and exist."""
        if self.unit in BY_DAY:
            return add_days_column(self.clock, starts, amounts, DayRule(self.rule))
        return add_column(self.clock, starts, amounts)

    def failed(self, starts: Column) -> Level:
        """Return of starts without a due time whether the holidays are not known so far, or there is no opening left."""
        hours, listed = self.clock.hours, self.clock.calendar.holidays is not None
        inside = (starts >= hours.sure_from) & (starts < hours.sure_to)
        return np.where(listed & (~inside | hours.listed), UNDECIDED, NOT_COVERED).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class _At:
    """The instants at which a deadline's state is asked for: when it was met, else now; and where that is known."""

    instants: Column
    met: Mask
    known: Mask

    def take(self, rows: Column) -> _At:
        return _At(self.instants.take(rows), self.met.take(rows), self.known.take(rows))


class DueColumn:
    """The due times of one deadline."""

    def __init__(self, deadline: Deadline, aims: AimColumn, clocks: Clocks) -> None:
        self.deadline, self._aims, self._clocks = deadline, aims, clocks
        self._lanes: list[Lane] = []
        self._numbers: dict[object, int] = {}
        self._plans: list[tuple[int, int, int]] = []

    def of(self, found: Found, now: Dated | None) -> tuple[Level, Column, Level]:
        """Return how far the deadline is decided in each row of a block, when it is due, and its state."""
        block, aims = found.block, self._aims.of(found)
        for aim in self._aims.aims[len(self._plans) :]:
            self._plans.append((aim.level, *(self._lane(aim.target) if aim.target else (0, 0))))
        levels, lanes, amounts = np.array(self._plans, np.int64).T
        level = levels.astype(np.uint8).take(aims, mode="clip")
        due, state = np.full(block.size, NOWHERE), np.full(block.size, NO_STATE, np.uint8)
        if self.deadline.starts not in block.instants:
            level[level == DECIDED] = UNDECIDED
            return level, due, state
        starts, given = block.instants[self.deadline.starts]
        lane_of = lanes.astype(np.min_scalar_type(len(self._lanes))).take(aims, mode="clip")
        if not given.all():
            level[(level == DECIDED) & ~given] = UNDECIDED
            lane_of[~given] = 0
        at = _at(block, self.deadline.met, now)
        for number in np.flatnonzero(np.bincount(lane_of)[1:]).tolist():
            lane, rows = self._lanes[number], np.flatnonzero(lane_of == number + 1)
            begun = starts.take(rows, mode="clip")
            ends, sure = lane.add(begun, amounts.take(aims.take(rows, mode="clip"), mode="clip"))
            due[rows] = ends
            if not sure.all():
                level[rows[~sure]] = lane.failed(begun[~sure])
            if at is not None:
                state[rows] = self._standing(lane.clock, begun, ends, at.take(rows))
        return level, due, state

    def _lane(self, target: Target) -> tuple[int, int]:
        """Return the lane of a target, and its amount; hours of a place that never closes are the same everywhere."""
        days = target.unit in BY_DAY
        clock = self._clocks.of(target.calendar, target.region)
        place = (target.calendar, clock.calendar.holidays is None) if clock.calendar.always and not days else clock
        number = self._numbers.setdefault((place, days, target.rule), len(self._lanes))
        if number == len(self._lanes):
            self._lanes.append(Lane(clock, target.unit, target.rule))
        return number + 1, int(target.amount) if days else (target.amount * UNITS[target.unit]) // MICRO

    def _standing(self, clock: Clock, starts: Column, ends: Column, at: _At) -> Level:
        """Return how due times stand: at the instant at which each was met, else now."""
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
        """Return how much may be left of each of these amounts before the deadline is at risk."""
        distinct, which = np.unique(totals, return_inverse=True)
        least = [left_at_risk(self.deadline.at_risk, timedelta(microseconds=total)) for total in distinct.tolist()]
        return np.array([one // MICRO for one in least if one is not None], np.int64)[which]


def _at(block: Block, met: str, now: Dated | None) -> _At | None:
    """Return the instants at which a deadline's state is asked for."""
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
