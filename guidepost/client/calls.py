"""Calls that survive lost servers: each is tried on several connections, and rejected at once while no server answers.

For threads (``Call.ask``), asyncio (``Call.ask_async``) and callbacks (``PendingCall``).
"""

# ruff: noqa: ASYNC109 - a deadline travels with a gRPC call; the server would not know of a local timeout

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

import grpc

from guidepost.client.channels import Metadata
from guidepost.client.circuit_breaker import CircuitBreaker
from guidepost.client.connection_pool import ConnectionPool
from guidepost.client.errors import CircuitOpen, is_away, is_lost, wait_of
from guidepost.v1.audit_service_pb2_grpc import AuditServiceStub
from guidepost.v1.decision_service_pb2 import TriageBatchRequest, TriageBatchResponse
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from guidepost.v1.policy_service_pb2_grpc import PolicyServiceStub

ATTEMPTS: Final = 3
"""The most connections on which a lost call is tried. On each of them, gRPC retries it as well."""

HEALTH: Final = "/grpc.health.v1.Health/Check"


class Stubs:
    """The stubs of all services on one connection, which can be replaced by a new one."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self.renew()

    def renew(self) -> None:
        """Replace the connection. Calls under way finish on the earlier one, which closes when they have ended."""
        self.channel = channel = self._connect()
        self.decisions: Any = DecisionServiceStub(channel)
        self.policies: Any = PolicyServiceStub(channel)
        self.audit: Any = AuditServiceStub(channel)
        # In bytes: the messages of the health service would be one more dependency.
        self.health: Any = channel.unary_unary(HEALTH)


@dataclass(frozen=True, slots=True)
class Connections:
    """What the calls of a client share: its connections, its circuit breaker, and ``wake``, which starts the probes."""

    pool: ConnectionPool[Stubs]
    breaker: CircuitBreaker
    wake: Callable[[], None]

    def call(self, timeout: float) -> Call:
        """Return a call that the circuit breaker ignores."""
        return Call(self, timeout, None)

    def decision(self, timeout: float) -> Call:
        """Return a call that the circuit breaker counts, and rejects while it is open."""
        return Call(self, timeout, self.breaker)

    @property
    def stubs(self) -> Stubs:
        """The stubs of a connection that works, for a call that is not retried on another."""
        with self.pool.one() as stubs:
            return stubs

    def close(self) -> None:
        """Close all connections."""
        for stubs in self.pool:
            stubs.channel.close()

    async def close_async(self) -> None:
        """Close all connections of asyncio; calls under way are cancelled."""
        await asyncio.gather(*(stubs.channel.close(None) for stubs in self.pool))


class Call:
    """One call, attempted on one connection after another until a server answers it."""

    __slots__ = ("_breaker", "_ticket", "connections", "tried", "until")

    def __init__(self, connections: Connections, timeout: float, breaker: CircuitBreaker | None) -> None:
        # A call without time for an answer does not show whether the service works.
        self.connections, self._breaker = connections, breaker if timeout > 0 else None
        self.until, self.tried, self._ticket = time.monotonic() + timeout, list[int](), 0

    def ask(self, service: str, method: str, request: Any, metadata: Metadata) -> Any:
        """Make the call, and return the response; raises grpc.RpcError."""
        with self:
            while True:
                attempt = Attempt(self)
                with attempt as stubs:
                    return getattr(getattr(stubs, service), method)(request, timeout=attempt.timeout, metadata=metadata)

    async def ask_async(self, service: str, method: str, request: Any, metadata: Metadata) -> Any:
        """Make the call under asyncio, and return the response; raises grpc.RpcError."""
        with self:
            while True:
                attempt = Attempt(self)
                with attempt as stubs:
                    return await getattr(getattr(stubs, service), method)(
                        request, timeout=attempt.timeout, metadata=metadata
                    )

    def __enter__(self) -> Call:  # noqa: PYI034 - no subclass is meant
        if self._breaker is not None:
            self._ticket = self._breaker.admit()
            if not self._ticket:
                self.connections.wake()
                raise CircuitOpen(self._breaker.failures, self._breaker.reason, self._breaker.left)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    def end(self, error: BaseException | None) -> None:
        """Report to the circuit breaker how the call ended; leaving the block does this."""
        if self._breaker is None:
            return
        if error is None or (isinstance(error, grpc.RpcError) and not is_away(error)):
            self._breaker.answered(self._ticket)
        elif isinstance(error, grpc.RpcError):
            self._breaker.unanswered(self._ticket, wait_of(error), f"{error.code().name}: {error.details()}")
            self.connections.wake()
        else:
            self._breaker.withdrawn(self._ticket)


class Attempt:
    """One attempt of a call, on one connection; its block suppresses an error if the call should be tried again."""

    __slots__ = ("_call", "_chosen")

    def __init__(self, call: Call) -> None:
        self._call = call

    @property
    def timeout(self) -> float:
        """Seconds until the deadline of the call; 0 if it has passed."""
        return max(0.0, self._call.until - time.monotonic())

    def __enter__(self) -> Stubs:
        pool = self._call.connections.pool
        self._chosen = pool.enter(self._call.tried)
        return pool[self._chosen]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return self.end(error)

    def end(self, error: BaseException | None) -> bool:
        """Record how the attempt ended, and return whether to make another; leaving the block does this."""
        pool, tried = self._call.connections.pool, self._call.tried
        pool.leave(self._chosen)
        if error is not None and not isinstance(error, grpc.RpcError):
            return False
        if error is None or not is_lost(error):
            pool.trust(self._chosen)
            return False
        pool.doubt(self._chosen)
        self._call.connections.wake()
        tried.append(self._chosen)
        return len(tried) < ATTEMPTS and pool.trusted(tried) and self.timeout > 0


class PendingCall:
    """A decision that is requested without waiting; ``answer`` is a future of the response."""

    def __init__(self, connections: Connections, method: str, request: Any, timeout: float, metadata: Metadata) -> None:
        """Send the request; raises CircuitOpen, or ValueError if the channel is closed."""
        self.answer: Future[Any] = Future()
        self._method, self._request, self._metadata = method, request, metadata
        self._call = connections.decision(timeout).__enter__()
        self._send()

    def _send(self) -> None:
        attempt = Attempt(self._call)
        stubs = attempt.__enter__()
        try:
            sent = getattr(stubs.decisions, self._method).future(
                self._request, timeout=attempt.timeout, metadata=self._metadata
            )
        except BaseException as error:
            attempt.end(error)
            self._call.end(error)
            raise
        sent.add_done_callback(lambda done: self._ended(attempt, done))

    def _ended(self, attempt: Attempt, done: Any) -> None:
        error = grpc.FutureCancelledError() if done.cancelled() else done.exception()
        if attempt.end(error):
            try:
                self._send()
            except ValueError as closed:  # the client was closed meanwhile
                self.answer.set_exception(closed)
            return
        self._call.end(error)
        if error is None:
            self.answer.set_result(done.result())
        else:
            self.answer.set_exception(error)


def send_batch(
    connections: Connections, metadata: Metadata, request: TriageBatchRequest, *, timeout: float
) -> Future[TriageBatchResponse]:
    """Start to send a batch, and return a future of its response."""
    return PendingCall(connections, "TriageBatch", request, timeout, metadata).answer


async def send_batch_async(
    connections: Connections, metadata: Metadata, request: TriageBatchRequest, *, timeout: float
) -> TriageBatchResponse:
    """Send a batch, and return its response."""
    response: TriageBatchResponse = await connections.decision(timeout).ask_async(
        "decisions", "TriageBatch", request, metadata
    )
    return response
