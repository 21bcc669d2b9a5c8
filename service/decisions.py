"""The service for ticketing systems: a ticket in, a decision out.

Every method is short: it reads the ticket, asks the engine, and writes the answer. It waits for nothing but its record in
the decision log, where there is one.
"""

# ruff: noqa: N802 - gRPC names methods as the proto files do

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar, cast

import grpc
from google.protobuf.message import Message

from engine.answer import Answer, UnknownVersion, WrongFact, WrongRequest
from engine.change import Rescheduled, reschedule
from engine.decide import decide, triage
from engine.decisionlog.record import Kind, Record, Recordable, instant
from engine.decisionlog.texts import whole
from engine.moment import Moment
from engine.version import Version
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1 import outcomes_pb2
from guidepost.v1.decision_pb2 import Decision
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceServicer
from guidepost.v1.ticket_pb2 import Ticket
from guidepost.v1.version_pb2 import VersionSelector
from service import wire
from service.errors import answered
from service.held import Held
from service.log.calls import read_call
from service.log.keeper import Asked, Given, Keeper, RecordedOtherwise, RequestIdUsed

Result = TypeVar("Result")
Written = TypeVar("Written", bound=Message)

KINDS: Final[dict[str, type[Message]]] = {
    "priority": outcomes_pb2.PriorityDecision,
    "response": outcomes_pb2.ResponseDecision,
    "channel": outcomes_pb2.ChannelDecision,
    "scope": outcomes_pb2.ScopeDecision,
    "coverage": outcomes_pb2.CoverageDecision,
    "escalation": outcomes_pb2.EscalationDecision,
    "intake": outcomes_pb2.IntakeDecision,
    "lifecycle": outcomes_pb2.LifecycleDecision,
}
"""The decisions that have a message and an RPC of their own."""

MAX_KEPT: Final = 10_000
"""How many written decisions are kept: writing one anew takes many times as long as copying it."""


Answers = tuple[Answer, ...]
Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """What a call asks: all decisions of a new ticket, one by name, or how deadlines move from what the facts were ``before``."""

    kind: Kind
    decision: str = ""
    before: Mapping[str, object] | None = None

    def answer(self, version: Version, facts: Mapping[str, object], moment: Moment) -> Given:
        """Answer it under a version."""
        if self.kind is Kind.TRIAGE:
            return triage(version, facts, moment)
        if self.kind is Kind.DECIDE:
            return (decide(version, self.decision, facts, moment),)
        return reschedule(version, facts, self.before or {}, moment)


class TicketRequest(Protocol):
    """What the requests of all RPCs have in common."""

    @property
    def ticket(self) -> Ticket:
        """What is known of the ticket."""

    @property
    def version(self) -> VersionSelector:
        """Which version is to decide."""


