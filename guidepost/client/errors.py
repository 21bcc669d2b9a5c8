"""How calls fail, what that says about the service, and what a client answers by itself when the service is away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import grpc
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status

from guidepost.v1.decision_pb2 import DECISION_STATUS_UNDECIDED, Decision
from guidepost.v1.decision_service_pb2 import ItemError, TriageRequest, TriageResponse

LOST: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
"""How a call ends that had no answer."""

_TOO_LARGE: Final = ("larger than max", "metadata size exceeds")
"""What gRPC says of a message, and of metadata such as a request id, that the server does not take."""

Fallback = Callable[[TriageRequest, grpc.RpcError], TriageResponse]
"""What a client answers by itself when the service is away: the request, and how the call ended, to an answer."""

_CODES: Final[dict[int, grpc.StatusCode]] = {code.value[0]: code for code in grpc.StatusCode}


class ItemFailed(grpc.RpcError):
    """One of several tickets that were sent together cannot be decided; like the error of a call for it alone."""

    def __init__(self, error: ItemError) -> None:
        super().__init__(f"{error.reason}: {error.message}")
        self.error = error

    def code(self) -> grpc.StatusCode:
        """How a call for it alone would have ended."""
        return _CODES[self.error.code]

    def details(self) -> str:
        """What is wrong."""
        return self.error.message

    def trailing_metadata(self) -> tuple[()]:
        """None: what there is to say stands in ``error``."""
        return ()


class CircuitOpen(grpc.RpcError):
    """A call was not made: the service has not answered several calls in a row, and none is made until it is back."""

    def __init__(self, failures: int, reason: str, left: float) -> None:
        tried = "the client is trying again now" if left == 0 else f"next try in {left:.1f} s"
        self.left = left
        """Seconds until the next call may be tried; 0 if the client is trying."""
        self._details = (
            f"the service has not answered {failures} calls in a row; {tried}; the last one ended with {reason}"
        )
        super().__init__(self._details)

    def code(self) -> grpc.StatusCode:
        """UNAVAILABLE: what a call would have ended with."""
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        """Return how many calls had no answer, when the next one is tried, and how the last one ended."""
        return self._details

    def trailing_metadata(self) -> tuple[()]:
        """Return nothing: no server said anything."""
        return ()


def is_away(error: grpc.RpcError) -> bool:
    """Whether a call failed because of the service: it gave no answer, or turned the call away unread. A request that is too large, or that has too long an id, is the caller's."""
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return not any(words in (error.details() or "") for words in _TOO_LARGE)
    return error.code() in LOST


def is_lost(error: grpc.RpcError) -> bool:
    """Whether a call ended without a word of a server: with it, the connection is in order, whatever the server says."""
    return error.code() in LOST and not _status(error).details


def wait_of(error: grpc.RpcError) -> float:
    """Return for how many seconds a server asks to be left alone, 0 if it does not say.

    >>> wait_of(CircuitOpen(3, "UNAVAILABLE", 1.0))
    0.0
    """
    wait = RetryInfo()
    for detail in _status(error).details:
        detail.Unpack(wait)
    return float(wait.retry_delay.ToTimedelta().total_seconds())


def wrong_fields(error: grpc.RpcError) -> dict[str, str]:
    """Return the fields that a server refused, by path, each with what is wrong and what would be right.

    Empty for a call that failed for any other reason than wrong fields.
    """
    if isinstance(error, ItemFailed):
        return {field.path: field.message for field in error.error.fields}
    refused = BadRequest()
    for detail in _status(error).details:
        detail.Unpack(refused)
    return {violation.field: violation.description for violation in refused.field_violations}


def _status(error: grpc.RpcError) -> Status:
    """Read what a server says of an error beside its code; empty if no server said anything."""
    status = Status()
    metadata: Any = error.trailing_metadata() or ()
    for key, value in metadata:
        if key == "grpc-status-details-bin":
            status.ParseFromString(value)
    return status


def undecided(request: TriageRequest, error: grpc.RpcError) -> TriageResponse:  # noqa: ARG001 - a fallback may look at the request
    """Answer that nothing is decided, and why: a fallback that lets a desk go on by hand, and claims nothing.

    Such an answer has no version, which tells it from any that a server gave (:func:`is_fallback`).
    """
    answer = TriageResponse()
    answer.notice.text = f"the policy decision service did not answer ({error.code().name.lower().replace('_', ' ')}); nothing is decided"
    for field in answer.DESCRIPTOR.fields:
        if field.message_type is not None and "decision" in field.message_type.fields_by_name:
            getattr(answer, field.name).decision.CopyFrom(Decision(name=field.name, status=DECISION_STATUS_UNDECIDED))
    return answer


def is_fallback(answer: TriageResponse) -> bool:
    """Return whether an answer was made by the client itself, and not by a server."""
    return not answer.HasField("version")
