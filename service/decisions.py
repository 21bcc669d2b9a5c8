"""The service for ticketing systems: a ticket in, a decision out.

Every method is short: it reads the ticket, asks the engine, and writes the answer. It waits for nothing but its record in
the decision log, where there is one.
"""

# ruff: noqa: N802 - gRPC names methods as the proto files do

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar, cast

import grpc
from google.protobuf.message import Message

from engine.answer import Answer, WrongFact
from engine.change import Rescheduled
from engine.decisionlog.record import Kind
from engine.version import Version
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1 import outcomes_pb2
from guidepost.v1.decision_pb2 import Decision
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceServicer
from service import wire
from service.answering import Answering, Choice, OneTicket, Question
from service.batches import Batches
from service.errors import answered, streaming
from service.held import Held
from service.log.calls import Call, read_call
from service.log.keeper import Given, Keeper

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


class TicketRequest(Choice, OneTicket, Protocol):
    """What the requests for one ticket have in common."""


class Decisions(DecisionServiceServicer):  # type: ignore[misc]
    """Answers DecisionService from the bundle that is held; the clock chooses the version in force."""

    def __init__(self, held: Held, clock: Callable[[], datetime], keeper: Keeper | None = None) -> None:
        self._answering = Answering(held, clock, keeper)
        self._batches = Batches(self._answering, self._triaged)
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

    @answered
    async def TriageBatch(self, request: pb.TriageBatchRequest, context: Context) -> pb.TriageBatchResponse:
        """Make all decisions for many tickets."""
        return await self._batches.batch(request, self._call(context).caller)

    @streaming
    async def TriageStream(self, requests: AsyncIterator[pb.TriageStreamRequest], context: Context) -> AsyncIterator[pb.TriageStreamResponse]:
        """Make all decisions for tickets as they come."""
        async for response in self._batches.stream(requests, self._call(context).caller):
            yield response

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
        chosen = self._answering.choose(request)
        step = self._answering.step(question, request, chosen, self._call(context), wrong)
        return write(*await self._answering.kept(step))

    def _call(self, context: Context) -> Call:
        """Read what the call says of itself, for the log."""
        return read_call(context.invocation_metadata() or ()) if self._answering.records else Call()

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
