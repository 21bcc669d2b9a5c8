"""Every call comes through here: who makes it, may he, is there room for it, and can its message be read.

In this order, so that whoever may not come in costs little: not even his message is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError

from service.access import Access
from service.access.roles import answering, needed
from service.errors import explained, reason, refuse
from service.limits import Limits, Malformed, Room

Handler = Any
"""A method as grpc keeps it; it has no public type."""

Context = grpc.aio.ServicerContext[Any, Any]

NOT_READ: Final = "the message is not what this call takes"


class Gate(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Lets calls in, or says why not. ``refused`` counts those that it did not let in, by the reason that they were told."""

    def __init__(self, access: Access, limits: Limits) -> None:
        self._access = access
        self._calls, self._streams = Room(limits.in_flight, "calls"), Room(limits.streams, "streams")
        self._gated: dict[str, Handler] = {}
        self.refused: Counter[str] = Counter()

    @property
    def in_flight(self) -> int:
        """How many calls with one answer are under way."""
        return self._calls.taken

    @property
    def streams(self) -> int:
        """How many calls with a stream are under way."""
        return self._streams.taken

    async def intercept_service(self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]], handler_call_details: grpc.HandlerCallDetails) -> Handler:
        """Give the handler of a call, gated; one that is open to all is left as it is, and one that is not there stays so."""
        method = handler_call_details.method
        found = self._gated.get(method)
        if found is None:
            handler = await continuation(handler_call_details)
            if handler is None or needed(method) is None:
                return handler
            found = self._gated[method] = self._gate(method, handler)
        return found

    def _gate(self, method: str, handler: Handler) -> Handler:
        # The message is read here, and not by grpc, which would call one that it cannot read a fault of ours.
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(self._one(method, handler), None, handler.response_serializer)
        if handler.unary_stream:
            return grpc.unary_stream_rpc_method_handler(self._many(method, handler.unary_stream, _whole(handler)), None, handler.response_serializer)
        if handler.stream_stream:
            return grpc.stream_stream_rpc_method_handler(self._many(method, handler.stream_stream, _parts(handler)), None, handler.response_serializer)
        raise AssertionError(f"{method} has one answer to a stream, which no call of ours has")

    def _one(self, method: str, handler: Handler) -> Callable[[bytes, Context], Awaitable[Any]]:
        answer, read, room = handler.unary_unary, _whole(handler), self._calls

        async def gated(sent: bytes, context: Context) -> Any:
            try:
                self._admit(method, context)
                room.enter()
            except Exception as error:
                await self._refuse(context, error)
                raise AssertionError("abort always raises") from error
            try:
                return await answer(await self._read(read, sent, context), context)
            finally:
                room.leave()

        return gated

    def _many(self, method: str, answers: Callable[[Any, Context], AsyncIterator[Any]], read: Callable[[Any], Any]) -> Callable[[Any, Context], AsyncIterator[Any]]:
        room = self._streams

        async def gated(sent: Any, context: Context) -> AsyncIterator[Any]:
            try:
                self._admit(method, context)
                room.enter()
            except Exception as error:
                await self._refuse(context, error)
                raise AssertionError("abort always raises") from error
            try:
                async with aclosing(answers(await self._read(read, sent, context), context)) as parts:  # type: ignore[type-var]
                    async for part in parts:
                        yield part
            finally:
                room.leave()

        return gated

    async def _read(self, read: Callable[[Any], Any], sent: Any, context: Context) -> Any:
        try:
            return read(sent)
        except Malformed as error:
            await self._refuse(context, error)
            raise AssertionError("abort always raises") from error

    def _admit(self, method: str, context: Context) -> None:
        if not self._access.named:
            return
        found = self._access.caller(context.invocation_metadata() or (), lambda: _certificate(context))
        self._access.admit(method, found)
        answering(found)

    async def _refuse(self, context: Context, error: Exception) -> None:
        refusal = explained(error, None)
        self.refused[reason(refusal)] += 1
        await refuse(context, refusal)


def _certificate(context: Context) -> Mapping[str, Any]:
    return context.auth_context() or {}


def _whole(handler: Handler) -> Callable[[bytes], Any]:
    deserialize = handler.request_deserializer

    def read(sent: bytes) -> Any:
        try:
            return deserialize(sent)
        except (DecodeError, ValueError, RecursionError) as error:
            raise Malformed(NOT_READ) from error

    return read


def _parts(handler: Handler) -> Callable[[AsyncIterator[bytes]], AsyncIterator[Any]]:
    whole = _whole(handler)

    async def read(sent: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        async for one in sent:
            yield whole(one)

    return read
