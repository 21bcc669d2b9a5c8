"""The floor: workers like Guidepost's with a constant response: ``python -m benchmarks.serve.floor ADDRESS BYTES``.

They have the same server, event loop and options, but decide, encode and record nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import Any

import grpc
import uvloop

from benchmarks.serve.requests import TRIAGE


async def answer(address: str, size: int) -> None:
    """Serve until a signal."""
    constant = bytes(size)

    async def handler(request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:  # noqa: ARG001
        return constant

    server = grpc.aio.server(options=(("grpc.so_reuseport", 1), ("grpc.max_concurrent_streams", 256)))
    service, method = TRIAGE.strip("/").split("/")
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {method: grpc.unary_unary_rpc_method_handler(handler)}),)
    )
    server.add_insecure_port(address)
    await server.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print(f"listening on {address}", flush=True)
    await stop.wait()
    await server.stop(0)


def main() -> None:
    """Start one more worker, and be the other."""
    address, size, *more = sys.argv[1:]
    other = (
        None
        if more
        else subprocess.Popen(
            [sys.executable, "-m", "benchmarks.serve.floor", address, size, "alone"], stdout=subprocess.DEVNULL
        )
    )
    try:
        uvloop.run(answer(address, int(size)))
    finally:
        if other is not None:
            os.kill(other.pid, signal.SIGTERM)
            other.wait()


if __name__ == "__main__":
    main()
