"""The vectors that other projects' test suites give, and the zones that local times are resolved by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from engine.clock.calendar import Calendar
from engine.clock.clock import Clock, Reached
from engine.clock.localtime import local_text
from engine.clock.zone import DAY_MICROS, TZDB, to_datetime, to_micros, zone, zone_names
from tests.support.clock_oracle import zone_of
from tests.support.clocks import CLOCK, WEEKDAYS, dated, day_of, listed, minutes

VECTORS: Final = Path(__file__).resolve().parents[4] / "shared" / "vectors" / "business_time.jsonl"


# The vectors


def vectors() -> list[Any]:
    if not VECTORS.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason=f"the vectors are not at {VECTORS}"))]
    return [
        pytest.param(vector, id=vector["id"])
        for vector in map(json.loads, VECTORS.read_text(encoding="utf-8").splitlines())
    ]


def calendar_of(vector: Mapping[str, Any]) -> Calendar:
    spread = {day: [f"{opens}-{closes}" for opens, closes in pairs] for day, pairs in vector["hours"].items()}
    once, breaks = (
        {day: [f"{opens}-{closes}" for opens, closes in pairs] for day, pairs in vector.get(what, {}).items()}
        for what in ("date_hours", "breaks")
    )
    return Calendar(
        name=vector["id"],
        zone=vector["timezone"],
        week=tuple(day_of(*spread.get(day, ())) for day in WEEKDAYS),
        dates=dated(once),
        breaks=dated(breaks),
        holidays=listed(vector["holidays"]),
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
    holds = [
        (datetime.fromisoformat(begin), datetime.fromisoformat(until)) for begin, until in vector.get("pauses", ())
    ]
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
            length = (
                timedelta(minutes=amount) if vector["add"]["unit"] == "business_minutes" else timedelta(hours=amount)
            )
            assert clock.add_with_holds(start, clock.add(start, length), holds) == Reached(expected, True, None)
        case other:
            pytest.fail(f"a reading that this test does not know: {other}")


# Zones


def test_zones_come_from_the_pinned_database() -> None:
    assert len(TZDB) >= 5
    assert int(TZDB[:4]) >= 2025
    assert len(zone_names()) > 500
    with pytest.raises(KeyError, match="no time zone `Mars/Olympus`"):
        zone("Mars/Olympus")
    with pytest.raises(KeyError):
        zone("../zones")


@pytest.mark.parametrize("name", ["America/Boa_Vista", "America/Noronha", "Asia/Gaza", "Africa/Casablanca"])
def test_no_change_of_an_offset_is_missed_where_two_lie_within_a_week(name: str) -> None:
    days = range(-3 * DAY_MICROS, to_micros(datetime(2201, 1, 3, tzinfo=UTC)), DAY_MICROS)
    rules, ours = zone_of(name), zone(name)

    assert [ours.local(day) - day for day in days] == [
        (to_datetime(day).astimezone(rules).utcoffset() or timedelta()) // timedelta(microseconds=1) for day in days
    ]


@pytest.mark.parametrize(
    "name",
    [
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "America/Sao_Paulo",
        "America/St_Johns",
        "Asia/Gaza",
        "Africa/Casablanca",
        "Asia/Kathmandu",
        "Europe/Dublin",
        "Antarctica/Troll",
        "UTC",
    ],
)
def test_local_times_and_what_they_mean_are_those_of_zoneinfo(name: str) -> None:
    ours, theirs = zone(name), zone_of(name)
    hours = np.arange(
        to_micros(datetime(1970, 1, 2, tzinfo=UTC)), to_micros(datetime(2200, 12, 30, tzinfo=UTC)), 7_777 * 60 * 10**6
    )
    near = [
        turned + step
        for turned in ours.transitions
        for step in (-1, 0, 1, 3_599_999_999, 3_600_000_000, -1_800_000_001)
    ]
    instants = np.array([instant for instant in sorted([*hours.tolist(), *near]) if instant > 0])
    locals_ = [to_micros(to_datetime(instant).astimezone(theirs).replace(tzinfo=UTC)) for instant in instants.tolist()]
    meant = [to_micros(to_datetime(instant).replace(tzinfo=theirs)) for instant in instants.tolist()]

    assert [ours.local(instant) for instant in instants.tolist()] == locals_
    assert ours.local_column(instants).tolist() == locals_
    assert [ours.resolve(instant) for instant in instants.tolist()] == meant
    assert ours.resolve_column(instants).tolist() == meant


@pytest.mark.parametrize(
    "name", ["Australia/Lord_Howe", "Asia/Kathmandu", "Asia/Manila", "Africa/Monrovia", "America/St_Johns", "UTC"]
)
def test_an_instant_is_written_with_the_offset_of_its_zone_to_the_microsecond_around_every_turn_of_the_clock(
    name: str,
) -> None:
    theirs = zone_of(name)
    near = [
        turned + step for turned in zone(name).transitions for step in (-60_000_001, -1, 0, 1, 7_000_000, 59_999_999)
    ]
    for instant in map(to_datetime, [*near, 0, 1, 59_999_999]):
        assert instant.astimezone(theirs).isoformat() == local_text(instant, name)


@pytest.mark.parametrize(
    ("name", "wall", "means"),
    [
        ("America/Los_Angeles", "2014-03-09T02:30", "2014-03-09T03:30-07:00"),
        ("America/Sao_Paulo", "2015-10-18T00:00", "2015-10-18T01:00-02:00"),
        ("Australia/Sydney", "2026-04-05T02:30", "2026-04-05T02:30+11:00"),
        ("Australia/Sydney", "2026-04-05T03:00", "2026-04-05T03:00+10:00"),
        ("Australia/Lord_Howe", "2025-10-05T02:15", "2025-10-05T02:45+11:00"),
        ("Pacific/Apia", "2011-12-30T10:00", "2011-12-31T10:00+14:00"),
        ("Pacific/Apia", "2011-12-31T00:00", "2011-12-31T00:00+14:00"),
    ],
)
def test_a_skipped_local_time_is_later_by_the_gap_and_a_repeated_one_is_the_first(
    name: str, wall: str, means: str
) -> None:
    assert to_datetime(
        zone(name).resolve(to_micros(datetime.fromisoformat(wall).replace(tzinfo=UTC)))
    ) == datetime.fromisoformat(means)
