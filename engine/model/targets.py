"""How a policy counts time: calendars, regions, units, and the measure and target of a deadline.

A calendar may leave its zone and its holidays to the region of the ticket; :func:`calendar_in` fills them in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from engine.clock.calendar import Calendar, HolidayList, Interval
from engine.model.problems import Place

BY_REGION: Final = "by_region"
"""The value with which a calendar takes its zone, or its holidays, from the region of the ticket."""


class Unit(StrEnum):
    """The unit of an amount of time."""

    MINUTES = "minutes"
    HOURS = "hours"
    BUSINESS_DAYS = "business_days"
    DAYS = "days"
    """What business days are by a calendar that is always open: the dates of its zone.

    Policies write ``business_days`` for both.
    """
    NOTHING = "nothing"
    """Nothing is due."""


BY_DAY: Final = (Unit.BUSINESS_DAYS, Unit.DAYS)
"""The units that count dates, and not opening time."""


def unit_by(unit: Unit, *, always: bool) -> Unit:
    """Returns what a unit is called by a calendar, which may be ``always`` open.

    >>> unit_by(Unit.BUSINESS_DAYS, always=True), unit_by(Unit.HOURS, always=True)
    (<Unit.DAYS: 'days'>, <Unit.HOURS: 'hours'>)
    """
    return Unit.DAYS if always and unit is Unit.BUSINESS_DAYS else unit


class Counting(StrEnum):
    """How elapsed time counts a unit that has not ended."""

    FULL = "full"
    BEGUN = "begun"
    EXACT = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """The place of a requester: its time zone and its holiday list ("" for none)."""

    name: str
    zone: str
    holidays: str
    about: str
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenCalendar:
    """A calendar as the policy writes it.

    ``zone`` and ``holidays`` may be ``BY_REGION``, and ``holidays`` may be "".
    """

    name: str
    about: str
    zone: str
    holidays: str
    always: bool
    week: tuple[tuple[Interval, ...], ...]
    dates: Mapping[date, tuple[Interval, ...]]
    breaks: Mapping[date, tuple[Interval, ...]]
    source: str
    assumption: str
    place: Place

    @property
    def by_region(self) -> bool:
        """Whether it depends on the region."""
        return BY_REGION in (self.zone, self.holidays)

    def needs_region(self, unit: Unit) -> bool:
        """Whether a unit cannot be counted without a region.

        Around the clock, a zone only matters to where days begin.
        """
        return self.by_region and (not self.always or unit in BY_DAY)


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Measure:
    """How a rule counts the time of a deadline. ``amount`` is None if an outcome sets it."""

    unit: Unit
    rule: str = ""
    calendar: str = ""
    amount: float | None = None


NOTHING: Final = Measure(unit=Unit.NOTHING)
"""The measure of a deadline that does not apply."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Target:
    """An amount of units by a calendar, in a region ("" if it does not matter)."""

    amount: float
    unit: Unit
    rule: str
    calendar: str
    region: str


def calendar_in(written: WrittenCalendar, region: Region | None, holidays: Mapping[str, HolidayList]) -> Calendar:
    """Return a calendar as it applies in a region; one that needs no region is in UTC without one."""
    zone = written.zone if written.zone != BY_REGION else region.zone if region else "UTC"
    listed = written.holidays if written.holidays != BY_REGION else region.holidays if region else ""
    name = (
        f"{written.name} in {region.name}" if region and BY_REGION in (written.zone, written.holidays) else written.name
    )
    return Calendar(
        name=name,
        zone=zone,
        always=written.always,
        week=written.week,
        dates=written.dates,
        breaks=written.breaks,
        holidays=holidays[listed] if listed else None,
    )
