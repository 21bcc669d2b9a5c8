"""Many tickets in one call: each is answered, or told what is wrong with it, in its place; one never costs another its answer.

Tickets are decided one by one by the tables, since an answer names its rules; what is shared is the call, and the commit
of their records. The loop that serves everybody is given back in between, and a call whose deadline has passed stops there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from google.protobuf.message import Message
from google.rpc import error_details_pb2

from engine.decision_log.record import RecordKind
from engine.version.version import Version
from guidepost.decision_log.call_metadata import CallMetadata, checked_metadata
from guidepost.decision_log.recorder import Answers
from guidepost.server import wire
from guidepost.server.rpc.evaluate import Evaluation, Evaluator, Query, Selection
from guidepost.server.rpc.limits import TooManyTickets
from guidepost.server.rpc.observation_interceptor import note_tickets
from guidepost.server.rpc.status import status_of
from guidepost.server.wire.fast_protobuf import sized, tag
from guidepost.v1 import decision_service_pb2 as pb

TURN: Final = 10
"""After how many tickets the loop is given back: a single call waits one or two milliseconds behind a batch."""

TOGETHER: Final = 20
"""The most tickets of a stream that are recorded together."""

IN_FLIGHT: Final = 200
"""The most tickets of a stream that are read ahead of their answers; a caller who does not read his answers waits."""

IN_FLIGHT_BYTES: Final = 256 << 10
"""The most bytes of them: a stream of few large tickets is read ahead no further than one of many small ones."""

TRIAGE: Final = Query(RecordKind.TRIAGE)

Write = Callable[[Version, Answers], bytes]

Left = Callable[[], "float | None"]
"""Returns how many seconds a call has until its deadline; None if it has none."""

VERSION, RESULTS = (
    tag(pb.TriageBatchResponse.DESCRIPTOR.fields_by_name[name].number) for name in ("version", "results")
)
RESULT: Final = tag(pb.TriageStreamResponse.DESCRIPTOR.fields_by_name["result"].number)
TRIAGED, FAILED = (tag(pb.TriageResult.DESCRIPTOR.fields_by_name[name].number) for name in ("triage", "error"))


class BatchEvaluator:
    """Answers calls with many tickets, ``most`` of them at most, with bytes; ``write`` encodes the decisions of one."""

    def __init__(self, answering: Evaluator, write: Write, most: int) -> None:
        self._answering, self._write, self._most = answering, write, most

    async def batch(self, request: pb.TriageBatchRequest, caller: str, left: Left) -> bytes:
        """Answer a batch, all of it from one version."""
        if len(request.items) > self._most:
            raise TooManyTickets(f"{len(request.items):,} tickets; one call may have {self._most:,}")
        note_tickets(len(request.items))
        chosen = self._answering.choose(request)
        steps: list[Evaluation | Exception] = []
        for number, item in enumerate(request.items):
            if number % TURN == TURN - 1:
                await asyncio.sleep(0)
            steps.append(self._step(item, chosen, caller))
        parts = [sized(VERSION, wire.version_ref(chosen.version.ref).SerializeToString())]
        async for result in self._results(request.items, steps, left):
            parts.append(sized(RESULTS, result))
        return b"".join(parts)

    async def stream(
        self, requests: AsyncIterator[pb.TriageStreamRequest], caller: str, left: Left
    ) -> AsyncIterator[bytes]:
        """Answer tickets as they come, in their order; those that have come meanwhile are recorded together."""
        waiting = _Ahead(IN_FLIGHT)
        reading = asyncio.create_task(_read(requests, waiting))
        try:
            ended = False
            while not ended:
                taken = [await waiting.get()]
                while not waiting.empty() and len(taken) < TOGETHER:
                    taken.append(waiting.get_nowait())
                asked = [one for one in taken if one is not None]
                ended = len(asked) < len(taken)
                note_tickets(len(asked))
                steps = [self._chosen_step(one, caller) for one in asked]
                async for result in self._results([one.item for one in asked], steps, left):
                    yield sized(RESULT, result)
            await reading
        finally:
            reading.cancel()

    def _chosen_step(self, request: pb.TriageStreamRequest, caller: str) -> Evaluation | Exception:
        try:
            chosen = self._answering.choose(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told in its place
            return error
        return self._step(request.item, chosen, caller)

    def _step(self, item: pb.TriageItem, chosen: Selection, caller: str) -> Evaluation | Exception:
        try:
            return self._answering.step(
                TRIAGE, item, chosen, checked_metadata(CallMetadata(caller, item.request_id, item.ticket_id))
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told in its place
            return error

    async def _results(
        self, items: Sequence[pb.TriageItem], steps: Sequence[Evaluation | Exception], left: Left
    ) -> AsyncIterator[bytes]:
        """Yield the results of steps once they may leave."""
        kept = iter(await self._answering.all_kept([step for step in steps if isinstance(step, Evaluation)], left()))
        settled = [next(kept) if isinstance(step, Evaluation) else step for step in steps]
        for number, (item, one) in enumerate(zip(items, settled, strict=True)):
            if number % TURN == TURN - 1:
                await asyncio.sleep(0)
            yield self._result(item, one)

    def _result(self, item: pb.TriageItem, found: tuple[Version, Answers] | Exception) -> bytes:
        if not isinstance(found, Exception):
            return sized(TRIAGED, self._write(*found))
        return sized(FAILED, item_error(found, item).SerializeToString())


class _Ahead(asyncio.Queue[pb.TriageStreamRequest | None]):
    """What is read ahead of its answers. It is full by number, or by bytes."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._bytes = 0

    def full(self) -> bool:
        return super().full() or self._bytes >= IN_FLIGHT_BYTES

    def _put(self, item: pb.TriageStreamRequest | None) -> None:
        super()._put(item)
        self._bytes += 0 if item is None else item.ByteSize()

    def _get(self) -> pb.TriageStreamRequest | None:
        item = super()._get()
        self._bytes -= 0 if item is None else item.ByteSize()
        return item


async def _read(requests: AsyncIterator[pb.TriageStreamRequest], waiting: _Ahead) -> None:
    try:
        async for request in requests:
            await waiting.put(request)
    except Exception:
        # Who waits for the next one is told that there is none, and then sees why.
        await waiting.put(None)
        raise
    await waiting.put(None)


def item_error(error: Exception, item: Message) -> pb.ItemError:
    """Return why a ticket among others is not decided, as a call for it alone would have said it."""
    status = status_of(error, item)
    info, refused = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(refused)
    fields = [pb.WrongField(path=one.field, message=one.description) for one in refused.field_violations]
    return pb.ItemError(code=status.code, reason=info.reason, message=status.message, fields=fields)
