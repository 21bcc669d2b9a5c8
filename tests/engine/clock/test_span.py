"""The business clock at its edges: the span of a list of holidays, holds, stretches, columns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import pytest

from engine.clock.calendar import Calendar
from engine.clock.clock import Clock, Counted, Reached
from engine.clock.columns import NOWHERE, add_column, add_days_column
from engine.clock.openings import Openings
from engine.clock.zone import to_micros
from tests.support.clocks import (
    CLOCK,
    CLOSE,
    DESK,
    HOUR,
    always,
    at,
    clock_of,
    daily,
    dated,
    day_of,
    due,
    due_days,
    listed,
    local,
    told,
    weekdays,
)

# The span of a list of holidays

LISTED: Final = weekdays(
    "09:00-17:00", name="Australia/Sydney", holidays=listed(["2026-01-26"], "2026-01-01", "2026-12-31")
)


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

    assert [
        clock.add(instant, HOUR),
        clock.add_days(instant, 1, CLOCK),
        clock.next_opening(instant),
        clock.next_closing(instant),
    ] == [Reached(None, False, None)] * 4
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
    fair = Calendar(
        name="fair",
        zone="UTC",
        dates=dated({"2040-05-01": ["09:00-17:00"]}),
        holidays=listed([], "2026-01-01", "2026-12-31"),
    )

    assert due(fair, "2026-05-01T00:00", hours=1) == "2040-05-01T10:00"
    assert Clock(fair).add(datetime(2041, 1, 1, tzinfo=UTC), HOUR) == Reached(None, True, None)


def test_a_list_of_one_year_is_worked_out_for_twelve() -> None:
    assert len(Openings.of(LISTED).starts) < 12 * 262


# Holds


def held(calendar: Calendar, start: str, hours: float, *holds: tuple[str, str]) -> str:
    clock, begin = clock_of(calendar), at(calendar, start)
    return local(
        calendar,
        clock.add_with_holds(
            begin, clock.add(begin, hours * HOUR), [(at(calendar, one), at(calendar, other)) for one, other in holds]
        ),
    )


@pytest.mark.parametrize(
    ("holds", "expected"),
    [
        ((), "2026-01-06T12:00"),
        ((("2026-01-06T10:30", "2026-01-06T11:00"),), "2026-01-06T12:30"),
        ((("2026-01-06T08:00", "2026-01-06T10:30"),), "2026-01-06T12:30"),
        ((("2026-01-06T12:00", "2026-01-06T13:00"),), "2026-01-06T12:00"),
        ((("2026-01-06T11:00", "2026-01-06T11:30"), ("2026-01-06T12:00", "2026-01-06T13:00")), "2026-01-06T13:30"),
        ((("2026-01-06T11:00", "2026-01-07T08:00"),), "2026-01-07T10:00"),
        ((("2026-01-05T00:00", "2026-01-05T12:00"),), "2026-01-06T12:00"),
    ],
)
def test_a_hold_moves_a_due_time_by_its_business_time_and_only_while_the_clock_runs(
    holds: tuple[tuple[str, str], ...], expected: str
) -> None:
    assert held(DESK, "2026-01-06T10:00", 2, *holds) == expected


def test_a_hold_moves_a_due_time_given_in_days_too() -> None:
    clock, start = clock_of(DESK), at(DESK, "2026-01-06T10:00")
    base = clock.add_days(start, 1, CLOCK)

    assert local(DESK, clock.add_with_holds(start, base, [(start + HOUR, start + 2 * HOUR)])) == "2026-01-07T11:00"


def test_a_hold_may_move_a_due_time_out_of_the_span() -> None:
    clock, start = Clock(LISTED), at(LISTED, "2026-12-31T09:00")
    base = clock.add(start, 7 * HOUR)

    assert clock.add_with_holds(start, base, [(start, start + 2 * HOUR)]) == Reached(
        None, False, at(LISTED, "2027-01-01T10:00").astimezone(UTC)
    )
    unknown = Reached(None, False, None)
    assert clock.add_with_holds(start, unknown, [(start, start + 2 * HOUR)]) is unknown


# Stretches


def test_stretches_tell_what_counted_and_what_did_not_and_why() -> None:
    calendar = weekdays(
        "09:00-17:00", holidays=listed(["2026-01-12"]), breaks=dated({"2026-01-09": ["12:00-13:00", "18:00-19:00"]})
    )

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
    assert told(weekdays("09:00-17:00", holidays=listed(["2026-01-10"])), "2026-01-09T17:00", "2026-01-12T09:00") == [
        "Fri 17:00 Mon 09:00 closed"
    ]


def test_holidays_of_whole_days_follow_each_other_by_name() -> None:
    assert told(
        daily("00:00-24:00", holidays=listed(["2026-01-06", "2026-01-07"])), "2026-01-05T23:00", "2026-01-08T01:00"
    ) == [
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
        "09:00-17:00",
        holidays=listed(["2026-01-06"]),
        dates=dated({"2026-01-06": ["10:00-12:00"], "2026-01-07": []}),
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
    assert told(DESK, "2026-01-05T17:00", "2026-01-05T18:00", (("2026-01-05T17:00", "2026-01-05T18:00"),)) == [
        "Mon 17:00 Mon 18:00 closed"
    ]


def test_an_always_open_place_is_open_throughout_except_on_hold() -> None:
    assert told(always("UTC"), "2026-01-05T09:00", "2026-01-05T12:00", (("2026-01-05T10:00", "2026-01-05T11:00"),)) == [
        "Mon 09:00 Mon 10:00 open",
        "Mon 10:00 Mon 11:00 hold",
        "Mon 11:00 Mon 12:00 open",
    ]


# Columns


def test_columns_mark_what_is_not_sure() -> None:
    clock = Clock(LISTED)
    starts = np.array(
        [
            to_micros(at(LISTED, text))
            for text in ("2025-12-31T10:00", "2026-12-31T10:00", "2026-12-31T16:00", "2026-06-01T10:00")
        ]
    )

    due_, sure = add_column(clock, starts, 7 * 3600 * 10**6)
    assert sure.tolist() == [False, True, False, True]
    assert (due_ == NOWHERE).tolist() == [True, False, True, False]
    assert add_days_column(clock, starts, np.array([1, 0, 1, 1]), CLOCK)[1].tolist() == [False, True, False, True]
