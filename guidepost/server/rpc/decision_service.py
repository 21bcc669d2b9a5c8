"""The service for ticketing systems: a ticket in, a decision out.

Every method is short: it reads the ticket, asks the engine, and writes the answer. It waits for nothing but its record in
the decision log, where there is one.
"""

# ruff: noqa: N802 - gRPC names methods as the proto files do

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol, TypeVar, cast

from google.protobuf.message import Message

from engine.cache import Cache
from engine.decide.reschedule import Rescheduled
from engine.decision_log.record import RecordKind
from engine.model.answer import Answer, WrongFact
from engine.version.version import Version
from guidepost.decision_log.call_metadata import CallMetadata, read_call_metadata
from guidepost.decision_log.recorder import Answers, Recorder
from guidepost.server import wire
from guidepost.server.auth.roles import caller_name
from guidepost.server.rpc.batch import BatchEvaluator
from guidepost.server.rpc.evaluate import Evaluator, Query, TicketRequest, VersionedRequest
from guidepost.server.rpc.limits import MOST_TICKETS
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.server.rpc.status import Context, streaming, unary
from guidepost.server.wire.fast_protobuf import sized, tag
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1 import outcomes_pb2
from guidepost.v1.decision_pb2 import Decision
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceServicer

Written = TypeVar("Written", bound=Message | bytes)

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

MAX_KEPT: Final = 1_500
"""How many encoded decisions are kept: encoding one anew takes many times as long as copying it."""

_TRIAGE: Final = pb.TriageResponse.DESCRIPTOR.fields_by_name
VERSION, NOTICE = _TRIAGE["version"].number, _TRIAGE["notice"].number
FIELDS: Final = {name: (_TRIAGE[name].number, tag(_TRIAGE[name].number), kind) for name, kind in KINDS.items()}
OTHERS: Final = (_TRIAGE["others"].number, tag(_TRIAGE["others"].number), Decision)
DECISION: Final = tag(1)
"""The field of every response to a call for one decision."""


Key = tuple[bytes, type[Message], str]
"""An encoded answer: what stands before it, the message that it is, and the id of the answer or of what it has in common with others."""


class DecideRequest(VersionedRequest, TicketRequest, Protocol):
    """What the requests for one ticket have in common."""


