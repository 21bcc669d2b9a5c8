"""The business clock by example: every reading it takes, and the vectors that other projects' test suites give."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from engine.clock.calendar import Calendar, DayRule, Holiday, HolidayList, HolidayStatus, Interval
from engine.clock.clock import Clock, Counted, Reached
from engine.clock.columns import NOWHERE, add_column, add_days_column, count_column
from engine.clock.openings import Openings
from engine.clock.stretches import Kind, stretches
from engine.clock.zone import TZDB, to_datetime, to_micros, zone, zone_names
from tests.clock_oracle import zone_of

VECTORS: Final = Path(__file__).resolve().parent.parent.parent / "shared" / "vectors" / "business_time.jsonl"
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

CLOCK: Final = DayRule.ROLL_THEN_CLOCK
CLOSE: Final = DayRule.ROLL_THEN_CLOSE
HOUR: Final = timedelta(hours=1)


def minutes(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


def day_of(*texts: str) -> tuple[Interval, ...]:
    """Read intervals such as 09:00-17:00; one that ends no later than it starts runs past midnight."""
    pairs = [tuple(minutes(part) for part in text.split("-")) for text in texts]
    return tuple(Interval(opens, closes if closes > opens else closes + 24 * 60) for opens, closes in pairs)


def listed(days: Iterable[str], first: str = "1990-01-01", last: str = "2035-12-31") -> HolidayList:
    holidays = [Holiday(date.fromisoformat(day), f"holiday {day}", HolidayStatus.CONFIRMED, "a test") for day in days]
    return HolidayList("a list", date.fromisoformat(first), date.fromisoformat(last), {holiday.day: holiday for holiday in holidays})


def dated(days: Mapping[str, Iterable[str]]) -> dict[date, tuple[Interval, ...]]:
    return {date.fromisoformat(day): day_of(*texts) for day, texts in days.items()}


def weekdays(*texts: str, name: str = "UTC", **more: Any) -> Calendar:
    return Calendar("desk", name, week=(day_of(*texts),) * 5 + ((), ()), **more)


def daily(*texts: str, name: str = "UTC", **more: Any) -> Calendar:
    return Calendar("desk", name, week=(day_of(*texts),) * 7, **more)


def always(name: str) -> Calendar:
    return Calendar("partner", name, always=True)


def at(calendar: Calendar, local: str) -> datetime:
    """Read a local time of a calendar's zone; with an offset, the instant that it is."""
    found = datetime.fromisoformat(local)
    return found if found.tzinfo else found.replace(tzinfo=zone_of(calendar.zone))


def local(calendar: Calendar, reached: Reached) -> str:
    assert reached.sure
    assert reached.instant is not None
    return reached.instant.astimezone(zone_of(calendar.zone)).isoformat(timespec="minutes")[:16]


@cache
def clock_of(calendar: Calendar) -> Clock:
    return Clock(calendar)


def due(calendar: Calendar, start: str, **amount: float) -> str:
    return local(calendar, clock_of(calendar).add(at(calendar, start), timedelta(**amount)))


def due_days(calendar: Calendar, start: str, days: int, rule: DayRule = CLOCK) -> str:
    return local(calendar, clock_of(calendar).add_days(at(calendar, start), days, rule))


def counted(calendar: Calendar, start: str, end: str) -> timedelta:
    found = clock_of(calendar).count(at(calendar, start), at(calendar, end))
    assert found.sure
    return found.amount


def told(calendar: Calendar, start: str, end: str, holds: tuple[tuple[str, str], ...] = ()) -> list[str]:
    pairs = [(at(calendar, begin), at(calendar, until)) for begin, until in holds]
    there = zone_of(calendar.zone)
    return [
        f"{part.start.astimezone(there):%a %H:%M} {part.end.astimezone(there):%a %H:%M} {part.kind} {part.name}".rstrip()
        for part in stretches(clock_of(calendar), at(calendar, start), at(calendar, end), pairs)
    ]


# The vectors

def vectors() -> list[Any]:
    if not VECTORS.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason=f"the vectors are not at {VECTORS}"))]
    return [pytest.param(vector, id=vector["id"]) for vector in map(json.loads, VECTORS.read_text(encoding="utf-8").splitlines())]


def calendar_of(vector: Mapping[str, Any]) -> Calendar:
    spread = {day: [f"{opens}-{closes}" for opens, closes in pairs] for day, pairs in vector["hours"].items()}
    once, breaks = ({day: [f"{opens}-{closes}" for opens, closes in pairs] for day, pairs in vector.get(what, {}).items()} for what in ("date_hours", "breaks"))
    return Calendar(
        vector["id"], vector["timezone"], week=tuple(day_of(*spread.get(day, ())) for day in WEEKDAYS),
        dates=dated(once), breaks=dated(breaks), holidays=listed(vector["holidays"]),
    )


