"""What a call that cannot be answered is told: an exception in, a gRPC status with google.rpc details out.

A wrong request is INVALID_ARGUMENT and names every wrong field; an unknown version or decision is NOT_FOUND and names
the known ones; a decision that cannot be recorded is UNAVAILABLE; everything else is INTERNAL with a random id, under which the log has the trace that no caller sees.
A case without an answer is none of these: it is an answer.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from sqlalchemy.exc import SQLAlchemyError

from engine.model.answer import UnknownDecision, UnknownVersion, WrongFact, WrongRequest
from engine.model.problems import PolicyErrors
from guidepost.decision_log.call_metadata import InvalidMetadata
from guidepost.decision_log.database import LogError, cause
from guidepost.decision_log.events import Refusal
from guidepost.decision_log.patience import RETRY_AFTER, pushback
from guidepost.decision_log.purge import PurgeError
from guidepost.decision_log.recorder import ReplayMismatch, RequestIdReused
from guidepost.decision_log.writer import LogUnavailable
from guidepost.server import wire
from guidepost.server.auth.errors import Forbidden, NoLog, NotExplained, UnknownRecord, Unproven
from guidepost.server.rpc.limits import Malformed, TooBusy, TooSlow

log = logging.getLogger("guidepost.service")

DOMAIN: Final = "guidepost"
MESSAGE_LENGTH: Final = 300
DESCRIPTION_LENGTH: Final = 500
DETAILS_SIZE: Final = 3_000
"""Details travel in a header, and clients refuse headers above 8 KiB: what does not fit is counted instead."""

PUSHBACK: Final = "grpc-retry-pushback-ms"
"""The metadata by which gRPC's clients learn after how many milliseconds to repeat a call; -1 for not at all."""

BUSY_FOR: Final = 100
"""Milliseconds after which a call may be worth repeating for which there was no room."""


class TooManyTickets(ValueError):
    """A call has more tickets than one call may have."""


Servicer = TypeVar("Servicer")
Asked = TypeVar("Asked")
Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message | bytes)
"""What is answered: a message, or the bytes of one."""


