"""Benchmarks of the business clock: near and far, instants and columns, and libraries with a part of its features.

The desk is open from 07:00 to 19:00 on weekdays except holidays; "whole days" are the same days from midnight to
midnight. All times are in UTC, because NumPy and pandas' business hours do not support zones. The answers must be equal
first, on the rows where the semantics agree:

- businesstimedelta adds business time, not business days; its holiday rule needs a holiday after every instant.
- pandas' CustomBusinessHour adds business hours; a duration that ends exactly at closing is due at the next opening
  there, and is compared with that. It has no columns: an index is processed row by row.
- NumPy's busday_offset adds business days to dates, without hours or instants: it is compared at midnights.
"""

from __future__ import annotations

import random
import statistics
import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter_ns, process_time_ns
from typing import Any, Final

import numpy as np

from benchmarks.measure import Row, in_turns, percentile, ratio
from engine.clock.calendar import DAY, Calendar, DayRule, Holiday, HolidayList, HolidayStatus, Interval
from engine.clock.clock import Clock, Reached
from engine.clock.columns import add_column, add_days_column
from engine.clock.zone import DAY_MICROS, to_datetime, to_micros

FIRST: Final = date(2020, 1, 1)
LAST: Final = date(2039, 12, 31)
HOLIDAYS: Final = tuple(
    date(year, *day)
    for year in range(FIRST.year, LAST.year + 1)
    for day in ((1, 1), (1, 26), (4, 25), (12, 25), (12, 26))
)

OPENS: Final = 7
CLOSES: Final = 19
NEAR: Final = timedelta(hours=1)
FAR: Final = 400
"""Business days."""

TICKETS: Final = 5_000
COLUMN: Final = 1_000_000
FEW: Final = 100
"""For those that walk day by day."""

GOAL: Final = 10
GOAL_RATIO: Final = 2
GOAL_COLUMN: Final = 1

RULE: Final = DayRule.ROLL_THEN_CLOCK


def rows() -> list[Row]:
    """Measure it."""
    desk, whole = _clock("desk", Interval(OPENS * 60, CLOSES * 60)), _clock("whole days", Interval(0, DAY))
    starts = _starts(TICKETS)
    return [
        *_near_and_far(desk, CLOSES - OPENS, starts),
        *_near_and_far(whole, 24, starts),
        *_columns(desk),
        *_hours(desk),
        *_days(whole),
    ]


def _clock(name: str, hours: Interval) -> Clock:
    days = {day: Holiday(day=day, name="holiday", status=HolidayStatus.CONFIRMED, source="made up") for day in HOLIDAYS}
    return Clock(
        Calendar(
            name=name,
            zone="UTC",
            week=((hours,),) * 5 + ((), ()),
            holidays=HolidayList(name="made up", first=FIRST, last=LAST, days=days),
        )
    )


def _starts(count: int) -> list[datetime]:
    """Draw instants of two years, off the full minute."""
    chance = random.Random(5)
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    return [
        begin + timedelta(minutes=chance.randrange(2 * 365 * DAY), seconds=chance.randrange(1, 60))
        for _ in range(count)
    ]


def _near_and_far(clock: Clock, hours: int, starts: list[datetime]) -> list[Row]:
    far = timedelta(hours=hours * FAR)
    contestants: dict[str, Callable[[datetime], Any]] = {
        "1 business hour": lambda start: clock.add(start, NEAR),
        f"{hours * FAR:,} business hours": lambda start: clock.add(start, far),
        "1 business day": lambda start: clock.add_days(start, 1, RULE),
        f"{FAR} business days": lambda start: clock.add_days(start, FAR, RULE),
    }
    for call in contestants.values():
        for start in starts:
            _known(call(start))
    turns = in_turns({name: lambda call=call: _median(call, starts) for name, call in contestants.items()})
    near, far_, day, far_days = turns.values()
    group = f"a due time, {clock.calendar.name}, with holidays"
    return [
        *(
            Row(group=group, what=f"{name}: median", value=statistics.median(taken), unit="µs", goal=GOAL)
            for name, taken in turns.items()
        ),
        *(
            Row(group=group, what=f"{name}: median, in the quietest round", value=min(taken), unit="µs", goal=GOAL)
            for name, taken in turns.items()
        ),
        Row(group=group, what=f"{hours * FAR:,} hours against 1", value=ratio(near, far_), unit="x", goal=GOAL_RATIO),
        Row(group=group, what=f"{FAR} days against 1", value=ratio(day, far_days), unit="x", goal=GOAL_RATIO),
        Row(group=group, what=f"{FAR} days against 1 hour", value=ratio(near, far_days), unit="x"),
    ]


