"""How a client makes a call while servers come and go: over a connection that answers, then over another, and not at all while none does.

The same for threads (``Call.ask``), asyncio (``Call.ask_async``) and callbacks (``Sending``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

import grpc

from guidepost.client.channels import Metadata
from guidepost.client.circuit_breaker import CircuitBreaker
from guidepost.client.errors import CircuitOpen, is_away, is_lost, wait_of
from guidepost.client.least_loaded import Spread
from guidepost.v1.audit_service_pb2_grpc import AuditServiceStub
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from guidepost.v1.policy_service_pb2_grpc import PolicyServiceStub

ATTEMPTS: Final = 3
"""Over how many connections a call is tried, if it is lost on each; each of them tries by itself, too."""

HEALTH: Final = "/grpc.health.v1.Health/Check"


class Stubs:
    """All services over one connection, which can be replaced by a new one."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self.renew()

    def renew(self) -> None:
        """Connect anew. Calls under way go on over the connection before, which is closed when they have ended."""
        self.channel = channel = self._connect()
        self.decisions: Any = DecisionServiceStub(channel)
        self.policies: Any = PolicyServiceStub(channel)
        self.audit: Any = AuditServiceStub(channel)
        # As bytes: the messages of the health service would be a dependency of their own.
        self.health: Any = channel.unary_unary(HEALTH)


@dataclass(frozen=True, slots=True)
class Connections:
    """What the calls of a client share: its connections, and what looks after those on which a call was lost."""

    spread: Spread[Stubs]
    breaker: CircuitBreaker
    wake: Callable[[], None]

    def call(self, timeout: float) -> Call:
        """Begin a call that is tried over several connections, but not stopped by the circuit breaker."""
        return Call(self, timeout, None)

    def decision(self, timeout: float) -> Call:
        """Begin a call that the circuit breaker may stop."""
        return Call(self, timeout, self.breaker)

    @property
    def stubs(self) -> Stubs:
        """One of the connections that answer, for a call that is made but once."""
        with self.spread.one() as stubs:
            return stubs


class Call:
    """One call, attempted over one connection after the other until it is answered."""

    __slots__ = ("_breaker", "_ticket", "connections", "tried", "until")

    def __init__(self, connections: Connections, timeout: float, breaker: CircuitBreaker | None) -> None:
        # A call without time for an answer says nothing about the service.
        self.connections, self._breaker = connections, breaker if timeout > 0 else None
        self.until, self.tried, self._ticket = time.monotonic() + timeout, list[int](), 0

    def ask(self, service: str, method: str, request: Any, metadata: Metadata) -> Any:
        """Make the call; returns the response."""
        with self:
            while True:
                attempt = Attempt(self)
                with attempt as stubs:
                    return getattr(getattr(stubs, service), method)(request, timeout=attempt.timeout, metadata=metadata)

    async def ask_async(self, service: str, method: str, request: Any, metadata: Metadata) -> Any:
        """Make the call, awaited."""
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
        """Take note of how the call ended, as leaving the block does."""
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
    """One attempt of a call, over one connection; a failure that another attempt may mend does not leave the block."""

    __slots__ = ("_call", "_chosen")

    def __init__(self, call: Call) -> None:
        self._call = call

    @property
    def timeout(self) -> float:
        """Seconds that are left for the call."""
        return max(0.0, self._call.until - time.monotonic())

    def __enter__(self) -> Stubs:
        spread = self._call.connections.spread
        self._chosen = spread.enter(self._call.tried)
        return spread[self._chosen]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return self.end(error)

    def end(self, error: BaseException | None) -> bool:
        """Take note of how the attempt ended, as leaving the block does; returns whether to make another one."""
        spread, tried = self._call.connections.spread, self._call.tried
        spread.leave(self._chosen)
        if error is not None and not isinstance(error, grpc.RpcError):
            return False
        if error is None or not is_lost(error):
            spread.trust(self._chosen)
            return False
        spread.doubt(self._chosen)
        self._call.connections.wake()
        tried.append(self._chosen)
        return len(tried) < ATTEMPTS and spread.trusted(tried) and self.timeout > 0


class Sending:
    """A decision that is asked for without waiting; ``answer`` is a future of it."""

    def __init__(self, connections: Connections, method: str, request: Any, timeout: float, metadata: Metadata) -> None:
        """Send the request; raises what prevents that, for instance that the circuit is open."""
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
