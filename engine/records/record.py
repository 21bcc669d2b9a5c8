"""The record of a call, and its canonical text: the same record always has the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol, Self

from engine.decide.answer_json import plain_value
from engine.decide.answer_times_json import iso
from engine.decide.reschedule import Rescheduled
from engine.model.answer import Answer, Due, Outcome, VersionRef
from engine.request.moment import Hold

FORMAT: Final = 1
"""The format of the records that this program writes."""


_canonical: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


class RecordKind(StrEnum):
    """The kind of call."""

    DECIDE = "decide"
    TRIAGE = "triage"
    RESCHEDULE = "reschedule"


@dataclass(frozen=True, slots=True)
class RecordedOutcome:
    """One outcome, its status, and its value as JSON has it (None unless it is decided)."""

    name: str
    status: str
    value: Any


@dataclass(frozen=True, slots=True)
class RecordedDue:
    """The due time of a deadline, as RFC 3339; None if it is unknown."""

    name: str
    due: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDecision:
    """One decision: its id, its status, its outcomes, and the ids of the rules and assumptions behind it."""

    decision: str
    id: str
    status: str
    outcomes: tuple[RecordedOutcome, ...]
    rules: tuple[str, ...]
    assumptions: tuple[str, ...]
    dues: tuple[RecordedDue, ...]


@dataclass(frozen=True, slots=True)
class RecordedMove:
    """The due time of a deadline before and after a change of facts, as RFC 3339.

    Each is None if nothing is due, or it is unknown.
    """

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class RecordedReason:
    """An outcome before a change of facts and after it."""

    before: RecordedOutcome
    after: RecordedOutcome


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """The effect of a change of facts on deadlines.

    It has the earlier facts (None: not sent), the deadlines, and the outcomes that are the reason.
    """

    facts: Mapping[str, Any]
    deadlines: tuple[RecordedMove, ...]
    because: tuple[RecordedReason, ...]


class Recordable(Protocol):
    """The part of a record that is needed to store and find it: a whole record, or one that is already text."""

    @property
    def id(self) -> str:
        """A UUIDv7 of the instant of receipt."""

    @property
    def received(self) -> str:
        """The instant of receipt."""

    @property
    def caller(self) -> str:
        """The caller's name."""

    @property
    def request_id(self) -> str:
        """The caller's id of the call."""

    @property
    def ticket(self) -> str:
        """The caller's id of the ticket."""

    @property
    def version(self) -> VersionRef:
        """Which version answered."""

    @property
    def text(self) -> str:
        """The canonical text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One call that was answered.

    ``id`` is a UUIDv7 of ``received``. ``caller``, ``request_id`` and ``ticket`` are the caller's names for itself, the
    call and the ticket; each may be "". ``facts`` are as recorded (see ``masking``), ``now`` and ``pauses`` the times
    of the decision.
    A triage or a decision has ``decisions``; a call to reschedule has none, and a ``change``.
    """

    id: str
    received: str
    caller: str
    request_id: str
    ticket: str
    kind: RecordKind
    facts: Mapping[str, Any]
    now: str
    pauses: tuple[tuple[str, str | None], ...]
    version: VersionRef
    decisions: tuple[RecordedDecision, ...]
    change: RecordedChange | None = None

    @property
    def text(self) -> str:
        """The record as canonical JSON: keys sorted, no needless space, ASCII only."""
        version = self.version
        return canonical(
            {
                "format": FORMAT,
                "id": self.id,
                "received": self.received,
                "caller": self.caller,
                "request_id": self.request_id,
                "ticket": self.ticket,
                "kind": self.kind.value,
                "facts": self.facts,
                "now": self.now,
                "pauses": self.pauses,
                "version": {"name": version.name, "version": version.version, "digest": version.digest},
                "decisions": [plain_decided(one) for one in self.decisions],
                **({} if self.change is None else {"change": _plain_change(self.change)}),
            }
        )

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a record from its text; raises ValueError if this program cannot read it."""
        try:
            plain = json.loads(text)
            if plain.pop("format") != FORMAT:
                raise ValueError("unknown format of the record")
            return cls(
                **plain
                | {
                    "kind": RecordKind(plain["kind"]),
                    "version": VersionRef(**plain["version"]),
                    "pauses": tuple((start, end) for start, end in plain["pauses"]),
                    "decisions": tuple(_decided(one) for one in plain["decisions"]),
                    "change": _change(plain["change"]) if "change" in plain else None,
                }
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"expected a record: {error}") from error


def canonical(plain: Any) -> str:
    r"""Return plain data as canonical JSON, which is hashed.

    >>> canonical({"b": "é", "a": [1.5, None]})
    '{"a":[1.5,null],"b":"\\u00e9"}'
    """
    return _canonical(plain)


def recorded_decision(answer: Answer, hidden: Iterable[str] = ()) -> RecordedDecision:
    """Return the record of an answer. ``hidden`` are masked facts.

    The id of an answer depends on the caller's text of an unlisted value, so an id that could be used to guess a masked
    text is not recorded.
    """
    masked = {one.fact for one in answer.unlisted} & set(hidden)
    return RecordedDecision(
        decision=answer.decision,
        id="" if masked else answer.id,
        status=answer.status.value,
        outcomes=tuple([_outcome(one) for one in answer.outcomes]),
        rules=tuple([rule.id for rule in answer.rules]),
        assumptions=tuple([rule.id for rule in answer.assumptions]),
        dues=tuple([RecordedDue(due.name, _due(due)) for due in answer.dues]),
    )


def recorded_change(made: Rescheduled, before: Mapping[str, Any]) -> RecordedChange:
    """Return the record of a change of facts; ``before`` are the earlier facts, as recorded."""
    return RecordedChange(
        before,
        tuple(RecordedMove(one.name, _due(one.before), _due(one.after)) for one in made.deadlines),
        tuple(RecordedReason(_outcome(one.before), _outcome(one.after)) for one in made.because),
    )


def plain_pauses(holds: Iterable[Hold]) -> tuple[tuple[str, str | None], ...]:
    """Return the holds of a ticket in their recorded form."""
    return tuple((iso(start), iso(end) if end else None) for start, end in holds)


def instant(text: str) -> datetime:
    """Read an instant of a record."""
    return datetime.fromisoformat(text)


def plain_decided(one: RecordedDecision) -> dict[str, Any]:
    """Return a decision as plain data."""
    return {
        "decision": one.decision,
        "id": one.id,
        "status": one.status,
        "rules": one.rules,
        "assumptions": one.assumptions,
        "outcomes": [
            {"name": outcome.name, "status": outcome.status, "value": outcome.value} for outcome in one.outcomes
        ],
        "dues": [{"name": due.name, "due": due.due} for due in one.dues],
    }


def _decided(plain: Mapping[str, Any]) -> RecordedDecision:
    return RecordedDecision(
        **{
            **plain,
            "outcomes": tuple(RecordedOutcome(**one) for one in plain["outcomes"]),
            "dues": tuple(RecordedDue(**one) for one in plain["dues"]),
            "rules": tuple(plain["rules"]),
            "assumptions": tuple(plain["assumptions"]),
        }
    )


def _outcome(one: Outcome) -> RecordedOutcome:
    return RecordedOutcome(one.name, one.status.value, None if one.value is None else plain_value(one.value))


def _due(due: Due | None) -> str | None:
    return iso(due.due) if due is not None and due.due is not None else None


def _plain_change(change: RecordedChange) -> dict[str, Any]:
    return {
        "facts": change.facts,
        "deadlines": [{"name": one.name, "before": one.before, "after": one.after} for one in change.deadlines],
        "because": [
            {
                "name": one.after.name,
                **{
                    side: {"status": outcome.status, "value": outcome.value}
                    for side, outcome in (("before", one.before), ("after", one.after))
                },
            }
            for one in change.because
        ],
    }


def _change(plain: Mapping[str, Any]) -> RecordedChange:
    sides = [(one["name"], one["before"], one["after"]) for one in plain["because"]]
    return RecordedChange(
        dict(plain["facts"]),
        tuple(RecordedMove(**one) for one in plain["deadlines"]),
        tuple(
            RecordedReason(RecordedOutcome(name, **before), RecordedOutcome(name, **after))
            for name, before, after in sides
        ),
    )