def _columns(desk: Clock) -> list[Row]:
    chance = np.random.default_rng(5)
    starts = to_micros(datetime(2025, 1, 1, tzinfo=UTC)) + chance.integers(0, 2 * 365 * DAY_MICROS, COLUMN)
    amounts, days = chance.integers(1, 500 * 3600 * 10**6, COLUMN), chance.integers(0, FAR, COLUMN)
    sample = [
        (to_datetime(int(start)), timedelta(microseconds=int(amount)), int(number))
        for start, amount, number in zip(starts[:TICKETS], amounts[:TICKETS], days[:TICKETS], strict=True)
    ]
    _same(
        "the column of hours",
        [desk.add(start, amount).instant for start, amount, _ in sample],
        _instants(add_column(desk, starts, amounts)[0]),
    )
    _same(
        "the column of days",
        [desk.add_days(start, number, RULE).instant for start, _, number in sample],
        _instants(add_days_column(desk, starts, days, RULE)[0]),
    )
    turns = in_turns(
        {
            "hours": lambda: _seconds(lambda: add_column(desk, starts, amounts)),
            "hours, one at a time": lambda: (
                _seconds(lambda: [desk.add(start, amount) for start, amount, _ in sample]) * COLUMN / TICKETS
            ),
            "days": lambda: _seconds(lambda: add_days_column(desk, starts, days, RULE)),
            "days, one at a time": lambda: (
                _seconds(lambda: [desk.add_days(start, number, RULE) for start, _, number in sample]) * COLUMN / TICKETS
            ),
        }
    )
    group = f"{COLUMN:,} due times as a column, desk, one core"
    return [
        Row(group=group, what="business hours", value=statistics.median(turns["hours"]), unit="s", goal=GOAL_COLUMN),
        Row(
            group=group,
            what="business hours one at a time: times the column",
            value=ratio(turns["hours"], turns["hours, one at a time"]),
            unit="x",
        ),
        Row(group=group, what="business days", value=statistics.median(turns["days"]), unit="s", goal=GOAL_COLUMN),
        Row(
            group=group,
            what="business days one at a time: times the column",
            value=ratio(turns["days"], turns["days, one at a time"]),
            unit="x",
        ),
    ]


def _hours(desk: Clock) -> list[Row]:
    """Compare business hours with businesstimedelta and pandas."""
    import businesstimedelta  # noqa: PLC0415 - installed for the benchmarks only
    import pandas as pd  # noqa: PLC0415 - likewise
    import pytz  # noqa: PLC0415 - businesstimedelta's zones

    day = businesstimedelta.WorkDayRule(time(OPENS), time(CLOSES), [0, 1, 2, 3, 4], tz=pytz.utc)
    rules = businesstimedelta.Rules([day, businesstimedelta.HolidayRule(set(HOLIDAYS), tz=pytz.utc)])
    starts = _starts(FEW)
    stamps, index = [pd.Timestamp(start) for start in starts], pd.DatetimeIndex(starts)
    micros = np.array([to_micros(start) for start in starts])
    found = []
    for hours in (1, 40, (CLOSES - OPENS) * FAR):
        amount = timedelta(hours=hours)
        delta = businesstimedelta.BusinessTimeDelta(rules, timedelta=amount)
        offset = pd.offsets.CustomBusinessHour(
            hours, start=f"{OPENS:02}:00", end=f"{CLOSES:02}:00", holidays=list(HOLIDAYS)
        )
        expected = [_known(desk.add(each, amount)) for each in starts]
        _same("businesstimedelta", expected, [each + delta for each in starts])
        _same(
            "pandas",
            [_known(desk.next_opening(each)) for each in expected],
            [(each + offset).to_pydatetime() for each in stamps],
        )
        turns = in_turns(
            {
                "Guidepost": lambda amount=amount: _per_row(lambda start: desk.add(start, amount), starts * 20),
                "businesstimedelta": lambda delta=delta: _per_row(lambda start: start + delta, starts),
                "pandas CustomBusinessHour": lambda offset=offset: _per_row(lambda stamp: stamp + offset, stamps),
                "Guidepost, as a column": lambda hours=hours: _row_of_column(
                    lambda column: add_column(desk, column, hours * 3600 * 10**6), np.tile(micros, 1_000)
                ),
                "pandas CustomBusinessHour, as an index": lambda offset=offset: _row_of_column(
                    lambda column: _quietly(lambda: column + offset), index
                ),
            },
            rounds=3,
        )
        found += _compared(f"{hours:,} business hours, desk, {FEW} starts", turns)
    return found


