"""Every call comes through here: who makes it, is it allowed, is there room for it, and can its message be read.

In this order. gRPC would receive the message of a call with one message before it calls the handler. The gate's own handlers
take a stream instead, whatever the call sends, and read from it once the caller is admitted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import grpc
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from guidepost.server.auth import Access, Admission, PermissionDenied, Unauthenticated
from guidepost.server.auth.roles import required_role, set_caller
from guidepost.server.rpc.arrivals import Arrivals
from guidepost.server.rpc.limits import Limits, MalformedMessage, MessageTimeout, Slots, TooBusy
from guidepost.server.rpc.status import abort_with, reason_of, status_of
from guidepost.server.rpc.streams import parts

Handler = Any
"""A method as grpc keeps it; it has no public type."""

Context = grpc.aio.ServicerContext[Any, Any]

EOF: Final[object] = grpc.aio.EOF  # type: ignore[attr-defined]
"""What is read where a call has no further message; the stubs of grpc do not know it."""

NOT_READ: Final = "the message is not what this call takes"
NO_MESSAGE: Final = "the call ended without a message"

DRAINED: Final = 1.0
"""Seconds for which a stream that is rejected is read on at most."""

QUIET: Final = 0.05
"""Seconds without a message after which nothing more is expected on it."""

REJECTIONS: Final = (Unauthenticated, PermissionDenied, TooBusy, MessageTimeout, MalformedMessage)
"""What the gate rejects a call for."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """What some methods share: room for calls with one answer, for those with a stream, and for messages that are arriving."""

    calls: Slots
    streams: Slots
    arrivals: Arrivals


class AdmissionInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Admits calls, or rejects them with a reason. ``refused`` counts the rejected ones by that reason."""

    def __init__(self, access: Access, limits: Limits) -> None:
        self._access = access
        self._own = Rooms(
            Slots(limits.in_flight, "calls"),
            Slots(limits.streams, "streams"),
            Arrivals(limits.incomplete, limits.message_timeout),
        )
        # Anyone may call health and reflection. They have rooms of their own, so that callers with a key do not lose theirs.
        self._health = Rooms(
            Slots(limits.in_flight, "calls"),
            Slots(limits.watches, "health watches"),
            Arrivals(limits.open_incomplete, limits.message_timeout),
        )
        self._reflection = Rooms(
            Slots(limits.in_flight, "calls"),
            Slots(limits.open_incomplete, "reflection streams"),
            Arrivals(limits.open_incomplete, limits.message_timeout),
        )
        self._gated: dict[str, Handler] = {}
        self.rejected: Counter[str] = Counter()

    @property
    def in_flight(self) -> int:
        """How many calls with one answer are under way."""
        return self._own.calls.taken

    @property
    def streams(self) -> int:
        """How many calls with a stream are under way."""
        return self._own.streams.taken

    @property
    def abandoned(self) -> int:
        """How many messages never arrived completely."""
        return sum(rooms.arrivals.abandoned for rooms in (self._own, self._health, self._reflection))

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Return the gated handler of a method; None, as gRPC does, for one that does not exist."""
        method = handler_call_details.method
        found = self._gated.get(method)
        if found is None:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None
            found = self._gated[method] = _AdmittedMethod(
                self, self._access, method, self._rooms(method), handler
            ).handler
        return found

    def _rooms(self, method: str) -> Rooms:
        if required_role(method) is not None:
            return self._own
        return self._health if "Health" in method else self._reflection

    async def reject(self, context: Context, error: Exception) -> NoReturn:
        """End a call, with the status that an error stands for."""
        refusal = status_of(error, None)
        self.count(refusal)
        error.__traceback__ = None
        await abort_with(context, refusal)
        raise AssertionError("abort always raises") from error

    def count(self, refusal: Status) -> None:
        """Count a call that is rejected with a status."""
        self.rejected[reason_of(refusal)] += 1


async def _drain(context: Context) -> None:
    """Read and drop what a client has already sent on a stream that is about to be rejected.

    If its stream ends while it writes, a client with grpc.aio reports `INTERNAL: Internal error from Core` instead of the reason.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAINED):
            while True:
                async with asyncio.timeout(QUIET):
                    if await context.read() is EOF:
                        return