class DecisionService(DecisionServiceServicer):  # type: ignore[misc]
    """Answers DecisionService from the bundle that is live; the clock chooses the version in force."""

    def __init__(
        self,
        live: LiveBundle,
        clock: Callable[[], datetime],
        recorder: Recorder | None = None,
        batch: int = MOST_TICKETS,
    ) -> None:
        self._answering = Evaluator(live, clock, recorder)
        self._batches = BatchEvaluator(self._answering, self._triaged, batch)
        self._kept: Cache[Key, bytes] = Cache(MAX_KEPT)
        self._templates: Cache[Key, wire.Template] = Cache(MAX_KEPT)
        self._versions: Cache[str, tuple[bytes, bytes]] = Cache(MAX_KEPT)

    @unary
    async def Triage(self, request: pb.TriageRequest, context: Context) -> bytes:
        """Make all decisions that a new ticket needs."""
        return await self._answer(Query(RecordKind.TRIAGE), request, context, self._triaged)

    @unary
    async def DecidePriority(self, request: pb.DecidePriorityRequest, context: Context) -> bytes:
        """Decide the priority."""
        return await self._decided("priority", request, context, outcomes_pb2.PriorityDecision)

    @unary
    async def DecideResponseTarget(self, request: pb.DecideResponseTargetRequest, context: Context) -> bytes:
        """Decide within which time work must begin."""
        return await self._decided("response", request, context, outcomes_pb2.ResponseDecision)

    @unary
    async def AdviseChannel(self, request: pb.AdviseChannelRequest, context: Context) -> bytes:
        """Advise whether to call or to write."""
        return await self._decided("channel", request, context, outcomes_pb2.ChannelDecision)

    @unary
    async def DecideScope(self, request: pb.DecideScopeRequest, context: Context) -> bytes:
        """Decide whether support covers the service."""
        return await self._decided("scope", request, context, outcomes_pb2.ScopeDecision)

    @unary
    async def DecideCoverage(self, request: pb.DecideCoverageRequest, context: Context) -> bytes:
        """Decide in which language and by which centre support is given."""
        return await self._decided("coverage", request, context, outcomes_pb2.CoverageDecision)

    @unary
    async def DecideEscalation(self, request: pb.DecideEscalationRequest, context: Context) -> bytes:
        """Decide whether a case can be escalated to the vendor."""
        return await self._decided("escalation", request, context, outcomes_pb2.EscalationDecision)

    @unary
    async def CheckIntake(self, request: pb.CheckIntakeRequest, context: Context) -> bytes:
        """Check whether a case has all it needs to be raised."""
        return await self._decided("intake", request, context, outcomes_pb2.IntakeDecision)

    @unary
    async def DecideLifecycle(self, request: pb.DecideLifecycleRequest, context: Context) -> bytes:
        """Decide what happens to a case now."""
        return await self._decided("lifecycle", request, context, outcomes_pb2.LifecycleDecision)

    @unary
    async def Decide(self, request: pb.DecideRequest, context: Context) -> bytes:
        """Make any decision, by name."""
        return await self._decided(request.decision, request, context, Decision)

    @unary
    async def Reschedule(self, request: pb.RescheduleRequest, context: Context) -> pb.RescheduleResponse:
        """Return how a change of facts moves the deadlines."""
        was, wrong = wire.facts(request.before)
        wrong = tuple(replace(one, fact=f"before.{one.fact}") for one in wrong)
        question = Query(RecordKind.RESCHEDULE, before={**dict.fromkeys(request.unknown_before), **was})
        return await self._answer(
            question, request, context, lambda _, made: wire.rescheduled(cast("Rescheduled", made)), wrong
        )

    @unary
    async def TriageBatch(self, request: pb.TriageBatchRequest, context: Context) -> bytes:
        """Make all decisions for many tickets."""
        return await self._batches.batch(request, self._call(context).caller, context.time_remaining)

    @streaming
    async def TriageStream(
        self, requests: AsyncIterator[pb.TriageStreamRequest], context: Context
    ) -> AsyncIterator[bytes]:
        """Make all decisions for tickets as they come."""
        async for response in self._batches.stream(requests, self._call(context).caller, context.time_remaining):
            yield response

    async def _decided(self, decision: str, request: DecideRequest, context: Context, kind: type[Message]) -> bytes:
        """Make a decision, and encode it as the one field of a response."""
        return await self._answer(
            Query(RecordKind.DECIDE, decision),
            request,
            context,
            lambda _, answers: self._field(DECISION, kind, cast("tuple[Answer, ...]", answers)[0]),
        )

    def _triaged(self, version: Version, answers: Answers) -> bytes:
        """Encode the decisions that a new ticket needs."""
        parts = [b""] * (NOTICE + 1)
        parts[VERSION], parts[NOTICE] = self._around(version)
        for answer in cast("tuple[Answer, ...]", answers):
            field, before, kind = FIELDS.get(answer.decision, OTHERS)
            parts[field] += self._field(before, kind, answer)
        return b"".join(parts)

    def _around(self, version: Version) -> tuple[bytes, bytes]:
        """Encode what stands before and after the decisions, the same for a version."""
        kept = self._versions.get(version.digest)
        if kept is None:
            notice = wire.notice(version.policy.manifest.notice)
            kept = self._versions.keep(
                version.digest,
                (
                    pb.TriageResponse(version=wire.version_ref(version.ref)).SerializeToString(),
                    b"" if notice is None else pb.TriageResponse(notice=notice).SerializeToString(),
                ),
            )
        return kept

    async def _answer(
        self,
        question: Query,
        request: DecideRequest,
        context: Context,
        write: Callable[[Version, Answers], Written],
        wrong: tuple[WrongFact, ...] = (),
    ) -> Written:
        """Answer a question, once it is recorded; with no log, at once. ``wrong`` is what is known to be wrong with the request already."""
        chosen = self._answering.choose(request)
        step = self._answering.step(question, request, chosen, self._call(context), wrong)
        return write(*await self._answering.kept(step, context.time_remaining()))

    def _call(self, context: Context) -> CallMetadata:
        """Read what the call says of itself, for the log."""
        return (
            read_call_metadata(context.invocation_metadata() or (), caller_name())
            if self._answering.records
            else CallMetadata()
        )

    def _field(self, before: bytes, kind: type[Message], answer: Answer) -> bytes:
        """Encode an answer as a field, with what stands ``before`` it; what is the same for others is encoded once, and kept."""
        name = answer.undated_id
        if answer.unlisted or (answer.has_instants and name is None):
            # What holds a caller's own words, or instants among its reasons, is seldom met again.
            return sized(before, wire.encode(kind, answer))
        if name is None:
            key = (before, kind, answer.id)
            return self._kept.get(key) or self._kept.keep(key, sized(before, wire.encode(kind, answer)))
        key = (before, kind, name)
        template = self._templates.get(key) or self._templates.keep(key, wire.Template(kind, answer))
        return sized(before, template.fill(answer))
