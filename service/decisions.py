"""The service for ticketing systems: a ticket in, a decision out.

Every method is plain and short: it reads the ticket, asks the engine, writes the answer. None waits for anything.
"""

# ruff: noqa: N802 - gRPC names methods as the proto files do

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol, TypeVar, cast

from google.protobuf.message import Message

from engine.answer import Answer, WrongRequest
from engine.bundle import Bundle
from engine.change import reschedule
from engine.decide import decide, triage
from engine.moment import Moment
from engine.version import Version
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1 import outcomes_pb2
from guidepost.v1.decision_pb2 import Decision
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceServicer
from guidepost.v1.ticket_pb2 import Ticket
from guidepost.v1.version_pb2 import VersionSelector
from service import wire
from service.errors import served

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


class TicketRequest(Protocol):
    """What the requests of all RPCs have in common."""

    @property
    def ticket(self) -> Ticket:
        """What is known of the ticket."""

    @property
    def version(self) -> VersionSelector:
        """Which version is to decide."""


class Decisions(DecisionServiceServicer):  # type: ignore[misc]
    """Answers DecisionService from a bundle of versions; the clock chooses the version in force."""

    def __init__(self, bundle: Bundle, clock: Callable[[], datetime]) -> None:
        self._bundle, self._clock = bundle, clock
        self._kept: dict[tuple[type[Message], str], Message] = {}

    @served
    def Triage(self, request: pb.TriageRequest) -> pb.TriageResponse:
        """Make all decisions that a new ticket needs."""
        version, moment = self._asked(request)
        notice = wire.notice(version.policy.manifest.notice)
        response = pb.TriageResponse(version=wire.version_ref(version.ref), notice=notice)
        for answer in read_and(request.ticket, moment, lambda facts, moment: triage(version, facts, moment)):
            kind = KINDS.get(answer.decision)
            if kind is None:
                response.others.append(self._written(Decision, answer))
            else:
                getattr(response, answer.decision).CopyFrom(self._written(kind, answer))
        return response

    @served
    def DecidePriority(self, request: pb.DecidePriorityRequest) -> pb.DecidePriorityResponse:
        """Decide the priority."""
        decided = self._decided("priority", request, outcomes_pb2.PriorityDecision)
        return pb.DecidePriorityResponse(priority=decided)

    @served
    def DecideResponseTarget(self, request: pb.DecideResponseTargetRequest) -> pb.DecideResponseTargetResponse:
        """Decide within which time work must begin."""
        decided = self._decided("response", request, outcomes_pb2.ResponseDecision)
        return pb.DecideResponseTargetResponse(response=decided)

    @served
    def AdviseChannel(self, request: pb.AdviseChannelRequest) -> pb.AdviseChannelResponse:
        """Advise whether to call or to write."""
        decided = self._decided("channel", request, outcomes_pb2.ChannelDecision)
        return pb.AdviseChannelResponse(channel=decided)

    @served
    def DecideScope(self, request: pb.DecideScopeRequest) -> pb.DecideScopeResponse:
        """Decide whether support covers the service."""
        decided = self._decided("scope", request, outcomes_pb2.ScopeDecision)
        return pb.DecideScopeResponse(scope=decided)

    @served
    def DecideCoverage(self, request: pb.DecideCoverageRequest) -> pb.DecideCoverageResponse:
        """Decide in which language and by which centre support is given."""
        decided = self._decided("coverage", request, outcomes_pb2.CoverageDecision)
        return pb.DecideCoverageResponse(coverage=decided)

    @served
    def DecideEscalation(self, request: pb.DecideEscalationRequest) -> pb.DecideEscalationResponse:
        """Decide whether a case can be escalated to the vendor."""
        decided = self._decided("escalation", request, outcomes_pb2.EscalationDecision)
        return pb.DecideEscalationResponse(escalation=decided)

    @served
    def CheckIntake(self, request: pb.CheckIntakeRequest) -> pb.CheckIntakeResponse:
        """Check whether a case has all it needs to be raised."""
        decided = self._decided("intake", request, outcomes_pb2.IntakeDecision)
        return pb.CheckIntakeResponse(intake=decided)

    @served
    def DecideLifecycle(self, request: pb.DecideLifecycleRequest) -> pb.DecideLifecycleResponse:
        """Decide what happens to a case now."""
        decided = self._decided("lifecycle", request, outcomes_pb2.LifecycleDecision)
        return pb.DecideLifecycleResponse(lifecycle=decided)

    @served
    def Decide(self, request: pb.DecideRequest) -> pb.DecideResponse:
        """Make any decision, by name."""
        return pb.DecideResponse(decision=self._decided(request.decision, request, Decision))

    @served
    def Reschedule(self, request: pb.RescheduleRequest) -> pb.RescheduleResponse:
        """Tell how a change of facts moves the deadlines."""
        version, moment = self._asked(request)
        was, wrong = wire.facts(request.before)
        if wrong:
            raise WrongRequest(tuple(replace(one, fact=f"before.{one.fact}") for one in wrong))
        before = {**dict.fromkeys(request.unknown_before), **was}
        return wire.rescheduled(read_and(request.ticket, moment, lambda facts, moment: reschedule(version, facts, before, moment)))

    def _decided(self, decision: str, request: TicketRequest, kind: type[Written]) -> Written:
        """Make a decision, and write it as a message of a kind."""
        version, moment = self._asked(request)
        return self._written(kind, read_and(request.ticket, moment, lambda facts, moment: decide(version, decision, facts, moment)))

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

    def _asked(self, request: TicketRequest) -> tuple[Version, datetime]:
        """Give the version asked for, or the one in force, and the instant of the request."""
        now = wire.now(cast("Message", request), self._clock())
        return self._bundle.select(**wire.selection(request.version), now=now), now


def read_and(ticket: Ticket, now: datetime, answer: Callable[[dict[str, object], Moment], Result]) -> Result:
    """Answer from a ticket's facts; name the facts that cannot be read together with those that the policy refuses."""
    facts, wrong = wire.facts(ticket)
    moment, wrong_holds = wire.moment(ticket, now) if ticket.pauses else (Moment(now), ())
    wrong += wrong_holds
    try:
        result = answer(facts, moment)
    except WrongRequest as error:
        raise WrongRequest(wrong + error.wrong) from None
    if wrong:
        raise WrongRequest(wrong)
    return result
