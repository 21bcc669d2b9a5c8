"""A server's protection while it runs: the gate that calls come through, the ports it listens on, and files that are followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import grpc

from guidepost.server.auth import Access, open_access
from guidepost.server.free_memory import release
from guidepost.server.protection import Protection
from guidepost.server.rpc.admission_interceptor import Gate

RENEWED: Final = 1.0
"""Seconds after which the files that say who may come in are looked at again."""

RELEASES: Final = 5
"""How many times, a second apart, memory is given back after messages were left unfinished."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What a server is made with: who may do what, the gate, and how its port is opened."""

    access: Access
    gate: Gate
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
async def guarded(protection: Protection) -> AsyncIterator[Guard]:
    """Open what protects a server, and follow its files while the block runs; raises AccessRefused."""
    access = open_access(protection.access)
    guard = Guard(access, Gate(access, protection.limits), _credentials(protection))
    following = asyncio.create_task(_follow(access, guard.gate))
    try:
        yield guard
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


def _credentials(protection: Protection) -> grpc.ServerCredentials | None:
    if protection.tls is None:
        return None
    # Only where it is asked for: what reads certificates is large.
    from guidepost.server.auth.tls import credentials  # noqa: PLC0415

    return credentials(protection.tls)


async def _follow(access: Access, gate: Gate) -> None:
    abandoned = releases = 0
    while True:
        await asyncio.sleep(RENEWED)
        # In a thread, for whoever keeps a long list of callers.
        await asyncio.to_thread(access.renew)
        if gate.abandoned != abandoned:
            # gRPC frees what it received a moment after the call has ended.
            abandoned, releases = gate.abandoned, RELEASES
        if releases:
            releases -= 1
            await asyncio.to_thread(release)