@pytest.mark.parametrize("vector", vectors())
def test_the_clock_agrees_with_other_projects_test_suites(vector: dict[str, Any]) -> None:
    expected = datetime.fromisoformat(vector["expected"]) if "expected" in vector else None
    if vector["semantics"] == "local_time_resolution":
        there = zone(vector["timezone"])
        day, _, hour = vector["local"].partition("T")
        wall = datetime.fromisoformat(day).replace(tzinfo=UTC) + minutes(hour[:5]) * timedelta(minutes=1)
        assert to_datetime(there.resolve(to_micros(wall))) == expected
        return
    clock = Clock(calendar_of(vector))
    holds = [(datetime.fromisoformat(begin), datetime.fromisoformat(until)) for begin, until in vector.get("pauses", ())]
    match vector["semantics"].partition("(")[0]:
        case "count" | "count:reversed_is_zero":
            start, end = (datetime.fromisoformat(vector[which]) for which in ("from", "to"))
            held = sum((clock.count(max(start, begin), min(end, until)).amount for begin, until in holds), timedelta(0))
            assert clock.count(start, end).amount - held == timedelta(minutes=vector["expected_business_minutes"])
        case "next_close":
            assert clock.next_closing(datetime.fromisoformat(vector["start"])) == Reached(expected, True, None)
        case "days:roll_then_clock":
            start = datetime.fromisoformat(vector["start"])
            assert clock.add_days(start, vector["add"]["amount"], CLOCK) == Reached(expected, True, None)
        case "working_time" | "working_time:close":
            start, amount = datetime.fromisoformat(vector["start"]), vector["add"]["amount"]
            length = timedelta(minutes=amount) if vector["add"]["unit"] == "business_minutes" else timedelta(hours=amount)
            assert clock.add_with_holds(start, clock.add(start, length), holds) == Reached(expected, True, None)
        case other:
            pytest.fail(f"a reading that this test does not know: {other}")


# Zones

def test_zones_come_from_the_pinned_database() -> None:
    assert len(TZDB) >= 5
    assert int(TZDB[:4]) >= 2025
    assert len(zone_names()) > 500
    with pytest.raises(KeyError, match="no time zone Mars/Olympus"):
        zone("Mars/Olympus")
    with pytest.raises(KeyError):
        zone("../zones")


@pytest.mark.parametrize("name", ["Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "America/St_Johns", "Asia/Gaza", "Africa/Casablanca", "Asia/Kathmandu",
                                  "Europe/Dublin", "Antarctica/Troll", "UTC"])
def test_local_times_and_what_they_mean_are_those_of_zoneinfo(name: str) -> None:
    ours, theirs = zone(name), zone_of(name)
    hours = np.arange(to_micros(datetime(1970, 1, 2, tzinfo=UTC)), to_micros(datetime(2200, 12, 30, tzinfo=UTC)), 7_777 * 60 * 10**6)
    near = [turned + step for turned in ours.transitions for step in (-1, 0, 1, 3_599_999_999, 3_600_000_000, -1_800_000_001)]
    instants = np.array([instant for instant in sorted([*hours.tolist(), *near]) if instant > 0])
    locals_ = [to_micros(to_datetime(instant).astimezone(theirs).replace(tzinfo=UTC)) for instant in instants.tolist()]
    meant = [to_micros(to_datetime(instant).replace(tzinfo=theirs)) for instant in instants.tolist()]

    assert [ours.local(instant) for instant in instants.tolist()] == locals_
    assert ours.local_column(instants).tolist() == locals_
    assert [ours.resolve(instant) for instant in instants.tolist()] == meant
    assert ours.resolve_column(instants).tolist() == meant


@pytest.mark.parametrize(("name", "wall", "means"), [
    ("America/Los_Angeles", "2014-03-09T02:30", "2014-03-09T03:30-07:00"),
    ("America/Sao_Paulo", "2015-10-18T00:00", "2015-10-18T01:00-02:00"),
    ("Australia/Sydney", "2026-04-05T02:30", "2026-04-05T02:30+11:00"),
    ("Australia/Sydney", "2026-04-05T03:00", "2026-04-05T03:00+10:00"),
    ("Australia/Lord_Howe", "2025-10-05T02:15", "2025-10-05T02:45+11:00"),
    ("Pacific/Apia", "2011-12-30T10:00", "2011-12-31T10:00+14:00"),
    ("Pacific/Apia", "2011-12-31T00:00", "2011-12-31T00:00+14:00"),
])
def test_a_skipped_local_time_is_later_by_the_gap_and_a_repeated_one_is_the_first(name: str, wall: str, means: str) -> None:
    assert to_datetime(zone(name).resolve(to_micros(datetime.fromisoformat(wall).replace(tzinfo=UTC)))) == datetime.fromisoformat(means)


# Business time

DESK: Final = weekdays("09:00-17:00")


@pytest.mark.parametrize(("start", "hours", "expected"), [
    ("2026-01-06T10:00", 2, "2026-01-06T12:00"),
    ("2026-01-06T15:00", 4, "2026-01-07T11:00"),
    ("2026-01-09T16:00", 2, "2026-01-12T10:00"),
    ("2026-01-10T12:00", 1, "2026-01-12T10:00"),
    ("2026-01-06T09:00", 8, "2026-01-06T17:00"),
    ("2026-01-06T17:00", 1, "2026-01-07T10:00"),
    ("2026-01-06T12:00", 0, "2026-01-06T12:00"),
    ("2026-01-06T17:00", 0, "2026-01-07T09:00"),
    ("2026-01-06T03:00", 0, "2026-01-06T09:00"),
    ("2025-12-31T16:00", 2, "2026-01-01T10:00"),
    ("2028-02-28T16:00", 9, "2028-02-29T17:00"),
    ("2028-02-29T16:00", 2, "2028-03-01T10:00"),
])
def test_business_time_runs_in_opening_hours_and_is_due_at_closing_when_used_up_there(start: str, hours: int, expected: str) -> None:
    assert due(DESK, start, hours=hours) == expected


