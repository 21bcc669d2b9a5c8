"""A network that fails: forwards connections to a server, or drops, resets or refuses them."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

PART: Final = 1 << 16


class Forwarder:
    """Listens on its own port, and forwards connections to another one.

    ``drop`` imitates a server that hangs or disappears: connections are accepted and stay open, and bytes are
    discarded. ``refuse`` imitates a server that was killed: nothing listens, and open connections are reset. ``slam``
    resets connections when they arrive, so that attempts can be counted.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self.arrivals: list[float] = []
        """The arrival time of each connection."""
        self._mode = "forward"
        self._ends, self._dead = set[socket.socket](), set[socket.socket]()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._own = self._listener.getsockname()
        self.address = f"{self._own[0]}:{self._own[1]}"
        self._serve()

    def forward(self) -> None:
        """Forward connections that come from now on; those that lead nowhere go on doing so."""
        refused, self._mode = self._mode == "refuse", "forward"
        if refused:
            self._listener = socket.create_server(self._own, backlog=128)
            self._serve()

    def drop(self) -> None:
        """Discard the bytes of all open and new connections, without a reset on either side."""
        self._mode = "drop"
        self.lose()

    def lose(self) -> None:
        """Discard the bytes of the open connections."""
        with self._lock:
            self._dead |= self._ends
            self._ends = set()

    def slam(self) -> None:
        """Reset open and new connections."""
        self._mode = "slam"
        self._reset()

    def refuse(self) -> None:
        """Stop listening, and reset open connections."""
        self._mode = "refuse"
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._reset()

    def close(self) -> None:
        self.refuse()

    def _serve(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:  # closed
                return
            self.arrivals.append(time.monotonic())
            if self._mode == "slam":
                _reset(near)
                continue
            if self._mode == "drop":
                self._dead.add(near)
                continue
            far = socket.create_connection(self._target)
            with self._lock:
                self._ends |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while part := one.recv(PART):
                if one in self._ends:
                    other.sendall(part)
        if one in self._ends:
            with suppress(OSError):
                other.shutdown(socket.SHUT_RDWR)

    def _reset(self) -> None:
        with self._lock:
            ends, self._ends, self._dead = self._ends | self._dead, set(), set()
        for end in ends:
            _reset(end)


def _reset(end: socket.socket) -> None:
    """Close a socket so that the other side gets a RST instead of waiting for what may come."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RD)
    end.close()


@contextmanager
def forwarding(target: str) -> Iterator[Forwarder]:
    """Forward to a server while the block runs."""
    forwarder = Forwarder(target)
    try:
        yield forwarder
    finally:
        forwarder.close()
