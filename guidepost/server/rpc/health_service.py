"""The standard health service, which also says that the last reload failed: the status stays SERVING, since the last good versions serve on."""

from __future__ import annotations

from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2

from guidepost.server.rpc.live_bundle import LiveBundle

LAST_RELOAD: Final = "guidepost-last-reload-bin"
"""The trailing metadata in which an answer says why the last reload failed, as UTF-8; it is left out if it did not."""


class HealthService(health.aio.HealthServicer):  # type: ignore[misc, name-defined]
    """Answers Health for the versions that are live."""

    def __init__(self, live: LiveBundle) -> None:
        super().__init__()
        self._live = live

    async def Check(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> health_pb2.HealthCheckResponse:
        """Return the status of a service, and why the last reload failed."""
        if self._live.reload_error:
            context.set_trailing_metadata(((LAST_RELOAD, self._live.reload_error.encode()),))
        return await super().Check(request, context)
