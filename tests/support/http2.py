"""A client that speaks HTTP/2 by itself, to send what no client library would."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, Self

WINDOW: Final = 65_535
"""The initial flow-control window of HTTP/2, in bytes."""
HELLO: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
DATA, HEADERS, RESET, SETTINGS, PING, GO_AWAY, MORE_ROOM = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACKNOWLEDGED, END_HEADERS = 1, 1, 4
FRAME: Final = 16_384
"""The most bytes of a frame, unless the other side allows more."""


def frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body


NO_ROOM_FOR_ANSWERS: Final = frame(SETTINGS, 0, 0, b"\0\4\0\0\0\0")
"""Settings of a client that lets no byte of an answer be sent."""


def header_block(path: str, authority: str, more: Iterable[tuple[str, str]] = ()) -> bytes:
    """Encode the headers of a gRPC call, each as it is."""
    named = (
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", authority),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        *more,
    )
    return b"".join(
        b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode() for name, value in named
    )


class Connection:
    """A connection that sends frames and never widens the window for answers.

    It counts the bytes of answers and the streams that ended, and keeps the reason of a GOAWAY.
    """

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self.address = address
        self._socket = socket.create_connection((host, int(port)), 60)
        self._changed = threading.Condition()
        self._initial = WINDOW
        self._room = {0: WINDOW}
        self.answered, self.ended, self.closed = 0, set[int](), b""
        self.open = True
        self.send(HELLO)
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, frames: bytes) -> None:
        self._socket.sendall(frames)

    def call(self, stream: int, path: str, more: Iterable[tuple[str, str]] = ()) -> None:
        """Begin a call."""
        with self._changed:
            self._room[stream] = self._initial
        self.send(frame(HEADERS, END_HEADERS, stream, header_block(path, self.address, more)))

    def room(self, stream: int) -> int:
        """Return how many bytes may be sent on a stream now."""
        return max(0, min(self._room[0], self._room[stream]))

    def data(self, stream: int, body: bytes) -> int:
        """Send as much of this as there is room for, and return how much that was."""
        body = body[: min(self.room(stream), FRAME)]
        if body:
            with self._changed:
                self._room[0] -= len(body)
                self._room[stream] -= len(body)
            self.send(frame(DATA, 0, stream, body))
        return len(body)

    def wait(self, true: Callable[[], object], seconds: float) -> bool:
        """Wait until something is true of this connection, or the time is over; return whether it is."""
        with self._changed:
            return bool(self._changed.wait_for(true, seconds))

    def _read(self) -> None:
        read = self._socket.makefile("rb").read
        with suppress(OSError, ValueError):
            while head := read(9):
                self._take(head[3], head[4], int.from_bytes(head[5:9], "big"), read(int.from_bytes(head[:3], "big")))
        with self._changed:
            self.open = False
            self._changed.notify_all()

    def _take(self, kind: int, flags: int, stream: int, body: bytes) -> None:
        with self._changed:
            if kind == DATA:
                self.answered += len(body)
            elif kind == MORE_ROOM and stream in self._room:
                self._room[stream] += int.from_bytes(body, "big")
            elif kind == GO_AWAY:
                self.closed = body[8:]
            elif kind == SETTINGS and not flags & ACKNOWLEDGED:
                for at in range(0, len(body), 6):
                    if int.from_bytes(body[at : at + 2], "big") == 4:
                        now = int.from_bytes(body[at + 2 : at + 6], "big")
                        self._room = {
                            one: room if one == 0 else room + now - self._initial for one, room in self._room.items()
                        }
                        self._initial = now
            if kind == RESET or (kind in (HEADERS, DATA) and flags & END_STREAM):
                self.ended.add(stream)
            self._changed.notify_all()
        if kind in (SETTINGS, PING) and not flags & ACKNOWLEDGED:
            self.send(frame(kind, ACKNOWLEDGED, 0, body if kind == PING else b""))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A thread that reads keeps a socket open which is only closed.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
