"""Errors of calls, what they show about the service, and answers while the service is unavailable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import grpc
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status

from guidepost.v1.decision_pb2 import DECISION_STATUS_UNDECIDED, Decision
from guidepost.v1.decision_service_pb2 import ItemError, TriageRequest, TriageResponse

LOST: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
"""The status codes of calls that had no answer."""

_TOO_LARGE: Final = ("larger than max", "metadata size exceeds")
"""Words in gRPC's details if a message or its metadata, such as a request id, is too large for the server."""

Fallback = Callable[[TriageRequest, grpc.RpcError], TriageResponse]
"""Returns the answer to a triage while the service is unavailable, from the request and the error of the call."""

_CODES: Final[dict[int, grpc.StatusCode]] = {code.value[0]: code for code in grpc.StatusCode}


class ItemFailed(grpc.RpcError):
    """One ticket of a batch was rejected. It reports what the error of a call for this ticket alone would report."""

    def __init__(self, error: ItemError) -> None:
        super().__init__(f"{error.reason}: {error.message}")
        self.error = error

    def code(self) -> grpc.StatusCode:
        """Return the status code of a call for this ticket alone."""
        return _CODES[self.error.code]

    def details(self) -> str:
        """Return what is wrong with the ticket."""
        return self.error.message

    def trailing_metadata(self) -> tuple[()]:
        """Return nothing: ``error`` has all details."""
        return ()


class CircuitOpen(grpc.RpcError):
    """A call was not made, because the service has not answered several calls in a row."""

    def __init__(self, failures: int, reason: str, left: float) -> None:
        tried = "the client is trying again now" if left == 0 else f"next try in {left:.1f} s"
        self.left = left
        """Seconds until the next attempt; 0 if one is being made now."""
        self._details = (
            f"the service has not answered {failures} calls in a row; {tried}; the last one ended with {reason}"
        )
        super().__init__(self._details)

    def code(self) -> grpc.StatusCode:
        """Return UNAVAILABLE, the code that the call would have ended with."""
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        """Return how many calls had no answer, when the next attempt is, and how the last call ended."""
        return self._details

    def trailing_metadata(self) -> tuple[()]:
        """Return nothing: no server answered."""
        return ()


def is_away(error: grpc.RpcError) -> bool:
    """Return whether a call failed because of the service: it had no answer, or was rejected unread for overload.

    A request that is too large, or whose id is too long, is the caller's fault.
    """
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return not any(words in (error.details() or "") for words in _TOO_LARGE)
    return error.code() in LOST


def is_lost(error: grpc.RpcError) -> bool:
    """Return whether a call ended without any answer of a server.

    An error that a server sent shows that the connection works.
    """
    return error.code() in LOST and not _status(error).details


def wait_of(error: grpc.RpcError) -> float:
    """Return the seconds after which the server asks for a retry; 0 if it does not ask.

    >>> wait_of(CircuitOpen(3, "UNAVAILABLE", 1.0))
    0.0
    """
    wait = RetryInfo()
    for detail in _status(error).details:
        detail.Unpack(wait)
    return float(wait.retry_delay.ToTimedelta().total_seconds())


def wrong_fields(error: grpc.RpcError) -> dict[str, str]:
    """Return the fields of the request that a server rejected: paths, each with what was expected and found.

    It is empty for a call that failed for another reason.
    """
    if isinstance(error, ItemFailed):
        return {field.path: field.message for field in error.error.fields}
    refused = BadRequest()
    for detail in _status(error).details:
        detail.Unpack(refused)
    return {violation.field: violation.description for violation in refused.field_violations}


def _status(error: grpc.RpcError) -> Status:
    """Return the details that a server sent with an error; empty if no server answered."""
    status = Status()
    metadata: Any = error.trailing_metadata() or ()
    for key, value in metadata:
        if key == "grpc-status-details-bin":
            status.ParseFromString(value)
    return status


def undecided(request: TriageRequest, error: grpc.RpcError) -> TriageResponse:  # noqa: ARG001 - part of Fallback
    """Return an answer in which nothing is decided, with a notice why, so that a desk can decide manually.

    Unlike the answer of a server it has no version; :func:`is_fallback` recognizes it by that.
    """
    answer = TriageResponse()
    code = error.code().name.lower().replace("_", " ")
    answer.notice.text = f"the policy decision service did not answer ({code}); nothing is decided"
    for field in answer.DESCRIPTOR.fields:
        if field.message_type is not None and "decision" in field.message_type.fields_by_name:
            getattr(answer, field.name).decision.CopyFrom(Decision(name=field.name, status=DECISION_STATUS_UNDECIDED))
    return answer


def is_fallback(answer: TriageResponse) -> bool:
    """Return whether an answer comes from a fallback of the client, not from a server."""
    return not answer.HasField("version")
