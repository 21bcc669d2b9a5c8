"""Who is on duty at an instant, until when, and who is next: those in their own daytime, by time zone."""

from __future__ import annotations

from datetime import datetime

from engine.clock.zone import to_datetime, to_micros, zone
from engine.model.answer import Duty, Shift
from engine.model.policy import Roster, RosterEntry

_MINUTE = 60_000_000
_DAY = 24 * 60 * _MINUTE


def duty(roster: Roster, instant: datetime) -> Duty:
    """Return who is on duty: the first entry within its opening hours, or else the next to open; and who follows.

    >>> from datetime import UTC
    >>> from engine.model.problems import Place
    >>> two = Roster(
    ...     name="r",
    ...     about="",
    ...     at="at",
    ...     opens=8 * 60,
    ...     closes=18 * 60,
    ...     entries=(RosterEntry("a", "Australia/Sydney", ""), RosterEntry("m", "Asia/Manila", "")),
    ...     produces="centre",
    ...     source="",
    ...     assumption="",
    ...     place=Place(file=""),
    ... )
    >>> noon = duty(two, datetime(2026, 1, 5, 1, 0, tzinfo=UTC))
    >>> noon.now.value, noon.daytime, noon.now.ends.isoformat(), noon.next.value
    ('a', True, '2026-01-05T07:00:00+00:00', 'm')
    >>> night = duty(two, datetime(2026, 1, 5, 18, 0, tzinfo=UTC))
    >>> night.now.value, night.daytime, night.now.begins.isoformat()
    ('a', False, '2026-01-05T21:00:00+00:00')
    """
    now = _turn(roster, to_micros(instant))
    after = _turn(roster, to_micros(now.ends))
    return Duty(outcome=roster.produces, at=instant, daytime=now.begins <= instant, now=now, next=after)


def _turn(roster: Roster, instant: int) -> Shift:
    """Return the shift on duty: the first listed that has begun, or else the first to begin."""
    shifts = [_shift(roster, entry, instant) for entry in roster.entries]
    at = to_datetime(instant)
    return next((shift for shift in shifts if shift.begins <= at), None) or min(shifts, key=lambda shift: shift.begins)


def _shift(roster: Roster, entry: RosterEntry, instant: int) -> Shift:
    """Return the first daytime of an entry that is not over."""
    there = zone(entry.zone)
    day = there.local(instant) // _DAY - 1
    while (ends := there.resolve(day * _DAY + roster.closes * _MINUTE)) <= instant:
        day += 1
    begins = there.resolve(day * _DAY + roster.opens * _MINUTE)
    return Shift(
        value=entry.value, name=entry.name, zone=entry.zone, begins=to_datetime(begins), ends=to_datetime(ends)
    )
