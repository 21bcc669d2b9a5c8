"""Calls to a server in tests: an RPC's response, its bytes, or how it was refused."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub


def call(channel: grpc.Channel, rpc: str, message: Any) -> Any:
    """Call an RPC of DecisionService."""
    return getattr(DecisionServiceStub(channel), rpc)(message, timeout=60)


def call_raw(channel: grpc.Channel, rpc: str, message: Any) -> bytes:
    """Call an RPC and give the bytes of its response."""
    method = channel.unary_unary(f"/guidepost.v1.DecisionService/{rpc}")
    answer: bytes = method(message.SerializeToString(), timeout=60)
    return answer


class RejectedCall:
    """How a call failed."""

    def __init__(self, channel: grpc.Channel, rpc: str, message: Any, service: Any = DecisionServiceStub) -> None:
        with pytest.raises(grpc.RpcError) as raised:
            getattr(service(channel), rpc)(message, timeout=60)
        self.code, self.message = raised.value.code(), raised.value.details()
        status = rpc_status.from_call(raised.value)
        self.details = [] if status is None else list(status.details)

    def detail(self, kind: Any) -> Any:
        """Return the detail of a kind."""
        made = kind()
        assert any(detail.Unpack(made) for detail in self.details), self.details
        return made

    @property
    def fields(self) -> dict[str, str]:
        """The wrong fields, each with its description."""
        violations = self.detail(error_details_pb2.BadRequest).field_violations
        return {violation.field: violation.description for violation in violations}

    @property
    def reason(self) -> str:
        """The reason for machines."""
        info = self.detail(error_details_pb2.ErrorInfo)
        assert info.domain == "guidepost"
        return str(info.reason)
