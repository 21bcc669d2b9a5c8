"""An answer as bytes: outcomes and rules are encoded once, and answers are put together of them around their instants.

Tickets that differ have most of their outcomes and nearly all of their rules in common, so that an answer never given
before takes little more than copying. The bytes are those of the message that ``answers`` writes; the tests hold them
equal, byte by byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, Generic, TypeVar, cast

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from engine.cache import Cache
from engine.model.answer import Answer, Fired, Outcome, VersionRef
from engine.model.policy import Literal
from guidepost.server.wire import fast_deadlines as encoded_times
from guidepost.server.wire import times
from guidepost.server.wire.encode_answer import STATUS, fired, put, unlisted, value, version_ref
from guidepost.server.wire.fast_protobuf import number, sized, tag, text, timestamp
from guidepost.v1.decision_pb2 import Decision

MAX_OUTCOMES: Final = 10_000
"""How many encoded outcomes are kept, some 250 bytes each; 2,000 tickets drawn at random have about 4,000."""

MAX_RULES: Final = 5_000
"""How many encoded rules are kept, some 400 bytes each; a version of the guide has some hundred."""

_FIELDS: Final = {name: tag(field.number) for name, field in Decision.DESCRIPTOR.fields_by_name.items()}
ID, OUTCOMES, DEADLINES, DUTIES, ELAPSED = (
    _FIELDS[name] for name in ("id", "outcomes", "deadlines", "duties", "elapsed")
)
RULES, ASSUMPTIONS, UNLISTED, VERSION = (_FIELDS[name] for name in ("rules", "assumptions", "unlisted", "version"))
DECISION: Final = tag(1)
VALUE, INSTANT, POSSIBLE = tag(3), tag(5), tag(5)

T = TypeVar("T")
E = TypeVar("E")


class EncodeOnce(Generic[T, E]):
    """Encodes each object once. Objects are told apart by identity: the engine gives the same ones again, and to hash one takes as long as to encode it."""

    def __init__(self, encode: Callable[[T], E], bound: int) -> None:
        self._encode = encode
        # The object is kept beside its bytes, so that no other one can have its identity.
        self._kept: Cache[int, tuple[T, E]] = Cache(bound)

    def __call__(self, one: T) -> E:
        """Return what an object is encoded as."""
        found = self._kept.get(id(one))
        if found is None or found[0] is not one:
            found = self._kept.keep(id(one), (one, self._encode(one)))
        return found[1]


class Template:
    """All of an answer but its id and its instants."""

    def __init__(self, kind: type[Message], answer: Answer) -> None:
        self._wraps = kind is not Decision
        self._head = (
            text(2, answer.decision)
            + number(3, STATUS[answer.status])
            + _texts(4, answer.missing)
            + _possible(answer.possible)
            + text(7, answer.ask_next)
        )
        self._instants: list[tuple[bytes, bytes, bytes, int]] = []
        before = b""
        for at, outcome in enumerate(answer.outcomes):
            if isinstance(outcome.value, datetime):
                self._instants.append((before, _start(outcome), _end(outcome), at))
                before = b""
            else:
                before += _outcome(outcome)
        self._tail = before + number(9, answer.answers) + b"".join([RULES + _rule(rule) for rule in answer.rules])
        self._tail += b"".join([ASSUMPTIONS + _rule(rule) for rule in answer.assumptions])
        self._tail += b"".join(
            [sized(UNLISTED, unlisted(fact).SerializeToString()) for fact in answer.unlisted]
        ) + _version(answer.version)
        self._typed, self._rest = _typed(kind, answer.outcomes) if self._wraps else ([], b"")

    def fill(self, answer: Answer) -> bytes:
        """Encode an answer that is the same but for its id and its instants."""
        instants = {at: timestamp(cast("datetime", answer.outcomes[at].value)) for *_, at in self._instants}
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


def encode(kind: type[Message], answer: Answer) -> bytes:
    """Encode an answer as a message of a kind, the common or a typed one."""
    return Template(kind, answer).fill(answer)


def _outcome(outcome: Outcome) -> bytes:
    """Encode an outcome as a field of a decision; one with instants is seldom met again, and not kept."""
    if outcome.possible and isinstance(outcome.possible[0], datetime):
        return _encode_outcome(outcome)
    return _outcomes(outcome)


def _encode_outcome(outcome: Outcome) -> bytes:
    given = b"" if outcome.value is None else sized(VALUE, value(outcome.value).SerializeToString())
    return sized(OUTCOMES, _start(outcome) + given + _end(outcome))


def _start(outcome: Outcome) -> bytes:
    """Encode what stands before the value of an outcome."""
    return text(1, outcome.name) + number(2, STATUS[outcome.status])


def _end(outcome: Outcome) -> bytes:
    """Encode what stands after the value of an outcome."""
    return (
        text(4, outcome.text)
        + _possible(outcome.possible)
        + _texts(7, outcome.missing)
        + _texts(8, [rule.id for rule in outcome.rules])
    )


def _possible(values: Iterable[Literal | None]) -> bytes:
    """Encode the values still possible; "not covered" has a field of its own."""
    values = tuple(values)
    return b"".join([sized(POSSIBLE, value(one).SerializeToString()) for one in values if one is not None]) + number(
        6, None in values
    )


def _texts(field: int, texts: Iterable[str]) -> bytes:
    """Encode a repeated text, empty ones among them."""
    before = tag(field)
    return b"".join([sized(before, one.encode()) for one in texts])


def _encode_rule(rule: Fired) -> bytes:
    return sized(b"", fired(rule).SerializeToString())


def _version(ref: VersionRef) -> bytes:
    return sized(VERSION, version_ref(ref).SerializeToString())


Typed = list[tuple[bytes, bytes, int]]
"""Before each instant of a typed message: the fields before it, its own tag, and the place of its outcome."""


def _typed(kind: type[Message], outcomes: tuple[Outcome, ...]) -> tuple[Typed, bytes]:
    """Encode the fields of a typed message around those that are instants."""
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
    """Encode the field of a typed message that an outcome has: its number, whether an instant goes there, and its bytes, or its tag before an instant."""
    if isinstance(outcome.value, datetime):
        field = kind.DESCRIPTOR.fields_by_name.get(outcome.name)
        if field is None or field.message_type is not Timestamp.DESCRIPTOR:
            return 0, False, b""
        return field.number, True, tag(field.number)
    encode = _fields.get(kind) or _fields.keep(kind, EncodeOnce(lambda one: _encode_field(kind, one), MAX_OUTCOMES))
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
