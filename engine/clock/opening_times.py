"""When a calendar is open: its hours, one-off dates, holidays and breaks -> every opening, as columns of instants.

If intervals overlap, time counts once, and belongs to the interval that starts first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.clock.calendar import DAY, FIRST_YEAR, LAST_YEAR, Calendar, HolidayList, Interval
from engine.clock.zone import BEGIN, DAY_MICROS, EPOCH_DAY, NEVER, SECOND, Column, Zone, midnight, zone

MINUTE: Final = 60 * SECOND
YEARS_BEFORE: Final = 1
YEARS_AFTER: Final = 10
"""How many years of openings are computed around a list of holidays: enough for the earliest possible due time."""

Span = tuple[int, int]


def opening_times(calendar: Calendar) -> tuple[Column, Column, Column]:
    """Return the start and end of each opening, sorted and disjoint, and the ordinal of the date that it belongs to."""
    there = zone(calendar.zone)
    starts, ends, owners = _disjoint(*_instants(there, *_intervals(calendar)))
    return _without_breaks(starts, ends, np.maximum.accumulate(owners), _breaks(there, calendar))


def limits(calendar: Calendar) -> HolidayList | None:
    """Return the list that limits what is certain; None if no weekday opens, since holidays close weekdays only."""
    return calendar.holidays if any(closes > opens for day in calendar.week for opens, closes in day) else None


def hours(calendar: Calendar, day: date) -> tuple[Interval, ...]:
    """Return the intervals of a date: its one-off intervals, none on a holiday, or else those of the weekday."""
    if (once := calendar.dates.get(day)) is not None:
        return once
    if calendar.holidays is not None and day in calendar.holidays.days:
        return ()
    return calendar.week[day.weekday()]


def spans(there: Zone, day: date, intervals: Iterable[Interval]) -> Iterator[Span]:
    """Yield the start and end of each interval of a date; an interval that lies in a skipped hour has none."""
    start = midnight(day.toordinal())
    for interval in intervals:
        local = tuple(start + minute * MINUTE for minute in interval)
        opens, closes = (there.resolve(time) for time in local)
        if opens < closes and (there.local(opens) == local[0] or there.local(closes) == local[1]):
            yield opens, closes


def sure_span(there: Zone, calendar: Calendar) -> Span:
    """Return the instants between which results are certain: from the first midnight of the list to its last.

    It starts later if an interval of the night before runs into the first day.
    """
    holidays = limits(calendar)
    if holidays is None:
        return there.resolve(BEGIN), NEVER
    eve = date.fromordinal(holidays.first.toordinal() - 1)
    night = 0 if eve in calendar.dates else max((closes - DAY for _, closes in calendar.week[eve.weekday()]), default=0)
    first, last = midnight(holidays.first.toordinal()), midnight(holidays.last.toordinal() + 1)
    return there.resolve(first + max(0, night) * MINUTE), there.resolve(last)


def _years(calendar: Calendar) -> tuple[int, int]:
    holidays = limits(calendar)
    if holidays is None:
        return FIRST_YEAR, LAST_YEAR
    return max(FIRST_YEAR, holidays.first.year - YEARS_BEFORE), min(LAST_YEAR, holidays.last.year + YEARS_AFTER)


def _intervals(calendar: Calendar) -> tuple[Column, Column, Column]:
    """Return the local opening and closing time of every interval, and the ordinal of its date."""
    first, last = _years(calendar)
    ordinals = np.arange(date(first, 1, 1).toordinal(), date(last, 12, 31).toordinal() + 1, dtype=np.int64)
    special = {day.toordinal() for day in calendar.dates} | {
        day.toordinal() for day in (calendar.holidays.days if calendar.holidays else ())
    }
    plain = ordinals[~np.isin(ordinals, np.fromiter(special, np.int64, len(special)))]
    weekdays = (plain + 6) % 7
    groups = [(plain[weekdays == weekday], interval) for weekday, day in enumerate(calendar.week) for interval in day]
    groups += [
        (np.array([day.toordinal()], np.int64), interval)
        for day, once in calendar.dates.items()
        if first <= day.year <= last
        for interval in once
    ]
    owners = np.concatenate([days for days, _ in groups]) if groups else np.empty(0, np.int64)
    opens, closes = (
        (owners - EPOCH_DAY) * DAY_MICROS
        + np.repeat(
            np.array([interval[end] * MINUTE for _, interval in groups], np.int64), [len(days) for days, _ in groups]
        )
        for end in (0, 1)
    )
    return opens, closes, owners


def _instants(there: Zone, opens: Column, closes: Column, owners: Column) -> tuple[Column, Column, Column]:
    """Return the instants of intervals, sorted; an interval that lies in a skipped hour is dropped."""
    starts, ends = there.resolve_column(opens), there.resolve_column(closes)
    real = (starts < ends) & ((there.local_column(starts) == opens) | (there.local_column(ends) == closes))
    order = np.lexsort((owners[real], starts[real]))
    return starts[real][order], ends[real][order], owners[real][order]


def _disjoint(starts: Column, ends: Column, owners: Column) -> tuple[Column, Column, Column]:
    """Return openings that start no earlier than all openings before them end."""
    reached = np.maximum.accumulate(ends)
    starts = np.maximum(starts, np.append(starts[:1], reached[:-1]))
    real = starts < ends
    return starts[real], ends[real], owners[real]


def _breaks(there: Zone, calendar: Calendar) -> list[Span]:
    """Return the breaks, merged where they touch."""
    merged: list[Span] = []
    for start, end in sorted(
        span for day, intervals in calendar.breaks.items() for span in spans(there, day, intervals)
    ):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _without_breaks(starts: Column, ends: Column, owners: Column, breaks: list[Span]) -> tuple[Column, Column, Column]:
    """Return openings without breaks.

    A piece starts where an opening starts outside a break, or where a break ends inside an opening.
    """
    if not breaks or not len(starts):
        return starts, ends, owners
    pauses = np.array(breaks, np.int64)
    begun, resumed = pauses[:, 0], pauses[:, 1]
    left = np.concatenate(
        [starts[~_within(starts, begun, resumed, first=True)], resumed[_within(resumed, starts, ends)]]
    )
    right = np.concatenate([ends[~_within(ends, begun, resumed, last=True)], begun[_within(begun, starts, ends)]])
    left.sort()
    right.sort()
    return left, right, owners[np.searchsorted(starts, left, side="right") - 1]


def _within(
    points: Column, starts: Column, ends: Column, *, first: bool = False, last: bool = False
) -> NDArray[np.bool_]:
    """Return which points lie within spans; ``first`` and ``last`` include their own ends."""
    at = np.searchsorted(ends, points, side="left" if last else "right")
    begins = np.append(starts, NEVER)[at]
    return begins <= points if first else begins < points
