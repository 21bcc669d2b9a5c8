"""Instants by the clock on the wall of a zone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import cache

from engine.clock.zone import to_micros, zone


def local_time(at: datetime, name: str) -> datetime:
    """Give an instant with the offset that a zone has then.

    >>> from datetime import UTC
    >>> local_time(datetime(2026, 1, 27, 4, 0, tzinfo=UTC), "Australia/Sydney").isoformat()
    '2026-01-27T15:00:00+11:00'
    """
    instant = to_micros(at)
    return at.astimezone(_ahead(zone(name).local(instant) - instant))


@cache
def _ahead(micros: int) -> timezone:
    return timezone(timedelta(microseconds=micros))