class Decisions(DecisionServiceServicer):  # type: ignore[misc]
    """Answers DecisionService from the bundle that is held; the clock chooses the version in force."""

    def __init__(self, held: Held, clock: Callable[[], datetime], keeper: Keeper | None = None) -> None:
        self._held, self._clock, self._keeper = held, clock, keeper
        self._kept: dict[tuple[type[Message], str], Message] = {}

    @answered
    async def Triage(self, request: pb.TriageRequest, context: Context) -> pb.TriageResponse:
        """Make all decisions that a new ticket needs."""
        return await self._answer(Question(Kind.TRIAGE), request, context, self._triaged)

    @answered
    async def DecidePriority(self, request: pb.DecidePriorityRequest, context: Context) -> pb.DecidePriorityResponse:
        """Decide the priority."""
        decided = await self._decided("priority", request, context, outcomes_pb2.PriorityDecision)
        return pb.DecidePriorityResponse(priority=decided)

    @answered
    async def DecideResponseTarget(self, request: pb.DecideResponseTargetRequest, context: Context) -> pb.DecideResponseTargetResponse:
        """Decide within which time work must begin."""
        decided = await self._decided("response", request, context, outcomes_pb2.ResponseDecision)
        return pb.DecideResponseTargetResponse(response=decided)

    @answered
    async def AdviseChannel(self, request: pb.AdviseChannelRequest, context: Context) -> pb.AdviseChannelResponse:
        """Advise whether to call or to write."""
        decided = await self._decided("channel", request, context, outcomes_pb2.ChannelDecision)
        return pb.AdviseChannelResponse(channel=decided)

    @answered
    async def DecideScope(self, request: pb.DecideScopeRequest, context: Context) -> pb.DecideScopeResponse:
        """Decide whether support covers the service."""
        decided = await self._decided("scope", request, context, outcomes_pb2.ScopeDecision)
        return pb.DecideScopeResponse(scope=decided)

    @answered
    async def DecideCoverage(self, request: pb.DecideCoverageRequest, context: Context) -> pb.DecideCoverageResponse:
        """Decide in which language and by which centre support is given."""
        decided = await self._decided("coverage", request, context, outcomes_pb2.CoverageDecision)
        return pb.DecideCoverageResponse(coverage=decided)

    @answered
    async def DecideEscalation(self, request: pb.DecideEscalationRequest, context: Context) -> pb.DecideEscalationResponse:
        """Decide whether a case can be escalated to the vendor."""
        decided = await self._decided("escalation", request, context, outcomes_pb2.EscalationDecision)
        return pb.DecideEscalationResponse(escalation=decided)

    @answered
    async def CheckIntake(self, request: pb.CheckIntakeRequest, context: Context) -> pb.CheckIntakeResponse:
        """Check whether a case has all it needs to be raised."""
        decided = await self._decided("intake", request, context, outcomes_pb2.IntakeDecision)
        return pb.CheckIntakeResponse(intake=decided)

    @answered
    async def DecideLifecycle(self, request: pb.DecideLifecycleRequest, context: Context) -> pb.DecideLifecycleResponse:
        """Decide what happens to a case now."""
        decided = await self._decided("lifecycle", request, context, outcomes_pb2.LifecycleDecision)
        return pb.DecideLifecycleResponse(lifecycle=decided)

    @answered
    async def Decide(self, request: pb.DecideRequest, context: Context) -> pb.DecideResponse:
        """Make any decision, by name."""
        return pb.DecideResponse(decision=await self._decided(request.decision, request, context, Decision))

    @answered
    async def Reschedule(self, request: pb.RescheduleRequest, context: Context) -> pb.RescheduleResponse:
        """Tell how a change of facts moves the deadlines."""
        was, wrong = wire.facts(request.before)
        wrong = tuple(replace(one, fact=f"before.{one.fact}") for one in wrong)
        question = Question(Kind.RESCHEDULE, before={**dict.fromkeys(request.unknown_before), **was})
        return await self._answer(question, request, context, lambda _, made: wire.rescheduled(cast("Rescheduled", made)), wrong)

    async def _decided(self, decision: str, request: TicketRequest, context: Context, kind: type[Written]) -> Written:
        """Make a decision, and write it as a message of a kind."""
        return await self._answer(Question(Kind.DECIDE, decision), request, context, lambda _, answers: self._written(kind, cast("Answers", answers)[0]))

    def _triaged(self, version: Version, answers: Given) -> pb.TriageResponse:
        """Write the decisions that a new ticket needs."""
        response = pb.TriageResponse(version=wire.version_ref(version.ref), notice=wire.notice(version.policy.manifest.notice))
        for answer in cast("Answers", answers):
            kind = KINDS.get(answer.decision)
            if kind is None:
                response.others.append(self._written(Decision, answer))
            else:
                getattr(response, answer.decision).CopyFrom(self._written(kind, answer))
        return response

    async def _answer(
        self, question: Question, request: TicketRequest, context: Context, write: Callable[[Version, Given], Written], wrong: tuple[WrongFact, ...] = (),
    ) -> Written:
        """Answer a question, once it is recorded; with no log, at once. ``wrong`` is what is known to be wrong with the request already."""
        received = self._clock()
        version, now = self._asked(request, received)
        facts, moment, given = read_and(request.ticket, now, lambda facts, moment: (facts, moment, question.answer(version, facts, moment)), wrong)
        keeper = self._keeper
        if keeper is None:
            return write(version, given)
        asked = Asked(read_call(context.invocation_metadata() or ()), question.kind, facts, moment, question.before)
        kept = await keeper.keep(keeper.record(received, asked, version, given))
        if kept.fresh:
            return write(version, given)
        return write(*self._again(question, request, asked, version, kept.record, keeper))

    def _again(self, question: Question, request: TicketRequest, asked: Asked, selected: Version, kept: Recordable, keeper: Keeper) -> tuple[Version, Given]:
        """Answer a call that is recorded already as it was answered then."""
        earlier = whole(kept)
        try:
            version = self._held.bundle.select(digest=earlier.version.digest, now=instant(earlier.now))
        except UnknownVersion:
            raise RecordedOtherwise(f"record {earlier.id} was decided under version {earlier.version.version}, which this server does not have") from None
        if not (keeper.same_request(earlier, asked, version, question.decision) and _same_choice(request, selected, asked.moment, earlier)):
            raise RequestIdUsed(f"the request id `{earlier.request_id}` was used for another request: record {earlier.id}")
        given = question.answer(version, asked.facts, replace(asked.moment, now=instant(earlier.now)))
        if keeper.said(asked, version, given) != (earlier.decisions, earlier.change):
            raise RecordedOtherwise(f"record {earlier.id} was decided by another release of the program, which answered otherwise")
        return version, given

    def _written(self, kind: type[Written], answer: Answer) -> Written:
        """Write an answer, or give what was written before; whoever gets it copies it and never changes it."""
        if answer.undated:
            dated = kind()
            dated.CopyFrom(cast("Written", self._kept_or_written(kind, answer.undated, answer, wire.undated)))
            wire.date(dated, answer)
            return dated
        return cast("Written", self._kept_or_written(kind, answer.id, answer, lambda same: same))

    def _kept_or_written(self, kind: type[Message], name: str, answer: Answer, shown: Callable[[Answer], Answer]) -> Message:
        """Give the message that is kept under a name; write it of what is shown of an answer, if there is none."""
        kept = self._kept.get((kind, name))
        if kept is None:
            kept = wire.decision(shown(answer)) if kind is Decision else wire.typed(kind, shown(answer))
            # What holds a caller's own words, or instants, is seldom met again.
            if not answer.unlisted and answer.undated != "":
                if len(self._kept) >= MAX_KEPT:
                    self._kept.clear()
                self._kept[kind, name] = kept
        return kept

    def _asked(self, request: TicketRequest, received: datetime) -> tuple[Version, datetime]:
        """Give the version asked for, or the one in force, and the instant of the request: the one it was received at, unless it says another."""
        now = wire.now(cast("Message", request), received)
        return self._held.bundle.select(**wire.selection(request.version), now=now), now


def _same_choice(request: TicketRequest, selected: Version, moment: Moment, earlier: Record) -> bool:
    """Tell whether a repeated call, where it says so itself, asks for the instant and the version of the record."""
    now_alike = not cast("Message", request).HasField("now") or moment.now == instant(earlier.now)
    return now_alike and (request.version.WhichOneof("by") is None or selected.ref.digest == earlier.version.digest)


def read_and(ticket: Ticket, now: datetime, answer: Callable[[dict[str, object], Moment], Result], wrong: tuple[WrongFact, ...] = ()) -> Result:
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
