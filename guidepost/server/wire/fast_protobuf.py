"""The wire format of protobuf, as far as answers are put together from parts that are encoded already.

A message is the concatenation of its fields, so that what was encoded once is only copied from then on.
"""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from typing import Final

from engine.clock.zone import EPOCH

VARINT, DOUBLE, LENGTH = 0, 1, 2
"""Wire types."""

_SECOND: Final = 1_000_000
_DAY: Final = 86_400
_NEGATIVE: Final = (1 << 64) - 1
_FIVE_BYTES, _SIX_BYTES = 1 << 28, 1 << 35
_double: Final = struct.Struct("<d").pack


def varint(number: int) -> bytes:
    r"""Encode a whole number; a negative one as 64 bits.

    >>> varint(300)
    b'\xac\x02'
    """
    if 0 <= number < _SIX_BYTES:
        # Lengths and instants; without a loop they take a third of the time.
        if number < 1 << 7:
            return _SMALL[number]
        if number < 1 << 14:
            return bytes((number & 127 | 128, number >> 7))
        if number < 1 << 21:
            return bytes((number & 127 | 128, number >> 7 & 127 | 128, number >> 14))
        if number < _FIVE_BYTES:
            return bytes((number & 127 | 128, number >> 7 & 127 | 128, number >> 14 & 127 | 128, number >> 21))
        return bytes(
            (
                number & 127 | 128,
                number >> 7 & 127 | 128,
                number >> 14 & 127 | 128,
                number >> 21 & 127 | 128,
                number >> 28,
            )
        )
    number &= _NEGATIVE
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    written.append(number)
    return bytes(written)


_SMALL: Final = [bytes((number,)) for number in range(128)]


def tag(field: int, wire_type: int = LENGTH) -> bytes:
    r"""Encode what stands before a field.

    >>> tag(16)
    b'\x82\x01'
    """
    return varint(field << 3 | wire_type)


def sized(before: bytes, content: bytes) -> bytes:
    """Return a field that has a length: a text, or a message."""
    length = len(content)
    return before + (_SMALL[length] if length < 128 else varint(length)) + content


def text(field: int, content: str) -> bytes:
    """Return a field with a text; an empty one is left out."""
    return sized(tag(field), content.encode()) if content else b""


def number(field: int, value: int) -> bytes:
    """Return a field with a whole number, a flag or a word of an enum; 0 is left out."""
    return tag(field, VARINT) + varint(value) if value else b""


def real(field: int, value: float) -> bytes:
    """Return a field with a number; 0 is left out."""
    return tag(field, DOUBLE) + _double(value) if value else b""


def timestamp(at: datetime) -> bytes:
    """Encode an instant as a Timestamp with its length before it."""
    since = at - EPOCH
    seconds, micros = since.days * _DAY + since.seconds, since.microseconds
    if not micros and _FIVE_BYTES <= seconds < _SIX_BYTES:
        # A whole second from 1978 on, as most are: its length, its tag, and the five bytes of its number.
        return bytes(
            (
                6,
                8,
                seconds & 127 | 128,
                seconds >> 7 & 127 | 128,
                seconds >> 14 & 127 | 128,
                seconds >> 21 & 127 | 128,
                seconds >> 28,
            )
        )
    content = (b"\x08" + varint(seconds) if seconds else b"") + (b"\x10" + varint(micros * 1000) if micros else b"")
    return _SMALL[len(content)] + content


def duration(time: timedelta) -> bytes:
    """Encode a length of time as a Duration with its length before it; both of its parts have the sign of the whole."""
    micros = (time.days * _DAY + time.seconds) * _SECOND + time.microseconds
    seconds, rest = divmod(abs(micros), _SECOND)
    if micros < 0:
        seconds, rest = -seconds, -rest
    content = (b"\x08" + varint(seconds) if seconds else b"") + (b"\x10" + varint(rest * 1000) if rest else b"")
    return _SMALL[len(content)] + content
