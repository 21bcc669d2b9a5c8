"""A server's security while it runs: the admission that calls come through, the ports it listens on, and files that are followed."""

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

RENEWED: Final = 1.0
"""Seconds after which the files that say who may come in are looked at again."""

RELEASES: Final = 5
"""How many times, a second apart, memory is given back after messages were left unfinished."""


@dataclass(frozen=True, slots=True)
class Listener:
    """What a server is made with: who may do what, the admission, and how its port is opened."""

    access: Access
    admission: AdmissionInterceptor
    _credentials: grpc.ServerCredentials | None

    def listen(self, server: grpc.aio.Server, address: str) -> int:
        """Open a port, with TLS if it is set; give its number. Raises OSError if it is taken."""
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
    """Open what protects a server, and follow its files while the block runs; raises AccessRefused."""
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
    # Only where it is asked for: what reads certificates is large.
    from guidepost.server.auth.tls import credentials  # noqa: PLC0415

    return credentials(security.tls)


async def _follow(access: Access, admission: AdmissionInterceptor) -> None:
    abandoned = releases = 0
    while True:
        await asyncio.sleep(RENEWED)
        # In a thread, for whoever keeps a long list of callers.
        await asyncio.to_thread(access.renew)
        if admission.abandoned != abandoned:
            # gRPC frees what it received a moment after the call has ended.
            abandoned, releases = admission.abandoned, RELEASES
        if releases:
            releases -= 1
            await asyncio.to_thread(release)