def test_seconds_and_microseconds_count() -> None:
    start = datetime(2026, 1, 9, 16, 59, 30, 7, tzinfo=UTC)

    assert clock_of(DESK).add(start, timedelta(minutes=1)).instant == datetime(2026, 1, 12, 9, 0, 30, 7, tzinfo=UTC)
    assert clock_of(DESK).count(start, datetime(2026, 1, 12, 9, 0, 0, 1, tzinfo=UTC)).amount == timedelta(seconds=29, microseconds=999_994)


def test_any_zone_may_be_asked_in_and_the_answer_is_in_utc() -> None:
    answer = clock_of(DESK).add(datetime.fromisoformat("2026-01-06T23:00:00+13:00"), HOUR).instant

    assert answer is not None
    assert answer.isoformat() == "2026-01-06T11:00:00+00:00"


def test_no_minute_is_lost_at_midnight() -> None:
    whole = weekdays("00:00-24:00")

    assert due(whole, "2026-01-06T23:30", hours=1) == "2026-01-07T00:30"
    assert due(whole, "2026-01-09T12:00", hours=12) == "2026-01-10T00:00"
    assert counted(whole, "2026-01-05T00:00", "2026-01-12T00:00") == timedelta(days=5)


def test_a_split_day_counts_both_parts() -> None:
    split = weekdays("09:00-12:00", "13:00-18:00")

    assert due(split, "2026-01-06T11:00", hours=2) == "2026-01-06T14:00"
    assert due(split, "2026-01-06T12:00", hours=0) == "2026-01-06T13:00"
    assert counted(split, "2026-01-06T00:00", "2026-01-07T00:00") == 8 * HOUR


def test_a_night_belongs_to_the_day_on_which_it_starts() -> None:
    night = weekdays("22:00-06:00")

    assert due(night, "2026-01-09T23:00", hours=8) == "2026-01-12T23:00"
    assert counted(night, "2026-01-10T00:00", "2026-01-10T12:00") == 6 * HOUR
    assert counted(night, "2026-01-12T00:00", "2026-01-12T12:00") == timedelta(0)


def test_a_night_runs_into_a_holiday_but_does_not_start_on_one() -> None:
    night = weekdays("22:00-06:00", holidays=listed(["2026-01-07"]))

    assert counted(night, "2026-01-06T12:00", "2026-01-07T12:00") == 8 * HOUR
    assert counted(night, "2026-01-07T12:00", "2026-01-08T12:00") == timedelta(0)


def test_hours_that_overlap_count_once() -> None:
    double = Calendar("desk", "UTC", week=(day_of("20:00-08:00"), day_of("06:00-10:00", "09:00-12:00"), *((),) * 5))

    assert counted(double, "2026-01-05T00:00", "2026-01-07T00:00") == 16 * HOUR
    assert due(double, "2026-01-05T20:00", hours=16) == "2026-01-06T12:00"


def test_a_holiday_is_skipped_and_a_one_off_date_wins_over_it() -> None:
    closed = weekdays("09:00-17:00", holidays=listed(["2026-01-07"]))
    emergency = replace(closed, dates=dated({"2026-01-07": ["10:00-12:00"]}))

    assert due(closed, "2026-01-06T16:00", hours=2) == "2026-01-08T10:00"
    assert due(emergency, "2026-01-06T16:00", hours=2) == "2026-01-07T11:00"
    assert due(emergency, "2026-01-06T16:00", hours=4) == "2026-01-08T10:00"


def test_a_one_off_date_replaces_the_weekday_s_hours_and_may_close_the_day_or_open_a_weekend() -> None:
    special = weekdays("09:00-17:00", dates=dated({"2026-01-07": ["12:00-13:00"], "2026-01-08": [], "2026-01-10": ["10:00-11:00"]}))

    assert counted(special, "2026-01-07T00:00", "2026-01-12T00:00") == 10 * HOUR
    assert due(special, "2026-01-07T09:00", hours=2) == "2026-01-09T10:00"


def test_a_break_is_cut_out_of_what_it_overlaps() -> None:
    paused = weekdays("09:00-17:00", breaks=dated({"2026-01-06": ["08:00-10:00", "12:00-13:00", "12:30-13:30"], "2026-01-07": ["09:00-17:00"]}))

    assert counted(paused, "2026-01-06T00:00", "2026-01-08T00:00") == timedelta(hours=5.5)
    assert due(paused, "2026-01-06T09:30", hours=0) == "2026-01-06T10:00"
    assert due(paused, "2026-01-06T11:00", hours=1) == "2026-01-06T12:00"
    assert due(paused, "2026-01-06T11:00", hours=2) == "2026-01-06T14:30"
    assert due_days(paused, "2026-01-06T14:00", 1) == "2026-01-08T14:00"


def test_a_break_also_cuts_the_night_of_the_day_before() -> None:
    paused = weekdays("22:00-06:00", breaks=dated({"2026-01-07": ["01:00-02:00"]}))

    assert counted(paused, "2026-01-06T12:00", "2026-01-07T12:00") == 7 * HOUR


def test_a_break_of_no_length_or_that_a_gap_swallows_cuts_nothing() -> None:
    gap = {date(2020, 3, 29): (Interval(135, 165), Interval(150, 195)), date(2020, 3, 30): (Interval(600, 600),), date(2020, 3, 31): (Interval(135, 165),)}

    assert counted(replace(PARIS, breaks=gap), "2020-03-29T00:00", "2020-03-31T00:00") == 47 * HOUR
    assert counted(replace(PARIS, breaks=gap), "2020-03-31T00:00", "2020-04-01T00:00") == timedelta(hours=23.5)


PARIS: Final = daily("00:00-24:00", name="Europe/Paris")


