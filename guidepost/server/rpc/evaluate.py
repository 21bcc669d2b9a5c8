"""How a request is answered: which version is asked for, what it decides, and what becomes of the record of it.

What the calls for one ticket and those for many have in common; nothing here knows how an answer is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar, cast

from google.protobuf.message import Message

from engine.decide.decider import Decider
from engine.decide.reschedule import reschedule
from engine.decision_log.canonical_json import whole
from engine.decision_log.record import Record, Recordable, RecordKind, instant
from engine.model.answer import UnknownVersion, WrongFact, WrongRequest
from engine.request.moment import Moment
from engine.version.version import Version
from guidepost.decision_log.append import Appended
from guidepost.decision_log.call_metadata import CallMetadata
from guidepost.decision_log.recorder import Answers, Recorder, RecordRequest, ReplayMismatch, RequestIdReused
from guidepost.decision_log.writer import LogUnavailable
from guidepost.server import wire
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.server.rpc.observation_interceptor import note_answer
from guidepost.v1.ticket_pb2 import Ticket
from guidepost.v1.version_pb2 import VersionSelector

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Query:
    """What a call asks: all decisions of a new ticket, one by name, or how deadlines move from what the facts were ``before``."""

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
    """Which version is to decide, and at which instant: what requests for one ticket and for many have in common."""

    @property
    def version(self) -> VersionSelector:
        """Which version is to decide."""


class TicketRequest(Protocol):
    """A request for one ticket, or one of several tickets of a request."""

    @property
    def ticket(self) -> Ticket:
        """What is known of the ticket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The version that decides, when the request came in, and the instant that it is decided at; ``request`` asked for them."""

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
    """A question that is answered, and not yet recorded; no record where no log is kept."""

    question: Query
    chosen: Selection
    asked: RecordRequest
    given: Answers
    record: Recordable | None


class Evaluator:
    """Answers from the bundle that is live, and records what it answers; the clock chooses the version in force."""

    def __init__(self, live: LiveBundle, clock: Callable[[], datetime], recorder: Recorder | None) -> None:
        self._live, self._clock, self._recorder = live, clock, recorder

    @property
    def records(self) -> bool:
        """Whether answers are recorded."""
        return self._recorder is not None

    def choose(self, request: VersionedRequest) -> Selection:
        """Return the version asked for, or the one in force, and the instant of the request: the one it was received at, unless it says another."""
        received = self._clock()
        now = wire.now(cast("Message", request), received)
        return Selection(
            request=request,
            decider=self._live.deciders.select(**wire.selection(request.version), now=now),
            received=received,
            now=now,
        )

    def step(
        self,
        question: Query,
        request: TicketRequest,
        chosen: Selection,
        call: CallMetadata,
        wrong: tuple[WrongFact, ...] = (),
    ) -> Evaluation:
        """Answer a question. ``wrong`` is what is known to be wrong with the request already."""
        version = chosen.version
        facts, moment, given = read_and(
            request.ticket,
            chosen.now,
            lambda facts, moment: (facts, moment, question.answer(chosen.decider, facts, moment)),
            wrong,
        )
        asked = RecordRequest(call=call, kind=question.kind, facts=facts, moment=moment, before=question.before)
        return Evaluation(
            question=question,
            chosen=chosen,
            asked=asked,
            given=given,
            record=None if self._recorder is None else self._recorder.record(chosen.received, asked, version, given),
        )

    async def kept(self, step: Evaluation, left: float | None) -> tuple[Version, Answers]:
        """Return the answer when it may leave; ``left`` is how many seconds the call has until its deadline, None if it has none.

        Raises LogUnavailable if it may not leave, and RequestIdReused or ReplayMismatch for a call that is repeated.
        """
        if self._recorder is None or step.record is None:
            return _noted(step, step.chosen.version, step.given)
        return self._settled(step, await self._recorder.append(step.record, left))

    async def all_kept(
        self, steps: Sequence[Evaluation], left: float | None
    ) -> list[tuple[Version, Answers] | Exception]:
        """Return the answers when they may leave, all of them together; in place of one that may not, why."""
        if self._recorder is None:
            return [_noted(step, step.chosen.version, step.given) for step in steps]
        kept = await self._recorder.append_all([step.record for step in steps if step.record is not None], left)
        return [self._settled_or_not(step, one) for step, one in zip(steps, kept, strict=True)]

    def _settled_or_not(self, step: Evaluation, kept: Appended | LogUnavailable) -> tuple[Version, Answers] | Exception:
        if isinstance(kept, LogUnavailable):
            return kept
        try:
            return self._settled(step, kept)
        except (RequestIdReused, ReplayMismatch) as error:
            return error

    def _settled(self, step: Evaluation, kept: Appended) -> tuple[Version, Answers]:
        version, given = (step.chosen.version, step.given) if kept.fresh else self._again(step, kept.record)
        return _noted(step, version, given, kept.record.id)

    def _again(self, step: Evaluation, kept: Recordable) -> tuple[Version, Answers]:
        """Answer a call that is recorded already as it was answered then."""
        if self._recorder is None:
            raise AssertionError("a record exists although nothing is recorded")
        earlier, question, asked = whole(kept), step.question, step.asked
        try:
            decider = self._live.deciders.select(digest=earlier.version.digest, now=instant(earlier.now))
        except UnknownVersion:
            raise ReplayMismatch(
                f"record {earlier.id} was decided under version {earlier.version.version}, which this server does not have"
            ) from None
        if not (
            self._recorder.same_request(earlier, asked, decider.version, question.decision)
            and _same_choice(step.chosen, earlier)
        ):
            raise RequestIdReused(
                f"the request id `{earlier.request_id}` was used for another request: record {earlier.id}"
            )
        given = question.answer(decider, asked.facts, replace(asked.moment, now=instant(earlier.now)))
        if self._recorder.said(asked, decider.version, given) != (earlier.decisions, earlier.change):
            raise ReplayMismatch(
                f"record {earlier.id} was decided by another release of the program, which answered otherwise"
            )
        return decider.version, given


def _noted(step: Evaluation, version: Version, given: Answers, record: str = "") -> tuple[Version, Answers]:
    """Have whoever looks at the call know what it is answered with."""
    note_answer(version, given, step.asked.call.caller, record)
    return version, given


def _same_choice(chosen: Selection, earlier: Record) -> bool:
    """Return whether a repeated call, where it says so itself, asks for the instant and the version of the record."""
    request = chosen.request
    now_alike = not cast("Message", request).HasField("now") or chosen.now == instant(earlier.now)
    return now_alike and (
        request.version.WhichOneof("by") is None or chosen.version.ref.digest == earlier.version.digest
    )


def read_and(
    ticket: Ticket,
    now: datetime,
    answer: Callable[[dict[str, object], Moment], Result],
    wrong: tuple[WrongFact, ...] = (),
) -> Result:
    """Answer from a ticket's facts; name the facts that cannot be read together with those that the policy refuses, and those that are known to be ``wrong``."""
    facts, unread = wire.facts(ticket)
    moment, wrong_holds = wire.moment(ticket, now) if ticket.pauses else (Moment(now), ())
    wrong += unread + wrong_holds
    try:
        result = answer(facts, moment)
    except WrongRequest as error:
        raise WrongRequest(wrong + error.wrong) from None
    if wrong:
        raise WrongRequest(wrong)
    return result