def _days(whole: Clock) -> list[Row]:
    """Compare business days with NumPy, from midnight to midnight."""
    chance = np.random.default_rng(6)
    days = np.datetime64("2025-01-01") + chance.integers(0, 2 * 365, COLUMN)
    starts = days.astype("datetime64[us]").astype(np.int64)
    calendar = np.busdaycalendar(holidays=np.array(HOLIDAYS, "datetime64[D]"))
    single = [(to_datetime(int(start)), day) for start, day in zip(starts[:TICKETS], days[:TICKETS], strict=True)]
    found = []
    for number in (1, FAR):
        theirs = np.busday_offset(days, number, roll="forward", busdaycal=calendar)
        ours, sure = add_days_column(whole, starts, number, RULE)
        if not sure.all() or not np.array_equal(ours, theirs.astype("datetime64[us]").astype(np.int64)):
            raise ValueError("NumPy answers otherwise")
        turns = in_turns(
            {
                "Guidepost": lambda number=number: _per_row(lambda pair: whole.add_days(pair[0], number, RULE), single),
                "numpy busday_offset": lambda number=number: _per_row(
                    lambda pair: np.busday_offset(pair[1], number, roll="forward", busdaycal=calendar), single
                ),
                "Guidepost, as a column": lambda number=number: _row_of_column(
                    lambda column: add_days_column(whole, column, number, RULE), starts
                ),
                "numpy busday_offset, as a column": lambda number=number: _row_of_column(
                    lambda column: np.busday_offset(column, number, roll="forward", busdaycal=calendar), days
                ),
            }
        )
        found += _compared(f"{number} business day{'s' if number > 1 else ''}, whole days, from midnight", turns)
    return found


def _compared(group: str, turns: dict[str, list[float]]) -> list[Row]:
    own, column = turns["Guidepost"], turns["Guidepost, as a column"]
    found = [Row(group=group, what="Guidepost", value=statistics.median(own), unit="µs")]
    found += [
        Row(group=group, what=f"{name}: times Guidepost", value=ratio(own, taken), unit="x")
        for name, taken in turns.items()
        if taken is not own and ", as " not in name
    ]
    found += [Row(group=group, what="Guidepost, as a column, a row", value=statistics.median(column), unit="µs")]
    found += [
        Row(group=group, what=f"{name}: times Guidepost's", value=ratio(column, taken), unit="x")
        for name, taken in turns.items()
        if taken is not column and ", as " in name
    ]
    return found


def _known(reached: Reached) -> datetime:
    if reached.instant is None:
        raise ValueError("a due time lies outside the list of holidays")
    return reached.instant


def _same(who: str, expected: Sequence[datetime | None], answers: Iterable[datetime]) -> None:
    different = [pair for pair in zip(expected, answers, strict=False) if pair[0] != pair[1]]
    if different:
        raise ValueError(f"{who} answers otherwise in {len(different)} cases, such as {different[0]}")


def _instants(column: Any) -> Iterable[datetime]:
    return (to_datetime(int(at)) for at in column)


def _median(call: Callable[[datetime], object], starts: list[datetime]) -> float:
    """Time every call separately by the wall clock; return the median in microseconds."""
    taken = []
    for start in starts:
        before = perf_counter_ns()
        call(start)
        taken.append(perf_counter_ns() - before)
    return percentile(taken, 0.5)


def _seconds(run: Callable[[], object]) -> float:
    before = process_time_ns()
    run()
    return (process_time_ns() - before) / 1e9


def _per_row(call: Callable[[Any], object], values: Sequence[Any]) -> float:
    def run() -> None:
        for value in values:
            call(value)

    return _seconds(run) * 1e6 / len(values)


def _row_of_column(call: Callable[[Any], object], column: Any) -> float:
    return _seconds(lambda: call(column)) * 1e6 / len(column)


def _quietly(run: Callable[[], object]) -> object:
    """Suppress pandas' warning that it processes row by row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return run()