def test_a_day_on_which_clocks_go_forward_has_23_hours_and_one_on_which_they_go_back_25() -> None:
    assert counted(PARIS, "2020-03-29T00:00", "2020-03-30T00:00") == 23 * HOUR
    assert counted(PARIS, "2020-10-25T00:00", "2020-10-26T00:00") == 25 * HOUR
    assert due(PARIS, "2020-03-29T00:00", hours=3) == "2020-03-29T04:00"
    assert due(PARIS, "2020-10-25T00:00", hours=4) == "2020-10-25T03:00"


def test_opening_hours_keep_to_the_clock_on_the_wall() -> None:
    night = daily("01:00-05:00", name="Europe/Paris")

    assert counted(night, "2020-03-29T00:00", "2020-03-30T00:00") == 3 * HOUR
    assert counted(night, "2020-10-25T00:00", "2020-10-26T00:00") == 5 * HOUR


def test_hours_that_fall_wholly_into_a_gap_do_not_happen() -> None:
    short = daily("02:15-02:45", name="Europe/Paris")

    assert counted(short, "2020-03-28T00:00", "2020-03-29T00:00") == HOUR / 2
    assert counted(short, "2020-03-29T00:00", "2020-03-30T00:00") == timedelta(0)
    assert due_days(short, "2020-03-28T02:20", 1) == "2020-03-30T02:20"
    assert counted(daily("00:00-24:00", name="Pacific/Apia"), "2011-12-29T00:00", "2012-01-01T00:00") == timedelta(days=2)


def test_hours_that_open_in_a_gap_open_later_by_the_gap() -> None:
    assert due(daily("02:30-08:00", name="Europe/Paris"), "2020-03-29T00:00", hours=0) == "2020-03-29T03:30"


def test_the_midnight_that_a_gap_skips_is_one_o_clock() -> None:
    brazil = Calendar("desk", "America/Sao_Paulo", week=((),) * 5 + (day_of("09:00-24:00"), day_of("00:00-12:00")))

    assert local(brazil, Clock(brazil).next_closing(at(brazil, "2015-10-17T10:00"))) == "2015-10-18T12:00"
    assert counted(brazil, "2015-10-17T12:00", "2015-10-18T12:00") == 23 * HOUR
    assert due(brazil, "2015-10-17T23:00", hours=2) == "2015-10-18T02:00"
    assert due(weekdays("09:00-24:00", name="America/Sao_Paulo", dates=dated({"2015-10-17": ["09:00-24:00"]})), "2015-10-17T09:00", hours=15) == "2015-10-18T01:00"


def test_hours_that_end_at_a_repeated_time_end_when_it_comes_first() -> None:
    night = daily("00:00-02:30", name="Europe/Paris")

    assert counted(night, "2020-10-25T00:00", "2020-10-26T00:00") == timedelta(hours=2.5)


def test_an_always_open_place_takes_no_notice_of_turned_clocks_except_for_days() -> None:
    partner = always("Europe/Paris")

    assert due(partner, "2020-03-28T20:00", hours=24) == "2020-03-29T21:00"
    assert due_days(partner, "2020-03-28T20:00", 1) == "2020-03-29T20:00"
    assert due_days(partner, "2020-03-28T02:30", 1) == "2020-03-29T03:30"
    assert due_days(partner, "2020-10-24T02:30", 1) == "2020-10-25T02:30"
    assert due_days(partner, "2020-10-24T02:30", 3, CLOSE) == "2020-10-28T00:00"
    assert counted(partner, "2020-03-28T00:00", "2020-03-30T00:00") == 47 * HOUR
    assert Clock(partner).next_closing(at(partner, "2020-03-28T20:00")) == Reached(None, True, None)
    assert Clock(partner).is_open(at(partner, "2020-03-28T20:00")) is True


# Business days

