"""The wire format of protobuf, to assemble messages by concatenating their encoded fields."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from typing import Final

from google.protobuf.message import Message

from engine.clock.zone import EPOCH

VARINT, DOUBLE, LENGTH = 0, 1, 2
"""Wire types."""

_SECOND: Final = 1_000_000
_DAY: Final = 86_400
_NEGATIVE: Final = (1 << 64) - 1
_FIVE_BYTES, _SIX_BYTES = 1 << 28, 1 << 35
_double: Final = struct.Struct("<d").pack


def varint(number: int) -> bytes:
    r"""Encode an integer; a negative one as 64 bits.

    >>> varint(300)
    b'\xac\x02'
    """
    if 0 <= number < _SIX_BYTES:
        # Lengths and instants: without a loop they take a third of the time.
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
    r"""Encode the tag of a field.

    >>> tag(16)
    b'\x82\x01'
    """
    return varint(field << 3 | wire_type)


def field_numbers(message: type[Message]) -> dict[str, int]:
    """Return the numbers of a message's fields by name, from its descriptor."""
    return {name: field.number for name, field in message.DESCRIPTOR.fields_by_name.items()}


def sized(before: bytes, content: bytes) -> bytes:
    """Return a length-delimited field: a text, or a message."""
    length = len(content)
    return before + (_SMALL[length] if length < 128 else varint(length)) + content


def text(field: int, content: str) -> bytes:
    """Return a text field; b"" for an empty text."""
    return sized(tag(field), content.encode()) if content else b""


def number(field: int, value: int) -> bytes:
    """Return a field with an integer, a flag or an enum value; b"" for 0."""
    return tag(field, VARINT) + varint(value) if value else b""


def flag(field: int, value: bool) -> bytes:
    """Return an optional flag, which is also encoded if it is false."""
    return tag(field, VARINT) + varint(value)


def real(field: int, value: float) -> bytes:
    """Return a field with a float; b"" for 0."""
    return tag(field, DOUBLE) + _double(value) if value else b""


def timestamp(at: datetime) -> bytes:
    """Encode an instant as a Timestamp, with its length."""
    since = at - EPOCH
    seconds, micros = since.days * _DAY + since.seconds, since.microseconds
    if not micros and _FIVE_BYTES <= seconds < _SIX_BYTES:
        # Whole seconds from 1978 on, the usual case: the length, the tag, and five bytes of seconds.
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
    """Encode a time span as a Duration, with its length; seconds and nanoseconds have the same sign."""
    micros = (time.days * _DAY + time.seconds) * _SECOND + time.microseconds
    seconds, rest = divmod(abs(micros), _SECOND)
    if micros < 0:
        seconds, rest = -seconds, -rest
    content = (b"\x08" + varint(seconds) if seconds else b"") + (b"\x10" + varint(rest * 1000) if rest else b"")
    return _SMALL[len(content)] + content
