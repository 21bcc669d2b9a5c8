"""Authenticates, authorizes and limits every call before its message is parsed.

gRPC receives the message of a unary call before it calls the handler. The handlers here always take a stream, whatever
the call sends, and read from it once the caller is admitted.
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
from guidepost.server.rpc.streams import responses

Handler = Any
"""A method handler of grpc, which has no public type."""

Context = grpc.aio.ServicerContext[Any, Any]

EOF: Final[object] = grpc.aio.EOF  # type: ignore[attr-defined]
"""The value that is read at the end of a stream; the stubs of grpc lack it."""

NOT_PARSED: Final = "the message cannot be parsed as the request of this method"
NO_MESSAGE: Final = "expected a message, but the call ended without one"

DRAIN_TIME: Final = 1.0
"""Maximum seconds for which a rejected stream is read."""

QUIET_TIME: Final = 0.05
"""Seconds without a message after which a rejected stream is no longer read."""

REJECTIONS: Final = (Unauthenticated, PermissionDenied, TooBusy, MessageTimeout, MalformedMessage)
"""The errors for which a call is rejected here."""


@dataclass(frozen=True, slots=True)
class SharedLimits:
    """The limits that some methods share: slots for unary calls, slots for streams, and arriving messages."""

    calls: Slots
    streams: Slots
    arrivals: Arrivals


class AdmissionInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Admits calls, or rejects them with a reason. ``rejected`` counts the rejected calls by reason."""

    def __init__(self, access: Access, limits: Limits) -> None:
        self._access = access
        self._own = SharedLimits(
            Slots(limits.in_flight, "calls"),
            Slots(limits.streams, "streams"),
            Arrivals(limits.incomplete, limits.message_timeout),
        )
        # Health and reflection are open to all. They have limits of their own, so that they cannot block other calls.
        self._health = SharedLimits(
            Slots(limits.in_flight, "calls"),
            Slots(limits.watches, "health watches"),
            Arrivals(limits.open_incomplete, limits.message_timeout),
        )
        self._reflection = SharedLimits(
            Slots(limits.in_flight, "calls"),
            Slots(limits.open_incomplete, "reflection streams"),
            Arrivals(limits.open_incomplete, limits.message_timeout),
        )
        self._handlers: dict[str, Handler] = {}
        self.rejected: Counter[str] = Counter()

    @property
    def in_flight(self) -> int:
        """The number of unary calls under way."""
        return self._own.calls.used

    @property
    def streams(self) -> int:
        """The number of streams under way."""
        return self._own.streams.used

    @property
    def abandoned(self) -> int:
        """The number of messages that never arrived completely."""
        return sum(shared.arrivals.abandoned for shared in (self._own, self._health, self._reflection))

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Return the handler of a method behind the checks; None, as gRPC does, for an unknown method."""
        method = handler_call_details.method
        found = self._handlers.get(method)
        if found is None:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None
            found = self._handlers[method] = _AdmittedMethod(
                self, self._access, method, self._limits_of(method), handler
            ).handler
        return found

    def _limits_of(self, method: str) -> SharedLimits:
        if required_role(method) is not None:
            return self._own
        return self._health if "Health" in method else self._reflection

    async def reject(self, context: Context, error: Exception) -> NoReturn:
        """End a call with the status of an error, and count it."""
        status = status_of(error, None)
        self.count(status)
        error.__traceback__ = None
        await abort_with(context, status)
        raise AssertionError("abort always raises") from error

    def count(self, status: Status) -> None:
        """Count a call that is rejected with a status."""
        self.rejected[reason_of(status)] += 1


async def _drain(context: Context) -> None:
    """Read what a client has already sent on a stream that is about to be rejected, and drop it.

    If a stream ends while a grpc.aio client writes, the client reports ``INTERNAL: Internal error from Core`` instead
    of the reason.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_TIME):
            while True:
                async with asyncio.timeout(QUIET_TIME):
                    if await context.read() is EOF:
                        return