@pytest.mark.parametrize(("calendar", "start", "days", "expected"), [
    pytest.param(weekdays("00:00-24:00"), "2026-01-09T15:00", 1, "2026-01-12T15:00", id="whole days, Friday 15:00 + 1 is Monday 15:00"),
    pytest.param(weekdays("00:00-24:00"), "2026-01-10T10:00", 1, "2026-01-13T00:00", id="whole days, Saturday 10:00 + 1 is Tuesday 00:00"),
    pytest.param(weekdays("07:00-19:00"), "2026-01-10T10:00", 1, "2026-01-13T07:00", id="12x5, Saturday + 1 is Tuesday 07:00"),
    pytest.param(weekdays("07:00-19:00"), "2026-01-09T19:00", 1, "2026-01-13T07:00", id="12x5, Friday at closing is Monday's"),
    pytest.param(weekdays("07:00-19:00"), "2026-01-09T18:59", 1, "2026-01-12T18:59", id="12x5, Friday just before closing is still Friday's"),
    pytest.param(weekdays("07:00-19:00"), "2026-01-09T08:00", 0, "2026-01-09T08:00", id="no days, the start itself if it is open"),
    pytest.param(weekdays("07:00-19:00"), "2026-01-10T08:00", 0, "2026-01-12T07:00", id="no days, the next opening if it is not"),
    pytest.param(weekdays("07:00-19:00", holidays=listed(["2026-01-26"])), "2026-01-23T15:00", 1, "2026-01-27T15:00", id="over a holiday"),
    pytest.param(weekdays("22:00-06:00"), "2026-01-06T02:00", 1, "2026-01-07T02:00", id="a night's Tuesday 02:00 is Monday's 26:00"),
    pytest.param(weekdays("22:00-06:00"), "2026-01-10T02:00", 1, "2026-01-13T02:00", id="Friday's night + 1 is Monday's night"),
    pytest.param(weekdays("09:00-17:00", dates=dated({"2026-01-07": ["10:00-12:00"]})), "2026-01-06T15:00", 1, "2026-01-08T09:00", id="closed by then, rolls on"),
    pytest.param(weekdays("09:00-17:00", dates=dated({"2026-01-07": ["10:00-12:00"]})), "2026-01-06T09:30", 1, "2026-01-07T10:00", id="not yet open, rolls on"),
    pytest.param(weekdays("09:00-12:00", "13:00-17:00", dates=dated({"2026-01-06": ["12:30-13:00"]})), "2026-01-06T12:30", 1, "2026-01-07T13:00", id="at lunch"),
    pytest.param(weekdays("00:00-24:00", name="Europe/Paris", dates=dated({"2020-03-28": ["00:00-24:00"], "2020-03-29": ["00:00-24:00"]})),
                 "2020-03-28T02:30", 1, "2020-03-29T03:30", id="at a skipped time, later by the gap"),
    pytest.param(weekdays("00:00-24:00", name="Pacific/Apia"), "2011-12-29T10:00", 1, "2012-01-02T10:00", id="a date that a zone skips is no day"),
    pytest.param(weekdays("09:00-17:00"), "2027-12-31T10:00", 1, "2028-01-03T10:00", id="over the end of a year"),
    pytest.param(weekdays("09:00-17:00"), "2028-02-28T10:00", 2, "2028-03-01T10:00", id="over a leap day"),
])
def test_a_business_day_later_is_the_same_clock_time(calendar: Calendar, start: str, days: int, expected: str) -> None:
    assert due_days(calendar, start, days) == expected


@pytest.mark.parametrize(("calendar", "start", "days", "expected"), [
    (weekdays("07:00-19:00"), "2026-01-09T08:00", 0, "2026-01-09T19:00"),
    (weekdays("07:00-19:00"), "2026-01-09T08:00", 1, "2026-01-12T19:00"),
    (weekdays("07:00-19:00"), "2026-01-10T08:00", 1, "2026-01-13T19:00"),
    (weekdays("09:00-12:00", "13:00-17:00"), "2026-01-06T10:00", 1, "2026-01-07T17:00"),
    (weekdays("22:00-06:00"), "2026-01-06T02:00", 0, "2026-01-06T06:00"),
    (weekdays("00:00-24:00"), "2026-01-09T15:00", 0, "2026-01-10T00:00"),
])
def test_by_the_other_rule_it_is_that_day_s_last_close(calendar: Calendar, start: str, days: int, expected: str) -> None:
    assert due_days(calendar, start, days, CLOSE) == expected


def test_the_second_pass_of_a_repeated_hour_is_kept_by_no_days_and_is_the_first_a_day_later() -> None:
    second = datetime.fromisoformat("2020-10-25T02:30:00+01:00")
    clock = clock_of(PARIS)

    assert clock.add_days(second, 0, CLOCK).instant == second
    assert clock.add_days(second, 1, CLOCK).instant == datetime.fromisoformat("2020-10-26T02:30:00+01:00")
    assert clock.add_days(at(PARIS, "2020-10-24T02:30"), 1, CLOCK).instant == datetime.fromisoformat("2020-10-25T02:30:00+02:00")


def test_a_day_that_starts_twice_starts_when_it_comes_first() -> None:
    newfoundland = daily("00:00-24:00", name="America/St_Johns")
    again = datetime.fromisoformat("2010-11-06T23:30:00-03:30")  # an hour after midnight the clock went back to 23:01, but the 7th had begun

    assert Clock(newfoundland).add_days(again, 1, CLOCK).instant == datetime.fromisoformat("2010-11-08T00:00:00-03:30")


@pytest.mark.parametrize(("start", "end", "whole", "begun"), [
    ("2026-01-06T10:00", "2026-01-06T10:00", 0, 0),
    ("2026-01-06T10:00", "2026-01-06T10:01", 0, 1),
    ("2026-01-06T10:00", "2026-01-07T09:59", 0, 1),
    ("2026-01-06T10:00", "2026-01-07T10:00", 1, 1),
    ("2026-01-06T10:00", "2026-01-07T10:01", 1, 2),
    ("2026-01-09T10:00", "2026-01-12T09:59", 0, 1),
    ("2026-01-10T10:00", "2026-01-12T09:00", 0, 0),
    ("2026-01-06T10:00", "2026-01-01T10:00", 0, 0),
    ("2026-01-06T10:00", "2027-01-06T10:00", 261, 261),
])
def test_business_days_are_counted_when_over_or_when_begun(start: str, end: str, whole: int, begun: int) -> None:
    clock = clock_of(DESK)
    first, last = at(DESK, start), at(DESK, end)

    assert (clock.count_days(first, last, CLOCK, begun=False), clock.count_days(first, last, CLOCK, begun=True)) == (whole, begun)


def test_days_of_an_always_open_place_are_counted_by_its_dates() -> None:
    partner = always("Europe/Paris")
    clock, start = clock_of(partner), at(partner, "2020-03-28T20:00")
    ends = [at(partner, f"2020-03-{end}") for end in ("28T20:00", "28T20:01", "29T19:59", "29T20:00", "29T20:01", "31T20:00")]

    assert [clock.count_days(start, end, CLOCK, begun=False) for end in ends] == [0, 0, 0, 1, 1, 3]
    assert [clock.count_days(start, end, CLOCK, begun=True) for end in ends] == [0, 1, 1, 1, 2, 3]
    assert [clock.count_days(start, end, CLOSE, begun=False) for end in ends] == [0, 0, 0, 0, 0, 2]
    assert [clock.count_days(start, end, CLOSE, begun=True) for end in ends] == [0, 0, 1, 1, 1, 3]


