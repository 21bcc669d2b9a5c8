"""DecisionService, for ticketing systems: a ticket in, decisions out.

Every method reads the ticket, asks the engine, and encodes the answer. It waits for nothing but its record in the
decision log, if there is one.
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
from engine.model.answer import Answer, WrongFact
from engine.records.record import RecordKind
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
from guidepost.server.wire.protobuf_bytes import sized, tag
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1 import outcomes_pb2
from guidepost.v1.decision_pb2 import Decision
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceServicer

Encoded = TypeVar("Encoded", bound=Message | bytes)

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
"""The decisions with a message and an RPC of their own."""

CACHE_SIZE: Final = 1_500
"""Number of encoded decisions in a cache; to encode one takes many times as long as to copy it."""

_TRIAGE: Final = pb.TriageResponse.DESCRIPTOR.fields_by_name
VERSION, NOTICE = _TRIAGE["version"].number, _TRIAGE["notice"].number
FIELDS: Final = {name: (_TRIAGE[name].number, tag(_TRIAGE[name].number), kind) for name, kind in KINDS.items()}
OTHERS: Final = (_TRIAGE["others"].number, tag(_TRIAGE["others"].number), Decision)
DECISION: Final = tag(1)
"""The tag of the field that every response with one decision has."""


Key = tuple[bytes, type[Message], str]
"""The key of an encoded answer: its tag, message type, and id, or the id shared with answers at other instants."""


class DecideRequest(VersionedRequest, TicketRequest, Protocol):
    """A request for one ticket."""


class DecisionService(DecisionServiceServicer):  # type: ignore[misc]
    """Answers DecisionService from the live bundle; the clock selects the version in force."""

    def __init__(
        self,
        live: LiveBundle,
        clock: Callable[[], datetime],
        recorder: Recorder | None = None,
        batch: int = MOST_TICKETS,
    ) -> None:
        self._evaluator = Evaluator(live, clock, recorder)
        self._batches = BatchEvaluator(self._evaluator, self._encode_triage, batch)
        self._encoded: Cache[Key, bytes] = Cache(CACHE_SIZE)
        self._templates: Cache[Key, wire.EncodedAnswer] = Cache(CACHE_SIZE)
        self._versions: Cache[str, tuple[bytes, bytes]] = Cache(CACHE_SIZE)

    @unary
    async def Triage(self, request: pb.TriageRequest, context: Context) -> bytes:
        """Make all decisions that a new ticket needs."""
        return await self._answer(Query(RecordKind.TRIAGE), request, context, self._encode_triage)

    @unary
    async def DecidePriority(self, request: pb.DecidePriorityRequest, context: Context) -> bytes:
        """Decide the priority."""
        return await self._decide("priority", request, context, outcomes_pb2.PriorityDecision)

    @unary
    async def DecideResponseTarget(self, request: pb.DecideResponseTargetRequest, context: Context) -> bytes:
        """Decide the time within which work must begin."""
        return await self._decide("response", request, context, outcomes_pb2.ResponseDecision)

    @unary
    async def AdviseChannel(self, request: pb.AdviseChannelRequest, context: Context) -> bytes:
        """Advise whether to call or to write."""
        return await self._decide("channel", request, context, outcomes_pb2.ChannelDecision)

    @unary
    async def DecideScope(self, request: pb.DecideScopeRequest, context: Context) -> bytes:
        """Decide whether support covers the service."""
        return await self._decide("scope", request, context, outcomes_pb2.ScopeDecision)

    @unary
    async def DecideCoverage(self, request: pb.DecideCoverageRequest, context: Context) -> bytes:
        """Decide the language and the centre of support."""
        return await self._decide("coverage", request, context, outcomes_pb2.CoverageDecision)

    @unary
    async def DecideEscalation(self, request: pb.DecideEscalationRequest, context: Context) -> bytes:
        """Decide whether a case can be escalated to the vendor."""
        return await self._decide("escalation", request, context, outcomes_pb2.EscalationDecision)

    @unary
    async def CheckIntake(self, request: pb.CheckIntakeRequest, context: Context) -> bytes:
        """Check whether a case has everything that it needs to be raised."""
        return await self._decide("intake", request, context, outcomes_pb2.IntakeDecision)

    @unary
    async def DecideLifecycle(self, request: pb.DecideLifecycleRequest, context: Context) -> bytes:
        """Decide the next step of a case."""
        return await self._decide("lifecycle", request, context, outcomes_pb2.LifecycleDecision)

    @unary
    async def Decide(self, request: pb.DecideRequest, context: Context) -> bytes:
        """Make any decision, by name."""
        return await self._decide(request.decision, request, context, Decision)

    @unary
    async def Reschedule(self, request: pb.RescheduleRequest, context: Context) -> pb.RescheduleResponse:
        """Return how a change of facts moves the deadlines."""
        before, wrong = wire.facts(request.before)
        wrong = tuple(replace(one, fact=f"before.{one.fact}") for one in wrong)
        query = Query(RecordKind.RESCHEDULE, before={**dict.fromkeys(request.unknown_before), **before})
        return await self._answer(
            query, request, context, lambda _, change: wire.rescheduled(cast("Rescheduled", change)), wrong
        )

    @unary
    async def TriageBatch(self, request: pb.TriageBatchRequest, context: Context) -> bytes:
        """Make all decisions for many tickets."""
        return await self._batches.batch(request, self._call(context).caller, context.time_remaining)

    @streaming
    async def TriageStream(
        self, requests: AsyncIterator[pb.TriageStreamRequest], context: Context
    ) -> AsyncIterator[bytes]:
        """Make all decisions for a stream of tickets."""
        async for response in self._batches.stream(requests, self._call(context).caller, context.time_remaining):
            yield response

    async def _decide(self, decision: str, request: DecideRequest, context: Context, kind: type[Message]) -> bytes:
        """Make a decision, and encode it as the only field of a response."""
        return await self._answer(
            Query(RecordKind.DECIDE, decision),
            request,
            context,
            lambda _, answers: self._field(DECISION, kind, cast("tuple[Answer, ...]", answers)[0]),
        )

    def _encode_triage(self, version: Version, answers: Answers) -> bytes:
        """Encode the decisions for a new ticket."""
        parts = [b""] * (NOTICE + 1)
        parts[VERSION], parts[NOTICE] = self._version_and_notice(version)
        for answer in cast("tuple[Answer, ...]", answers):
            field, before, kind = FIELDS.get(answer.decision, OTHERS)
            parts[field] += self._field(before, kind, answer)
        return b"".join(parts)

    def _version_and_notice(self, version: Version) -> tuple[bytes, bytes]:
        """Encode the fields before and after the decisions, which are the same for all answers of a version."""
        found = self._versions.get(version.digest)
        if found is None:
            notice = wire.notice(version.policy.manifest.notice)
            found = self._versions.put(
                version.digest,
                (
                    pb.TriageResponse(version=wire.version_ref(version.ref)).SerializeToString(),
                    b"" if notice is None else pb.TriageResponse(notice=notice).SerializeToString(),
                ),
            )
        return found

    async def _answer(
        self,
        query: Query,
        request: DecideRequest,
        context: Context,
        encode: Callable[[Version, Answers], Encoded],
        wrong: tuple[WrongFact, ...] = (),
    ) -> Encoded:
        """Return the encoded answer, once it is recorded. ``wrong`` are facts already known to be wrong."""
        selection = self._evaluator.select(request)
        evaluation = self._evaluator.evaluate(query, request, selection, self._call(context), wrong)
        return encode(*await self._evaluator.record(evaluation, context.time_remaining()))

    def _call(self, context: Context) -> CallMetadata:
        """Return the metadata that the decision log records."""
        return (
            read_call_metadata(context.invocation_metadata() or (), caller_name())
            if self._evaluator.records
            else CallMetadata()
        )

    def _field(self, before: bytes, kind: type[Message], answer: Answer) -> bytes:
        """Encode an answer as a field with the tag ``before``. Parts that answers share come from a cache."""
        name = answer.undated_id
        if answer.unlisted or (answer.has_instants and name is None):
            # What holds a caller's own words, or instants among its reasons, is seldom met again.
            return sized(before, wire.encode(kind, answer))
        if name is None:
            key = (before, kind, answer.id)
            return self._encoded.get(key) or self._encoded.put(key, sized(before, wire.encode(kind, answer)))
        key = (before, kind, name)
        template = self._templates.get(key) or self._templates.put(key, wire.EncodedAnswer(kind, answer))
        return sized(before, template.fill(answer))
