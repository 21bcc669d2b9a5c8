"""What holds for every calendar, against a slow oracle: random weeks, nights, breaks and holidays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.clock.calendar import DAY, Calendar, DayRule, Holiday, HolidayList, HolidayStatus, Interval
from engine.clock.clock import Clock, Reached
from engine.clock.columns import NOWHERE, add_column, add_days_column, count_column, count_days_column
from engine.clock.openings import Openings
from engine.clock.stretches import StretchKind, stretches
from engine.clock.zone import to_datetime, to_micros
from engine.request.moment import Hold, Moment
from tests.support.campaign import LONG
from tests.support.clock_oracle import Oracle, Pair

TURNS: Final = {
    "Australia/Lord_Howe": ("2025-04-05", "2025-10-04"),
    "Pacific/Apia": ("2011-12-28", "2012-03-31"),
    "America/Sao_Paulo": ("2015-10-16", "2016-02-19"),
    "America/St_Johns": ("2010-03-13", "2010-11-05"),
    "Asia/Kathmandu": ("2020-02-27",),
    "Pacific/Auckland": ("2024-04-05", "2024-09-27"),
    "Europe/Paris": ("2020-03-27", "2020-10-23"),
    "Africa/Casablanca": ("2024-03-08", "2024-04-12"),
    "UTC": ("2023-12-30", "2024-02-27"),
}
"""Odd zones, and dates soon after which their clocks are turned, or a year ends, or a leap day comes."""

MINUTE: Final = timedelta(minutes=1)
NEAR: Final = 8
"""Questions are asked of so many days from such a date; a list of holidays covers some more."""

RULES: Final = st.sampled_from(DayRule)


def laws(examples: int) -> Any:
    return settings(
        max_examples=examples * 40 if LONG else examples, deadline=None, suppress_health_check=list(HealthCheck)
    )


times = st.one_of(st.integers(0, DAY), st.sampled_from([0, 60, 90, 120, 135, 150, 180, 540, 720, 1020, DAY]))


@st.composite
def intervals(draw: st.DrawFn) -> tuple[Interval, ...]:
    """Draw up to two intervals of a day, in order and apart; the last may run past midnight."""
    cuts = sorted(draw(st.sets(times, min_size=0, max_size=4)))
    found = [Interval(opens, closes) for opens, closes in zip(cuts[::2], cuts[1::2], strict=False)]
    if found and draw(st.booleans()) and found[-1].opens > 0:
        found[-1] = Interval(found[-1].opens, DAY + draw(st.integers(0, found[-1].opens)))
    return tuple(found)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Calendar, date]:
    """Draw a calendar and a date near which something happens."""
    name = draw(st.sampled_from(sorted(TURNS)))
    near = date.fromisoformat(draw(st.sampled_from(TURNS[name])))
    if draw(st.integers(0, 9)) == 0:
        return Calendar(name="drawn", zone=name, always=True), near
    day = st.integers(-2, NEAR + 4).map(lambda days: near + timedelta(days=days))
    week = tuple(
        draw(
            st.lists(
                st.one_of(st.just((Interval(0, DAY),)), st.just((Interval(540, 1020),)), intervals()),
                min_size=7,
                max_size=7,
            )
        )
    )
    holidays = draw(st.sets(day, max_size=3)) if draw(st.integers(0, 9)) else None
    return Calendar(
        name="drawn",
        zone=name,
        week=week,
        dates=draw(st.dictionaries(day, intervals(), max_size=2)),
        breaks=draw(st.dictionaries(day, intervals(), max_size=3)),
        holidays=None if holidays is None else listed(holidays, near - timedelta(days=10), near + timedelta(days=400)),
    ), near


def listed(days: Iterable[date], first: date, last: date) -> HolidayList:
    return HolidayList(
        name="drawn",
        first=first,
        last=last,
        days={
            day: Holiday(day=day, name=f"day {day}", status=HolidayStatus.ESTIMATED, source="chance") for day in days
        },
    )


def instant(near: date, minute: int) -> datetime:
    return datetime(near.year, near.month, near.day, tzinfo=UTC) + minute * MINUTE


def moments(draw: st.DrawFn, near: date, count: int) -> list[datetime]:
    """Draw instants of whole minutes, in order."""
    drawn = draw(
        st.lists(
            st.one_of(st.integers(0, NEAR * DAY), st.integers(0, NEAR * 48).map(lambda half: half * 30)),
            min_size=count,
            max_size=count,
        )
    )
    return [instant(near, minute) for minute in sorted(drawn)]


@st.composite
def held(draw: st.DrawFn, near: date) -> tuple[Pair, ...]:
    ends = sorted(draw(st.sets(st.integers(0, NEAR * DAY), max_size=6)))
    return tuple(
        (instant(near, begin), instant(near, until)) for begin, until in zip(ends[::2], ends[1::2], strict=False)
    )


amounts = st.one_of(st.integers(0, 3 * DAY), st.sampled_from([0, 60, 480, 1440]))


def sure(reached: Reached) -> datetime:
    assume(reached.instant is not None)
    assert reached.sure
    assert reached.instant is not None
    return reached.instant


# The oracle


@pytest.mark.campaign
@laws(20)
@given(st.data())
def test_the_oracle_agrees_minute_by_minute(data: st.DataObject) -> None:
    calendar, near = data.draw(calendars())
    clock, oracle = Clock(calendar), Oracle(calendar, near - timedelta(days=4), near + timedelta(days=NEAR + 6))
    for _ in range(4):
        start, end = moments(data.draw, near, 2)
        minutes, days, rule = data.draw(amounts), data.draw(st.integers(0, 5)), data.draw(RULES)
        same(oracle, clock.add(start, minutes * MINUTE), oracle.add(start, minutes))
        same(oracle, clock.next_opening(start), oracle.next_opening(start))
        same(oracle, clock.next_closing(start), oracle.next_closing(start))
        same(oracle, clock.add_days(start, days, rule), oracle.add_days(start, days, rule))
        assert clock.is_open(start) == oracle.is_open(start)
        assert clock.count(start, end).amount == oracle.count(start, end) * MINUTE


@pytest.mark.campaign
@laws(15)
@given(st.data())
def test_with_holds_a_due_time_is_where_enough_time_has_passed_that_was_not_on_hold(data: st.DataObject) -> None:
    calendar, near = data.draw(calendars())
    clock, oracle = Clock(calendar), Oracle(calendar, near - timedelta(days=4), near + timedelta(days=NEAR + 6))
    (start,), holds, minutes = moments(data.draw, near, 1), data.draw(held(near)), data.draw(st.integers(1, 2 * DAY))
    due = clock.add_with_holds(start, clock.add(start, minutes * MINUTE), holds)

    same(oracle, due, oracle.add(start, minutes, holds))


@pytest.mark.campaign
@laws(15)
@given(st.data())
def test_once_a_deadline_is_met_no_hold_puts_it_off_any_further(data: st.DataObject) -> None:
    calendar, near = data.draw(calendars())
    clock, oracle = Clock(calendar), Oracle(calendar, near - timedelta(days=4), near + timedelta(days=NEAR + 6))
    (start, met, now), holds, minutes = (
        moments(data.draw, near, 3),
        data.draw(held(near)),
        data.draw(st.integers(1, 2 * DAY)),
    )
    goes_on = data.draw(st.booleans())
    asked: list[Hold] = [*holds]
    if goes_on and holds:
        asked[-1] = (holds[-1][0], None)
        holds = (*holds[:-1], (holds[-1][0], max(now, holds[-1][0])))
    counted = Moment(now, tuple(asked)).ended_holds(met)

    same(
        oracle,
        clock.add_with_holds(start, clock.add(start, minutes * MINUTE), counted),
        oracle.add(start, minutes, holds, met),
    )


def same(oracle: Oracle, reached: Reached, expected: datetime | None) -> None:
    found = reached.instant or reached.not_before
    assert (found if found is not None and found < oracle.horizon else None) == expected
    assert reached.sure or expected is None


# Laws


@pytest.mark.campaign
@laws(40)
@given(st.data())
def test_business_time_added_is_counted_back(data: st.DataObject) -> None:
    calendar, near = data.draw(calendars())
    clock, (start,) = Clock(calendar), moments(data.draw, near, 1)
    amount = data.draw(st.integers(0, 9 * 10**11)) * timedelta(microseconds=1)

    assert clock.count(start, sure(clock.add(start, amount))).amount == amount


@pytest.mark.campaign
@laws(40)
@given(st.data())
def test_a_later_start_never_gives_an_earlier_due_time(data: st.DataObject) -> None:
    calendar, near = data.draw(calendars())
    clock, (early, late) = Clock(calendar), moments(data.draw, near, 2)
    amount, days = data.draw(amounts) * MINUTE, data.draw(st.integers(0, 5))

    assert sure(clock.add(early, amount)) <= sure(clock.add(late, amount))
    if calendar.zone != "America/St_Johns" or not calendar.always:  # there a date begins twice
        assert sure(clock.add_days(early, days, DayRule.ROLL_THEN_CLOSE)) <= sure(
            clock.add_days(late, days, DayRule.ROLL_THEN_CLOSE)
        )
    first, last = (sure(clock.add_days(start, days, DayRule.ROLL_THEN_CLOCK)) for start in (early, late))
    turned = clock_turns(clock, early, max(first, last))
    assert first <= last + turned or (turned and not calendar.always)  # what is closed by then rolls on


def clock_turns(clock: Clock, early: datetime, late: datetime) -> timedelta:
    """Return by how much local time changes on the way: two local times can mean one instant."""
    shown = [clock.zone.local(at) - at for at in range(to_micros(early), to_micros(late) + 3600 * 10**6, 3600 * 10**6)]
    return timedelta(microseconds=sum(abs(after - before) for before, after in pairwise(shown)))


@pytest.mark.campaign
@laws(40)
@given(st.data())
def test_adding_in_two_parts_is_adding_at_once(data: st.DataObject) -> None:
    calendar, near = data.draw(calendars())
    clock, (start,) = Clock(calendar), moments(data.draw, near, 1)
    one, other = (data.draw(st.integers(1, 2 * DAY)) * MINUTE for _ in range(2))

    assert clock.add(sure(clock.add(start, one)), other) == clock.add(start, one + other)


@pytest.mark.campaign
@laws(40)
@given(st.data())
def test_counts_add_up(data: st.DataObject) -> None:
    calendar, near = data.draw(calendars())
    clock, (first, middle, last) = Clock(calendar), moments(data.draw, near, 3)

    assert clock.count(first, middle).amount + clock.count(middle, last).amount == clock.count(first, last).amount
    assert clock.count(last, first).amount == timedelta(0)


@pytest.mark.campaign
@laws(40)
@given(st.data())
def test_stretches_leave_no_gap_and_the_open_ones_are_what_counted(data: st.DataObject) -> None:
    calendar, near = data.draw(calendars())
    clock, (start, end), holds = Clock(calendar), moments(data.draw, near, 2), data.draw(held(near))
    parts = stretches(clock, start, end, holds)
    on_hold = sum((clock.count(max(start, begin), min(end, until)).amount for begin, until in holds), timedelta(0))

    assert [part.start for part in parts] == [start, *(part.end for part in parts[:-1])][: len(parts)]
    assert (parts[-1].end if parts else start) == end
    assert all(part.start < part.end for part in parts)
    assert all((one.kind, one.name) != (other.kind, other.name) for one, other in pairwise(parts))
    assert total(parts, StretchKind.OPEN) == clock.count(start, end).amount - on_hold
    assert total(parts, StretchKind.HOLD) == on_hold
    assert all(part.name == ("" if part.kind is not StretchKind.HOLIDAY else part.name) for part in parts)


@pytest.mark.campaign
@laws(40)
@given(st.data())
def test_without_its_breaks_a_place_is_open_where_a_break_was_told(data: st.DataObject) -> None:
    calendar, near = data.draw(calendars())
    start, end = moments(data.draw, near, 2)
    parts = stretches(Clock(calendar), start, end)
    unbroken, every_day = Clock(replace(calendar, breaks={})), Clock(replace(calendar, breaks={}, holidays=None))

    assert total(parts, StretchKind.OPEN) + total(parts, StretchKind.BREAK) == unbroken.count(start, end).amount
    for part in parts:
        if part.kind is StretchKind.HOLIDAY:
            assert calendar.holidays is not None
            assert part.name in {holiday.name for holiday in calendar.holidays.days.values()}
            assert every_day.count(part.start, part.end).amount == part.end - part.start


def total(parts: Iterable[Any], kind: StretchKind) -> timedelta:
    return sum((part.end - part.start for part in parts if part.kind is kind), timedelta(0))


@pytest.mark.campaign
@laws(40)
@given(st.data())
def test_counting_business_days_inverts_adding_them(data: st.DataObject) -> None:
    calendar, near = data.draw(calendars())
    clock, (start, end), rule = Clock(calendar), moments(data.draw, near, 2), data.draw(RULES)
    whole, begun = (clock.count_days(start, end, rule, begun=begun) for begun in (False, True))
    assert whole is not None
    assert begun is not None

    if whole:
        assert sure(clock.add_days(start, whole, rule)) <= end
    assert end < sure(clock.add_days(start, whole + 1, rule))
    assert end <= sure(clock.add_days(start, begun, rule))
    if begun:
        assert sure(clock.add_days(start, begun - 1, rule)) < end


@pytest.mark.campaign
@laws(40)
@given(st.data())
def test_what_is_sure_no_further_holiday_can_change_and_what_is_not_comes_no_earlier(data: st.DataObject) -> None:
    calendar, near = data.draw(calendars())
    assume(not calendar.always)
    known, wide = near + timedelta(days=data.draw(st.integers(2, NEAR))), near + timedelta(days=400)
    day = st.integers(-4, NEAR + 9).map(lambda days: near + timedelta(days=days))
    days = set(calendar.holidays.days) if calendar.holidays else set()
    further = {other for other in data.draw(st.sets(day, max_size=8)) if not near <= other <= known}
    narrow = Clock(replace(calendar, holidays=listed((other for other in days if near <= other <= known), near, known)))
    later = Clock(
        replace(
            calendar,
            holidays=listed(
                {other for other in days if near <= other <= known} | further, near - timedelta(days=30), wide
            ),
        )
    )
    minutes, number, rule = data.draw(amounts) * MINUTE, data.draw(st.integers(0, 5)), data.draw(RULES)
    overlaps = len(Openings.of(replace(calendar, breaks={})).starts) < len(
        Openings.of(replace(calendar, breaks={}, zone="UTC")).starts
    )
    for start in moments(data.draw, near - timedelta(days=2), 3):
        answers = [
            (
                clock.add(start, minutes),
                clock.next_opening(start),
                clock.next_closing(start),
                clock.add_days(start, number, rule),
            )
            for clock in (narrow, later)
        ]
        for at, (found, truth) in enumerate(zip(*answers, strict=True)):
            if found.sure:
                assert found == truth
            elif found.not_before is not None and not (at == 3 and overlaps):
                assert truth.instant is None or found.not_before <= truth.instant
        end = start + minutes
        if (found_amount := narrow.count(start, end)).sure:
            assert found_amount == later.count(start, end)
        else:
            assert later.count(start, end).amount <= found_amount.amount
        if (found_days := narrow.count_days(start, end, rule, begun=True)) is not None:
            assert found_days == later.count_days(start, end, rule, begun=True)


# Columns


@pytest.mark.campaign
@laws(30)
@given(st.data())
def test_columns_give_what_single_questions_give(data: st.DataObject) -> None:
    calendar, near = data.draw(calendars())
    if calendar.holidays is not None:
        known = near + timedelta(days=data.draw(st.integers(2, NEAR)))
        calendar = replace(
            calendar, holidays=listed((day for day in calendar.holidays.days if near <= day <= known), near, known)
        )
    clock, chance, rule = Clock(calendar), np.random.default_rng(data.draw(st.integers(0, 10**6))), data.draw(RULES)
    far = data.draw(st.sampled_from([2, 20, 9_000]))
    begin = to_micros(instant(near, -2 * DAY))
    starts = begin + chance.integers(
        0, (NEAR + 4) * DAY if far < 9_000 else 190 * 365 * DAY, 300
    ) * 60 * 10**6 // chance.choice([1, 7])
    amounts_ = chance.integers(0, far * 8 * 60, 300) * 60 * 10**6
    days = chance.integers(0, far, 300)
    rows = [
        (to_datetime(start), int(amount) * timedelta(microseconds=1), int(number))
        for start, amount, number in zip(starts.tolist(), amounts_, days, strict=True)
    ]

    as_rows(add_column(clock, starts, amounts_), [clock.add(start, amount) for start, amount, _ in rows])
    as_rows(add_column(clock, starts, 0), [clock.next_opening(start) for start, *_ in rows])
    as_rows(
        add_days_column(clock, starts, days, rule), [clock.add_days(start, number, rule) for start, _, number in rows]
    )
    counts, known_ = count_column(clock, starts, starts[::-1])
    singles = [clock.count(start, end) for (start, *_), (end, *_) in zip(rows, rows[::-1], strict=True)]
    assert counts.tolist() == [single.amount // timedelta(microseconds=1) for single in singles]
    assert known_.tolist() == [single.sure for single in singles]
    begun = data.draw(st.booleans())
    numbers, sure_ = count_days_column(clock, starts, starts[::-1], rule, begun=begun)
    between = [
        clock.count_days(start, end, rule, begun=begun) for (start, *_), (end, *_) in zip(rows, rows[::-1], strict=True)
    ]
    assert [int(number) if ok else None for number, ok in zip(numbers, sure_, strict=True)] == between


def as_rows(column: tuple[Any, Any], singles: list[Reached]) -> None:
    due, known = column
    assert due.tolist() == [NOWHERE if single.instant is None else to_micros(single.instant) for single in singles]
    assert known.tolist() == [single.instant is not None for single in singles]