def test_business_days_by_their_close_are_over_at_the_close() -> None:
    clock, start = clock_of(DESK), at(DESK, "2026-01-06T10:00")

    assert [clock.count_days(start, at(DESK, f"2026-01-{end}"), CLOSE, begun=False) for end in ("07T16:59", "07T17:00", "08T17:00")] == [0, 1, 2]
    assert [clock.count_days(start, at(DESK, f"2026-01-{end}"), CLOSE, begun=True) for end in ("06T17:00", "06T17:01", "07T17:00")] == [0, 1, 1]


# Openings and closings

def test_an_opening_holds_its_start_and_not_its_end() -> None:
    clock = clock_of(DESK)

    assert [clock.is_open(at(DESK, f"2026-01-06T{time}")) for time in ("08:59", "09:00", "16:59", "17:00")] == [False, True, True, False]
    assert local(DESK, clock.next_opening(at(DESK, "2026-01-06T17:00"))) == "2026-01-07T09:00"
    assert local(DESK, clock.next_opening(at(DESK, "2026-01-06T09:00"))) == "2026-01-06T09:00"
    assert local(DESK, clock.next_closing(at(DESK, "2026-01-06T09:00"))) == "2026-01-06T17:00"
    assert local(DESK, clock.next_closing(at(DESK, "2026-01-09T17:00"))) == "2026-01-12T17:00"


def test_openings_that_touch_close_together() -> None:
    whole = weekdays("00:00-12:00", "12:00-24:00")

    assert local(whole, Clock(whole).next_closing(at(whole, "2026-01-05T09:00"))) == "2026-01-10T00:00"


@pytest.mark.parametrize("calendar", [Calendar("shut", "UTC"), Calendar("empty", "UTC", week=((Interval(540, 540),),) * 7)])
def test_a_place_that_never_opens_says_so_at_once(calendar: Calendar) -> None:
    clock, start = Clock(calendar), datetime(2026, 1, 6, tzinfo=UTC)
    nothing = Reached(None, True, None)

    assert not calendar.ever_opens
    assert [clock.add(start, HOUR), clock.add_days(start, 1, CLOCK), clock.next_opening(start), clock.next_closing(start)] == [nothing] * 4
    assert clock.count(start, start + 9 * HOUR) == Counted(timedelta(0), True)
    assert clock.count_days(start, start + 9 * HOUR, CLOCK, begun=True) == 0
    assert clock.is_open(start) is False
    assert [part.kind for part in stretches(clock, start, start + HOUR)] == [Kind.CLOSED]
    assert add_column(clock, np.array([to_micros(start)]), 1)[0].tolist() == [NOWHERE]
    assert add_days_column(clock, np.array([to_micros(start)]), 1, CLOSE)[1].tolist() == [False]
    assert count_column(clock, np.array([to_micros(start)]), np.array([to_micros(start) + 1]))[0].tolist() == [0]


@pytest.mark.parametrize("calendar", [DESK, always("UTC")])
def test_after_the_last_year_nothing_opens_and_before_the_first_nothing_is_known(calendar: Calendar) -> None:
    clock, late, early = Clock(calendar), datetime(2200, 12, 30, 10, tzinfo=UTC), datetime(1969, 12, 1, tzinfo=UTC)

    assert clock.add(late, timedelta(hours=99)) == Reached(None, True, None)
    assert clock.add_days(late, 9, CLOCK) == Reached(None, True, None)
    assert clock.add(datetime(2300, 1, 1, tzinfo=UTC), HOUR) == Reached(None, True, None)
    assert clock.add(early, HOUR) == Reached(None, False, None)
    assert clock.is_open(early) is None


def test_time_is_added_and_never_taken_away() -> None:
    with pytest.raises(ValueError, match="taken away"):
        clock_of(DESK).add(datetime(2026, 1, 6, tzinfo=UTC), -HOUR)
    with pytest.raises(ValueError, match="taken away"):
        Clock(DESK).add_days(datetime(2026, 1, 6, tzinfo=UTC), -1, CLOCK)
    with pytest.raises(TypeError):
        clock_of(DESK).add(datetime(2026, 1, 6), HOUR)  # noqa: DTZ001 - which instant would that be?


# The span of a list of holidays

LISTED: Final = weekdays("09:00-17:00", name="Australia/Sydney", holidays=listed(["2026-01-26"], "2026-01-01", "2026-12-31"))


def test_within_the_span_of_the_list_answers_are_sure_up_to_its_last_midnight() -> None:
    assert due(LISTED, "2026-12-31T16:00", hours=1) == "2026-12-31T17:00"
    assert due(LISTED, "2026-01-01T00:00", hours=1) == "2026-01-01T10:00"
    assert due_days(LISTED, "2026-12-30T16:00", 1) == "2026-12-31T16:00"
    assert due(replace(LISTED, week=(day_of("00:00-24:00"),) * 7), "2026-12-31T23:00", hours=1) == "2027-01-01T00:00"


