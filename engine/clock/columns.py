"""The arithmetic of ``Clock`` for columns of tickets: the same results, a million in well under a second.

Instants and amounts are whole microseconds. A due time that is not certain, or does not exist, is ``NOWHERE`` and
masked.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.clock.always import AlwaysOpen
from engine.clock.calendar import DayRule
from engine.clock.clock import Clock
from engine.clock.openings import Openings
from engine.clock.zone import BEGIN, DAY_MICROS, END, NEVER, Column

NOWHERE: Final = int(np.iinfo(np.int64).min)

Mask = NDArray[np.bool_]


def add_column(clock: Clock, starts: Column, amounts: int | Column) -> tuple[Column, Mask]:
    """Return the instants at which amounts of business time have passed, and which of them are certain and exist.

    >>> from engine.clock.calendar import Calendar, Interval
    >>> desk = Clock(Calendar(name="desk", zone="UTC", week=((Interval(540, 1020),),) * 5 + ((), ())))
    >>> due, sure = add_column(desk, np.array([1767974400000000]), 2 * 3600 * 10**6)
    >>> due.astype("datetime64[us]").tolist()[0].isoformat(), sure.tolist()
    ('2026-01-12T10:00:00', [True])
    """
    hours = clock.hours
    amount = np.broadcast_to(np.asarray(amounts, np.int64), starts.shape)
    last = np.where(amount > 0, hours.sure_to, hours.sure_to - 1)
    if isinstance(hours, AlwaysOpen):
        return _reached(hours, starts, starts + amount, last)
    at, rolled, found = _rolled(hours, starts)
    target = _at(hours.after_column, at) - (_at(hours.ends_column, at) - rolled) + amount
    to = np.searchsorted(hours.after_column, target)
    due = np.where(amount > 0, _at(hours.ends_column, to) - (_at(hours.after_column, to) - target), rolled)
    return _reached(hours, starts, np.where(found & ((amount == 0) | (to < len(hours.after_column))), due, NEVER), last)


def add_days_column(clock: Clock, starts: Column, days: int | Column, rule: DayRule) -> tuple[Column, Mask]:
    """Return the results of ``Clock.add_days``, and which of them are certain and exist."""
    hours = clock.hours
    count = np.broadcast_to(np.asarray(days, np.int64), starts.shape)
    last = np.int64(hours.sure_to - (rule is DayRule.ROLL_THEN_CLOCK))
    due = (
        _dates(hours, starts, count, rule)
        if isinstance(hours, AlwaysOpen)
        else _business_days(hours, starts, count, rule)
    )
    return _reached(hours, starts, due, last)


def count_column(clock: Clock, starts: Column, ends: Column) -> tuple[Column, Mask]:
    """Return the business time between instants, and which of these amounts are certain."""
    hours = clock.hours
    some = ends > starts
    amount = np.where(some, _elapsed(hours, ends) - _elapsed(hours, starts), 0)
    return amount, ~some | ((starts >= hours.sure_from) & (ends <= hours.sure_to))


def count_days_column(clock: Clock, starts: Column, ends: Column, rule: DayRule, *, begun: bool) -> tuple[Column, Mask]:
    """Return the results of ``Clock.count_days``, and which of them are certain."""
    hours = clock.hours
    days = _dates_between(hours, starts, ends) if isinstance(hours, AlwaysOpen) else _days_between(hours, starts, ends)
    walking = np.flatnonzero(days > 0)
    while len(walking):
        first, before = starts[walking], days[walking] - 1
        due = (
            _dates(hours, first, before, rule)
            if isinstance(hours, AlwaysOpen)
            else _business_days(hours, first, before, rule)
        )
        due = np.where(due < END, due, NEVER) if isinstance(hours, AlwaysOpen) else due
        walking = walking[due >= ends[walking] if begun else due > ends[walking]]
        days[walking] -= 1
        walking = walking[days[walking] > 0]
    sure = (starts >= hours.sure_from) & (starts < hours.sure_to) & (ends <= hours.sure_to)
    return (days if begun else np.maximum(days - 1, 0)), sure


def _days_between(hours: Openings, starts: Column, ends: Column) -> Column:
    """Return for each start a number of business days after which it is later than its end."""
    at, _, found = _rolled(hours, starts)
    last = np.searchsorted(hours.starts_column, ends, side="right") - 1
    opened = np.where(last >= 0, _at(hours.day_at_column, np.maximum(last, 0)), -1)
    days: Column = np.where(found, np.maximum(opened - _at(hours.day_at_column, at) + 1, 0), 0)
    return days


def _dates_between(hours: AlwaysOpen, starts: Column, ends: Column) -> Column:
    """Return for each start a number of days after which it is later than its end."""
    days: Column = np.maximum(
        (hours.zone.local_column(np.minimum(ends, END)) - hours.zone.local_column(starts)) // DAY_MICROS + 3, 0
    )
    return days


def _reached(hours: Openings | AlwaysOpen, starts: Column, due: Column, last: Column | np.int64) -> tuple[Column, Mask]:
    end = END if isinstance(hours, AlwaysOpen) else NEVER
    sure = (starts >= hours.sure_from) & (starts < hours.sure_to) & (due <= last) & (due < end)
    return np.where(sure, due, NOWHERE), sure


def _at(values: Column, numbers: NDArray[np.intp]) -> Column:
    """Return values by position; a position past the end returns the last value, which callers mask."""
    return values.take(numbers, mode="clip") if len(values) else np.zeros(numbers.shape, np.int64)


def _rolled(hours: Openings, starts: Column) -> tuple[NDArray[np.intp], Column, Mask]:
    """Return the opening of each start, the start rolled into it, and whether there is an opening."""
    at = np.searchsorted(hours.ends_column, starts, side="right")
    return at, np.maximum(starts, _at(hours.starts_column, at)), at < len(hours.ends_column)


def _business_days(hours: Openings, starts: Column, days: Column, rule: DayRule) -> Column:
    at, rolled, found = _rolled(hours, starts)
    day = _at(hours.day_at_column, at)
    to = day + days
    found &= to < len(hours.days_column)
    if rule is DayRule.ROLL_THEN_CLOSE:
        return np.where(found, _at(hours.ends_column, _at(hours.firsts_column, to + 1) - 1), NEVER)
    by_the_clock = (
        hours.zone.local_column(rolled) + (_at(hours.days_column, to) - _at(hours.days_column, day)) * DAY_MICROS
    )
    earliest = np.maximum(
        hours.zone.resolve_column(by_the_clock), _at(hours.starts_column, _at(hours.firsts_column, to))
    )
    _, due, open_again = _rolled(hours, earliest)
    return np.where(days == 0, np.where(found, rolled, NEVER), np.where(found & open_again, due, NEVER))


def _dates(hours: AlwaysOpen, starts: Column, days: Column, rule: DayRule) -> Column:
    local = hours.zone.local_column(starts)
    if rule is DayRule.ROLL_THEN_CLOSE:
        return hours.zone.resolve_column((local // DAY_MICROS + days + 1) * DAY_MICROS)
    return np.where(days == 0, starts, hours.zone.resolve_column(local + days * DAY_MICROS))


def _elapsed(hours: Openings | AlwaysOpen, instants: Column) -> Column:
    if isinstance(hours, AlwaysOpen):
        return np.clip(instants, BEGIN, END) - BEGIN
    at, rolled, found = _rolled(hours, instants)
    before = np.append(np.int64(0), hours.after_column)[at]
    return before + np.where(found & (rolled == instants), instants - _at(hours.starts_column, at), 0)
