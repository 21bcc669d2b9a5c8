"""Calendars, instants and answers of the business clock as tests write them: local times as texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final

from engine.clock.calendar import Calendar, DayRule, Holiday, HolidayList, HolidayStatus, Interval
from engine.clock.clock import Clock, Reached
from engine.clock.stretches import stretches
from tests.support.clock_oracle import zone_of

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
    holidays = [
        Holiday(day=date.fromisoformat(day), name=f"holiday {day}", status=HolidayStatus.CONFIRMED, source="a test")
        for day in days
    ]
    return HolidayList(
        name="a list",
        first=date.fromisoformat(first),
        last=date.fromisoformat(last),
        days={holiday.day: holiday for holiday in holidays},
    )


def dated(days: Mapping[str, Iterable[str]]) -> dict[date, tuple[Interval, ...]]:
    return {date.fromisoformat(day): day_of(*texts) for day, texts in days.items()}


def weekdays(*texts: str, name: str = "UTC", **more: Any) -> Calendar:
    return Calendar(name="desk", zone=name, week=(day_of(*texts),) * 5 + ((), ()), **more)


def daily(*texts: str, name: str = "UTC", **more: Any) -> Calendar:
    return Calendar(name="desk", zone=name, week=(day_of(*texts),) * 7, **more)


def always(name: str) -> Calendar:
    return Calendar(name="partner", zone=name, always=True)


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


DESK: Final = weekdays("09:00-17:00")
PARIS: Final = daily("00:00-24:00", name="Europe/Paris")
