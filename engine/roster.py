"""Who is in their own daytime at an instant: a pure function of the instant and the time zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.policy import Entry, Roster


def on_duty(roster: Roster, instant: datetime) -> Entry:
    """Give the first listed entry whose local time is within the opening hours; else the next to open.

    >>> from engine.problems import Place
    >>> two = Roster("r", "", "at", 8 * 60, 18 * 60, (Entry("a", "Australia/Sydney", ""), Entry("m", "Asia/Manila", "")), "centre", "", "", Place(""))
    >>> on_duty(two, datetime(2026, 1, 5, 1, 0, tzinfo=UTC)).value
    'a'
    >>> on_duty(two, datetime(2026, 1, 5, 9, 0, tzinfo=UTC)).value
    'm'
    >>> on_duty(two, datetime(2026, 1, 5, 18, 0, tzinfo=UTC)).value
    'a'
    """
    for entry in roster.entries:
        local = instant.astimezone(ZoneInfo(entry.zone))
        if roster.opens <= local.hour * 60 + local.minute < roster.closes:
            return entry
    return min(roster.entries, key=lambda entry: _next_opening(roster, entry, instant))


def _next_opening(roster: Roster, entry: Entry, instant: datetime) -> datetime:
    zone = ZoneInfo(entry.zone)
    today = instant.astimezone(zone).date()
    openings = (
        datetime.combine(today + timedelta(days=days), datetime.min.time(), zone).replace(hour=roster.opens // 60, minute=roster.opens % 60)
        for days in range(2)
    )
    return min(opening.astimezone(UTC) for opening in openings if opening.astimezone(UTC) > instant)
