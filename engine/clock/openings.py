"""The openings of a calendar, in order, so that each query is a bisect.

``Openings.of(calendar)`` is for a calendar with hours; :mod:`engine.clock.always` has the same methods for one that
never closes. Instants are whole microseconds, and ``NEVER`` is an instant after all others.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

import numpy as np

from engine.clock.calendar import Calendar, DayRule
from engine.clock.opening_times import Span, limits, opening_times, sure_span
from engine.clock.zone import DAY_MICROS, NEVER, Column, ordinal, zone


class Openings:
    """The openings of a calendar, disjoint and in order.

    Attributes:
        starts, ends: the start and the end of each, the end not included.
        after: the business time from the first opening to the end of each.
        day_at: the number of the business day that each belongs to.
        days: the business days, as date ordinals.
        firsts: the first opening of each business day, and the number of openings as a last entry.
        closes: when the place closes: the ends that no other opening follows at once.
        sure_from, sure_to: the instants between which results are certain; without a list of holidays, all later years.
        listed: whether a list of holidays limits what is certain.
    """

    def __init__(self, calendar: Calendar, starts: Column, ends: Column, owners: Column) -> None:
        first_of_day = np.diff(owners, prepend=-1) > 0
        self.zone = zone(calendar.zone)
        self.starts, self.starts_column = _shared(starts)
        self.ends, self.ends_column = _shared(ends)
        self.after, self.after_column = _shared(np.cumsum(ends - starts))
        self.day_at, self.day_at_column = _shared(np.cumsum(first_of_day) - 1)
        self.days, self.days_column = _shared(owners[first_of_day])
        self.firsts, self.firsts_column = _shared(np.append(np.flatnonzero(first_of_day), len(starts)))
        self.closes, _ = _shared(ends[np.append(starts[1:], NEVER) > ends])
        self.listed = limits(calendar) is not None
        self.sure_from, self.sure_to = sure_span(self.zone, calendar)

    @classmethod
    def of(cls, calendar: Calendar) -> Openings:
        """Return the openings of a calendar with hours.

        >>> from engine.clock.calendar import Interval
        >>> from engine.clock.opening_times import MINUTE
        >>> from engine.clock.zone import midnight
        >>> week = Calendar(name="desk", zone="UTC", week=((Interval(540, 1020),),) * 5 + ((), ()))
        >>> found = Openings.of(week)
        >>> [(at - midnight(739621)) // MINUTE for at in found.between(1767571200000000, 1767657600000000)[0]]
        [540, 1020]
        """
        return cls(calendar, *opening_times(calendar))

    def at(self, instant: int) -> int:
        """Return the number of the opening that holds an instant, or else of the next one."""
        return bisect_right(self.ends, instant)

    def roll(self, instant: int) -> int:
        """Return the first instant at or after this one that is open."""
        at = bisect_right(self.ends, instant)
        return max(instant, self.starts[at]) if at < len(self.ends) else NEVER

    def closing(self, instant: int) -> int:
        """Return the next close: of the opening that holds an instant, or else of the next one."""
        at = bisect_right(self.closes, instant)
        return self.closes[at] if at < len(self.closes) else NEVER

    def is_open(self, instant: int) -> bool:
        """Return whether an instant is in an opening."""
        at = bisect_right(self.ends, instant)
        return at < len(self.ends) and self.starts[at] <= instant

    def add(self, instant: int, amount: int) -> int:
        """Return the instant at which an amount of business time has passed; zero rolls to an opening."""
        ends, after = self.ends, self.after
        at = bisect_right(ends, instant)
        if at == len(ends):
            return NEVER
        rolled = max(instant, self.starts[at])
        if amount == 0:
            return rolled
        target = after[at] - ends[at] + rolled + amount
        last = bisect_left(after, target, at)
        return ends[last] - after[last] + target if last < len(after) else NEVER

    def elapsed(self, instant: int) -> int:
        """Return the business time from the first opening to an instant."""
        at = bisect_right(self.ends, instant)
        before = self.after[at - 1] if at else 0
        return before + max(0, instant - self.starts[at]) if at < len(self.ends) else before

    def nth_day(self, instant: int, days: int, rule: DayRule) -> int:
        """Roll an instant to an opening, and return the same local time, or the close, ``days`` business days later."""
        at = bisect_right(self.ends, instant)
        if at == len(self.ends) or (to := self.day_at[at] + days) >= len(self.days):
            return NEVER
        if rule is DayRule.ROLL_THEN_CLOSE:
            return self.ends[self.firsts[to + 1] - 1]
        rolled = max(instant, self.starts[at])
        if days == 0:
            return rolled
        by_the_clock = self.zone.local(rolled) + (self.days[to] - self.days[self.day_at[at]]) * DAY_MICROS
        return self.roll(max(self.zone.resolve(by_the_clock), self.starts[self.firsts[to]]))

    def most_days(self, start: int, end: int) -> int:
        """Return a number of business days after which a start is later than an end, or than the last opening."""
        at = self.at(start)
        return (
            max(0, bisect_right(self.days, ordinal(self.zone, end) + 1) - self.day_at[at] + 1)
            if at < len(self.ends)
            else 0
        )

    def between(self, start: int, end: int) -> list[Span]:
        """Return the openings between two instants, cut to fit."""
        numbers = range(self.at(start), bisect_left(self.starts, end))
        return [(max(start, self.starts[at]), min(end, self.ends[at])) for at in numbers]


def _shared(values: Column) -> tuple[array[int], Column]:
    """Return numbers as an array and as a column over the same memory: a bisect is faster in an array."""
    shared = array("q", values.astype(np.int64).tobytes())
    return shared, np.frombuffer(shared, np.int64) if len(shared) else np.empty(0, np.int64)
