"""Calendars, regions, holiday lists and elapsed times as data, for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from engine.clock.calendar import HolidayList, HolidayStatus, Interval
from engine.model.policy import Elapsed
from engine.model.targets import Region, WrittenCalendar
from guidepost.render.console import JsonObject
from guidepost.render.policy_json import plain_place


def plain_elapsed(elapsed: Elapsed) -> JsonObject:
    """Return how a fact follows from elapsed time."""
    return {
        "fact": elapsed.fact,
        "from": elapsed.since,
        "unit": elapsed.unit.value,
        "rule": elapsed.rule,
        "count": elapsed.counting.value,
        "calendar": elapsed.calendar,
        "region": elapsed.region,
        "source": elapsed.source,
        "assumption": elapsed.assumption,
        "place": plain_place(elapsed.place),
    }


def plain_calendar(calendar: WrittenCalendar) -> JsonObject:
    """Return a calendar; hours are local minutes of the day, the week begins on Monday."""
    return {
        "name": calendar.name,
        "about": calendar.about,
        "zone": calendar.zone,
        "holidays": calendar.holidays,
        "always": calendar.always,
        "week": [_plain_intervals(day) for day in calendar.week],
        "dates": _plain_dates(calendar.dates),
        "breaks": _plain_dates(calendar.breaks),
        "source": calendar.source,
        "assumption": calendar.assumption,
        "place": plain_place(calendar.place),
    }


def plain_region(region: Region) -> JsonObject:
    """Return a region without its holidays."""
    return {
        "name": region.name,
        "about": region.about,
        "zone": region.zone,
        "holidays": region.holidays,
        "place": plain_place(region.place),
    }


def plain_holidays(listed: HolidayList) -> JsonObject:
    """Return a holiday list with its days."""
    return {
        **plain_span(listed),
        "days": [
            {"date": day.isoformat(), "name": one.name, "status": one.status.value, "source": one.source}
            for day, one in listed.days.items()
        ],
    }


def plain_span(listed: HolidayList) -> JsonObject:
    """Return a holiday list without its days: the span that it covers and the number of holidays."""
    estimated = sum(one.status is HolidayStatus.ESTIMATED for one in listed.days.values())
    return {
        "name": listed.name,
        "first": listed.first.isoformat(),
        "last": listed.last.isoformat(),
        "number": len(listed.days),
        "estimated": estimated,
    }


def _plain_dates(dates: Mapping[date, tuple[Interval, ...]]) -> JsonObject:
    return {day.isoformat(): _plain_intervals(intervals) for day, intervals in dates.items()}


def _plain_intervals(intervals: tuple[Interval, ...]) -> list[list[int]]:
    return [[*interval] for interval in intervals]
