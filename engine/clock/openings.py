"""The openings of a calendar, in order, so that every question is a bisect.

``Openings.of(calendar)`` gives them for a calendar with hours; :mod:`engine.clock.always` answers the same questions, in
whole microseconds too, for one that never closes. ``NEVER`` is an instant after all others.
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
        starts, ends: where each begins and ends, the end not included.
        after: the business time from the first opening to the end of each.
        day_at: for each, which business day it belongs to, by number.
        days: the business days, as date ordinals.
        firsts: for each business day, its first opening; one more entry behind.
        closes: where the place closes: the ends that no other opening follows at once.
        sure_from, sure_to: between which instants the list of holidays is sure; without one, from the first year for ever.
        listed: whether a list of holidays limits what is sure.
    """

    def __init__(self, calendar: Calendar, starts: Column, ends: Column, owners: Column) -> None:
        first_of_day = np.diff(owners, prepend=-1) > 0
        self.zone = zone(calendar.zone)
        self.starts, self.starts_column = _held(starts)
        self.ends, self.ends_column = _held(ends)
        self.after, self.after_column = _held(np.cumsum(ends - starts))
        self.day_at, self.day_at_column = _held(np.cumsum(first_of_day) - 1)
        self.days, self.days_column = _held(owners[first_of_day])
        self.firsts, self.firsts_column = _held(np.append(np.flatnonzero(first_of_day), len(starts)))
        self.closes, _ = _held(ends[np.append(starts[1:], NEVER) > ends])
        self.listed = limits(calendar) is not None
        self.sure_from, self.sure_to = sure_span(self.zone, calendar)

    @classmethod
    def of(cls, calendar: Calendar) -> Openings:
        """Work out a calendar.

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
        """Return the number of the opening that an instant is in, else of the next one."""
        return bisect_right(self.ends, instant)

    def roll(self, instant: int) -> int:
        """Return the first instant at or after this one that is open."""
        at = bisect_right(self.ends, instant)
        return max(instant, self.starts[at]) if at < len(self.ends) else NEVER

    def closing(self, instant: int) -> int:
        """Return the next close: of the opening that an instant is in, else of the next one."""
        at = bisect_right(self.closes, instant)
        return self.closes[at] if at < len(self.closes) else NEVER

    def is_open(self, instant: int) -> bool:
        """Return whether an instant is in an opening."""
        at = bisect_right(self.ends, instant)
        return at < len(self.ends) and self.starts[at] <= instant

    def add(self, instant: int, amount: int) -> int:
        """Return the instant at which so much business time has passed; none at all rolls to an opening."""
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
        """Roll an instant to an opening, and give the same clock time, or the close, so many business days later."""
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
        """Return a number of business days that takes a start past an end, or past the last opening."""
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


def _held(values: Column) -> tuple[array[int], Column]:
    """Hold numbers once, for one at a time and for columns: a bisect is quicker in an array of Python's."""
    held = array("q", values.astype(np.int64).tobytes())
    return held, np.frombuffer(held, np.int64) if len(held) else np.empty(0, np.int64)
