"""Opens the ports of a server with its security, and reloads the files of callers, keys and certificates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import grpc

from guidepost.server.auth import Access, open_access
from guidepost.server.free_memory import release
from guidepost.server.rpc.admission_interceptor import AdmissionInterceptor
from guidepost.server.security import Security

CHECK_INTERVAL: Final = 1.0
"""Seconds between checks whether the files of callers and keys have changed."""

RELEASES: Final = 5
"""How many times, a second apart, memory is released after messages did not arrive completely."""


@dataclass(frozen=True, slots=True)
class Listener:
    """The security of a running server: authorization, the admission interceptor, and TLS credentials."""

    access: Access
    admission: AdmissionInterceptor
    _credentials: grpc.ServerCredentials | None

    def listen(self, server: grpc.aio.Server, address: str) -> int:
        """Open a port, with TLS if it is configured, and return its number. Raises OSError if it is in use."""
        try:
            return (
                server.add_insecure_port(address)
                if self._credentials is None
                else server.add_secure_port(address, self._credentials)
            )
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}") from error


@asynccontextmanager
async def open_listener(security: Security) -> AsyncIterator[Listener]:
    """Yield a listener, and reload its files while the block runs; raises InvalidAuthFiles."""
    access = open_access(security.access)
    listener = Listener(access, AdmissionInterceptor(access, security.limits), _credentials(security))
    following = asyncio.create_task(_follow(access, listener.admission))
    try:
        yield listener
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


def _credentials(security: Security) -> grpc.ServerCredentials | None:
    if security.tls is None:
        return None
    # Imported only if needed: the parser of certificates is large.
    from guidepost.server.auth.tls import credentials  # noqa: PLC0415

    return credentials(security.tls)


async def _follow(access: Access, admission: AdmissionInterceptor) -> None:
    abandoned = releases = 0
    while True:
        await asyncio.sleep(CHECK_INTERVAL)
        # In a thread, since a file of callers can be long.
        await asyncio.to_thread(access.renew)
        if admission.abandoned != abandoned:
            # gRPC frees the received bytes a moment after the call has ended.
            abandoned, releases = admission.abandoned, RELEASES
        if releases:
            releases -= 1
            await asyncio.to_thread(release)
