"""Records for tests: made up, small, and in order of receipt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from engine.decide.answer_times_json import iso
from engine.model.answer import VersionRef
from engine.records.chain import Entry, Head, beginning, following
from engine.records.identity import uuid7
from engine.records.record import Record, RecordedDecision, RecordedOutcome, RecordKind

START = datetime(2026, 1, 23, 4, 0, tzinfo=UTC)


def record(number: int, **changes: Any) -> Record:
    """Make a record that was received so many seconds after the start."""
    at = START + timedelta(seconds=number)
    decided = RecordedDecision(
        decision="queue",
        id=f"id{number}",
        status="decided",
        outcomes=(RecordedOutcome("queue", "decided", "fast"),),
        rules=("queues.vip",),
        assumptions=(),
        dues=(),
    )
    made = {
        "id": uuid7(at, number.to_bytes(10, "big")),
        "received": iso(at),
        "caller": "desk",
        "request_id": "",
        "ticket": f"T-{number}",
        "kind": RecordKind.DECIDE,
        "facts": {"vip": True},
        "now": iso(at),
        "pauses": (),
        "version": VersionRef("counter", "7.0.0", "ab12"),
        "decisions": (decided,),
    }
    return Record(**{**made, **changes})


def chain(bodies: list[str], writer: str = "main") -> tuple[list[Entry], Head]:
    """Chain texts; give the entries and the head."""
    head, entries = beginning(writer), []
    for body in bodies:
        entry, head = follow(head, body)
        entries.append(entry)
    return entries, head


def follow(head: Head, body: str) -> tuple[Entry, Head]:
    """Return the entry that follows a head with a text, and the head it makes."""
    (made,) = following(head, (body,))
    sequence = head.sequence + 1
    return Entry(writer=head.writer, sequence=sequence, previous=head.hash, hash=made, body=body), Head(
        head.writer, sequence, made
    )
