"""Answers in, bytes out.

Outcomes and rules are encoded once, and answers are assembled from them around their instants.

Answers to different tickets share most outcomes and nearly all rules, so a new answer costs little more than copying.
The bytes are those of the message of ``answer_message``; tests compare them byte by byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, Generic, TypeVar, cast

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from engine.cache import Cache
from engine.model.answer import Answer, FiredRule, Outcome, VersionRef
from engine.model.policy import Literal
from guidepost.server.wire import deadline_bytes, times
from guidepost.server.wire.answer_message import STATUS, fired, possible_items, put, unlisted, value, version_ref
from guidepost.server.wire.protobuf_bytes import field_numbers, number, sized, tag, text, timestamp
from guidepost.v1 import decision_pb2
from guidepost.v1.decision_pb2 import Decision

MAX_OUTCOMES: Final = 10_000
"""Number of encoded outcomes in the cache, about 250 bytes each; 2,000 random tickets have about 4,000."""

MAX_RULES: Final = 5_000
"""Number of encoded rules in the cache, about 400 bytes each; a version of the guide has some hundred."""

_DECISION: Final = field_numbers(decision_pb2.Decision)
_OUTCOME: Final = field_numbers(decision_pb2.Outcome)

ID, OUTCOMES, DEADLINES, DUTIES, ELAPSED = (
    tag(_DECISION[name]) for name in ("id", "outcomes", "deadlines", "duties", "elapsed")
)
RULES, ASSUMPTIONS, UNLISTED, VERSION = (
    tag(_DECISION[name]) for name in ("rules", "assumptions", "unlisted", "version")
)
VALUE: Final = tag(_OUTCOME["value"])
ITEMS: Final = tag(_OUTCOME["possible_items"])
INSTANT: Final = tag(field_numbers(decision_pb2.OutcomeValue)["instant"])
DECISION: Final = tag(1)
"""The tag of the decision in every typed message."""

T = TypeVar("T")
E = TypeVar("E")


class EncodeOnce(Generic[T, E]):
    """Encodes each object once.

    Objects are compared by identity: the engine reuses them, and hashing takes as long as encoding.
    """

    def __init__(self, encode: Callable[[T], E], bound: int) -> None:
        self._encode = encode
        # The object is stored with its bytes, so that no other object can get its identity.
        self._kept: Cache[int, tuple[T, E]] = Cache(bound)

    def __call__(self, one: T) -> E:
        """Return the bytes of an object."""
        found = self._kept.get(id(one))
        if found is None or found[0] is not one:
            found = self._kept.put(id(one), (one, self._encode(one)))
        return found[1]


class EncodedAnswer:
    """An encoded answer without its id and its instants."""

    def __init__(self, kind: type[Message], answer: Answer) -> None:
        self._wraps = kind is not Decision
        self._head = (
            text(_DECISION["name"], answer.decision)
            + number(_DECISION["status"], STATUS[answer.status])
            + _texts(_DECISION["missing"], answer.missing)
            + _possible(_DECISION, answer.possible)
            + text(_DECISION["ask_next"], answer.ask_next)
        )
        self._instants: list[tuple[bytes, bytes, bytes, int]] = []
        before = b""
        for at, outcome in enumerate(answer.outcomes):
            if isinstance(outcome.value, datetime):
                self._instants.append((before, _start(outcome), _end(outcome), at))
                before = b""
            else:
                before += _outcome(outcome)
        self._tail = (
            before
            + number(_DECISION["answers"], answer.answers)
            + b"".join([RULES + _rule(rule) for rule in answer.rules])
        )
        self._tail += b"".join([ASSUMPTIONS + _rule(rule) for rule in answer.assumptions])
        self._tail += b"".join(
            [sized(UNLISTED, unlisted(fact).SerializeToString()) for fact in answer.unlisted]
        ) + _version(answer.version)
        self._typed, self._rest = _typed(kind, answer.outcomes) if self._wraps else ([], b"")

    def fill(self, answer: Answer) -> bytes:
        """Return the bytes of an answer that differs from the template's by its id and instants only."""
        instants = {at: timestamp(cast("datetime", answer.outcomes[at].value)) for *_, at in self._instants}
        parts = [sized(ID, answer.id.encode()), self._head]
        for before, pre, post, at in self._instants:
            parts += (before, sized(OUTCOMES, pre + sized(VALUE, INSTANT + instants[at]) + post))
        parts.append(self._tail)
        parts += [sized(DEADLINES, deadline_bytes.deadline(due)) for due in answer.dues]
        parts += [sized(DUTIES, deadline_bytes.duty(duty)) for duty in answer.duties]
        parts += [sized(ELAPSED, times.elapsed(passed).SerializeToString()) for passed in answer.passed]
        if not self._wraps:
            return b"".join(parts)
        typed = [sized(DECISION, b"".join(parts))]
        for before, field, at in self._typed:
            typed += (before, field, instants[at])
        typed.append(self._rest)
        return b"".join(typed)


