"""The id of a record: a UUID of version 7 (RFC 9562), so that ids sort by the instant of receipt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

RANDOM: Final = 10
"""How many random bytes an id takes."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_VARIANT: Final = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""The digit whose first two bits are the variant of the UUID, and whose last two are random."""


def uuid7(at: datetime, random: bytes) -> str:
    """Make an id of an instant and ``RANDOM`` random bytes.

    >>> uuid7(datetime(2026, 1, 23, 4, tzinfo=UTC), bytes(10))
    '019be902-4a00-7000-8000-000000000000'
    """
    return uuid7_from(beginning(at), random)


def beginning(at: datetime) -> str:
    """Return the beginning of the ids of an instant: its millisecond.

    >>> beginning(datetime(2026, 1, 23, 4, tzinfo=UTC))
    '019be902-4a00'
    """
    milliseconds = (at - _EPOCH) // _MILLISECOND
    return f"{milliseconds >> 16 & 0xFFFFFFFF:08x}-{milliseconds & 0xFFFF:04x}"


def uuid7_from(start: str, random: bytes) -> str:
    """Make an id from the beginning of its instant and ``RANDOM`` random bytes."""
    if len(random) != RANDOM:
        raise ValueError(f"expected {RANDOM} random bytes for an id, got {len(random)}")
    digits = random.hex()
    return f"{start}-7{digits[1:4]}-{_VARIANT[digits[4]]}{digits[5:8]}-{digits[8:]}"
