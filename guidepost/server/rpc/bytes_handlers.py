"""Lets methods return encoded responses beside messages, so that encoded answers are not decoded and encoded again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import Message

Response: TypeAlias = Message | bytes
"""A response, or its bytes."""


def encode(response: Response) -> bytes:
    """Return the bytes of a response."""
    return response if isinstance(response, bytes) else response.SerializeToString()


class BytesHandlers:
    """Stands for a server when the generated code adds a service: every added method may return bytes."""

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        """Do nothing: ``add_registered_method_handlers`` is called with the same handlers."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Add the methods of a service."""
        changed = {name: handler._replace(response_serializer=encode) for name, handler in handlers.items()}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, changed),))
