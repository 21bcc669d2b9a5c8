"""Probes: in the background, a client asks whether a service that stopped answering is back, so that no call has to.

Probes run only while a connection is doubted or the circuit is open. They send `Health/Check` on every connection,
which waits until the channel is connected and the server answers. Trusted connections are probed as well: after one
call that is lost to a server that hangs, all connections to that server are found.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from typing import Any, Final

import grpc

from guidepost.client.calls import Stubs
from guidepost.client.circuit_breaker import Circuit, CircuitBreaker
from guidepost.client.connection_pool import ConnectionPool
from guidepost.client.errors import LOST

EVERY: Final = 1.0
"""Seconds between two probes of a connection, and the timeout of each."""

SILENT: Final = 2
"""Probes in a row without an answer after which a connection is replaced.

gRPC detects at once that a server closed a connection, but takes some 25 s if the server vanished, and up to two
minutes to look a name up again that could not be resolved. A new connection begins without these delays.
"""

_NOT_SERVING: Final = b"\x08\x02"
"""The message `HealthCheckResponse{status: NOT_SERVING}`."""


class _Rounds:
    """When to probe, and what an answer or an error of a probe means; without threads or tasks."""

    def __init__(self, pool: ConnectionPool[Stubs], breaker: CircuitBreaker) -> None:
        self._pool, self._breaker, self._running = pool, breaker, False
        self._silent = [0] * len(pool)

    def _due(self) -> bool:
        """Return whether a connection is doubted or the circuit is open."""
        return bool(self._pool.doubted) or self._breaker.state is Circuit.OPEN

    def _answered(self, one: int, response: bytes) -> None:
        """Record an answer. The circuit becomes half-open only if the server is serving."""
        self._silent[one] = 0
        self._pool.trust(one)
        if not response.startswith(_NOT_SERVING):
            self._breaker.back()

    def _failed(self, one: int, error: grpc.RpcError) -> None:
        """Record an error. If a server sent it, it counts as an answer, for example that there is no health service."""
        if error.code() in LOST:
            self._pool.doubt(one)
            self._silent[one] += 1
            if self._silent[one] % SILENT == 0:
                self._pool[one].renew()
        else:
            self._answered(one, b"")


class Probes(_Rounds):
    """Probes sent from a thread, which ends when there is nothing to probe."""

    def __init__(self, pool: ConnectionPool[Stubs], breaker: CircuitBreaker) -> None:
        super().__init__(pool, breaker)
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def wake(self) -> None:
        """Start probing if something is due and it is not running."""
        with self._lock:
            if not self._running and not self._closed.is_set():
                self._running = True
                threading.Thread(target=self._run, name="guidepost probes", daemon=True).start()

    def close(self) -> None:
        """Stop probing."""
        self._closed.set()

    def _run(self) -> None:
        while True:
            # With the lock, so that `wake` does not mistake a thread that is about to end for one that runs.
            with self._lock:
                self._running = self._due() and not self._closed.is_set()
                if not self._running:
                    return
            begun = time.monotonic()
            with suppress(ValueError, grpc.FutureCancelledError):  # the client was closed
                for asked in [self._begin(one) for one in range(len(self._pool))]:
                    asked.exception()
            self._closed.wait(max(0.0, begun + EVERY - time.monotonic()))

    def _begin(self, one: int) -> Any:
        asked = self._pool[one].health.future(b"", timeout=EVERY, wait_for_ready=True)
        asked.add_done_callback(lambda done: self._ended(one, done))
        return asked

    def _ended(self, one: int, done: Any) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            self._answered(one, done.result())
        elif isinstance(error, grpc.RpcError):
            self._failed(one, error)


class AsyncProbes(_Rounds):
    """Probes sent from a task, which ends when there is nothing to probe."""

    def __init__(self, pool: ConnectionPool[Stubs], breaker: CircuitBreaker) -> None:
        super().__init__(pool, breaker)
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def wake(self) -> None:
        """Start probing if something is due and it is not running."""
        if not self._running and not self._closed:
            self._running = True
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Stop probing."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._due():
                begun = loop.time()
                await asyncio.gather(*(self._ask(one) for one in range(len(self._pool))))
                await asyncio.sleep(max(0.0, begun + EVERY - loop.time()))
        finally:
            self._running = False

    async def _ask(self, one: int) -> None:
        try:
            self._answered(one, await self._pool[one].health(b"", timeout=EVERY, wait_for_ready=True))
        except grpc.RpcError as error:
            self._failed(one, error)
