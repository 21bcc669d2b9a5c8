"""The business clock by example: business time, business days, openings and closings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from engine.clock.calendar import Calendar, Interval
from engine.clock.clock import Clock, Counted, Reached
from engine.clock.columns import NOWHERE, add_column, add_days_column, count_column
from engine.clock.stretches import StretchKind, stretches
from engine.clock.zone import to_micros
from tests.support.clocks import (
    CLOCK,
    CLOSE,
    DESK,
    HOUR,
    PARIS,
    always,
    at,
    clock_of,
    counted,
    daily,
    dated,
    day_of,
    due,
    due_days,
    listed,
    local,
    weekdays,
)

# Business time


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
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
    ],
)
def test_business_time_runs_in_opening_hours_and_is_due_at_closing_when_used_up_there(
    start: str, hours: int, expected: str
) -> None:
    assert due(DESK, start, hours=hours) == expected


def test_seconds_and_microseconds_count() -> None:
    start = datetime(2026, 1, 9, 16, 59, 30, 7, tzinfo=UTC)

    assert clock_of(DESK).add(start, timedelta(minutes=1)).instant == datetime(2026, 1, 12, 9, 0, 30, 7, tzinfo=UTC)
    assert clock_of(DESK).count(start, datetime(2026, 1, 12, 9, 0, 0, 1, tzinfo=UTC)).amount == timedelta(
        seconds=29, microseconds=999_994
    )


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
    double = Calendar(
        name="desk", zone="UTC", week=(day_of("20:00-08:00"), day_of("06:00-10:00", "09:00-12:00"), *((),) * 5)
    )

    assert counted(double, "2026-01-05T00:00", "2026-01-07T00:00") == 16 * HOUR
    assert due(double, "2026-01-05T20:00", hours=16) == "2026-01-06T12:00"


def test_a_holiday_is_skipped_and_a_one_off_date_wins_over_it() -> None:
    closed = weekdays("09:00-17:00", holidays=listed(["2026-01-07"]))
    emergency = replace(closed, dates=dated({"2026-01-07": ["10:00-12:00"]}))

    assert due(closed, "2026-01-06T16:00", hours=2) == "2026-01-08T10:00"
    assert due(emergency, "2026-01-06T16:00", hours=2) == "2026-01-07T11:00"
    assert due(emergency, "2026-01-06T16:00", hours=4) == "2026-01-08T10:00"


def test_a_one_off_date_replaces_the_weekday_s_hours_and_may_close_the_day_or_open_a_weekend() -> None:
    special = weekdays(
        "09:00-17:00", dates=dated({"2026-01-07": ["12:00-13:00"], "2026-01-08": [], "2026-01-10": ["10:00-11:00"]})
    )

    assert counted(special, "2026-01-07T00:00", "2026-01-12T00:00") == 10 * HOUR
    assert due(special, "2026-01-07T09:00", hours=2) == "2026-01-09T10:00"


def test_a_break_is_cut_out_of_what_it_overlaps() -> None:
    paused = weekdays(
        "09:00-17:00",
        breaks=dated({"2026-01-06": ["08:00-10:00", "12:00-13:00", "12:30-13:30"], "2026-01-07": ["09:00-17:00"]}),
    )

    assert counted(paused, "2026-01-06T00:00", "2026-01-08T00:00") == timedelta(hours=5.5)
    assert due(paused, "2026-01-06T09:30", hours=0) == "2026-01-06T10:00"
    assert due(paused, "2026-01-06T11:00", hours=1) == "2026-01-06T12:00"
    assert due(paused, "2026-01-06T11:00", hours=2) == "2026-01-06T14:30"
    assert due_days(paused, "2026-01-06T14:00", 1) == "2026-01-08T14:00"


def test_a_break_also_cuts_the_night_of_the_day_before() -> None:
    paused = weekdays("22:00-06:00", breaks=dated({"2026-01-07": ["01:00-02:00"]}))

    assert counted(paused, "2026-01-06T12:00", "2026-01-07T12:00") == 7 * HOUR


def test_a_break_of_no_length_or_that_a_gap_swallows_cuts_nothing() -> None:
    gap = {
        date(2020, 3, 29): (Interval(135, 165), Interval(150, 195)),
        date(2020, 3, 30): (Interval(600, 600),),
        date(2020, 3, 31): (Interval(135, 165),),
    }

    assert counted(replace(PARIS, breaks=gap), "2020-03-29T00:00", "2020-03-31T00:00") == 47 * HOUR
    assert counted(replace(PARIS, breaks=gap), "2020-03-31T00:00", "2020-04-01T00:00") == timedelta(hours=23.5)


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
    assert counted(daily("00:00-24:00", name="Pacific/Apia"), "2011-12-29T00:00", "2012-01-01T00:00") == timedelta(
        days=2
    )


def test_hours_that_open_in_a_gap_open_later_by_the_gap() -> None:
    assert due(daily("02:30-08:00", name="Europe/Paris"), "2020-03-29T00:00", hours=0) == "2020-03-29T03:30"


def test_the_midnight_that_a_gap_skips_is_one_o_clock() -> None:
    brazil = Calendar(
        name="desk", zone="America/Sao_Paulo", week=((),) * 5 + (day_of("09:00-24:00"), day_of("00:00-12:00"))
    )

    assert local(brazil, Clock(brazil).next_closing(at(brazil, "2015-10-17T10:00"))) == "2015-10-18T12:00"
    assert counted(brazil, "2015-10-17T12:00", "2015-10-18T12:00") == 23 * HOUR
    assert due(brazil, "2015-10-17T23:00", hours=2) == "2015-10-18T02:00"
    assert (
        due(
            weekdays("09:00-24:00", name="America/Sao_Paulo", dates=dated({"2015-10-17": ["09:00-24:00"]})),
            "2015-10-17T09:00",
            hours=15,
        )
        == "2015-10-18T01:00"
    )


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


@pytest.mark.parametrize(
    ("calendar", "start", "days", "expected"),
    [
        pytest.param(
            weekdays("00:00-24:00"),
            "2026-01-09T15:00",
            1,
            "2026-01-12T15:00",
            id="whole days, Friday 15:00 + 1 is Monday 15:00",
        ),
        pytest.param(
            weekdays("00:00-24:00"),
            "2026-01-10T10:00",
            1,
            "2026-01-13T00:00",
            id="whole days, Saturday 10:00 + 1 is Tuesday 00:00",
        ),
        pytest.param(
            weekdays("07:00-19:00"), "2026-01-10T10:00", 1, "2026-01-13T07:00", id="12x5, Saturday + 1 is Tuesday 07:00"
        ),
        pytest.param(
            weekdays("07:00-19:00"), "2026-01-09T19:00", 1, "2026-01-13T07:00", id="12x5, Friday at closing is Monday's"
        ),
        pytest.param(
            weekdays("07:00-19:00"),
            "2026-01-09T18:59",
            1,
            "2026-01-12T18:59",
            id="12x5, Friday just before closing is still Friday's",
        ),
        pytest.param(
            weekdays("07:00-19:00"),
            "2026-01-09T08:00",
            0,
            "2026-01-09T08:00",
            id="no days, the start itself if it is open",
        ),
        pytest.param(
            weekdays("07:00-19:00"),
            "2026-01-10T08:00",
            0,
            "2026-01-12T07:00",
            id="no days, the next opening if it is not",
        ),
        pytest.param(
            weekdays("07:00-19:00", holidays=listed(["2026-01-26"])),
            "2026-01-23T15:00",
            1,
            "2026-01-27T15:00",
            id="over a holiday",
        ),
        pytest.param(
            weekdays("22:00-06:00"),
            "2026-01-06T02:00",
            1,
            "2026-01-07T02:00",
            id="a night's Tuesday 02:00 is Monday's 26:00",
        ),
        pytest.param(
            weekdays("22:00-06:00"),
            "2026-01-10T02:00",
            1,
            "2026-01-13T02:00",
            id="Friday's night + 1 is Monday's night",
        ),
        pytest.param(
            weekdays("09:00-17:00", dates=dated({"2026-01-07": ["10:00-12:00"]})),
            "2026-01-06T15:00",
            1,
            "2026-01-08T09:00",
            id="closed by then, rolls on",
        ),
        pytest.param(
            weekdays("09:00-17:00", dates=dated({"2026-01-07": ["10:00-12:00"]})),
            "2026-01-06T09:30",
            1,
            "2026-01-07T10:00",
            id="not yet open, rolls on",
        ),
        pytest.param(
            weekdays("09:00-12:00", "13:00-17:00", dates=dated({"2026-01-06": ["12:30-13:00"]})),
            "2026-01-06T12:30",
            1,
            "2026-01-07T13:00",
            id="at lunch",
        ),
        pytest.param(
            weekdays(
                "00:00-24:00",
                name="Europe/Paris",
                dates=dated({"2020-03-28": ["00:00-24:00"], "2020-03-29": ["00:00-24:00"]}),
            ),
            "2020-03-28T02:30",
            1,
            "2020-03-29T03:30",
            id="at a skipped time, later by the gap",
        ),
        pytest.param(
            weekdays("00:00-24:00", name="Pacific/Apia"),
            "2011-12-29T10:00",
            1,
            "2012-01-02T10:00",
            id="a date that a zone skips is not a business day",
        ),
        pytest.param(weekdays("09:00-17:00"), "2027-12-31T10:00", 1, "2028-01-03T10:00", id="over the end of a year"),
        pytest.param(weekdays("09:00-17:00"), "2028-02-28T10:00", 2, "2028-03-01T10:00", id="over a leap day"),
    ],
)
def test_a_business_day_later_is_the_same_clock_time(calendar: Calendar, start: str, days: int, expected: str) -> None:
    assert due_days(calendar, start, days) == expected


@pytest.mark.parametrize(
    ("calendar", "start", "days", "expected"),
    [
        (weekdays("07:00-19:00"), "2026-01-09T08:00", 0, "2026-01-09T19:00"),
        (weekdays("07:00-19:00"), "2026-01-09T08:00", 1, "2026-01-12T19:00"),
        (weekdays("07:00-19:00"), "2026-01-10T08:00", 1, "2026-01-13T19:00"),
        (weekdays("09:00-12:00", "13:00-17:00"), "2026-01-06T10:00", 1, "2026-01-07T17:00"),
        (weekdays("22:00-06:00"), "2026-01-06T02:00", 0, "2026-01-06T06:00"),
        (weekdays("00:00-24:00"), "2026-01-09T15:00", 0, "2026-01-10T00:00"),
    ],
)
def test_by_the_other_rule_it_is_that_day_s_last_close(
    calendar: Calendar, start: str, days: int, expected: str
) -> None:
    assert due_days(calendar, start, days, CLOSE) == expected


def test_the_second_pass_of_a_repeated_hour_is_kept_by_no_days_and_is_the_first_a_day_later() -> None:
    second = datetime.fromisoformat("2020-10-25T02:30:00+01:00")
    clock = clock_of(PARIS)

    assert clock.add_days(second, 0, CLOCK).instant == second
    assert clock.add_days(second, 1, CLOCK).instant == datetime.fromisoformat("2020-10-26T02:30:00+01:00")
    assert clock.add_days(at(PARIS, "2020-10-24T02:30"), 1, CLOCK).instant == datetime.fromisoformat(
        "2020-10-25T02:30:00+02:00"
    )


def test_a_day_that_starts_twice_starts_when_it_comes_first() -> None:
    newfoundland = daily("00:00-24:00", name="America/St_Johns")
    again = datetime.fromisoformat(
        "2010-11-06T23:30:00-03:30"
    )  # an hour after midnight the clock went back to 23:01, but the 7th had begun

    assert Clock(newfoundland).add_days(again, 1, CLOCK).instant == datetime.fromisoformat("2010-11-08T00:00:00-03:30")


@pytest.mark.parametrize(
    ("start", "end", "whole", "begun"),
    [
        ("2026-01-06T10:00", "2026-01-06T10:00", 0, 0),
        ("2026-01-06T10:00", "2026-01-06T10:01", 0, 1),
        ("2026-01-06T10:00", "2026-01-07T09:59", 0, 1),
        ("2026-01-06T10:00", "2026-01-07T10:00", 1, 1),
        ("2026-01-06T10:00", "2026-01-07T10:01", 1, 2),
        ("2026-01-09T10:00", "2026-01-12T09:59", 0, 1),
        ("2026-01-10T10:00", "2026-01-12T09:00", 0, 0),
        ("2026-01-06T10:00", "2026-01-01T10:00", 0, 0),
        ("2026-01-06T10:00", "2027-01-06T10:00", 261, 261),
    ],
)
def test_business_days_are_counted_when_over_or_when_begun(start: str, end: str, whole: int, begun: int) -> None:
    clock = clock_of(DESK)
    first, last = at(DESK, start), at(DESK, end)

    assert (clock.count_days(first, last, CLOCK, begun=False), clock.count_days(first, last, CLOCK, begun=True)) == (
        whole,
        begun,
    )


def test_days_of_an_always_open_place_are_counted_by_its_dates() -> None:
    partner = always("Europe/Paris")
    clock, start = clock_of(partner), at(partner, "2020-03-28T20:00")
    ends = [
        at(partner, f"2020-03-{end}")
        for end in ("28T20:00", "28T20:01", "29T19:59", "29T20:00", "29T20:01", "31T20:00")
    ]

    assert [clock.count_days(start, end, CLOCK, begun=False) for end in ends] == [0, 0, 0, 1, 1, 3]
    assert [clock.count_days(start, end, CLOCK, begun=True) for end in ends] == [0, 1, 1, 1, 2, 3]
    assert [clock.count_days(start, end, CLOSE, begun=False) for end in ends] == [0, 0, 0, 0, 0, 2]
    assert [clock.count_days(start, end, CLOSE, begun=True) for end in ends] == [0, 0, 1, 1, 1, 3]


def test_business_days_by_their_close_are_over_at_the_close() -> None:
    clock, start = clock_of(DESK), at(DESK, "2026-01-06T10:00")

    assert [
        clock.count_days(start, at(DESK, f"2026-01-{end}"), CLOSE, begun=False)
        for end in ("07T16:59", "07T17:00", "08T17:00")
    ] == [0, 1, 2]
    assert [
        clock.count_days(start, at(DESK, f"2026-01-{end}"), CLOSE, begun=True)
        for end in ("06T17:00", "06T17:01", "07T17:00")
    ] == [0, 1, 1]


# Openings and closings


def test_an_opening_holds_its_start_and_not_its_end() -> None:
    clock = clock_of(DESK)

    assert [clock.is_open(at(DESK, f"2026-01-06T{time}")) for time in ("08:59", "09:00", "16:59", "17:00")] == [
        False,
        True,
        True,
        False,
    ]
    assert local(DESK, clock.next_opening(at(DESK, "2026-01-06T17:00"))) == "2026-01-07T09:00"
    assert local(DESK, clock.next_opening(at(DESK, "2026-01-06T09:00"))) == "2026-01-06T09:00"
    assert local(DESK, clock.next_closing(at(DESK, "2026-01-06T09:00"))) == "2026-01-06T17:00"
    assert local(DESK, clock.next_closing(at(DESK, "2026-01-09T17:00"))) == "2026-01-12T17:00"


def test_openings_that_touch_close_together() -> None:
    whole = weekdays("00:00-12:00", "12:00-24:00")

    assert local(whole, Clock(whole).next_closing(at(whole, "2026-01-05T09:00"))) == "2026-01-10T00:00"


@pytest.mark.parametrize(
    "calendar",
    [Calendar(name="shut", zone="UTC"), Calendar(name="empty", zone="UTC", week=((Interval(540, 540),),) * 7)],
)
def test_a_place_that_never_opens_says_so_at_once(calendar: Calendar) -> None:
    clock, start = Clock(calendar), datetime(2026, 1, 6, tzinfo=UTC)
    nothing = Reached(None, True, None)

    assert [
        clock.add(start, HOUR),
        clock.add_days(start, 1, CLOCK),
        clock.next_opening(start),
        clock.next_closing(start),
    ] == [nothing] * 4
    assert clock.count(start, start + 9 * HOUR) == Counted(timedelta(0), True)
    assert clock.count_days(start, start + 9 * HOUR, CLOCK, begun=True) == 0
    assert clock.is_open(start) is False
    assert [part.kind for part in stretches(clock, start, start + HOUR)] == [StretchKind.CLOSED]
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
    with pytest.raises(ValueError, match="business time of at least 0, got -1 day"):
        clock_of(DESK).add(datetime(2026, 1, 6, tzinfo=UTC), -HOUR)
    with pytest.raises(ValueError, match="business days of at least 0, got -1"):
        Clock(DESK).add_days(datetime(2026, 1, 6, tzinfo=UTC), -1, CLOCK)
    with pytest.raises(TypeError):
        clock_of(DESK).add(datetime(2026, 1, 6), HOUR)  # noqa: DTZ001 - which instant would that be?