def served(
    answer: Callable[[Servicer, Request], Response],
) -> Callable[[Servicer, Request, grpc.aio.ServicerContext[Any, Any]], Awaitable[Response]]:
    """Make an RPC of a plain method from request to response, by turning what it raises into a status."""

    @functools.wraps(answer)
    async def rpc(servicer: Servicer, request: Request, context: grpc.aio.ServicerContext[Any, Any]) -> Response:
        try:
            return answer(servicer, request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a status
            refusal = _refusal(error, request, context)
        await _end(context, *refusal)
        raise AssertionError("abort always raises")

    return rpc


def answered(
    answer: Callable[[Servicer, Request, grpc.aio.ServicerContext[Any, Any]], Awaitable[Response]],
) -> Callable[[Servicer, Request, grpc.aio.ServicerContext[Any, Any]], Awaitable[Response]]:
    """Make an RPC of a method that may have to wait, and looks at the call, by turning what it raises into a status."""

    @functools.wraps(answer)
    async def rpc(servicer: Servicer, request: Request, context: grpc.aio.ServicerContext[Any, Any]) -> Response:
        try:
            return await answer(servicer, request, context)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a status
            refusal = _refusal(error, request, context)
        await _end(context, *refusal)
        raise AssertionError("abort always raises")

    return rpc


def streamed(
    answers: Callable[[Servicer, Request], AsyncIterator[Response]],
) -> Callable[[Servicer, Request, grpc.aio.ServicerContext[Any, Any]], AsyncIterator[Response]]:
    """Make an RPC that answers in parts of a method from request to responses, by turning what it raises into a status."""

    @functools.wraps(answers)
    def parts(
        servicer: Servicer,
        request: Request,
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG001
    ) -> AsyncIterator[Response]:
        return answers(servicer, request)

    return streaming(parts)


def streaming(
    answers: Callable[[Servicer, Asked, grpc.aio.ServicerContext[Any, Any]], AsyncIterator[Response]],
) -> Callable[[Servicer, Asked, grpc.aio.ServicerContext[Any, Any]], AsyncIterator[Response]]:
    """Make an RPC that answers in parts of a method that looks at the call, by turning what it raises into a status; what is asked may be a stream, too."""

    @functools.wraps(answers)
    async def rpc(
        servicer: Servicer, request: Asked, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[Response]:
        try:
            async for part in answers(servicer, request, context):
                yield part
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a status
            refusal = _refusal(error, request, context)
        else:
            return
        await _end(context, *refusal)

    return rpc


def _refusal(
    error: Exception, request: Any, context: grpc.aio.ServicerContext[Any, Any]
) -> tuple[grpc.StatusCode, str, tuple[tuple[str, str | bytes], ...]]:
    """Return code, message and metadata that a call ends with.

    Clients repeat what is UNAVAILABLE by themselves. Where the log is the reason, they learn when that may help, or that it cannot before their deadline.
    """
    status = rpc_status.to_status(explained(error, request))
    metadata = tuple(status.trailing_metadata)
    if isinstance(error, LogUnavailable) and error.why is not Refusal.STOPPING:
        metadata += ((PUSHBACK, str(pushback(context.time_remaining()))),)
    # Its frames keep the call, and may keep the error.
    error.__traceback__ = error.__context__ = None
    return status.code, status.details, metadata


async def refuse(context: grpc.aio.ServicerContext[Any, Any], refusal: status_pb2.Status) -> None:
    """End a call with a status."""
    status = rpc_status.to_status(refusal)
    await _end(context, status.code, status.details, tuple(status.trailing_metadata))


async def _end(
    context: grpc.aio.ServicerContext[Any, Any],
    code: grpc.StatusCode,
    details: str,
    metadata: tuple[tuple[str, str | bytes], ...],
) -> None:
    try:
        await context.abort(code, details, metadata)
    except grpc.aio.AbortError as aborted:
        _let_go(aborted)
        raise


def _let_go(aborted: grpc.aio.AbortError) -> None:
    """Have an exception forget where it was raised, once the call has ended.

    gRPC keeps it with the call, and its frames keep the call: the call, with what it received, would stay until Python looks
    for such circles. Until then gRPC counts it among the calls of its connection, and refuses new ones.
    """
    task = asyncio.current_task()
    if task is None:
        raise AssertionError("a call is answered by a task")

    def forget(_: object) -> None:
        aborted.__traceback__ = aborted.__context__ = None

    task.add_done_callback(forget)


def reason(refusal: status_pb2.Status) -> str:
    """Return the reason for machines that a status names."""
    info = error_details_pb2.ErrorInfo()
    refusal.details[0].Unpack(info)
    return str(info.reason)


def explained(error: Exception, request: Any) -> status_pb2.Status:
    """Return what went wrong, as a status; log it if it is our own fault."""
    match error:
        case WrongRequest():
            return _invalid("WRONG_FACT", [(wire.path(fact.fact, request), described(fact)) for fact in error.wrong])
        case wire.WrongField():
            return _invalid("WRONG_FIELD", [(error.path, str(error))])
        case wire.WrongSelector():
            return _invalid("WRONG_SELECTOR", [(error.path, str(error))])
        case UnknownVersion():
            known = (ref.version for ref in error.known)
            return _status(grpc.StatusCode.NOT_FOUND, "UNKNOWN_VERSION", str(error), known=known)
        case PolicyErrors():
            return _status(
                grpc.StatusCode.FAILED_PRECONDITION, "POLICY", "; ".join(problem.message for problem in error.problems)
            )
        case UnknownDecision():
            return _status(grpc.StatusCode.NOT_FOUND, "UNKNOWN_DECISION", str(error), known=error.known)
        case TooManyTickets():
            return _status(grpc.StatusCode.INVALID_ARGUMENT, "TOO_MANY_TICKETS", str(error))
        case InvalidMetadata():
            return _status(grpc.StatusCode.INVALID_ARGUMENT, "WRONG_CALL", str(error))
        case Unproven():
            return _status(grpc.StatusCode.UNAUTHENTICATED, "UNPROVEN", str(error))
        case Malformed():
            return _status(grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED", str(error))
        case TooBusy():
            wait = error_details_pb2.RetryInfo()
            wait.retry_delay.FromMilliseconds(BUSY_FOR)
            return _status(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_BUSY", str(error), wait)
        case TooSlow():
            return _status(grpc.StatusCode.DEADLINE_EXCEEDED, "TOO_SLOW", str(error))
        case Forbidden():
            return _status(grpc.StatusCode.PERMISSION_DENIED, "FORBIDDEN", str(error))
        case NoLog():
            return _status(grpc.StatusCode.FAILED_PRECONDITION, "NO_LOG", str(error))
        case UnknownRecord():
            return _status(grpc.StatusCode.NOT_FOUND, "UNKNOWN_RECORD", str(error))
        case NotExplained():
            return _status(grpc.StatusCode.FAILED_PRECONDITION, "NOT_EXPLAINED", str(error))
        case PurgeError():
            return _status(grpc.StatusCode.FAILED_PRECONDITION, "PURGE_REFUSED", str(error))
        case LogError() | SQLAlchemyError():
            return _status(
                grpc.StatusCode.UNAVAILABLE, "LOG_UNAVAILABLE", f"the decision log cannot be read: {cause(error)}"
            )
        case RequestIdReused():
            return _status(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_USED", str(error))
        case ReplayMismatch():
            return _status(grpc.StatusCode.FAILED_PRECONDITION, "RECORDED_OTHERWISE", str(error))
        case LogUnavailable():
            wait = error_details_pb2.RetryInfo()
            wait.retry_delay.FromMilliseconds(int(RETRY_AFTER * 1_000))
            return _status(grpc.StatusCode.UNAVAILABLE, "LOG_UNAVAILABLE", str(error), wait)
        case _:
            incident = secrets.token_hex(8)
            log.error("incident %s in %s", incident, type(request).__name__, exc_info=error)
            message = f"unexpected error; the server's log has it as incident {incident}"
            detail = error_details_pb2.RequestInfo(request_id=incident)
            return _status(grpc.StatusCode.INTERNAL, "UNEXPECTED", message, detail)


def described(fact: WrongFact) -> str:
    """Describe what is wrong with a fact, what it may be, and what was perhaps meant."""
    parts = [shortened(fact.message)]
    if fact.help:
        parts.append(shortened(fact.help))
    if fact.allowed:
        parts.append(f"allowed: {', '.join(fact.allowed)}")
    return shortened("; ".join(parts), DESCRIPTION_LENGTH)


def shortened(text: str, length: int = MESSAGE_LENGTH) -> str:
    """Cut a text that is too long for a header."""
    return text if len(text) <= length else text[: length - 1] + "…"


def _invalid(reason: str, violations: list[tuple[str, str]]) -> status_pb2.Status:
    """Name the wrong fields: the first one in the message, and in the details as many as fit."""
    path, description = violations[0]
    more = (
        f" (and {len(violations) - 1} more; all are in the error details, `wrong_fields` in Python)"
        if len(violations) > 1
        else ""
    )
    message = shortened(f"{path}: {description}", MESSAGE_LENGTH - len(more)) + more
    detail = error_details_pb2.BadRequest()
    for number, (path, description) in enumerate(violations):
        detail.field_violations.add(field=shortened(path), description=description)
        if detail.ByteSize() > DETAILS_SIZE:
            detail.field_violations[-1].Clear()
            detail.field_violations[-1].field = "ticket"
            detail.field_violations[-1].description = f"{len(violations) - number} more wrong fields"
            break
    return _status(grpc.StatusCode.INVALID_ARGUMENT, reason, message, detail)


def _status(
    code: grpc.StatusCode, reason: str, message: str, *details: Message, known: Iterable[str] = ()
) -> status_pb2.Status:
    """Put a status together; its details start with the reason for machines."""
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN)
    if listed := ", ".join(known):
        info.metadata["known"] = shortened(listed, DESCRIPTION_LENGTH)
    status = status_pb2.Status(code=code.value[0], message=shortened(message))
    for detail in (info, *details):
        packed = AnyMessage()
        packed.Pack(detail, deterministic=True)
        status.details.append(packed)
    return status
