"""The client of a Guidepost server: takes facts as plain Python values, and returns messages of ``guidepost.v1``.

Every call has a deadline. Decisions are retried if a server is lost, which is safe: a decision changes nothing.
"""

# ruff: noqa: ASYNC109 - a deadline travels with a gRPC call; the server would not know of a local timeout

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self

import grpc

from guidepost.client.aio_audit import AsyncAudit
from guidepost.client.calls import Connections, Stubs, send_batch_async
from guidepost.client.channels import CHANNELS, DIFF_TIMEOUT, TIMEOUT, Metadata, caller_metadata, connect_async
from guidepost.client.circuit_breaker import FAILURES, PAUSE, CircuitBreaker
from guidepost.client.coalescing import AsyncCoalescer
from guidepost.client.connection_pool import ConnectionPool
from guidepost.client.errors import Fallback, ItemFailed, is_away
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
    TriageBatchResponse,
    TriageItem,
    TriageResponse,
)
from guidepost.v1.diff_pb2 import DecisionDiff, DiffSummary
from guidepost.v1.policy_service_pb2 import (
    GetVersionRequest,
    GetVersionResponse,
    ListVersionsRequest,
    ListVersionsResponse,
    PolicyVersion,
)


class AsyncClient:
    """A connection to a server.

    ``audit`` reads its decision log. For other calls of the services, use the stubs ``decisions`` and ``policies``.
    """

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
        """Create a client, which connects when the first call is made.

        Args:
            address: the server's ``host:port``. For several servers, a name such as
                ``dns:///guidepost-headless:50051``, or ``ipv4:10.0.0.1:50051,10.0.0.2:50051``: calls are balanced.
            credentials: the credentials of TLS; without them the connection is not encrypted.
            channels: the number of connections. A call uses one that works and has the fewest calls under way.
            caller: the caller's name for the decision log.
            token: the caller's API key or JSON Web Token.
            coalesce: sends triages that are requested within so many seconds as one call (``COALESCE`` is a good
                value); without it, each triage is a call.
            fallback: returns the answer to a triage while the service is unavailable (``guidepost.undecided`` decides
                nothing); without it, the call fails.
            circuit_failures: the number of decisions in a row without an answer that open the circuit. While it is
                open, decisions fail (or the fallback answers) at once. 0 never opens it.
            circuit_pause: the minimum time for which the circuit stays open, in seconds.
        """
        self._metadata, self._fallback = caller_metadata(caller, token), fallback
        pool = ConnectionPool(Stubs(partial(connect_async, address, credentials)) for _ in range(channels))
        self.circuit = CircuitBreaker(circuit_failures, circuit_pause)
        """The circuit breaker; its state is ``circuit.state``."""
        self._probes = AsyncProbes(pool, self.circuit)
        self._connections = Connections(pool, self.circuit, self._probes.wake)
        self._coalescer = (
            None
            if coalesce is None
            else AsyncCoalescer(partial(send_batch_async, self._connections, self._metadata), coalesce)
        )
        self.audit = AsyncAudit(self._connections, self._metadata)

    @property
    def channel(self) -> grpc.aio.Channel:
        """A channel that works, for stubs of your own. Don't store it: the client replaces channels that fail."""
        return self._connections.stubs.channel  # type: ignore[no-any-return]

    @property
    def metadata(self) -> Metadata:
        """The metadata that identifies the caller, including the token: pass it to calls of the stubs."""
        return self._metadata

    @property
    def decisions(self) -> Any:
        """The stub of DecisionService on a channel that works. The circuit breaker ignores its calls."""
        return self._connections.stubs.decisions

    @property
    def policies(self) -> Any:
        """The stub of PolicyService on a channel that works."""
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
        """Make all decisions that a new ticket needs.

        Args:
            facts: the facts whose names are arguments here; pass all others as keywords, or all of them here.
            version: decides under this version; without it, ``digest`` or ``as_of``, under the version in force.
            digest: decides under the version with this digest.
            as_of: decides under the version that was in force at this instant.
            now: the instant of the decision; without it, the server's present time.
            pauses: when the ticket was on hold.
            request_id: a call with the same id gets the recorded decision again.
            ticket_id: the id under which you find the record in the decision log.
            timeout: the deadline of the call, in seconds from now.
            **more: facts.

        Raises:
            grpc.RpcError: the call failed; its code and details contain the reason, and :func:`wrong_fields` the
                fields that were rejected.
        """
        request = triage_request({**(facts or {}), **more}, now, pauses, selector(version, digest, as_of))
        try:
            if self._coalescer is not None:
                return await self._coalescer.triage(request, request_id, ticket_id, timeout)
            response: TriageResponse = await self._connections.decision(timeout).ask_async(
                "decisions", "Triage", request, self._call_metadata(request_id, ticket_id)
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
        """Triage up to 1,000 tickets in one call, all under one version; returns a response or an error for each.

        A ticket is a mapping of facts, or a :func:`guidepost.item` with a request id, a ticket id or pauses.
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
        """Make one decision by its name; the other arguments are those of :meth:`triage`."""
        request = decide_request(decision, {**(facts or {}), **more}, now, pauses, selector(version, digest, as_of))
        response: DecideResponse = await self._connections.decision(timeout).ask_async(
            "decisions", "Decide", request, self._call_metadata(request_id, ticket_id)
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
        """Return how a change of facts moves the deadlines of a ticket.

        ``before`` contains the facts that were different before the change, None for those that were not known. The
        other arguments are those of :meth:`triage`.
        """
        request = reschedule_request(before, {**(facts or {}), **more}, now, pauses, selector(version, digest, as_of))
        response: RescheduleResponse = await self._connections.decision(timeout).ask_async(
            "decisions", "Reschedule", request, self._call_metadata(request_id, ticket_id)
        )
        return response

    async def versions(self, *, timeout: float = TIMEOUT) -> ListVersionsResponse:
        """Return the policy versions of the server, and which of them is in force."""
        response: ListVersionsResponse = await self._connections.call(timeout).ask_async(
            "policies", "ListVersions", ListVersionsRequest(), self._metadata
        )
        return response

    async def version(
        self, version: str = "", *, digest: str = "", as_of: datetime | None = None, timeout: float = TIMEOUT
    ) -> PolicyVersion:
        """Return one policy version with its decisions, facts, assumptions and open questions."""
        request = GetVersionRequest(version=selector(version, digest, as_of))
        response: GetVersionResponse = await self._connections.call(timeout).ask_async(
            "policies", "GetVersion", request, self._metadata
        )
        return response.version

    async def diff(
        self, before: str = "", after: str = "", *, decisions: tuple[str, ...] = (), timeout: float = DIFF_TIMEOUT
    ) -> tuple[DiffSummary, list[DecisionDiff]]:
        """Compare two policy versions: their texts, and the outcomes of every decision or of some.

        The summary has the changed tables in what they read, and each outcome that follows once; the decisions have
        their outcomes by the facts that are sent.

        Without ``after``, the second is the version in force; without ``before``, the first is the one before it.
        """
        parts = [
            part
            async for part in self.policies.DiffVersions(
                diff_request(before, after, decisions), timeout=timeout, metadata=self._metadata
            )
        ]
        return parts[0].summary, [part.decision for part in parts[1:]]

    async def close(self) -> None:
        """Close the connections. Calls under way fail."""
        if self._coalescer is not None:
            await self._coalescer.close()
        await self._probes.close()
        await self._connections.close_async()

    def _call_metadata(self, request_id: str, ticket_id: str) -> Metadata:
        return (*self._metadata, *call_metadata(request_id, ticket_id))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
