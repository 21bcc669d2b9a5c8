"""Calls that are made at about the same time, sent as one: less work for both sides, at the price of a short wait.

``TogetherAsync`` serves asyncio, ``Together`` threads. Both wait for at most ``wait`` seconds after the first call, or until
``most`` calls are there, and answer each call as if it had been sent alone.
"""

# ruff: noqa: ASYNC109 - a deadline travels with a gRPC call; a local timeout would not tell the server

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

from guidepost.client.errors import ItemFailed
from guidepost.v1.decision_service_pb2 import (
    TriageBatchRequest,
    TriageBatchResponse,
    TriageItem,
    TriageRequest,
    TriageResponse,
)

WAIT: Final = 0.0003
"""Seconds that the first call of several waits for others."""

MOST: Final = 16
"""The most calls that are sent as one: enough to share what a call costs, few enough that calls which come together are spread over all connections, and the workers behind them."""


Batch = tuple[bytes, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call on its way; calls with the same ``key`` and ``timeout`` may share a batch."""

    item: TriageItem
    key: bytes
    timeout: float
    answer: Any = field(default=None, compare=False)

    @property
    def batch(self) -> Batch:
        """What calls in one batch have in common; of several timeouts one would be too long or too short for somebody."""
        return self.key, self.timeout


def batch_of(calls: Iterable[Call]) -> TriageBatchRequest:
    """Put calls with one key into one request."""
    calls = tuple(calls)
    request = TriageBatchRequest.FromString(calls[0].key)
    request.items.extend(call.item for call in calls)
    return request


def key_of(request: TriageRequest) -> bytes:
    """Return what calls must have in common to be sent as one: the version they ask for, and the instant."""
    shared = TriageBatchRequest()
    if request.HasField("version"):
        shared.version.CopyFrom(request.version)
    if request.HasField("now"):
        shared.now.CopyFrom(request.now)
    return shared.SerializeToString(deterministic=True)


def settle(calls: Iterable[Call], response: TriageBatchResponse) -> None:
    """Give each call its result."""
    for call, result in zip(calls, response.results, strict=True):
        if call.answer.done():
            continue
        if result.WhichOneof("result") == "triage":
            call.answer.set_result(result.triage)
        else:
            call.answer.set_exception(ItemFailed(result.error))


def fail(calls: Iterable[Call], error: BaseException) -> None:
    """Tell each call that all of them failed."""
    for call in calls:
        if not call.answer.done():
            call.answer.set_exception(error)


class TogetherAsync:
    """Coalesces the calls of one event loop; ``send`` sends a batch."""

    def __init__(
        self, send: Callable[..., Awaitable[TriageBatchResponse]], wait: float = WAIT, most: int = MOST
    ) -> None:
        self._send, self._wait, self._most = send, wait, most
        self._waiting: dict[Batch, list[Call]] = defaultdict(list)
        self._under_way: set[asyncio.Task[None]] = set()

    async def triage(self, request: TriageRequest, request_id: str, ticket_id: str, timeout: float) -> TriageResponse:
        """Ask for one ticket, with others; raises ItemFailed for what is wrong with it, and grpc.RpcError if all failed."""
        call = Call(
            item=TriageItem(ticket=request.ticket, request_id=request_id, ticket_id=ticket_id),
            key=key_of(request),
            timeout=timeout,
            answer=asyncio.get_running_loop().create_future(),
        )
        waiting = self._waiting[call.batch]
        waiting.append(call)
        if len(waiting) >= self._most:
            self._flush(call.batch)
        elif len(waiting) == 1:
            asyncio.get_running_loop().call_later(self._wait, self._flush, call.batch)
        answer: TriageResponse = await call.answer
        return answer

    def _flush(self, key: Batch) -> None:
        calls = self._waiting.pop(key, [])
        if calls:
            task = asyncio.get_running_loop().create_task(self._exchange(calls))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _exchange(self, calls: list[Call]) -> None:
        try:
            settle(calls, await self._send(batch_of(calls), timeout=calls[0].timeout))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever it is, those who wait get it: they would wait for ever
            fail(calls, error)


class Together:
    """Coalesces the calls of many threads, by one of its own; ``send`` starts to send a batch, and gives a future."""

    def __init__(self, send: Callable[..., Any], wait: float = WAIT, most: int = MOST) -> None:
        self._send, self._wait, self._most = send, wait, most
        self._waiting: list[Call] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="guidepost coalescing", daemon=True)
        self._thread.start()

    def triage(self, request: TriageRequest, request_id: str, ticket_id: str, timeout: float) -> TriageResponse:
        """Ask for one ticket, with others; raises ItemFailed for what is wrong with it, and grpc.RpcError if all failed."""
        answer: Future[TriageResponse] = Future()
        call = Call(
            item=TriageItem(ticket=request.ticket, request_id=request_id, ticket_id=ticket_id),
            key=key_of(request),
            timeout=timeout,
            answer=answer,
        )
        with self._changed:
            if self._closed:
                raise ValueError("the client is closed")
            self._waiting.append(call)
            if len(self._waiting) in {1, self._most}:
                self._changed.notify()
        return answer.result()

    def close(self) -> None:
        """Send what is waiting, and end."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if not self._waiting:
                    return
                until = time.monotonic() + self._wait
                while len(self._waiting) < self._most and not self._closed and (left := until - time.monotonic()) > 0:
                    self._changed.wait(left)
                calls, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            batches: dict[Batch, list[Call]] = defaultdict(list)
            for call in calls:
                batches[call.batch].append(call)
            for group in batches.values():
                self._exchange(group)

    def _exchange(self, calls: list[Call]) -> None:
        try:
            sent = self._send(batch_of(calls), timeout=calls[0].timeout)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait get it, and this thread goes on for the calls that come next
            fail(calls, error)
            return
        sent.add_done_callback(lambda done: _received(calls, done))


def _received(calls: list[Call], done: Any) -> None:
    if done.cancelled():
        fail(calls, grpc.FutureCancelledError())
        return
    try:
        settle(calls, done.result())
    except Exception as error:  # noqa: BLE001 - as above
        fail(calls, error)
