"""Instants for tests, by the clock on a wall."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

FRIDAY: Final = "2026-01-23T15:00:00+11:00"
"""A Friday in Sydney; the Monday after it is Australia Day."""


def at(text: str) -> datetime:
    """Read an instant."""
    return datetime.fromisoformat(text).astimezone(UTC)
