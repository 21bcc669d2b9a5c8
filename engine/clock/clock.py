"""Arithmetic with business time: when a given amount has passed, and how much has passed between two instants.

Every result states whether it is certain. No result is certain outside the dates that a list of holidays covers.

>>> from zoneinfo import ZoneInfo
>>> from engine.clock.calendar import Interval
>>> desk = Clock(Calendar(name="desk", zone="Australia/Sydney", week=((Interval(420, 1140),),) * 5 + ((), ())))
>>> saturday = datetime(2026, 1, 10, 10, tzinfo=ZoneInfo("Australia/Sydney"))
>>> desk.add_days(saturday, 1, DayRule.ROLL_THEN_CLOCK).instant.astimezone(saturday.tzinfo).isoformat()
'2026-01-13T07:00:00+11:00'
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple

from engine.cache import Cache
from engine.clock.always import AlwaysOpen
from engine.clock.calendar import Calendar, DayRule
from engine.clock.openings import Openings
from engine.clock.zone import NEVER, SECOND, Zone, to_datetime, to_micros, zone

Holds = Sequence[tuple[datetime, datetime]]
"""When a ticket was on hold: pairs of instants, in order and disjoint."""


class Reached(NamedTuple):
    """The instant at which an amount of business time has passed.

    Attributes:
        instant: the instant; None if it is not certain, or if no opening is left.
        sure: whether all time up to it lies within the dates that the list of holidays covers.
        not_before: if the time starts within these dates and ends after them, the instant that would result without any
            further holiday.
    """

    instant: datetime | None
    sure: bool
    not_before: datetime | None


class Counted(NamedTuple):
    """An amount of business time. If it is not certain, holidays outside the list may make it less."""

    amount: timedelta
    sure: bool


NO_OPENING: Final = Reached(None, sure=True, not_before=None)
NOT_KNOWN: Final = Reached(None, sure=False, not_before=None)

MAX_BLOCKS: Final = 200
"""How many blocks of stretches a clock caches: about 35 years."""


class Clock:
    """The arithmetic of one calendar, whose openings are computed at the first use.

    ``blocks`` caches stretches of the calendar. Several threads may use one clock.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.blocks: Cache[int, Any] = Cache(MAX_BLOCKS)

    def __repr__(self) -> str:
        return f"Clock({self.calendar.name!r})"

    @property
    def zone(self) -> Zone:
        """The time zone of the calendar."""
        return zone(self.calendar.zone)

    @cached_property
    def hours(self) -> Openings | AlwaysOpen:
        """The openings of the calendar."""
        return AlwaysOpen(self.calendar) if self.calendar.always else Openings.of(self.calendar)

    def add(self, start: datetime, amount: timedelta) -> Reached:
        """Return the instant at which an amount of business time has passed.

        Time that is used up exactly at closing ends at closing. An amount of zero rolls the start to an opening. Raises
        ValueError if the amount is negative.
        """
        instant, hours = to_micros(start), self.hours
        micros = (amount.days * 86_400 + amount.seconds) * SECOND + amount.microseconds
        if micros < 0:
            raise ValueError(f"expected an amount of business time of at least 0, got {amount}")
        return self._reached(instant, hours.add(instant, micros), hours.sure_to if micros else hours.sure_to - 1)

    def add_days(self, start: datetime, days: int, rule: DayRule) -> Reached:
        """Roll the start to an opening, and return the same local time, or the close, of the Nth business day after it.

        A local time at which that day is not open rolls forward to an opening. Raises ValueError if ``days`` is
        negative.
        """
        if days < 0:
            raise ValueError(f"expected a number of business days of at least 0, got {days}")
        instant, hours = to_micros(start), self.hours
        return self._reached(
            instant, hours.nth_day(instant, days, rule), hours.sure_to - (rule is DayRule.ROLL_THEN_CLOCK)
        )

    def count(self, start: datetime, end: datetime) -> Counted:
        """Return the business time between two instants; zero if the end is not after the start."""
        first, last, hours = to_micros(start), to_micros(end), self.hours
        if last <= first:
            return Counted(timedelta(0), sure=True)
        amount = timedelta(0, 0, hours.elapsed(last) - hours.elapsed(first))
        return Counted(amount, sure=hours.sure_from <= first and last <= hours.sure_to)

    @property
    def known_until(self) -> datetime:
        """The end of the dates that the list of holidays covers."""
        return to_datetime(self.hours.sure_to)

    def worked(self, start: datetime, end: datetime) -> timedelta:
        """Return the business time between two instants, certain or not."""
        hours = self.hours
        return timedelta(0, 0, max(0, hours.elapsed(to_micros(end)) - hours.elapsed(to_micros(start))))

    def count_days(self, start: datetime, end: datetime, rule: DayRule, begun: bool) -> int | None:
        """Return the number of business days between two instants: complete days, or also the day that has ``begun``.

        This is the greatest N for which ``add_days`` does not pass the end, or the least N for which it reaches the
        end. None if the instants are not within the dates that the list of holidays covers.
        """
        first, last, hours = to_micros(start), to_micros(end), self.hours
        if not hours.sure_from <= first < hours.sure_to or last > hours.sure_to:
            return None

        def due(days: int) -> int:
            return hours.nth_day(first, days, rule)

        numbers = range(hours.most_days(first, last))
        return bisect_left(numbers, last, key=due) if begun else max(0, bisect_right(numbers, last, key=due) - 1)

    def next_opening(self, instant: datetime) -> Reached:
        """Return the first open instant at or after this one."""
        at, hours = to_micros(instant), self.hours
        return self._reached(at, hours.roll(at), hours.sure_to - 1)

    def next_closing(self, instant: datetime) -> Reached:
        """Return the close of the opening at an instant, or else of the next one; openings that touch are one."""
        at, hours = to_micros(instant), self.hours
        found = self._reached(at, hours.closing(at), hours.sure_to)
        return (
            found
            if found.sure or at < hours.sure_from or at >= hours.sure_to
            else Reached(None, sure=False, not_before=to_datetime(hours.sure_to))
        )

    def is_open(self, instant: datetime) -> bool | None:
        """Return whether the place is open at an instant; None outside the dates that the list of holidays covers."""
        at, hours = to_micros(instant), self.hours
        return hours.is_open(at) if hours.sure_from <= at < hours.sure_to else None

    def add_with_holds(self, start: datetime, base: Reached, holds: Holds) -> Reached:
        """Return a due time extended by the business time of the holds between the start and the extended due time."""
        if base.instant is None or not holds:
            return base
        hours = self.hours
        first, due = to_micros(start), to_micros(base.instant)
        spans = [(max(first, to_micros(begin)), to_micros(end)) for begin, end in holds]
        origin, before = due, -1
        while due != before:
            before = due
            paused = sum(
                hours.elapsed(min(end, due)) - hours.elapsed(begin) for begin, end in spans if begin < min(end, due)
            )
            due = hours.add(origin, paused) if paused else origin
        return base if due == origin else self._reached(origin, due, hours.sure_to)

    def _reached(self, start: int, result: int, last: int) -> Reached:
        """Return a result that was counted from a start; it is certain up to ``last``."""
        hours = self.hours
        if start < hours.sure_from or start >= hours.sure_to:
            return NOT_KNOWN
        if result <= last and result != NEVER:
            return Reached(to_datetime(result), True, None)
        if not hours.listed:
            return NO_OPENING
        return Reached(None, sure=False, not_before=None if result == NEVER else to_datetime(result))
