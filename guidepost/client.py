"""Call a Guidepost server: plain Python facts in, wire messages out; synchronous and asyncio.

Every call has a deadline. Decisions are repeated when a server is going away, which is safe: deciding changes nothing.
"""

# ruff: noqa: ASYNC109 - a deadline travels with a gRPC call; a local timeout would not tell the server

from __future__ import annotations

import json
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

import grpc
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from guidepost.audit import AsyncAudit, Audit
from guidepost.requests import FactInput, Facts, Pauses, call_metadata, decide_request, diff_request, reschedule_request, selector, triage_request
from guidepost.v1.decision_pb2 import Decision
from guidepost.v1.decision_service_pb2 import DecideResponse, RescheduleResponse, TriageResponse
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from guidepost.v1.diff_pb2 import DecisionDiff, DiffSummary
from guidepost.v1.policy_service_pb2 import GetVersionRequest, ListVersionsRequest, ListVersionsResponse, PolicyVersion
from guidepost.v1.policy_service_pb2_grpc import PolicyServiceStub

TIMEOUT: Final = 2.0
"""Seconds that a call may take, unless it is told otherwise."""

DIFF_TIMEOUT: Final = 60.0
"""Seconds that a comparison of two versions may take: the server works it out when it is first asked for."""

_RETRIES: Final = {
    "methodConfig": [
        {
            "name": [{"service": "guidepost.v1.DecisionService"}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.02s",
                "maxBackoff": "0.5s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }
    ]
}
_OPTIONS: Final = (
    ("grpc.service_config", json.dumps(_RETRIES)),
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.keepalive_time_ms", 60_000),
)


class Client:
    """A connection to a server. Further calls, one for each decision, are on ``decisions`` and ``policies``; ``audit`` asks the decision log."""

    def __init__(self, address: str, *, credentials: grpc.ChannelCredentials | None = None) -> None:
        """Connect, when the first call is made, to ``host:port``; in the clear unless there are credentials."""
        if credentials is None:
            self.channel = grpc.insecure_channel(address, options=_OPTIONS)
        else:
            self.channel = grpc.secure_channel(address, credentials, options=_OPTIONS)
        self.decisions: Any = DecisionServiceStub(self.channel)
        self.policies: Any = PolicyServiceStub(self.channel)
        self.audit = Audit(self.channel)

    def triage(
        self,
        facts: Facts | None = None,
        *,
        version: str = "",
        digest: str = "",
        as_of: datetime | None = None,
        now: datetime | None = None,
        pauses: Pauses = (),
        request_id: str = "",
        ticket_id: str = "",
        timeout: float = TIMEOUT,
        **more: FactInput,
    ) -> TriageResponse:
        """Make all decisions that a new ticket needs. Facts are keywords, or a mapping where a name is taken.

        ``now`` is the instant to decide at (without it, the server's own), ``pauses`` when the ticket was on hold. A call that
        is repeated with the same ``request_id`` gets the recorded decision again; ``ticket_id`` is what the record is found by.

        Raises:
            grpc.RpcError: the call failed; its code and details say why, and :func:`wrong_fields` where.
        """
        request = triage_request({**(facts or {}), **more}, now, pauses, selector(version, digest, as_of))
        response: TriageResponse = self.decisions.Triage(request, timeout=timeout, metadata=call_metadata(request_id, ticket_id))
        return response

    def decide(
        self,
        decision: str,
        facts: Facts | None = None,
        *,
        version: str = "",
        digest: str = "",
        as_of: datetime | None = None,
        now: datetime | None = None,
        pauses: Pauses = (),
        request_id: str = "",
        ticket_id: str = "",
        timeout: float = TIMEOUT,
        **more: FactInput,
    ) -> Decision:
        """Make one decision by name, like :meth:`triage`."""
        request = decide_request(decision, {**(facts or {}), **more}, now, pauses, selector(version, digest, as_of))
        response: DecideResponse = self.decisions.Decide(request, timeout=timeout, metadata=call_metadata(request_id, ticket_id))
        return response.decision

    def reschedule(
        self,
        before: Facts,
        facts: Facts | None = None,
        *,
        version: str = "",
        digest: str = "",
        as_of: datetime | None = None,
        now: datetime | None = None,
        pauses: Pauses = (),
        request_id: str = "",
        ticket_id: str = "",
        timeout: float = TIMEOUT,
        **more: FactInput,
    ) -> RescheduleResponse:
        """Tell how deadlines move by a change of facts; ``before`` has those that were otherwise, None for what was not known."""
        request = reschedule_request(before, {**(facts or {}), **more}, now, pauses, selector(version, digest, as_of))
        response: RescheduleResponse = self.decisions.Reschedule(request, timeout=timeout, metadata=call_metadata(request_id, ticket_id))
        return response

    def versions(self, *, timeout: float = TIMEOUT) -> ListVersionsResponse:
        """List the policy versions that the server has, and the one in force."""
        response: ListVersionsResponse = self.policies.ListVersions(ListVersionsRequest(), timeout=timeout)
        return response

    def version(
        self, version: str = "", *, digest: str = "", as_of: datetime | None = None, timeout: float = TIMEOUT
    ) -> PolicyVersion:
        """Give one policy version whole: its decisions, facts, assumptions and open questions."""
        request = GetVersionRequest(version=selector(version, digest, as_of))
        found: PolicyVersion = self.policies.GetVersion(request, timeout=timeout).version
        return found

    def diff(
        self, before: str = "", after: str = "", *, decisions: tuple[str, ...] = (), timeout: float = DIFF_TIMEOUT
    ) -> tuple[DiffSummary, list[DecisionDiff]]:
        """Compare two policy versions: what they say, and what becomes of each decision (or of these).

        Without ``after`` it is the version in force, without ``before`` the one before it.
        """
        parts = list(self.policies.DiffVersions(diff_request(before, after, decisions), timeout=timeout))
        return parts[0].summary, [part.decision for part in parts[1:]]

    def close(self) -> None:
        """Close the connection."""
        self.channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient:
    """:class:`Client` for asyncio: the same calls, awaited."""

    def __init__(self, address: str, *, credentials: grpc.ChannelCredentials | None = None) -> None:
        """Connect, when the first call is made, to ``host:port``; in the clear unless there are credentials."""
        if credentials is None:
            self.channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
        else:
            self.channel = grpc.aio.secure_channel(address, credentials, options=_OPTIONS)
        self.decisions: Any = DecisionServiceStub(self.channel)
        self.policies: Any = PolicyServiceStub(self.channel)
        self.audit = AsyncAudit(self.channel)

    async def triage(
        self,
        facts: Facts | None = None,
        *,
        version: str = "",
        digest: str = "",
        as_of: datetime | None = None,
        now: datetime | None = None,
        pauses: Pauses = (),
        request_id: str = "",
        ticket_id: str = "",
        timeout: float = TIMEOUT,
        **more: FactInput,
    ) -> TriageResponse:
        """Make all decisions that a new ticket needs."""
        request = triage_request({**(facts or {}), **more}, now, pauses, selector(version, digest, as_of))
        response: TriageResponse = await self.decisions.Triage(request, timeout=timeout, metadata=call_metadata(request_id, ticket_id))
        return response

    async def decide(
        self,
        decision: str,
        facts: Facts | None = None,
        *,
        version: str = "",
        digest: str = "",
        as_of: datetime | None = None,
        now: datetime | None = None,
        pauses: Pauses = (),
        request_id: str = "",
        ticket_id: str = "",
        timeout: float = TIMEOUT,
        **more: FactInput,
    ) -> Decision:
        """Make one decision by name."""
        request = decide_request(decision, {**(facts or {}), **more}, now, pauses, selector(version, digest, as_of))
        response: DecideResponse = await self.decisions.Decide(request, timeout=timeout, metadata=call_metadata(request_id, ticket_id))
        return response.decision

    async def reschedule(
        self,
        before: Facts,
        facts: Facts | None = None,
        *,
        version: str = "",
        digest: str = "",
        as_of: datetime | None = None,
        now: datetime | None = None,
        pauses: Pauses = (),
        request_id: str = "",
        ticket_id: str = "",
        timeout: float = TIMEOUT,
        **more: FactInput,
    ) -> RescheduleResponse:
        """Tell how deadlines move by a change of facts."""
        request = reschedule_request(before, {**(facts or {}), **more}, now, pauses, selector(version, digest, as_of))
        response: RescheduleResponse = await self.decisions.Reschedule(request, timeout=timeout, metadata=call_metadata(request_id, ticket_id))
        return response

    async def versions(self, *, timeout: float = TIMEOUT) -> ListVersionsResponse:
        """List the policy versions that the server has, and the one in force."""
        response: ListVersionsResponse = await self.policies.ListVersions(ListVersionsRequest(), timeout=timeout)
        return response

    async def version(
        self, version: str = "", *, digest: str = "", as_of: datetime | None = None, timeout: float = TIMEOUT
    ) -> PolicyVersion:
        """Give one policy version whole."""
        request = GetVersionRequest(version=selector(version, digest, as_of))
        found: PolicyVersion = (await self.policies.GetVersion(request, timeout=timeout)).version
        return found

    async def diff(
        self, before: str = "", after: str = "", *, decisions: tuple[str, ...] = (), timeout: float = DIFF_TIMEOUT
    ) -> tuple[DiffSummary, list[DecisionDiff]]:
        """Compare two policy versions: what they say, and what becomes of each decision (or of these)."""
        parts = [part async for part in self.policies.DiffVersions(diff_request(before, after, decisions), timeout=timeout)]
        return parts[0].summary, [part.decision for part in parts[1:]]

    async def close(self) -> None:
        """Close the connection."""
        await self.channel.close(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def wrong_fields(error: grpc.RpcError) -> dict[str, str]:
    """Give the fields that a server refused, by path, each with what is wrong and what would be right.

    Empty for a call that failed for any other reason than wrong fields.
    """
    status, refused = Status(), BadRequest()
    metadata: Any = error.trailing_metadata() or ()
    for key, value in metadata:
        if key == "grpc-status-details-bin":
            status.ParseFromString(value)
    for detail in status.details:
        detail.Unpack(refused)
    return {violation.field: violation.description for violation in refused.field_violations}
