"""The nouns of the business clock: when a place is open, and which of its days are holidays.

A calendar is in local time of its zone. Minutes of a day count from its midnight in local time: ``24 * 60`` is the
midnight that ends the day, and more than that is a time of the next day. An interval that runs past midnight belongs to
the day on which it starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2200
"""Instants lie in these years. Time zones before 1970 are unreliable."""

DAY: Final = 24 * 60
"""The minutes of a day in local time."""


class Interval(NamedTuple):
    """A stretch of a local day in minutes, half open: ``Interval(540, 1020)`` is 09:00 to 17:00."""

    opens: int
    closes: int


class HolidayStatus(StrEnum):
    """Whether the date of a holiday is confirmed."""

    CONFIRMED = "confirmed"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A local date on which a place does not open, with the source that names it."""

    day: date
    name: str
    status: HolidayStatus
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayList:
    """The holidays of a region, and the first and last date that the list covers."""

    name: str
    first: date
    last: date
    days: Mapping[date, Holiday] = field(hash=False)
    estimates: bool = field(init=False, compare=False)
    """Whether any of its dates is an estimate."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "estimates", any(one.status is HolidayStatus.ESTIMATED for one in self.days.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When a place is open.

    Attributes:
        zone: the IANA name of its time zone.
        always: open at every instant; then ``week``, ``dates``, ``breaks`` and ``holidays`` are empty.
        week: the intervals of each weekday, Monday first, in order and apart.
        dates: one-off dates, with the intervals that replace those of the weekday; they override holidays.
        breaks: closures on a date: intervals that do not count, whatever interval they overlap.
        holidays: the list of the region; None for a calendar without holidays, which is certain of every date.
    """

    name: str
    zone: str
    always: bool = False
    week: tuple[tuple[Interval, ...], ...] = ((),) * 7
    dates: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict, hash=False)
    breaks: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict, hash=False)
    holidays: HolidayList | None = None


class DayRule(StrEnum):
    """How business days are added to an instant."""

    ROLL_THEN_CLOCK = "roll_then_clock"
    """Roll the start to an opening, then take the Nth following business day at that clock time."""
    ROLL_THEN_CLOSE = "roll_then_close"
    """Roll the start to an opening, then take the close of the Nth following business day."""
