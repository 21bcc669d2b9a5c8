"""Call a Guidepost server: plain Python facts in, wire messages out.

Every call has a deadline. Decisions are repeated when a server is going away, which is safe: deciding changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self

import grpc

from guidepost.client.audit import Audit
from guidepost.client.batching import Together
from guidepost.client.calls import Connections, Sending, Stubs
from guidepost.client.channels import CHANNELS, DIFF_TIMEOUT, TIMEOUT, Metadata, connect, said
from guidepost.client.circuit_breaker import FAILURES, PAUSE, CircuitBreaker
from guidepost.client.errors import Fallback, ItemFailed, is_away
from guidepost.client.least_loaded import Spread
from guidepost.client.probes import Probes
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


class Client:
    """A connection to a server. Further calls, one for each decision, are on ``decisions`` and ``policies``; ``audit`` asks the decision log."""

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
        spread = Spread(Stubs(partial(connect, address, credentials)) for _ in range(channels))
        self.circuit = CircuitBreaker(circuit_failures, circuit_pause)
        """Whether decisions are asked for at all: ``circuit.state``."""
        self._probes = Probes(spread, self.circuit)
        self._connections = Connections(spread, self.circuit, self._probes.wake)
        self._together = None if coalesce is None else Together(self._batch, coalesce)
        self.audit = Audit(self._connections, self._metadata)

    @property
    def channel(self) -> grpc.Channel:
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
        try:
            if self._together is not None:
                return self._together.triage(request, request_id, ticket_id, timeout)
            response: TriageResponse = self._connections.decision(timeout).ask(
                "decisions", "Triage", request, self._said(request_id, ticket_id)
            )
        except grpc.RpcError as error:
            if self._fallback is None or not is_away(error):
                raise
            return self._fallback(request, error)
        return response

    def triage_many(
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
        response: TriageBatchResponse = self._connections.decision(timeout).ask(
            "decisions", "TriageBatch", request, self._metadata
        )
        return [
            result.triage if result.WhichOneof("result") == "triage" else ItemFailed(result.error)
            for result in response.results
        ]

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
        response: DecideResponse = self._connections.decision(timeout).ask(
            "decisions", "Decide", request, self._said(request_id, ticket_id)
        )
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
        """Return how deadlines move by a change of facts; ``before`` has those that were otherwise, None for what was not known."""
        request = reschedule_request(before, {**(facts or {}), **more}, now, pauses, selector(version, digest, as_of))
        response: RescheduleResponse = self._connections.decision(timeout).ask(
            "decisions", "Reschedule", request, self._said(request_id, ticket_id)
        )
        return response

    def versions(self, *, timeout: float = TIMEOUT) -> ListVersionsResponse:
        """List the policy versions that the server has, and the one in force."""
        response: ListVersionsResponse = self._connections.call(timeout).ask(
            "policies", "ListVersions", ListVersionsRequest(), self._metadata
        )
        return response

    def version(
        self, version: str = "", *, digest: str = "", as_of: datetime | None = None, timeout: float = TIMEOUT
    ) -> PolicyVersion:
        """Return one policy version whole: its decisions, facts, assumptions and open questions."""
        request = GetVersionRequest(version=selector(version, digest, as_of))
        found: PolicyVersion = (
            self._connections.call(timeout).ask("policies", "GetVersion", request, self._metadata).version
        )
        return found

    def diff(
        self, before: str = "", after: str = "", *, decisions: tuple[str, ...] = (), timeout: float = DIFF_TIMEOUT
    ) -> tuple[DiffSummary, list[DecisionDiff]]:
        """Compare two policy versions: what they say, and what becomes of each decision (or of these).

        Without ``after`` it is the version in force, without ``before`` the one before it.
        """
        parts = list(
            self.policies.DiffVersions(diff_request(before, after, decisions), timeout=timeout, metadata=self._metadata)
        )
        return parts[0].summary, [part.decision for part in parts[1:]]

    def close(self) -> None:
        """Close the connection."""
        if self._together is not None:
            self._together.close()
        self._probes.close()
        for stubs in self._connections.spread:
            stubs.channel.close()

    def _said(self, request_id: str, ticket_id: str) -> Metadata:
        return (*self._metadata, *call_metadata(request_id, ticket_id))

    def _batch(self, request: TriageBatchRequest, timeout: float) -> Future[TriageBatchResponse]:
        """Start to send a batch; returns a future."""
        return Sending(self._connections, "TriageBatch", request, timeout, self._metadata).answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