def encode(kind: type[Message], answer: Answer) -> bytes:
    """Return the bytes of an answer as a message of a type, the common or a typed one."""
    return EncodedAnswer(kind, answer).fill(answer)


def _outcome(outcome: Outcome) -> bytes:
    """Encode an outcome as a field of a decision. Outcomes with instants rarely recur and are not cached."""
    if outcome.possible and isinstance(outcome.possible[0], datetime):
        return _encode_outcome(outcome)
    return _outcomes(outcome)


def _encode_outcome(outcome: Outcome) -> bytes:
    encoded = b"" if outcome.value is None else sized(VALUE, value(outcome.value).SerializeToString())
    return sized(OUTCOMES, _start(outcome) + encoded + _end(outcome))


def _start(outcome: Outcome) -> bytes:
    """Encode the fields before the value of an outcome."""
    return text(_OUTCOME["name"], outcome.name) + number(_OUTCOME["status"], STATUS[outcome.status])


def _end(outcome: Outcome) -> bytes:
    """Encode the fields after the value of an outcome."""
    return (
        text(_OUTCOME["text"], outcome.text)
        + _possible(_OUTCOME, outcome.possible)
        + _texts(_OUTCOME["missing"], outcome.missing)
        + _texts(_OUTCOME["rule_ids"], [rule.id for rule in outcome.rules])
        + (b"" if outcome.items is None else sized(ITEMS, possible_items(outcome.items).SerializeToString()))
    )


def _possible(fields: Mapping[str, int], values: Iterable[Literal | None]) -> bytes:
    """Encode the values still possible, and the field for "not covered"."""
    values, possible = tuple(values), tag(fields["possible"])
    known = b"".join([sized(possible, value(one).SerializeToString()) for one in values if one is not None])
    return known + number(fields["possibly_not_covered"], None in values)


def _texts(field: int, texts: Iterable[str]) -> bytes:
    """Encode a repeated text field, including empty texts."""
    before = tag(field)
    return b"".join([sized(before, one.encode()) for one in texts])


def _encode_rule(rule: FiredRule) -> bytes:
    return sized(b"", fired(rule).SerializeToString())


def _version(ref: VersionRef) -> bytes:
    return sized(VERSION, version_ref(ref).SerializeToString())


Typed = list[tuple[bytes, bytes, int]]
"""For each instant of a typed message: the encoded fields before it, its tag, and the index of its outcome."""


def _typed(kind: type[Message], outcomes: tuple[Outcome, ...]) -> tuple[Typed, bytes]:
    """Encode the fields of a typed message around its instants."""
    fields = sorted((*_field(kind, outcome), at) for at, outcome in enumerate(outcomes) if outcome.value is not None)
    found: Typed = []
    before = b""
    for _, dated, written, at in fields:
        if dated:
            found.append((before, written, at))
            before = b""
        else:
            before += written
    return found, before


def _field(kind: type[Message], outcome: Outcome) -> tuple[int, bool, bytes]:
    """Encode the field of an outcome in a typed message.

    Returns its number, whether it is an instant, and its bytes, or only its tag for an instant.
    """
    if isinstance(outcome.value, datetime):
        field = kind.DESCRIPTOR.fields_by_name.get(outcome.name)
        if field is None or field.message_type is not Timestamp.DESCRIPTOR:
            return 0, False, b""
        return field.number, True, tag(field.number)
    encode = _fields.get(kind) or _fields.put(kind, EncodeOnce(lambda one: _encode_field(kind, one), MAX_OUTCOMES))
    return encode(outcome)


def _encode_field(kind: type[Message], outcome: Outcome) -> tuple[int, bool, bytes]:
    field = kind.DESCRIPTOR.fields_by_name.get(outcome.name)
    if field is None or outcome.value is None:
        return 0, False, b""
    message = kind()
    put(message, field, outcome.value)
    return field.number, False, message.SerializeToString()


_outcomes: Final = EncodeOnce(_encode_outcome, MAX_OUTCOMES)
_rule: Final = EncodeOnce(_encode_rule, MAX_RULES)
_fields: Final[Cache[type[Message], EncodeOnce[Outcome, tuple[int, bool, bytes]]]] = Cache(100)
