"""Coalescing: triages that are requested at about the same time are sent as one call.

This costs client and server less, for a short wait. ``AsyncCoalescer`` serves asyncio, ``Coalescer`` threads. Both send
``wait`` seconds after the first triage, or as soon as there are ``most``, and answer each as if it had been sent alone.
"""

# ruff: noqa: ASYNC109 - a deadline travels with a gRPC call; the server would not know of a local timeout

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
"""Seconds that the first triage of a batch waits for others."""

MOST: Final = 16
"""The most triages in one batch: enough to share the cost of a call, few enough to use all connections and workers."""


BatchKey = tuple[bytes, float]
"""What the triages of one batch have in common: version and instant, serialized, and the timeout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingTriage:
    """A triage that waits to be sent; those with the same ``key`` and ``timeout`` may share a batch."""

    item: TriageItem
    key: bytes
    timeout: float
    answer: Any = field(default=None, compare=False)
    """A future of its response."""

    @property
    def batch(self) -> BatchKey:
        """The key of the batch that it may join. A timeout of another triage would be too long or too short for it."""
        return self.key, self.timeout


def batch_of(triages: Iterable[PendingTriage]) -> TriageBatchRequest:
    """Return one request for triages with the same key."""
    triages = tuple(triages)
    request = TriageBatchRequest.FromString(triages[0].key)
    request.items.extend(triage.item for triage in triages)
    return request


def key_of(request: TriageRequest) -> bytes:
    """Return the version and the instant of a request, serialized: triages can be sent together if these are equal."""
    shared = TriageBatchRequest()
    if request.HasField("version"):
        shared.version.CopyFrom(request.version)
    if request.HasField("now"):
        shared.now.CopyFrom(request.now)
    return shared.SerializeToString(deterministic=True)


def set_results(triages: Iterable[PendingTriage], response: TriageBatchResponse) -> None:
    """Complete the future of each triage with its result from the response."""
    for triage, result in zip(triages, response.results, strict=True):
        if triage.answer.done():
            continue
        if result.WhichOneof("result") == "triage":
            triage.answer.set_result(result.triage)
        else:
            triage.answer.set_exception(ItemFailed(result.error))


def set_error(triages: Iterable[PendingTriage], error: BaseException) -> None:
    """Fail the future of each triage with the error of the call for all of them."""
    for triage in triages:
        if not triage.answer.done():
            triage.answer.set_exception(error)


class AsyncCoalescer:
    """Coalesces the triages of one event loop; ``send`` sends a batch and returns its response."""

    def __init__(
        self, send: Callable[..., Awaitable[TriageBatchResponse]], wait: float = WAIT, most: int = MOST
    ) -> None:
        self._send, self._wait, self._most = send, wait, most
        self._waiting: dict[BatchKey, list[PendingTriage]] = defaultdict(list)
        self._under_way: set[asyncio.Task[None]] = set()

    async def triage(self, request: TriageRequest, request_id: str, ticket_id: str, timeout: float) -> TriageResponse:
        """Triage one ticket together with others; raises ItemFailed if it is rejected, grpc.RpcError if all failed."""
        triage = PendingTriage(
            item=TriageItem(ticket=request.ticket, request_id=request_id, ticket_id=ticket_id),
            key=key_of(request),
            timeout=timeout,
            answer=asyncio.get_running_loop().create_future(),
        )
        waiting = self._waiting[triage.batch]
        waiting.append(triage)
        if len(waiting) >= self._most:
            self._flush(triage.batch)
        elif len(waiting) == 1:
            asyncio.get_running_loop().call_later(self._wait, self._flush, triage.batch)
        answer: TriageResponse = await triage.answer
        return answer

    async def close(self) -> None:
        """Do nothing: triages that still wait fail when they are sent, since the channels are closed by then."""

    def _flush(self, key: BatchKey) -> None:
        triages = self._waiting.pop(key, [])
        if triages:
            task = asyncio.get_running_loop().create_task(self._exchange(triages))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _exchange(self, triages: list[PendingTriage]) -> None:
        try:
            set_results(triages, await self._send(batch_of(triages), timeout=triages[0].timeout))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - every caller that waits needs an end
            set_error(triages, error)


class Coalescer:
    """Coalesces the triages of many threads in a thread of its own; ``send`` sends a batch and returns a future."""

    def __init__(self, send: Callable[..., Any], wait: float = WAIT, most: int = MOST) -> None:
        self._send, self._wait, self._most = send, wait, most
        self._waiting: list[PendingTriage] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="guidepost coalescing", daemon=True)
        self._thread.start()

    def triage(self, request: TriageRequest, request_id: str, ticket_id: str, timeout: float) -> TriageResponse:
        """Triage one ticket together with others; raises ItemFailed if it is rejected, grpc.RpcError if all failed."""
        answer: Future[TriageResponse] = Future()
        triage = PendingTriage(
            item=TriageItem(ticket=request.ticket, request_id=request_id, ticket_id=ticket_id),
            key=key_of(request),
            timeout=timeout,
            answer=answer,
        )
        with self._changed:
            if self._closed:
                raise ValueError("the client is closed")
            self._waiting.append(triage)
            if len(self._waiting) in {1, self._most}:
                self._changed.notify()
        return answer.result()

    def close(self) -> None:
        """Send what is waiting, and end the thread."""
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
                triages, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            batches: dict[BatchKey, list[PendingTriage]] = defaultdict(list)
            for triage in triages:
                batches[triage.batch].append(triage)
            for batch in batches.values():
                self._exchange(batch)

    def _exchange(self, triages: list[PendingTriage]) -> None:
        try:
            sent = self._send(batch_of(triages), timeout=triages[0].timeout)
        except Exception as error:  # noqa: BLE001 - every caller that waits needs an end, and this thread must go on
            set_error(triages, error)
            return
        sent.add_done_callback(lambda done: _received(triages, done))


def _received(triages: list[PendingTriage], done: Any) -> None:
    if done.cancelled():
        set_error(triages, grpc.FutureCancelledError())
        return
    try:
        set_results(triages, done.result())
    except Exception as error:  # noqa: BLE001 - every caller that waits needs an end
        set_error(triages, error)