def test_a_result_behind_the_span_is_not_given_but_bounded() -> None:
    clock, start = Clock(LISTED), at(LISTED, "2026-12-31T16:00")

    assert clock.add(start, 2 * HOUR) == Reached(None, False, at(LISTED, "2027-01-01T10:00").astimezone(UTC))
    assert clock.add_days(start, 1, CLOCK) == Reached(None, False, at(LISTED, "2027-01-01T16:00").astimezone(UTC))
    assert clock.add_days(start, 1, CLOSE) == Reached(None, False, at(LISTED, "2027-01-01T17:00").astimezone(UTC))
    assert clock.next_opening(start + HOUR) == Reached(None, False, at(LISTED, "2027-01-01T09:00").astimezone(UTC))
    assert clock.next_closing(start + HOUR) == Reached(None, False, at(LISTED, "2027-01-01T00:00").astimezone(UTC))
    assert clock.add(start, timedelta(hours=8 * 260 * 12)) == Reached(None, False, None)


def test_a_day_that_would_open_right_behind_the_span_may_be_a_holiday() -> None:
    whole = replace(LISTED, week=(day_of("00:00-24:00"),) * 7, dates=dated({"2026-12-31": []}))

    clock, start = Clock(whole), at(whole, "2026-12-31T16:00")
    behind = Reached(None, False, at(whole, "2027-01-01T00:00").astimezone(UTC))

    assert [clock.next_opening(start), clock.add(start, timedelta(0)), clock.add_days(start, 0, CLOCK)] == [behind] * 3
    assert not add_column(clock, np.array([to_micros(start)]), 0)[1].any()
    assert not add_days_column(clock, np.array([to_micros(start)]), 0, CLOCK)[1].any()


@pytest.mark.parametrize("start", ["2025-12-31T23:59", "2027-01-01T00:00"])
def test_a_start_outside_the_span_gives_nothing(start: str) -> None:
    clock, instant = Clock(LISTED), at(LISTED, start)

    assert [clock.add(instant, HOUR), clock.add_days(instant, 1, CLOCK), clock.next_opening(instant), clock.next_closing(instant)] == [Reached(None, False, None)] * 4
    assert clock.is_open(instant) is None
    assert clock.count_days(instant, instant + HOUR, CLOCK, begun=False) is None


def test_a_night_that_began_on_the_eve_of_the_span_is_not_known() -> None:
    night = replace(LISTED, week=(day_of("22:00-06:00"),) * 7)

    assert Clock(night).is_open(at(night, "2026-01-01T05:59")) is None
    assert Clock(night).is_open(at(night, "2026-01-01T06:00")) is False


def test_counts_outside_the_span_are_at_most_that() -> None:
    clock = Clock(LISTED)

    assert clock.count(at(LISTED, "2026-12-31T00:00"), at(LISTED, "2027-01-01T00:00")) == Counted(8 * HOUR, True)
    assert clock.count(at(LISTED, "2026-12-31T00:00"), at(LISTED, "2027-01-02T00:00")) == Counted(16 * HOUR, False)
    assert clock.count(at(LISTED, "2025-12-31T16:00"), at(LISTED, "2026-01-01T10:00")) == Counted(2 * HOUR, False)
    assert clock.count(at(LISTED, "2025-12-31T16:00"), at(LISTED, "2025-12-31T16:00")) == Counted(timedelta(0), True)
    assert clock.count_days(at(LISTED, "2026-12-30T10:00"), at(LISTED, "2027-01-01T00:00"), CLOCK, begun=False) == 1
    assert clock.count_days(at(LISTED, "2026-12-30T10:00"), at(LISTED, "2027-01-01T00:01"), CLOCK, begun=False) is None


def test_hours_that_no_holiday_can_close_are_sure_for_ever() -> None:
    fair = Calendar("fair", "UTC", dates=dated({"2040-05-01": ["09:00-17:00"]}), holidays=listed([], "2026-01-01", "2026-12-31"))

    assert due(fair, "2026-05-01T00:00", hours=1) == "2040-05-01T10:00"
    assert Clock(fair).add(datetime(2041, 1, 1, tzinfo=UTC), HOUR) == Reached(None, True, None)


def test_a_list_of_one_year_is_worked_out_for_twelve() -> None:
    assert len(Openings.of(LISTED).starts) < 12 * 262


# Holds

def held(calendar: Calendar, start: str, hours: float, *holds: tuple[str, str]) -> str:
    clock, begin = clock_of(calendar), at(calendar, start)
    return local(calendar, clock.add_with_holds(begin, clock.add(begin, hours * HOUR), [(at(calendar, one), at(calendar, other)) for one, other in holds]))


@pytest.mark.parametrize(("holds", "expected"), [
    ((), "2026-01-06T12:00"),
    ((("2026-01-06T10:30", "2026-01-06T11:00"),), "2026-01-06T12:30"),
    ((("2026-01-06T08:00", "2026-01-06T10:30"),), "2026-01-06T12:30"),
    ((("2026-01-06T12:00", "2026-01-06T13:00"),), "2026-01-06T12:00"),
    ((("2026-01-06T11:00", "2026-01-06T11:30"), ("2026-01-06T12:00", "2026-01-06T13:00")), "2026-01-06T13:30"),
    ((("2026-01-06T11:00", "2026-01-07T08:00"),), "2026-01-07T10:00"),
    ((("2026-01-05T00:00", "2026-01-05T12:00"),), "2026-01-06T12:00"),
])
def test_a_hold_moves_a_due_time_by_its_business_time_and_only_while_the_clock_runs(holds: tuple[tuple[str, str], ...], expected: str) -> None:
    assert held(DESK, "2026-01-06T10:00", 2, *holds) == expected