class _AdmittedMethod:
    """One method behind the checks. Errors of ``REJECTIONS`` end the call with their status."""

    def __init__(
        self, interceptor: AdmissionInterceptor, access: Access, method: str, shared: SharedLimits, handler: Handler
    ) -> None:
        self._interceptor, self._access, self._method, self._shared, self._inner = (
            interceptor,
            access,
            method,
            shared,
            handler,
        )
        self._open = required_role(method) is None
        self._deserialize = handler.request_deserializer

    @property
    def handler(self) -> Handler:
        """The handler for gRPC."""
        write = self._inner.response_serializer
        if self._inner.unary_unary:
            return grpc.stream_unary_rpc_method_handler(self._one(self._inner.unary_unary), None, write)
        if self._inner.unary_stream:
            return grpc.stream_stream_rpc_method_handler(self._answers(self._inner.unary_stream), None, write)
        if self._inner.stream_stream:
            return grpc.stream_stream_rpc_method_handler(self._exchange(self._inner.stream_stream), None, write)
        raise AssertionError(f"{self._method} has one response to a stream of requests, which is not supported")

    def _one(self, answer: Callable[[Any, Context], Awaitable[Any]]) -> Callable[[Any, Context], Awaitable[Any]]:
        slots = self._shared.calls

        async def admitted(_: object, context: Context) -> Any:
            try:
                self._admit(context)
                slots.acquire()
            except REJECTIONS as error:
                await self._interceptor.reject(context, error)
            try:
                message = await self._message(context)
                return await answer(message, context)
            except REJECTIONS as error:
                await self._interceptor.reject(context, error)
            finally:
                slots.release()

        return admitted

    def _answers(self, answers: Callable[[Any, Context], Any]) -> Callable[[Any, Context], AsyncIterator[Any]]:
        """Return the handler of a method with one request and a stream of responses.

        The caller is checked before each response.
        """

        async def stream(context: Context, admission: Admission | None) -> AsyncIterator[Any]:
            message = await self._message(context)
            async for response in responses(answers(message, context)):
                if admission is not None:
                    admission.renew()
                yield response

        return self._many(stream)

    def _exchange(self, answers: Callable[[Any, Context], Any]) -> Callable[[Any, Context], AsyncIterator[Any]]:
        """Return the handler of a method with a stream of requests and of responses.

        The caller is checked with each request.
        """

        def stream(context: Context, admission: Admission | None) -> AsyncIterator[Any]:
            return responses(answers(self._messages(context, admission), context))

        return self._many(stream)

    def _many(
        self, stream: Callable[[Context, Admission | None], AsyncIterator[Any]]
    ) -> Callable[[Any, Context], AsyncIterator[Any]]:
        slots = self._shared.streams

        async def admitted(_: object, context: Context) -> AsyncIterator[Any]:
            try:
                admission = self._admit(context)
                slots.acquire()
            except REJECTIONS as error:
                await self._interceptor.reject(context, error)
            try:
                async with aclosing(stream(context, admission)) as answers:  # type: ignore[type-var]
                    async for response in answers:
                        yield response
            except REJECTIONS as error:
                await self._interceptor.reject(context, error)
            finally:
                slots.release()

        return admitted

    def _admit(self, context: Context) -> Admission | None:
        if self._open or not self._access.requires_authentication:
            return None
        admission = Admission(
            self._access, self._method, context.invocation_metadata() or (), lambda: context.auth_context() or {}
        )
        set_caller(admission.caller)
        return admission

    async def _message(self, context: Context) -> Any:
        """Return the message of a call that has one."""
        received = await self._shared.arrivals.read(context)
        if received is EOF:
            raise MalformedMessage(NO_MESSAGE)
        return self._parse(received)

    async def _messages(self, context: Context, admission: Admission | None) -> AsyncIterator[Any]:
        """Yield the messages of a stream. For an open method they must arrive in time, so that no stream stays idle."""
        while (received := await (self._shared.arrivals.read(context) if self._open else context.read())) is not EOF:
            try:
                if admission is not None:
                    admission.renew()
                message = self._parse(received)
            except REJECTIONS as error:
                if not self._open:
                    # The handler sends the status, so only the count is left.
                    self._interceptor.count(status_of(error, None))
                await _drain(context)
                raise
            yield message

    def _parse(self, data: bytes) -> Any:
        try:
            return self._deserialize(data)
        except (DecodeError, ValueError, RecursionError) as error:
            # gRPC would report it as an INTERNAL error.
            raise MalformedMessage(NOT_PARSED) from error
