"""An exception in, a gRPC status with google.rpc details out.

An invalid request is INVALID_ARGUMENT and names every invalid field; an unknown version or decision is NOT_FOUND and
lists the known ones; a decision that cannot be recorded is UNAVAILABLE. Anything unforeseen is INTERNAL with a random
id: the server's log has the traceback under this id, and the caller sees only the id. A case without a decision is not
an error: it is an answer.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Final, TypeAlias, TypeVar

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from sqlalchemy.exc import SQLAlchemyError

from engine.model.answer import UnknownDecision, UnknownVersion, WrongFact, WrongRequest
from engine.model.problems import PolicyErrors
from guidepost.decision_log.call_metadata import InvalidMetadata
from guidepost.decision_log.commit_thread import LogUnavailable
from guidepost.decision_log.database import database_message
from guidepost.decision_log.events import Refusal
from guidepost.decision_log.log_error import LogError
from guidepost.decision_log.purge import PurgeError
from guidepost.decision_log.recorder import ReplayMismatch, RequestIdReused
from guidepost.decision_log.time_limits import RETRY_AFTER, pushback
from guidepost.server import wire
from guidepost.server.errors import CallError, InvalidField

log = logging.getLogger("guidepost.rpc")

DOMAIN: Final = "guidepost"
MESSAGE_LENGTH: Final = 300
DESCRIPTION_LENGTH: Final = 500
DETAILS_SIZE: Final = 3_000
"""Maximum bytes of details: they travel in a header, and clients reject headers above 8 KiB.

