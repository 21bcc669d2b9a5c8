"""A place that never closes. It has the methods of ``Openings``, by plain arithmetic."""

from __future__ import annotations

from typing import Final

from engine.clock.calendar import Calendar, DayRule
from engine.clock.opening_times import Span
from engine.clock.zone import BEGIN, DAY_MICROS, END, NEVER, midnight, ordinal, zone


class AlwaysOpen:
    """A place that is open at every instant; its business days are the dates of its zone."""

    listed: Final = False
    sure_from: Final = BEGIN
    sure_to: Final = NEVER

    def __init__(self, calendar: Calendar) -> None:
        self.zone = zone(calendar.zone)

    def roll(self, instant: int) -> int:
        """Return the instant itself."""
        return instant if instant < END else NEVER

    def closing(self, _instant: int) -> int:
        """Return ``NEVER``."""
        return NEVER

    def is_open(self, instant: int) -> bool:
        """Return whether an instant lies in the years that calendars cover."""
        return instant < END

    def add(self, instant: int, amount: int) -> int:
        """Return the instant that is ``amount`` microseconds later."""
        return self.roll(instant + amount)

    def elapsed(self, instant: int) -> int:
        """Return the time from the first year of calendars to an instant."""
        return min(max(instant, BEGIN), END) - BEGIN

    def nth_day(self, instant: int, days: int, rule: DayRule) -> int:
        """Return the same local time ``days`` days later, or the midnight that ends that day."""
        if rule is DayRule.ROLL_THEN_CLOSE:
            return self.roll(self.zone.resolve(midnight(ordinal(self.zone, instant) + days + 1)))
        return (
            self.roll(self.zone.resolve(self.zone.local(instant) + days * DAY_MICROS)) if days else self.roll(instant)
        )

    def most_days(self, start: int, end: int) -> int:
        """Return a number of days after which a start is later than an end."""
        return max(0, (end - start) // DAY_MICROS + 3)

    def between(self, start: int, end: int) -> list[Span]:
        """Return the time between two instants as one span; none if the end is not later."""
        start, end = max(start, BEGIN), min(end, END)
        return [(start, end)] if start < end else []
