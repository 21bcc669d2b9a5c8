"""Handlers whose answers may be bytes already, beside messages: what was encoded before is not decoded to be encoded again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import Message

Answer: TypeAlias = Message | bytes
"""A response, or the bytes of one."""


def encode(answer: Answer) -> bytes:
    """Encode a response, unless it is encoded."""
    return answer if isinstance(answer, bytes) else answer.SerializeToString()


class BytesHandlers:
    """A server as the generated code sees it when it adds a service: every handler that it adds may answer with bytes."""

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        """Leave the handlers to ``add_registered_method_handlers``, which is called with the same ones."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Add the methods of a service."""
        changed = {name: handler._replace(response_serializer=encode) for name, handler in handlers.items()}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, changed),))
