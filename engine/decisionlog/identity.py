"""The id of a record: a UUID of version 7 (RFC 9562), so that ids sort by the instant of receipt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

RANDOM: Final = 10
"""How many random bytes an id takes."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def uuid7(at: datetime, random: bytes) -> str:
    """Make an id of an instant and ``RANDOM`` random bytes.

    >>> uuid7(datetime(2026, 1, 23, 4, tzinfo=UTC), bytes(10))
    '019be902-4a00-7000-8000-000000000000'
    """
    if len(random) != RANDOM:
        raise ValueError(f"an id takes {RANDOM} random bytes, not {len(random)}")
    milliseconds = (at - _EPOCH) // _MILLISECOND
    chance = int.from_bytes(random, "big")
    number = (milliseconds & (1 << 48) - 1) << 80
    number |= 7 << 76 | (chance >> 62 & 0xFFF) << 64
    number |= 2 << 62 | chance & (1 << 62) - 1
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
