"""The address of a server of several processes: theirs alone, although each of them binds it.

Sockets that share a port are spread over by the kernel, and so would a stray second server be, without a word. So the
address is first bound alone; then it is held, bound and never listened on, for as long as the server runs.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def reserve_port(host: str, port: int) -> Iterator[str]:
    """Hold ``host:port`` (port 0: any free one) while the block runs; give it with its real port. Raises OSError if it is taken."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with ExitStack() as stack:
        with socket.socket(family, socket.SOCK_STREAM) as alone:
            # A port on which only connections linger that are ending is free.
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                alone.bind(address)
                alone.listen(1)
            except OSError as error:
                raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from error
            found = alone.getsockname()
        held = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(found)
        yield f"[{host}]:{found[1]}" if ":" in host else f"{host}:{found[1]}"
