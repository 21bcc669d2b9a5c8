"""Evaluates many tickets in one call: each result is an answer or an error, and an error affects only its own ticket.

Tickets are decided one by one, since an answer names its rules; they share the call and the commit of their records.
Between tickets the event loop serves other calls, and a call whose deadline has passed stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2

from engine.records.record import RecordKind
from engine.version.version import Version
from guidepost.decision_log.call_metadata import CallMetadata, checked_metadata
from guidepost.decision_log.recorder import Answers
from guidepost.server import wire
from guidepost.server.rpc.evaluate import Evaluation, Evaluator, Query, Selection
from guidepost.server.rpc.limits import TooManyTickets
from guidepost.server.rpc.observation_interceptor import note_item_error, note_tickets
from guidepost.server.rpc.status import status_of
from guidepost.server.wire.protobuf_bytes import sized, tag
from guidepost.v1 import decision_service_pb2 as pb

TURN: Final = 10
"""Tickets after which the event loop serves other calls: a unary call waits one or two milliseconds behind a batch."""

MOST_TOGETHER: Final = 20
"""Maximum tickets of a stream that are recorded together."""

READ_AHEAD: Final = 200
"""Maximum tickets of a stream that are read ahead of their answers; a caller that does not read answers has to wait."""

READ_AHEAD_BYTES: Final = 256 << 10
"""Maximum bytes of these tickets, so that large tickets take no more memory than small ones."""

TRIAGE: Final = Query(RecordKind.TRIAGE)

Encode = Callable[[Version, Answers], bytes]

Remaining = Callable[[], "float | None"]
"""Returns the number of seconds until the deadline of a call; None if it has none."""

VERSION, RESULTS = (
    tag(pb.TriageBatchResponse.DESCRIPTOR.fields_by_name[name].number) for name in ("version", "results")
)
RESULT: Final = tag(pb.TriageStreamResponse.DESCRIPTOR.fields_by_name["result"].number)
TRIAGED, FAILED = (tag(pb.TriageResult.DESCRIPTOR.fields_by_name[name].number) for name in ("triage", "error"))

_CODES: Final = {code.value[0]: code.name for code in grpc.StatusCode}


class BatchEvaluator:
    """Answers calls with many tickets, in bytes; ``limit`` is the maximum of one batch.

    ``encode`` encodes the answers of one ticket.
    """

    def __init__(self, evaluator: Evaluator, encode: Encode, limit: int) -> None:
        self._evaluator, self._encode, self._limit = evaluator, encode, limit

    async def batch(self, request: pb.TriageBatchRequest, caller: str, remaining: Remaining) -> bytes:
        """Return the response to a batch; one version decides all of its tickets."""
        if len(request.items) > self._limit:
            raise TooManyTickets(f"expected at most {self._limit:,} tickets in one call, got {len(request.items):,}")
        note_tickets(len(request.items))
        selection = self._evaluator.select(request)
        evaluations: list[Evaluation | Exception] = []
        for number, item in enumerate(request.items):
            if number % TURN == TURN - 1:
                await asyncio.sleep(0)
            evaluations.append(self._evaluate(item, selection, caller))
        parts = [sized(VERSION, wire.version_ref(selection.version.ref).SerializeToString())]
        async for result in self._results(request.items, evaluations, remaining):
            parts.append(sized(RESULTS, result))
        return b"".join(parts)

    async def stream(
        self, requests: AsyncIterator[pb.TriageStreamRequest], caller: str, remaining: Remaining
    ) -> AsyncIterator[bytes]:
        """Yield a response for each ticket of a stream, in order.

        Tickets that have arrived meanwhile are recorded together.
        """
        queue = _ReadAhead(READ_AHEAD)
        reading = asyncio.create_task(_read(requests, queue))
        try:
            ended = False
            while not ended:
                taken = [await queue.get()]
                while not queue.empty() and len(taken) < MOST_TOGETHER:
                    taken.append(queue.get_nowait())
                arrived = [one for one in taken if one is not None]
                ended = len(arrived) < len(taken)
                note_tickets(len(arrived))
                evaluations = [self._select_and_evaluate(one, caller) for one in arrived]
                async for result in self._results([one.item for one in arrived], evaluations, remaining):
                    yield sized(RESULT, result)
            await reading
        finally:
            reading.cancel()

    def _select_and_evaluate(self, request: pb.TriageStreamRequest, caller: str) -> Evaluation | Exception:
        try:
            selection = self._evaluator.select(request)
        except Exception as error:  # noqa: BLE001 - becomes the result of the ticket
            return error
        return self._evaluate(request.item, selection, caller)

    def _evaluate(self, item: pb.TriageItem, selection: Selection, caller: str) -> Evaluation | Exception:
        try:
            metadata = checked_metadata(CallMetadata(caller, item.request_id, item.ticket_id))
            return self._evaluator.evaluate(TRIAGE, item, selection, metadata)
        except Exception as error:  # noqa: BLE001 - becomes the result of the ticket
            return error

    async def _results(
        self, items: Sequence[pb.TriageItem], evaluations: Sequence[Evaluation | Exception], remaining: Remaining
    ) -> AsyncIterator[bytes]:
        """Yield the encoded results once they are recorded."""
        valid = [one for one in evaluations if isinstance(one, Evaluation)]
        recorded = iter(await self._evaluator.record_all(valid, remaining()))
        found = [next(recorded) if isinstance(one, Evaluation) else one for one in evaluations]
        for number, (item, one) in enumerate(zip(items, found, strict=True)):
            if number % TURN == TURN - 1:
                await asyncio.sleep(0)
            yield self._result(item, one)

    def _result(self, item: pb.TriageItem, found: tuple[Version, Answers] | Exception) -> bytes:
        if not isinstance(found, Exception):
            return sized(TRIAGED, self._encode(*found))
        error = item_error(found, item)
        note_item_error(_CODES[error.code])
        return sized(FAILED, error.SerializeToString())


class _ReadAhead(asyncio.Queue[pb.TriageStreamRequest | None]):
    """The tickets that are read ahead of their answers; full by number, or by bytes.

    None marks the end of the stream.
    """

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._bytes = 0

    def full(self) -> bool:
        return super().full() or self._bytes >= READ_AHEAD_BYTES

    def _put(self, item: pb.TriageStreamRequest | None) -> None:
        super()._put(item)
        self._bytes += 0 if item is None else item.ByteSize()

    def _get(self) -> pb.TriageStreamRequest | None:
        item = super()._get()
        self._bytes -= 0 if item is None else item.ByteSize()
        return item


async def _read(requests: AsyncIterator[pb.TriageStreamRequest], queue: _ReadAhead) -> None:
    try:
        async for request in requests:
            await queue.put(request)
    except Exception:
        # The receiver ends its loop, and then awaits this task, which raises the error.
        await queue.put(None)
        raise
    await queue.put(None)


def item_error(error: Exception, item: Message) -> pb.ItemError:
    """Return the error of one ticket, with the status that a call for this ticket alone would have."""
    status = status_of(error, item)
    info, invalid = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(invalid)
    fields = [pb.WrongField(path=one.field, message=one.description) for one in invalid.field_violations]
    return pb.ItemError(code=status.code, reason=info.reason, message=status.message, fields=fields)
