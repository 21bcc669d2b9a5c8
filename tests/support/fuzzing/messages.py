"""Messages by chance, from their descriptors: whole ones, and bytes of whole ones with something done to them."""

from __future__ import annotations

from random import Random
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

WORDS = (
    "",
    " ",
    "high",
    "medium",
    "low",
    "P1",
    "priority",
    "response",
    "channel",
    "scope",
    "coverage",
    "escalation",
    "intake",
    "lifecycle",
    "queue",
    "gift",
    "email",
    "partner",
    "AU",
    "AU-NSW",
    "en",
    "arrival",
    "impact",
    "urgency",
    "received_at",
    "1.0.0",
    "2.0.0",
    "before.impact",
    "__proto__",
    "a" * 300,
    "x" * 5_000,
    "ü",
    "\u202e",
    "\x00",
    "\ufffd",
    "%s",
    "{}",
    "../../etc/passwd",
    "'; drop table entries; --",
    "2026-01-23T15:00+11:00",
    "NaN",
    "-0",
    "9" * 400,
    "priority=P1",
    "assigned_priority=",
    "=",
    "undecided",
    "sha256:",
    "0" * 64,
)
NUMBERS = (0, 1, -1, 7, 50, 100, 1_000, 1_001, 2**31 - 1, -(2**31))
LARGE = (0, 1, -1, 1_769_126_400, 253_402_300_799, 253_402_300_800, -62_135_596_800, 2**63 - 1, -(2**63), 10**12)
FLOATS = (0.0, -0.0, 1.5, 100.0, 1e308, -1e308, 5e-324, float("nan"), float("inf"), float("-inf"))

_INTEGERS = {FieldDescriptor.CPPTYPE_INT32: NUMBERS, FieldDescriptor.CPPTYPE_INT64: LARGE}
MOST = 4
"""The most elements of a list, and the deepest nesting."""


def message(chance: Random, kind: Descriptor, depth: int = 0) -> Message:
    """Make a message: each field is sent or not, with words of the desk or with extremes."""
    made: Any = GetMessageClass(kind)()
    share = chance.choice((0.1, 0.3, 0.7))
    for field in kind.fields:
        if chance.random() < share and (depth < MOST or field.cpp_type != FieldDescriptor.CPPTYPE_MESSAGE):
            _fill(chance, made, field, depth)
    return made


def _fill(chance: Random, made: Any, field: FieldDescriptor, depth: int) -> None:
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        for _ in range(chance.randrange(MOST)):
            name, value = _value(chance, entry.fields_by_name["key"], depth), entry.fields_by_name["value"]
            if value.message_type is not None:
                getattr(made, field.name)[name].CopyFrom(message(chance, value.message_type, depth + 1))
            else:
                getattr(made, field.name)[name] = _value(chance, value, depth)
    elif field.is_repeated:
        some = chance.randrange(MOST) if depth else chance.choice((0, 1, 3, 20, 60))
        getattr(made, field.name).extend(_value(chance, field, depth) for _ in range(some))
    elif entry is not None:
        getattr(made, field.name).CopyFrom(message(chance, entry, depth + 1))
    else:
        setattr(made, field.name, _value(chance, field, depth))


def _value(chance: Random, field: FieldDescriptor, depth: int) -> Any:
    if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        return message(chance, field.message_type, depth + 1)
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return chance.randbytes(8) if field.type == FieldDescriptor.TYPE_BYTES else word(chance)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return chance.random() < 0.5
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return chance.choice((0, 1, 2, 99))
    if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return chance.choice(FLOATS)
    return (
        abs(chance.choice(NUMBERS))
        if field.cpp_type in (FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64)
        else chance.choice(_INTEGERS[field.cpp_type])
    )


def word(chance: Random) -> str:
    """Return a word that may mean something."""
    return (
        chance.choice(WORDS)
        if chance.random() < 0.9
        else "".join(
            chr(chance.choice((chance.randrange(128), chance.randrange(0xD7FF)))) for _ in range(chance.randrange(40))
        )
    )


def spoilt(chance: Random, whole: bytes) -> bytes:
    """Return bytes with something done to them: some are still a message, though another one."""
    sent = bytearray(whole)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(sent) + 1)
        match chance.randrange(6):
            case 0:
                sent[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del sent[at : at + chance.randrange(1, 9)]
            case 2:
                sent[at:at] = chance.randbytes(chance.randrange(1, 9))
            case 3:
                sent += sent[at : at + 40]
            case 4:
                sent = sent[:at]
            case _:
                sent[at:at] = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"[: chance.randrange(1, 11)]
    return bytes(sent)
