"""A port for the processes of one server: each of them binds it, and no other server can.

The kernel spreads connections over all sockets that share a port, including those of a second server that is started by
mistake. So the address is first bound without sharing, which fails if it is in use. Then a socket that never listens
holds it while the server runs.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def reserve_port(host: str, port: int) -> Iterator[str]:
    """Yield ``host:port`` and hold it while the block runs; port 0 is any free one. Raises OSError if it is in use."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with ExitStack() as stack:
        with socket.socket(family, socket.SOCK_STREAM) as exclusive:
            # Connections that are closing do not make a port taken.
            exclusive.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                exclusive.bind(address)
                exclusive.listen(1)
            except OSError as error:
                raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from error
            bound = exclusive.getsockname()
        placeholder = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        placeholder.bind(bound)
        yield f"[{host}]:{bound[1]}" if ":" in host else f"{host}:{bound[1]}"
