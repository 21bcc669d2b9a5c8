"""The standard health service. It also reports the error of the last reload.

The status is SERVING even then, since the previous versions are still served.
"""

from __future__ import annotations

from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2

from guidepost.server.rpc.live_bundle import LiveBundle

LAST_RELOAD: Final = "guidepost-last-reload-bin"
"""Trailing metadata with the error of the last reload, as UTF-8; absent if the reload succeeded."""


class HealthService(health.aio.HealthServicer):  # type: ignore[misc, name-defined]
    """Answers Health for the live bundle."""

    def __init__(self, live: LiveBundle) -> None:
        super().__init__()
        self._live = live

    async def Check(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> health_pb2.HealthCheckResponse:
        """Return the status of a service, and the error of the last reload."""
        if self._live.reload_error:
            context.set_trailing_metadata(((LAST_RELOAD, self._live.reload_error.encode()),))
        return await super().Check(request, context)
