"""Evaluates a request: selects the version, decides, and records the answer.

Calls for one ticket and for many share this; encoding the answers is left to the services.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, cast

from google.protobuf.message import Message

from engine.decide.decider import Decider
from engine.decide.reschedule import reschedule
from engine.model.answer import UnknownVersion, WrongFact, WrongRequest
from engine.records.canonical_json import whole
from engine.records.record import Record, Recordable, RecordKind, instant
from engine.request.moment import Moment
from engine.version.version import Version
from guidepost.decision_log.append import Appended
from guidepost.decision_log.call_metadata import CallMetadata
from guidepost.decision_log.commit_thread import LogUnavailable
from guidepost.decision_log.recorder import Answers, Recorder, RecordRequest, ReplayMismatch, RequestIdReused
from guidepost.server import wire
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.server.rpc.observation_interceptor import note_answer
from guidepost.v1.ticket_pb2 import Ticket
from guidepost.v1.version_pb2 import VersionSelector


@dataclass(frozen=True, slots=True)
class Query:
    """What a call asks for: all decisions of a new ticket, one decision, or a reschedule.

    ``before`` has the earlier facts of a reschedule.
    """

    kind: RecordKind
    decision: str = ""
    before: Mapping[str, object] | None = None

    def answer(self, decider: Decider, facts: Mapping[str, object], moment: Moment) -> Answers:
        """Return the answer of a decider."""
        if self.kind is RecordKind.TRIAGE:
            return decider.triage(facts, moment)
        if self.kind is RecordKind.DECIDE:
            return (decider.decide(self.decision, facts, moment),)
        return reschedule(decider, facts, self.before or {}, moment)


class VersionedRequest(Protocol):
    """A request with the fields ``version`` and ``now``, for one ticket or for many."""

    @property
    def version(self) -> VersionSelector:
        """The version that decides."""


class TicketRequest(Protocol):
    """A request for one ticket, or one ticket of a request for many."""

    @property
    def ticket(self) -> Ticket:
        """The ticket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The decider that a request selects, with the instants when it was received and at which it is decided."""

    request: VersionedRequest
    decider: Decider
    received: datetime
    now: datetime

    @property
    def version(self) -> Version:
        """The version that decides."""
        return self.decider.version


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """An answer that is not yet recorded. ``record`` is None if the server keeps no log."""

    query: Query
    selection: Selection
    request: RecordRequest
    answers: Answers
    record: Recordable | None


class Evaluator:
    """Evaluates requests with the live bundle, and records the answers; the clock selects the version in force."""

    def __init__(self, live: LiveBundle, clock: Callable[[], datetime], recorder: Recorder | None) -> None:
        self._live, self._clock, self._recorder = live, clock, recorder

    @property
    def records(self) -> bool:
        """Whether answers are recorded."""
        return self._recorder is not None

    def select(self, request: VersionedRequest) -> Selection:
        """Return the version that a request names, or the one in force, and the instant of the request.

        The instant is the field ``now``, or else when the request was received.
        """
        received = self._clock()
        now = wire.now(cast("Message", request), received)
        return Selection(
            request=request,
            decider=self._live.deciders.select(**wire.selection(request.version), now=now),
            received=received,
            now=now,
        )

    def evaluate(
        self,
        query: Query,
        request: TicketRequest,
        selection: Selection,
        call: CallMetadata,
        wrong: tuple[WrongFact, ...] = (),
    ) -> Evaluation:
        """Return the evaluation of a ticket; raises WrongRequest. ``wrong`` are facts already known to be wrong."""
        facts, moment, unread = read_ticket(request.ticket, selection.now)
        wrong += unread
        try:
            answers = query.answer(selection.decider, facts, moment)
        except WrongRequest as error:
            raise WrongRequest(wrong + error.wrong) from None
        if wrong:
            raise WrongRequest(wrong)
        recorded = RecordRequest(call=call, kind=query.kind, facts=facts, moment=moment, before=query.before)
        return Evaluation(
            query=query,
            selection=selection,
            request=recorded,
            answers=answers,
            record=None
            if self._recorder is None
            else self._recorder.record(selection.received, recorded, selection.version, answers),
        )

    async def record(self, evaluation: Evaluation, remaining: float | None) -> tuple[Version, Answers]:
        """Record an evaluation, and return the answer to send.

        For a repeated request id, it is the recorded answer. ``remaining`` is the number of seconds until the deadline
        of the call; None if it has none.

        Raises:
            LogUnavailable: the answer cannot be recorded in time.
            RequestIdReused: the request id belongs to another request.
            ReplayMismatch: the recorded answer cannot be reproduced.
        """
        if self._recorder is None or evaluation.record is None:
            return _observed(evaluation, evaluation.selection.version, evaluation.answers)
        return self._answer(evaluation, await self._recorder.append(evaluation.record, remaining))

    async def record_all(
        self, evaluations: Sequence[Evaluation], remaining: float | None
    ) -> list[tuple[Version, Answers] | Exception]:
        """Record evaluations together. Each result is an answer, or the error that ``record`` would raise."""
        if self._recorder is None:
            return [_observed(one, one.selection.version, one.answers) for one in evaluations]
        records = [one.record for one in evaluations if one.record is not None]
        appended = await self._recorder.append_all(records, remaining)
        return [self._answer_or_error(*pair) for pair in zip(evaluations, appended, strict=True)]

    def _answer_or_error(
        self, evaluation: Evaluation, appended: Appended | LogUnavailable
    ) -> tuple[Version, Answers] | Exception:
        if isinstance(appended, LogUnavailable):
            return appended
        try:
            return self._answer(evaluation, appended)
        except (RequestIdReused, ReplayMismatch) as error:
            return error

    def _answer(self, evaluation: Evaluation, appended: Appended) -> tuple[Version, Answers]:
        if appended.fresh:
            version, answers = evaluation.selection.version, evaluation.answers
        else:
            version, answers = self._reproduce(evaluation, appended.record)
        return _observed(evaluation, version, answers, appended.record.id)

    def _reproduce(self, evaluation: Evaluation, record: Recordable) -> tuple[Version, Answers]:
        """Return the answer that was recorded for the request id of an evaluation."""
        if self._recorder is None:
            raise AssertionError("a record exists although nothing is recorded")
        earlier, query, request = whole(record), evaluation.query, evaluation.request
        try:
            decider = self._live.deciders.select(digest=earlier.version.digest, now=instant(earlier.now))
        except UnknownVersion:
            raise ReplayMismatch(
                f"record {earlier.id} was decided under version {earlier.version.version}, "
                "which this server does not have"
            ) from None
        if not (
            self._recorder.same_request(earlier, request, decider.version, query.decision)
            and _selects_the_same(evaluation.selection, earlier)
        ):
            raise RequestIdReused(
                f"the request id `{earlier.request_id}` was used for another request: record {earlier.id}"
            )
        answers = query.answer(decider, request.facts, replace(request.moment, now=instant(earlier.now)))
        if self._recorder.recorded(request, decider.version, answers) != (earlier.decisions, earlier.change):
            raise ReplayMismatch(
                f"record {earlier.id} was decided by another release of the program, whose answer differs"
            )
        return decider.version, answers


def _observed(evaluation: Evaluation, version: Version, answers: Answers, record: str = "") -> tuple[Version, Answers]:
    """Pass an answer to the observers of the call, and return it."""
    note_answer(version, answers, evaluation.request.call.caller, record)
    return version, answers


def _selects_the_same(selection: Selection, earlier: Record) -> bool:
    """Return whether the instant and version that a repeated request names, if any, are those of the record."""
    request = selection.request
    same_now = not cast("Message", request).HasField("now") or selection.now == instant(earlier.now)
    return same_now and (
        request.version.WhichOneof("by") is None or selection.version.ref.digest == earlier.version.digest
    )


def read_ticket(ticket: Ticket, now: datetime) -> tuple[dict[str, object], Moment, tuple[WrongFact, ...]]:
    """Return the facts and the moment of a ticket, and the facts that cannot be read."""
    facts, unread = wire.facts(ticket)
    moment, wrong_holds = wire.moment(ticket, now) if ticket.pauses else (Moment(now), ())
    return facts, moment, unread + wrong_holds
