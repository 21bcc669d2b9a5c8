"""Instants as local time of a zone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from engine.clock.zone import SECOND, to_datetime, to_micros, zone

MINUTE: Final = 60 * SECOND

MAX_MINUTES: Final = 4_096
"""How many minutes are cached as text; most calls need the same few."""


def local_time(at: datetime, name: str) -> datetime:
    """Return an instant with the offset of a zone at that instant.

    >>> from datetime import UTC
    >>> local_time(datetime(2026, 1, 27, 4, 0, tzinfo=UTC), "Australia/Sydney").isoformat()
    '2026-01-27T15:00:00+11:00'
    """
    instant = to_micros(at)
    return at.astimezone(_ahead(zone(name).local(instant) - instant))


def local_text(at: datetime, name: str) -> str:
    """Return an instant as RFC 3339 text, with the offset of a zone at that instant.

    >>> from datetime import UTC
    >>> local_text(datetime(2026, 1, 27, 4, 0, 7, tzinfo=UTC), "Australia/Sydney")
    '2026-01-27T15:00:07+11:00'
    """
    minute, within = divmod(to_micros(at), MINUTE)
    around = _minute(minute, name)
    if around is None:
        return local_time(at, name).isoformat()
    seconds, micros = divmod(within, SECOND)
    return f"{around[0]}{seconds:02}.{micros:06}{around[1]}" if micros else f"{around[0]}{seconds:02}{around[1]}"


@lru_cache(MAX_MINUTES)
def _minute(minute: int, name: str) -> tuple[str, str] | None:
    """Return the text before and after the seconds of every instant of a minute.

    None if the offset changes within the minute, or is not a whole number of minutes.
    """
    first, there = minute * MINUTE, zone(name)
    ahead = there.local(first) - first
    if ahead % MINUTE or there.local(first + MINUTE - 1) - MINUTE + 1 - first != ahead:
        return None
    text = local_time(to_datetime(first), name).isoformat()
    return text[:17], text[19:]


@lru_cache(2_000)
def _ahead(micros: int) -> timezone:
    return timezone(timedelta(microseconds=micros))
