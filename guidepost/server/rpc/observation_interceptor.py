"""Lets observers see every call, to measure, log or trace it.

They see its method, status, duration, version and records, but no facts of a ticket, and no text of the caller but its
name.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

from engine.decide.reschedule import Rescheduled
from engine.model.answer import VersionRef
from engine.version.version import Version
from guidepost.decision_log.recorder import Answers
from guidepost.server.auth.roles import caller_name
from guidepost.server.rpc.streams import responses

Handler = Any
"""A method handler of grpc, which has no public type."""

MAX_IDS: Final = 20
"""Maximum ids that are noted of one call; a batch can have a thousand."""


@dataclass(slots=True, kw_only=True)
class ObservedCall:
    """A call and its results so far.

    Attributes:
        with_ids: whether ``records`` and ``decisions`` are filled.
        tickets: the number of tickets of a batch or stream; None for other calls.
        records: the ids of the first records.
        decisions: the ids of the first answers.
    """

    method: str
    context: grpc.aio.ServicerContext[Any, Any]
    observers: Sequence[Observer]
    with_ids: bool
    streams: bool
    began: float
    code: str = "CANCELLED"
    seconds: float = 0.0
    caller: str = ""
    version: VersionRef | None = None
    tickets: int | None = None
    records: list[str] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)


class Observer:
    """The base of observers; its methods do nothing. They are called on the event loop and must not block."""

    wants_ids = False
    """Whether calls have the ids of their decisions and records."""

    def began(self, call: ObservedCall) -> None:
        """Called when a call begins."""

    def decided(self, version: Version, answers: Answers) -> None:
        """Called for each answer."""

    def item_failed(self, code: str) -> None:
        """Called for each ticket of a batch or stream that has no answer, with the name of its status."""

    def ended(self, call: ObservedCall) -> None:
        """Called when a call has ended."""


CURRENT: Final[ContextVar[ObservedCall | None]] = ContextVar("observed", default=None)
"""The current call, if there are observers."""


def note_answer(version: Version, answers: Answers, caller: str, record: str) -> None:
    """Note an answer of the current call, and the id of its record ("" for none)."""
    call = CURRENT.get()
    if call is None:
        return
    call.version, call.caller = version.ref, caller
    for observer in call.observers:
        observer.decided(version, answers)
    if not call.with_ids:
        return
    if record and len(call.records) < MAX_IDS:
        call.records.append(record)
    if (room := MAX_IDS - len(call.decisions)) > 0 and not isinstance(answers, Rescheduled):
        call.decisions.extend(answer.id for answer in answers[:room])


def note_tickets(number: int) -> None:
    """Add to the number of tickets of the current call."""
    call = CURRENT.get()
    if call is not None:
        call.tickets = (call.tickets or 0) + number


def note_item_error(code: str) -> None:
    """Note a ticket of the current call that has no answer, with the name of its status."""
    call = CURRENT.get()
    if call is not None:
        for observer in call.observers:
            observer.item_failed(code)


class ObservationInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Passes every call to the observers, except calls of unknown methods."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers, self._with_ids = tuple(observers), any(observer.wants_ids for observer in observers)
        self._found: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Return the handler of a method, observed."""
        method = handler_call_details.method
        found = self._found.get(method)
        if found is None:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None
            found = self._found[method] = self._observe(method, handler)
        return found

    def _observe(self, method: str, handler: Handler) -> Handler:
        read, write = handler.request_deserializer, handler.response_serializer
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(self._one(method, handler.unary_unary), read, write)
        if handler.stream_unary:
            return grpc.stream_unary_rpc_method_handler(self._one(method, handler.stream_unary), read, write)
        if handler.unary_stream:
            return grpc.unary_stream_rpc_method_handler(self._many(method, handler.unary_stream), read, write)
        if handler.stream_stream:
            return grpc.stream_stream_rpc_method_handler(self._many(method, handler.stream_stream), read, write)
        raise AssertionError(f"{method} has no handler")

    def _one(self, method: str, answer: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
        async def observed(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            call = self._begin(method, context, streams=False)
            try:
                response = await answer(request, context)
                call.code = "OK"
            except grpc.aio.AbortError:
                call.code = _name(context.code())
                raise
            except Exception:
                call.code = "UNKNOWN"
                raise
            else:
                return response
            finally:
                self._end(call)

        return observed

    def _many(
        self, method: str, answers: Callable[[Any, Any], AsyncIterator[Any]]
    ) -> Callable[[Any, Any], AsyncIterator[Any]]:
        async def observed(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
            call = self._begin(method, context, streams=True)
            try:
                async with aclosing(responses(answers(request, context))) as stream:  # type: ignore[type-var]
                    async for response in stream:
                        yield response
                call.code = "OK"
            except grpc.aio.AbortError:
                call.code = _name(context.code())
                raise
            except Exception:
                call.code = "UNKNOWN"
                raise
            finally:
                self._end(call)

        return observed

    def _begin(self, method: str, context: grpc.aio.ServicerContext[Any, Any], *, streams: bool) -> ObservedCall:
        call = ObservedCall(
            method=method,
            context=context,
            observers=self._observers,
            with_ids=self._with_ids,
            streams=streams,
            began=time.perf_counter(),
        )
        CURRENT.set(call)
        for observer in self._observers:
            observer.began(call)
        return call

    def _end(self, call: ObservedCall) -> None:
        call.seconds = time.perf_counter() - call.began
        call.caller = call.caller or caller_name()
        for observer in self._observers:
            observer.ended(call)


_CODES: Final = {code.value[0]: code.name for code in grpc.StatusCode}


def _name(code: Any) -> str:
    """Return the name of a status; grpc has it as an enum or as a number."""
    return code.name if isinstance(code, grpc.StatusCode) else _CODES.get(code, "UNKNOWN")