The rest is counted instead.
"""

PUSHBACK: Final = "grpc-retry-pushback-ms"
"""The metadata that tells gRPC clients after how many milliseconds to retry a call; -1 for never."""

Code: TypeAlias = grpc.StatusCode

STATUSES: Final[dict[type[Exception], tuple[Code, str]]] = {
    WrongRequest: (Code.INVALID_ARGUMENT, "INVALID_FACT"),
    UnknownVersion: (Code.NOT_FOUND, "UNKNOWN_VERSION"),
    UnknownDecision: (Code.NOT_FOUND, "UNKNOWN_DECISION"),
    PolicyErrors: (Code.FAILED_PRECONDITION, "DIFF_TOO_LARGE"),
    InvalidMetadata: (Code.INVALID_ARGUMENT, "INVALID_METADATA"),
    PurgeError: (Code.FAILED_PRECONDITION, "PURGE_REFUSED"),
    RequestIdReused: (Code.ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED"),
    ReplayMismatch: (Code.FAILED_PRECONDITION, "REPLAY_MISMATCH"),
    LogUnavailable: (Code.UNAVAILABLE, "LOG_UNAVAILABLE"),
    LogError: (Code.UNAVAILABLE, "LOG_UNAVAILABLE"),
    SQLAlchemyError: (Code.UNAVAILABLE, "LOG_UNAVAILABLE"),
}
"""Status and reason of the errors that are not a ``CallError``, since their packages know no gRPC."""

Servicer = TypeVar("Servicer")
Request = TypeVar("Request")
Response = TypeVar("Response", bound=Message | bytes)
"""A response message, or its bytes."""

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
Metadata: TypeAlias = tuple[tuple[str, str | bytes], ...]


def unary(
    method: Callable[[Servicer, Request, Context], Awaitable[Response]],
) -> Callable[[Servicer, Request, Context], Awaitable[Response]]:
    """Decorate a method with one response: an exception ends the call with its status."""

    @functools.wraps(method)
    async def rpc(servicer: Servicer, request: Request, context: Context) -> Response:
        try:
            return await method(servicer, request, context)
        except Exception as error:  # noqa: BLE001 - the caller receives a status for any error
            ending = _ending(error, request, context)
        # Outside of the handler, so that the error is not kept as the context of AbortError.
        await _abort(context, *ending)
        raise AssertionError("abort always raises")

    return rpc


def streaming(
    method: Callable[[Servicer, Request, Context], AsyncIterator[Response]],
) -> Callable[[Servicer, Request, Context], AsyncIterator[Response]]:
    """Decorate a method with a stream of responses: an exception ends the call with its status."""

    @functools.wraps(method)
    async def rpc(servicer: Servicer, request: Request, context: Context) -> AsyncIterator[Response]:
        try:
            async for response in method(servicer, request, context):
                yield response
        except Exception as error:  # noqa: BLE001 - the caller receives a status for any error
            ending = _ending(error, request, context)
        else:
            return
        await _abort(context, *ending)

    return rpc


def _ending(error: Exception, request: Any, context: Context) -> tuple[Code, str, Metadata]:
    """Return the code, message and metadata that a call ends with.

    gRPC clients retry UNAVAILABLE by themselves. If the decision log is unavailable, the metadata tells them when a
    retry can succeed, or that none can before their deadline.
    """
    status = rpc_status.to_status(status_of(error, request))
    metadata = tuple(status.trailing_metadata)
    if isinstance(error, LogUnavailable) and error.why is not Refusal.STOPPING:
        metadata += ((PUSHBACK, str(pushback(context.time_remaining()))),)
    # The frames of the error refer to the call, and may refer to the error.
    error.__traceback__ = error.__context__ = None
    return status.code, status.details, metadata


async def abort_with(context: Context, status: status_pb2.Status) -> None:
    """End a call with a status."""
    converted = rpc_status.to_status(status)
    await _abort(context, converted.code, converted.details, tuple(converted.trailing_metadata))


async def _abort(context: Context, code: Code, details: str, metadata: Metadata) -> None:
    try:
        await context.abort(code, details, metadata)
    except grpc.aio.AbortError as aborted:
        _forget_frames(aborted)
        raise


def _forget_frames(aborted: grpc.aio.AbortError) -> None:
    """Remove the traceback of an exception once the call has ended.

    gRPC keeps the exception with the call, and its frames refer to the call: without this, the call and its messages
    stay in memory until the cyclic garbage collector runs. Until then, gRPC counts it as a call under way on its
    connection, and rejects new ones.
    """
    task = asyncio.current_task()
    if task is None:
        raise AssertionError("a call runs in a task")

    def forget(_: object) -> None:
        aborted.__traceback__ = aborted.__context__ = None

    task.add_done_callback(forget)


def reason_of(status: status_pb2.Status) -> str:
    """Return the reason in the details of a status."""
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    return str(info.reason)


def status_of(error: Exception, request: Any) -> status_pb2.Status:
    """Return the status of an error; log it if the server is at fault. ``request`` locates the facts that it names."""
    code, reason = _code_and_reason(error)
    match error:
        case WrongRequest():
            return _invalid(reason, [(wire.path(fact.fact, request), described(fact)) for fact in error.wrong])
        case InvalidField():
            return _invalid(reason, [(error.path, str(error))])
        case UnknownVersion():
            return _status(code, reason, str(error), known=(ref.version for ref in error.known))
        case UnknownDecision():
            return _status(code, reason, str(error), known=error.known)
        case PolicyErrors():
            return _status(code, reason, "; ".join(problem.message for problem in error.problems))
        case LogError() | SQLAlchemyError():
            return _status(code, reason, f"the decision log cannot be read: {database_message(error)}")
        case LogUnavailable():
            return _status(code, reason, str(error), _retry_info(int(RETRY_AFTER * 1_000)))
        case CallError(retry_after=int(milliseconds)):
            return _status(code, reason, str(error), _retry_info(milliseconds))
        case _ if code is not Code.INTERNAL:
            return _status(code, reason, str(error))
    incident = secrets.token_hex(8)
    log.error("incident %s in %s", incident, type(request).__name__, exc_info=error)
    message = f"unexpected error; the server's log has it as incident {incident}"
    return _status(code, reason, message, error_details_pb2.RequestInfo(request_id=incident))


def _code_and_reason(error: Exception) -> tuple[Code, str]:
    if isinstance(error, CallError):
        return grpc.StatusCode[error.status], error.reason
    return next(
        (STATUSES[one] for one in type(error).__mro__ if one in STATUSES),
        (Code.INTERNAL, "INTERNAL_ERROR"),
    )


def _retry_info(milliseconds: int) -> error_details_pb2.RetryInfo:
    info = error_details_pb2.RetryInfo()
    info.retry_delay.FromMilliseconds(milliseconds)
    return info


def described(fact: WrongFact) -> str:
    """Return what is wrong with a fact, which values are allowed, and the closest one."""
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
    """Return a status that names invalid fields: the first one in the message, and as many as fit in the details."""
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
    return _status(Code.INVALID_ARGUMENT, reason, message, detail)


def _status(code: Code, reason: str, message: str, *details: Message, known: Iterable[str] = ()) -> status_pb2.Status:
    """Return a status; its first detail has the reason."""
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN)
    if listed := ", ".join(known):
        info.metadata["known"] = shortened(listed, DESCRIPTION_LENGTH)
    status = status_pb2.Status(code=code.value[0], message=shortened(message))
    for detail in (info, *details):
        packed = AnyMessage()
        packed.Pack(detail, deterministic=True)
        status.details.append(packed)
    return status
