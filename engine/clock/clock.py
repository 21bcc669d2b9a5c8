"""The business clock: from an instant and an amount of business time to the instant it is due, and back.

Every answer says whether it is sure. Outside the dates that a list of holidays covers nothing is, and nothing is assumed.

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
"""When a ticket was on hold: instants from and to, in order and apart."""


class Reached(NamedTuple):
    """An instant that was worked out.

    Attributes:
        instant: the instant; None where it is not sure, and where no opening is left.
        sure: whether all of the way to it lies within the dates that the list of holidays covers.
        not_before: where only its end leaves them, the instant it would be without any further holiday.
    """

    instant: datetime | None
    sure: bool
    not_before: datetime | None


class Counted(NamedTuple):
    """An amount of business time; where it is not sure, holidays that are not known yet may make it less."""

    amount: timedelta
    sure: bool


NO_OPENING: Final = Reached(None, sure=True, not_before=None)
NOT_KNOWN: Final = Reached(None, sure=False, not_before=None)

MAX_BLOCKS: Final = 200
"""How many blocks of stretches a clock keeps, some 35 years."""


class Clock:
    """The arithmetic of a calendar. What it needs is worked out at the first question; ``blocks`` keeps it laid out in stretches."""

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
        """The openings."""
        return AlwaysOpen(self.calendar) if self.calendar.always else Openings.of(self.calendar)

    def add(self, start: datetime, amount: timedelta) -> Reached:
        """Return the instant at which so much business time has passed; used up exactly at closing, it is due at closing.

        None at all rolls the start to an opening. An amount is not negative.
        """
        instant, hours = to_micros(start), self.hours
        micros = (amount.days * 86_400 + amount.seconds) * SECOND + amount.microseconds
        if micros < 0:
            raise ValueError("business time is added, not taken away")
        return self._reached(instant, hours.add(instant, micros), hours.sure_to if micros else hours.sure_to - 1)

    def add_days(self, start: datetime, days: int, rule: DayRule) -> Reached:
        """Roll the start to an opening, and give the same clock time, or the close, of the Nth business day after it.

        A clock time at which that day is not open rolls forward to an opening, as the start does. Days are not negative.
        """
        if days < 0:
            raise ValueError("business days are added, not taken away")
        instant, hours = to_micros(start), self.hours
        return self._reached(
            instant, hours.nth_day(instant, days, rule), hours.sure_to - (rule is DayRule.ROLL_THEN_CLOCK)
        )

    def count(self, start: datetime, end: datetime) -> Counted:
        """Return the business time between two instants; none where the end is not after the start."""
        first, last, hours = to_micros(start), to_micros(end), self.hours
        if last <= first:
            return Counted(timedelta(0), sure=True)
        amount = timedelta(0, 0, hours.elapsed(last) - hours.elapsed(first))
        return Counted(amount, sure=hours.sure_from <= first and last <= hours.sure_to)

    @property
    def known_until(self) -> datetime:
        """The instant up to which the list of holidays covers its dates, and counting is sure."""
        return to_datetime(self.hours.sure_to)

    def worked(self, start: datetime, end: datetime) -> timedelta:
        """Return the amount alone, sure or not."""
        hours = self.hours
        return timedelta(0, 0, max(0, hours.elapsed(to_micros(end)) - hours.elapsed(to_micros(start))))

    def count_days(self, start: datetime, end: datetime, rule: DayRule, begun: bool) -> int | None:
        """Return the business days between two instants: those that are over, or also the one that has begun.

        These are the greatest N that ``add_days`` takes no further than the end, and the least that it takes as far.
        None where the instants are not within the dates that the list of holidays covers.
        """
        first, last, hours = to_micros(start), to_micros(end), self.hours
        if not hours.sure_from <= first < hours.sure_to or last > hours.sure_to:
            return None

        def due(days: int) -> int:
            return hours.nth_day(first, days, rule)

        numbers = range(hours.most_days(first, last))
        return bisect_left(numbers, last, key=due) if begun else max(0, bisect_right(numbers, last, key=due) - 1)

    def next_opening(self, instant: datetime) -> Reached:
        """Return the first instant, from this one on, that is open."""
        at, hours = to_micros(instant), self.hours
        return self._reached(at, hours.roll(at), hours.sure_to - 1)

    def next_closing(self, instant: datetime) -> Reached:
        """Return the close of the opening that an instant is in, else of the next one; openings that touch are one."""
        at, hours = to_micros(instant), self.hours
        found = self._reached(at, hours.closing(at), hours.sure_to)
        return (
            found
            if found.sure or at < hours.sure_from or at >= hours.sure_to
            else Reached(None, sure=False, not_before=to_datetime(hours.sure_to))
        )

    def is_open(self, instant: datetime) -> bool | None:
        """Return whether an instant is open; None where nobody knows."""
        at, hours = to_micros(instant), self.hours
        return hours.is_open(at) if hours.sure_from <= at < hours.sure_to else None

    def add_with_holds(self, start: datetime, base: Reached, holds: Holds) -> Reached:
        """Move a due time later by the business time of the holds that lie between the start and the due time that results."""
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
        """Return what was reached from a start; up to ``last`` a result is sure."""
        hours = self.hours
        if start < hours.sure_from or start >= hours.sure_to:
            return NOT_KNOWN
        if result <= last and result != NEVER:
            return Reached(to_datetime(result), True, None)
        if not hours.listed:
            return NO_OPENING
        return Reached(None, sure=False, not_before=None if result == NEVER else to_datetime(result))
