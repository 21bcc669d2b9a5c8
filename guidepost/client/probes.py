"""Ask in the background whether a service that stopped answering is back, so that no caller has to wait to find out.

Probes run only while a connection is doubted or the circuit is open. Every connection is sent `Health/Check`, which waits until
it is connected, and is over when the server answers: the others, too, so that one call that is lost to a server that hangs is
enough to find all connections to it.
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
from guidepost.client.errors import LOST
from guidepost.client.least_loaded import Spread

EVERY: Final = 1.0
"""Seconds between two probes of a connection, and for which each waits for an answer."""

SILENT: Final = 2
"""Probes in a row without an answer after which a connection is replaced.

gRPC notices by itself that a server closed a connection, but not for some 25 s that it is gone without a word, and a name that
could not be looked up for long is looked up again after up to two minutes; a new connection begins afresh.
"""

_NOT_SERVING: Final = b"\x08\x02"
"""The message `HealthCheckResponse{status: NOT_SERVING}`."""


class _Rounds:
    """Which connections are probed, and what their answers mean."""

    def __init__(self, spread: Spread[Stubs], breaker: CircuitBreaker) -> None:
        self._spread, self._breaker, self._running = spread, breaker, False
        self._silent = [0] * len(spread)

    def _due(self) -> bool:
        """Whether there is anything to find out."""
        return bool(self._spread.doubted) or self._breaker.state is Circuit.OPEN

    def _answered(self, one: int, response: bytes) -> None:
        """Take note of an answer. A server that is not serving is there, but no call should be tried on it yet."""
        self._silent[one] = 0
        self._spread.trust(one)
        if not response.startswith(_NOT_SERVING):
            self._breaker.back()

    def _failed(self, one: int, error: grpc.RpcError) -> None:
        """Take note of an error: one that a server sent is an answer, too, for instance that it has no health service."""
        if error.code() in LOST:
            self._spread.doubt(one)
            self._silent[one] += 1
            if self._silent[one] % SILENT == 0:
                self._spread[one].renew()
        else:
            self._answered(one, b"")


class Probes(_Rounds):
    """Probes from a thread, which ends when there is nothing to probe."""

    def __init__(self, spread: Spread[Stubs], breaker: CircuitBreaker) -> None:
        super().__init__(spread, breaker)
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def wake(self) -> None:
        """See to it that what is due is probed."""
        with self._lock:
            if not self._running and not self._closed.is_set():
                self._running = True
                threading.Thread(target=self._run, name="guidepost probes", daemon=True).start()

    def close(self) -> None:
        """Probe no more."""
        self._closed.set()

    def _run(self) -> None:
        while True:
            with (
                self._lock
            ):  # so that nobody who has something to probe takes a thread that is about to end for one that runs
                self._running = self._due() and not self._closed.is_set()
                if not self._running:
                    return
            begun = time.monotonic()
            with suppress(ValueError, grpc.FutureCancelledError):  # the client was closed
                for asked in [self._begin(one) for one in range(len(self._spread))]:
                    asked.exception()
            self._closed.wait(max(0.0, begun + EVERY - time.monotonic()))

    def _begin(self, one: int) -> Any:
        asked = self._spread[one].health.future(b"", timeout=EVERY, wait_for_ready=True)
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
    """Probes from a task, which ends when there is nothing to probe."""

    def __init__(self, spread: Spread[Stubs], breaker: CircuitBreaker) -> None:
        super().__init__(spread, breaker)
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def wake(self) -> None:
        """See to it that what is due is probed."""
        if not self._running and not self._closed:
            self._running = True
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Probe no more."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._due():
                begun = loop.time()
                await asyncio.gather(*(self._ask(one) for one in range(len(self._spread))))
                await asyncio.sleep(max(0.0, begun + EVERY - loop.time()))
        finally:
            self._running = False

    async def _ask(self, one: int) -> None:
        try:
            self._answered(one, await self._spread[one].health(b"", timeout=EVERY, wait_for_ready=True))
        except grpc.RpcError as error:
            self._failed(one, error)
