"""The decision log: entries, verifications and explanations in, messages out; filters in."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from engine.model.answer import Status
from engine.records.chain import Entry
from engine.records.filter import Filter
from engine.records.record import Record, RecordedDecision, RecordedOutcome, instant
from engine.records.reproduce import Reproduction
from engine.records.verify import Tampering
from guidepost.decision_log.purge import PurgePlan
from guidepost.decision_log.verify import VerificationReport
from guidepost.server.errors import InvalidField
from guidepost.server.wire import times
from guidepost.server.wire.answer_message import STATUS, decision, rescheduled, value, version_ref
from guidepost.v1 import audit_service_pb2 as pb
from guidepost.v1 import decision_pb2

KIND: Final = {kind: getattr(pb, f"TAMPERING_{kind.name}") for kind in Tampering}
MAX_TEXT: Final = 500

TEXTS: Final = ("ticket", "request_id", "caller", "version", "rule", "outcome")


def log_filter(message: pb.RecordFilter) -> Filter:
    """Return the filter of a message; raises InvalidField."""
    for name in TEXTS:
        checked_text(f"filter.{name}", getattr(message, name))
    since, until = (
        required_instant(f"filter.{name}", getattr(message, name)) if message.HasField(name) else None
        for name in ("since", "until")
    )
    return Filter(**{name: getattr(message, name) for name in TEXTS}, since=since, until=until)


def checked_text(path: str, text: str) -> str:
    """Return a text that records can contain; raises InvalidField for others."""
    if len(text) > MAX_TEXT:
        raise InvalidField(path, f"expected at most {MAX_TEXT} characters, got {len(text):,}")
    if "\0" in text:
        raise InvalidField(path, "expected a text without NUL characters")
    return text


def required_instant(path: str, timestamp: Any) -> datetime:
    """Return an instant that a caller has to set; raises InvalidField."""
    try:
        return times.required_instant(timestamp)
    except ValueError as error:
        raise InvalidField(path, str(error)) from error


def entry(one: Entry) -> pb.LogEntry:
    """Return the message of an entry, with its record if it can be read."""
    written = pb.LogEntry(
        writer=one.writer,
        sequence=one.sequence,
        previous=one.previous,
        hash=one.hash,
        record=one.body.strip(),
        holds=one.holds,
    )
    try:
        written.content.CopyFrom(_record(Record.read(one.body)))
    except (ValueError, KeyError, TypeError):
        written.ClearField("content")
    return written


def explanation(one: Entry, again: Reproduction) -> pb.ExplainRecordResponse:
    """Return the message of a past decision, its reproduction and their differences."""
    differences = [
        pb.RecordDifference(decision=each.decision, part=each.part, recorded=each.recorded, again=each.again)
        for each in again.differences
    ]
    if again.wrong:
        differences.append(pb.RecordDifference(part="request", recorded="decided", again=again.wrong))
    return pb.ExplainRecordResponse(
        entry=entry(one),
        decisions=[decision(answer) for answer in again.answers],
        rescheduled=rescheduled(again.moved) if again.moved else None,
        equal=again.equal,
        differences=differences,
    )


def verification(report: VerificationReport) -> pb.LogVerification:
    """Return the message of a verification."""
    found = report.found
    return pb.LogVerification(
        whole=report.whole,
        entries=found.entries,
        doubts=report.doubts,
        breaks=[
            pb.ChainBreak(
                kind=KIND[one.kind], writer=one.writer, first=one.sequence, last=one.last, message=one.message
            )
            for one in found.breaks
        ],
        heads=[pb.ChainHead(writer=head.writer, sequence=head.sequence, hash=head.hash) for head in found.heads],
        signed_heads=[one.line() for one in report.signed],
        purges=[json.dumps(note.plain) for note in report.notes],
        covered=None if report.coverage is None else report.covered,
    )


def purged_chain(one: PurgePlan) -> pb.PurgedChain:
    """Return the message of what a purge removes from a chain."""
    first, last = (times.timestamp(instant(at)) for at in one.received)
    return pb.PurgedChain(
        writer=one.writer, entries=one.entries, last=one.last, first_received=first, last_received=last
    )


def _record(record: Record) -> pb.LogRecord:
    return pb.LogRecord(
        id=record.id,
        received=times.timestamp(instant(record.received)),
        now=times.timestamp(instant(record.now)),
        caller=record.caller,
        request_id=record.request_id,
        ticket=record.ticket,
        kind=record.kind.value,
        version=version_ref(record.version),
        decisions=[_decided(one) for one in record.decisions],
    )


def _decided(one: RecordedDecision) -> pb.DecisionRecord:
    return pb.DecisionRecord(
        name=one.decision,
        status=STATUS[Status(one.status)],
        outcomes=[_outcome(outcome) for outcome in one.outcomes],
        rule_ids=one.rules,
        assumption_ids=one.assumptions,
    )


def _outcome(one: RecordedOutcome) -> pb.OutcomeRecord:
    return pb.OutcomeRecord(name=one.name, status=STATUS[Status(one.status)], value=_value(one.value))


def _value(plain: Any) -> decision_pb2.OutcomeValue | None:
    if plain is None:
        return None
    return value(tuple(plain) if isinstance(plain, list) else plain)