def test_a_hold_moves_a_due_time_given_in_days_too() -> None:
    clock, start = clock_of(DESK), at(DESK, "2026-01-06T10:00")
    base = clock.add_days(start, 1, CLOCK)

    assert local(DESK, clock.add_with_holds(start, base, [(start + HOUR, start + 2 * HOUR)])) == "2026-01-07T11:00"


def test_a_hold_may_move_a_due_time_out_of_the_span() -> None:
    clock, start = Clock(LISTED), at(LISTED, "2026-12-31T09:00")
    base = clock.add(start, 7 * HOUR)

    assert clock.add_with_holds(start, base, [(start, start + 2 * HOUR)]) == Reached(None, False, at(LISTED, "2027-01-01T10:00").astimezone(UTC))
    unknown = Reached(None, False, None)
    assert clock.add_with_holds(start, unknown, [(start, start + 2 * HOUR)]) is unknown


# Stretches

def test_stretches_tell_what_counted_and_what_did_not_and_why() -> None:
    calendar = weekdays("09:00-17:00", holidays=listed(["2026-01-12"]), breaks=dated({"2026-01-09": ["12:00-13:00", "18:00-19:00"]}))

    assert told(calendar, "2026-01-09T10:00", "2026-01-13T10:00", (("2026-01-09T16:00", "2026-01-10T03:00"),)) == [
        "Fri 10:00 Fri 12:00 open",
        "Fri 12:00 Fri 13:00 break",
        "Fri 13:00 Fri 16:00 open",
        "Fri 16:00 Fri 17:00 hold",
        "Fri 17:00 Mon 09:00 closed",
        "Mon 09:00 Mon 17:00 holiday holiday 2026-01-12",
        "Mon 17:00 Tue 09:00 closed",
        "Tue 09:00 Tue 10:00 open",
    ]


def test_a_weekend_s_holiday_closes_nothing() -> None:
    assert told(weekdays("09:00-17:00", holidays=listed(["2026-01-10"])), "2026-01-09T17:00", "2026-01-12T09:00") == ["Fri 17:00 Mon 09:00 closed"]


def test_holidays_of_whole_days_follow_each_other_by_name() -> None:
    assert told(daily("00:00-24:00", holidays=listed(["2026-01-06", "2026-01-07"])), "2026-01-05T23:00", "2026-01-08T01:00") == [
        "Mon 23:00 Tue 00:00 open",
        "Tue 00:00 Wed 00:00 holiday holiday 2026-01-06",
        "Wed 00:00 Thu 00:00 holiday holiday 2026-01-07",
        "Thu 00:00 Thu 01:00 open",
    ]


def test_a_holiday_ends_at_its_midnight_and_the_night_before_runs_into_it() -> None:
    assert told(weekdays("22:00-06:00", holidays=listed(["2026-01-07"])), "2026-01-06T22:00", "2026-01-08T23:00") == [
        "Tue 22:00 Wed 06:00 open",
        "Wed 06:00 Wed 22:00 closed",
        "Wed 22:00 Thu 00:00 holiday holiday 2026-01-07",
        "Thu 00:00 Thu 22:00 closed",
        "Thu 22:00 Thu 23:00 open",
    ]


def test_a_one_off_date_is_no_holiday_and_a_break_on_a_date_that_is_closed_anyway_is_none() -> None:
    special = weekdays(
        "09:00-17:00", holidays=listed(["2026-01-06"]), dates=dated({"2026-01-06": ["10:00-12:00"], "2026-01-07": []}),
        breaks=dated({"2026-01-06": ["11:00-11:30"], "2026-01-07": ["11:00-12:00"]}),
    )

    assert told(special, "2026-01-06T09:00", "2026-01-08T09:00") == [
        "Tue 09:00 Tue 10:00 closed",
        "Tue 10:00 Tue 11:00 open",
        "Tue 11:00 Tue 11:30 break",
        "Tue 11:30 Tue 12:00 open",
        "Tue 12:00 Thu 09:00 closed",
    ]


def test_stretches_touching_are_one_and_an_empty_time_has_none() -> None:
    assert told(daily("00:00-24:00"), "2026-01-05T09:00", "2026-01-09T09:00") == ["Mon 09:00 Fri 09:00 open"]
    assert told(DESK, "2026-01-05T09:00", "2026-01-05T09:00") == []
    assert told(DESK, "2026-01-05T17:00", "2026-01-05T18:00", (("2026-01-05T17:00", "2026-01-05T18:00"),)) == ["Mon 17:00 Mon 18:00 closed"]


def test_an_always_open_place_is_open_throughout_except_on_hold() -> None:
    assert told(always("UTC"), "2026-01-05T09:00", "2026-01-05T12:00", (("2026-01-05T10:00", "2026-01-05T11:00"),)) == [
        "Mon 09:00 Mon 10:00 open", "Mon 10:00 Mon 11:00 hold", "Mon 11:00 Mon 12:00 open",
    ]


# Columns

def test_columns_mark_what_is_not_sure() -> None:
    clock = Clock(LISTED)
    starts = np.array([to_micros(at(LISTED, text)) for text in ("2025-12-31T10:00", "2026-12-31T10:00", "2026-12-31T16:00", "2026-06-01T10:00")])

    due_, sure = add_column(clock, starts, 7 * 3600 * 10**6)
    assert sure.tolist() == [False, True, False, True]
    assert (due_ == NOWHERE).tolist() == [True, False, True, False]
    assert add_days_column(clock, starts, np.array([1, 0, 1, 1]), CLOCK)[1].tolist() == [False, True, False, True]
