"""Call a Guidepost server under asyncio: what ``client`` does, awaited."""

# ruff: noqa: ASYNC109 - a deadline travels with a gRPC call; a local timeout would not tell the server

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self

import grpc

from guidepost.client.audit import AsyncAudit
from guidepost.client.batching import TogetherAsync
from guidepost.client.calls import Connections, Stubs
from guidepost.client.channels import CHANNELS, DIFF_TIMEOUT, TIMEOUT, Metadata, connect_async, said
from guidepost.client.circuit_breaker import FAILURES, PAUSE, CircuitBreaker
from guidepost.client.errors import Fallback, ItemFailed, is_away
from guidepost.client.least_loaded import Spread
from guidepost.client.probes import AsyncProbes
from guidepost.client.requests import (
    BATCH_TIMEOUT,
    FactInput,
    Facts,
    Pauses,
    batch_request,
    call_metadata,
    decide_request,
    diff_request,
    reschedule_request,
    selector,
    triage_request,
)
from guidepost.v1.decision_pb2 import Decision
from guidepost.v1.decision_service_pb2 import (
    DecideResponse,
    RescheduleResponse,
    TriageBatchRequest,
    TriageBatchResponse,
    TriageItem,
    TriageResponse,
)
from guidepost.v1.diff_pb2 import DecisionDiff, DiffSummary
from guidepost.v1.policy_service_pb2 import GetVersionRequest, ListVersionsRequest, ListVersionsResponse, PolicyVersion


class AsyncClient:
    """:class:`Client` for asyncio: the same calls, awaited."""

    def __init__(
        self,
        address: str,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        channels: int = CHANNELS,
        caller: str = "",
        token: str = "",
        coalesce: float | None = None,
        fallback: Fallback | None = None,
        circuit_failures: int = FAILURES,
        circuit_pause: float = PAUSE,
    ) -> None:
        """Connect, when the first call is made, to ``host:port``; calls take turns among all addresses that a name stands for.

        Args:
            address: where the server listens; of several servers a name such as ``dns:///guidepost-headless:50051``, or ``ipv4:10.0.0.1:50051,10.0.0.2:50051``.
            credentials: how the connection is secured; in the clear without.
            channels: how many connections to open; a call goes over one that answers and has the fewest under way.
            caller: what the caller calls itself, for the decision log.
            token: the caller's API key or JSON Web Token.
            coalesce: triages that are asked for within so many seconds of each other are sent as one call (``COALESCE`` is a good value); without, each alone.
            fallback: gives the answer to a triage when the service is away (``guidepost.undecided`` claims nothing); without, the call fails.
            circuit_failures: after so many decisions in a row without an answer the circuit opens: decisions fail at once (or the fallback answers) until the service is back; 0 never opens it.
            circuit_pause: seconds for which an open circuit stays open at least.
        """
        self._metadata, self._fallback = said(caller, token), fallback
        spread = Spread(Stubs(partial(connect_async, address, credentials)) for _ in range(channels))
        self.circuit = CircuitBreaker(circuit_failures, circuit_pause)
        """Whether decisions are asked for at all: ``circuit.state``."""
        self._probes = AsyncProbes(spread, self.circuit)
        self._connections = Connections(spread, self.circuit, self._probes.wake)
        self._together = None if coalesce is None else TogetherAsync(self._batch, coalesce)
        self.audit = AsyncAudit(self._connections, self._metadata)

    @property
    def channel(self) -> grpc.aio.Channel:
        """One of the channels that answer, for stubs of your own. Ask for it each time: a channel that falls silent is replaced."""
        return self._connections.stubs.channel  # type: ignore[no-any-return]

    @property
    def metadata(self) -> Metadata:
        """What every call says of its caller, including the token: for calls on the stubs, which do not say it by themselves."""
        return self._metadata

    @property
    def decisions(self) -> Any:
        """The stub of the decision service, a call for each decision, over one of the channels that answer. The circuit breaker does not stop these calls."""
        return self._connections.stubs.decisions

    @property
    def policies(self) -> Any:
        """The stub of the policy service, over one of the channels that answer."""
        return self._connections.stubs.policies

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
        try:
            if self._together is not None:
                return await self._together.triage(request, request_id, ticket_id, timeout)
            response: TriageResponse = await self._connections.decision(timeout).ask_async(
                "decisions", "Triage", request, self._said(request_id, ticket_id)
            )
        except grpc.RpcError as error:
            if self._fallback is None or not is_away(error):
                raise
            return self._fallback(request, error)
        return response

    async def triage_many(
        self,
        tickets: Iterable[Facts | TriageItem],
        *,
        version: str = "",
        digest: str = "",
        as_of: datetime | None = None,
        now: datetime | None = None,
        timeout: float = BATCH_TIMEOUT,
    ) -> list[TriageResponse | ItemFailed]:
        """Make all decisions for many tickets (at most 1,000), all of them under one version; in place of one that cannot be decided, why.

        A ticket is a mapping of facts, or a ``guidepost.item`` that has a request id, a ticket id or pauses, too.
        """
        request = batch_request(tickets, now, selector(version, digest, as_of))
        response: TriageBatchResponse = await self._connections.decision(timeout).ask_async(
            "decisions", "TriageBatch", request, self._metadata
        )
        return [
            result.triage if result.WhichOneof("result") == "triage" else ItemFailed(result.error)
            for result in response.results
        ]

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
        response: DecideResponse = await self._connections.decision(timeout).ask_async(
            "decisions", "Decide", request, self._said(request_id, ticket_id)
        )
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
        """Return how deadlines move by a change of facts."""
        request = reschedule_request(before, {**(facts or {}), **more}, now, pauses, selector(version, digest, as_of))
        response: RescheduleResponse = await self._connections.decision(timeout).ask_async(
            "decisions", "Reschedule", request, self._said(request_id, ticket_id)
        )
        return response

    async def versions(self, *, timeout: float = TIMEOUT) -> ListVersionsResponse:
        """List the policy versions that the server has, and the one in force."""
        response: ListVersionsResponse = await self._connections.call(timeout).ask_async(
            "policies", "ListVersions", ListVersionsRequest(), self._metadata
        )
        return response

    async def version(
        self, version: str = "", *, digest: str = "", as_of: datetime | None = None, timeout: float = TIMEOUT
    ) -> PolicyVersion:
        """Return one policy version whole."""
        request = GetVersionRequest(version=selector(version, digest, as_of))
        found: PolicyVersion = (
            await self._connections.call(timeout).ask_async("policies", "GetVersion", request, self._metadata)
        ).version
        return found

    async def diff(
        self, before: str = "", after: str = "", *, decisions: tuple[str, ...] = (), timeout: float = DIFF_TIMEOUT
    ) -> tuple[DiffSummary, list[DecisionDiff]]:
        """Compare two policy versions: what they say, and what becomes of each decision (or of these)."""
        parts = [
            part
            async for part in self.policies.DiffVersions(
                diff_request(before, after, decisions), timeout=timeout, metadata=self._metadata
            )
        ]
        return parts[0].summary, [part.decision for part in parts[1:]]

    async def close(self) -> None:
        """Close the connection."""
        await self._probes.close()
        await asyncio.gather(*(stubs.channel.close(None) for stubs in self._connections.spread))

    def _said(self, request_id: str, ticket_id: str) -> Metadata:
        return (*self._metadata, *call_metadata(request_id, ticket_id))

    async def _batch(self, request: TriageBatchRequest, timeout: float) -> TriageBatchResponse:
        response: TriageBatchResponse = await self._connections.decision(timeout).ask_async(
            "decisions", "TriageBatch", request, self._metadata
        )
        return response

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
