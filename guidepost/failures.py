"""What a caller learns when a call fails, and what it may go by when the service is away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import grpc
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from guidepost.v1.decision_pb2 import DECISION_STATUS_UNDECIDED, Decision
from guidepost.v1.decision_service_pb2 import ItemError, TriageRequest, TriageResponse

AWAY: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED)
"""How a call ends when the service, and not the request, is the reason."""

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


def wrong_fields(error: grpc.RpcError) -> dict[str, str]:
    """Give the fields that a server refused, by path, each with what is wrong and what would be right.

    Empty for a call that failed for any other reason than wrong fields.
    """
    if isinstance(error, ItemFailed):
        return {field.path: field.message for field in error.error.fields}
    status, refused = Status(), BadRequest()
    metadata: Any = error.trailing_metadata() or ()
    for key, value in metadata:
        if key == "grpc-status-details-bin":
            status.ParseFromString(value)
    for detail in status.details:
        detail.Unpack(refused)
    return {violation.field: violation.description for violation in refused.field_violations}


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
    """Tell whether an answer was made by the client itself, and not by a server."""
    return not answer.HasField("version")