class _AdmittedMethod:
    """One method behind the gate. Whatever is raised of ``REFUSALS`` ends the call with the status that it stands for."""

    def __init__(self, gate: AdmissionInterceptor, access: Access, method: str, rooms: Rooms, handler: Handler) -> None:
        self._gate, self._access, self._method, self._rooms, self._inner = gate, access, method, rooms, handler
        self._open = required_role(method) is None
        self._deserialize = handler.request_deserializer

    @property
    def handler(self) -> Handler:
        """The method as gRPC is to call it."""
        write = self._inner.response_serializer
        if self._inner.unary_unary:
            return grpc.stream_unary_rpc_method_handler(self._one(self._inner.unary_unary), None, write)
        if self._inner.unary_stream:
            return grpc.stream_stream_rpc_method_handler(self._answers(self._inner.unary_stream), None, write)
        if self._inner.stream_stream:
            return grpc.stream_stream_rpc_method_handler(self._exchange(self._inner.stream_stream), None, write)
        raise AssertionError(f"{self._method} has one answer to a stream, which no call of ours has")

    def _one(self, answer: Callable[[Any, Context], Awaitable[Any]]) -> Callable[[Any, Context], Awaitable[Any]]:
        room = self._rooms.calls

        async def gated(_: object, context: Context) -> Any:
            try:
                self._admit(context)
                room.enter()
            except REJECTIONS as error:
                await self._gate.reject(context, error)
            try:
                message = await self._message(context)
                return await answer(message, context)
            except REJECTIONS as error:
                await self._gate.reject(context, error)
            finally:
                room.leave()

        return gated

    def _answers(self, answers: Callable[[Any, Context], Any]) -> Callable[[Any, Context], AsyncIterator[Any]]:
        """Gate a method that answers one message in parts; whether the caller is still admitted is asked before each part."""

        async def given(context: Context, admission: Admission | None) -> AsyncIterator[Any]:
            message = await self._message(context)
            async for part in parts(answers(message, context)):
                if admission is not None:
                    admission.renew()
                yield part

        return self._many(given)

    def _exchange(self, answers: Callable[[Any, Context], Any]) -> Callable[[Any, Context], AsyncIterator[Any]]:
        """Gate a method that answers a stream of messages; whether the caller is still admitted is asked for each message."""

        def given(context: Context, admission: Admission | None) -> AsyncIterator[Any]:
            return parts(answers(self._messages(context, admission), context))

        return self._many(given)

    def _many(
        self, given: Callable[[Context, Admission | None], AsyncIterator[Any]]
    ) -> Callable[[Any, Context], AsyncIterator[Any]]:
        room = self._rooms.streams

        async def gated(_: object, context: Context) -> AsyncIterator[Any]:
            try:
                admission = self._admit(context)
                room.enter()
            except REJECTIONS as error:
                await self._gate.reject(context, error)
            try:
                async with aclosing(given(context, admission)) as answers:  # type: ignore[type-var]
                    async for part in answers:
                        yield part
            except REJECTIONS as error:
                await self._gate.reject(context, error)
            finally:
                room.leave()

        return gated

    def _admit(self, context: Context) -> Admission | None:
        if self._open or not self._access.requires_authentication:
            return None
        admission = Admission(
            self._access, self._method, context.invocation_metadata() or (), lambda: context.auth_context() or {}
        )
        set_caller(admission.caller)
        return admission

    async def _message(self, context: Context) -> Any:
        """Return the only message of a call."""
        sent = await self._rooms.arrivals.read(context)
        if sent is EOF:
            raise MalformedMessage(NO_MESSAGE)
        return self._parsed(sent)

    async def _messages(self, context: Context, admission: Admission | None) -> AsyncIterator[Any]:
        """Yield the messages of a stream. Those of an open method have to arrive in time, so that nobody holds a stream without using it."""
        while (sent := await (self._rooms.arrivals.read(context) if self._open else context.read())) is not EOF:
            try:
                if admission is not None:
                    admission.renew()
                message = self._parsed(sent)
            except REJECTIONS as error:
                if not self._open:
                    # Our own handlers answer it themselves.
                    self._gate.count(status_of(error, None))
                await _drain(context)
                raise
            yield message

    def _parsed(self, sent: bytes) -> Any:
        try:
            return self._deserialize(sent)
        except (DecodeError, ValueError, RecursionError) as error:
            # gRPC would report this as a fault of the server.
            raise MalformedMessage(NOT_READ) from error
