"""An answer as bytes: what its instants do not change is encoded once, and every later answer of its kind is put together around it.

The bytes are those of the message that ``answers`` writes; the tests hold them equal, byte by byte.
"""

from __future__ import annotations

from datetime import datetime

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from engine.answer import Answer
from guidepost.v1.decision_pb2 import Decision
from service.wire import encoded_times, times
from service.wire.answers import decision, typed, undated
from service.wire.encoding import fields, sized, tag, timestamp

FIRST, LAST = 2, (1 << 29) - 1
"""The numbers of the fields after the first one, which is an answer's id, or its decision."""

ID = DECISION = tag(1)
OUTCOMES, DEADLINES, DUTIES, ELAPSED = (tag(Decision.DESCRIPTOR.fields_by_name[name].number) for name in ("outcomes", "deadlines", "duties", "elapsed"))
VALUE, INSTANT = tag(3), tag(5)

Dated = list[tuple[bytes, bytes, bytes, int]]
"""Before each instant: what stands before its outcome, and in it before and after the value, and the outcome's place."""


def encoded(kind: type[Message], answer: Answer) -> bytes:
    """Encode an answer as a message of a kind, the common or a typed one."""
    return (decision(answer) if kind is Decision else typed(kind, answer)).SerializeToString(deterministic=True)


class Template:
    """All of an answer but its id and its instants."""

    def __init__(self, kind: type[Message], answer: Answer) -> None:
        shown = undated(answer)
        self._wraps = kind is not Decision
        message = typed(kind, shown) if self._wraps else decision(shown)
        written: Decision = message.decision if self._wraps else message  # type: ignore[attr-defined, assignment]
        self._head = fields(written, FIRST, 7)
        self._instants, before = _instants(answer, written)
        self._tail = before + fields(written, 9, 13)
        self._typed, self._rest = _typed(message, answer) if self._wraps else ([], b"")

    def fill(self, answer: Answer) -> bytes:
        """Encode an answer that is the same but for its id and its instants."""
        instants = {at: timestamp(answer.outcomes[at].value) for *_, at in self._instants}  # type: ignore[arg-type]  # they are what the template is around
        parts = [sized(ID, answer.id.encode()), self._head]
        for before, pre, post, at in self._instants:
            parts += (before, sized(OUTCOMES, pre + sized(VALUE, INSTANT + instants[at]) + post))
        parts.append(self._tail)
        parts += [sized(DEADLINES, encoded_times.deadline(due)) for due in answer.dues]
        parts += [sized(DUTIES, encoded_times.duty(duty)) for duty in answer.duties]
        parts += [sized(ELAPSED, times.elapsed(passed).SerializeToString()) for passed in answer.passed]
        if not self._wraps:
            return b"".join(parts)
        made = [sized(DECISION, b"".join(parts))]
        for before, field, at in self._typed:
            made += (before, field, instants[at])
        made.append(self._rest)
        return b"".join(made)


def _instants(answer: Answer, written: Decision) -> tuple[Dated, bytes]:
    """Encode the outcomes around their instants; what stands after the last one is left over."""
    found: Dated = []
    before = b""
    for at, (outcome, message) in enumerate(zip(answer.outcomes, written.outcomes, strict=True)):
        if isinstance(outcome.value, datetime):
            found.append((before, fields(message, 1, 2), fields(message, 4, LAST), at))
            before = b""
        else:
            before += sized(OUTCOMES, message.SerializeToString(deterministic=True))
    return found, before


def _typed(message: Message, answer: Answer) -> tuple[list[tuple[bytes, bytes, int]], bytes]:
    """Encode the fields of a typed message around those that are instants."""
    known = message.DESCRIPTOR.fields_by_name
    dated = sorted(
        (known[outcome.name].number, at) for at, outcome in enumerate(answer.outcomes)
        if isinstance(outcome.value, datetime) and outcome.name in known and known[outcome.name].message_type is Timestamp.DESCRIPTOR
    )
    found, first = [], FIRST
    for field, at in dated:
        found.append((fields(message, first, field - 1), tag(field), at))
        first = field + 1
    return found, fields(message, first, LAST)


