"""A name server whose names come and go, as those of a headless service do with its pods."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

A: Final = 1
NO_SUCH_NAME: Final = 3


class NameServer:
    """Answers questions for any name with the same addresses; without one, that there is no such name."""

    def __init__(self) -> None:
        self.addresses: tuple[str, ...] = ()
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.authority = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _run(self) -> None:
        while True:
            try:
                query, caller = self._socket.recvfrom(512)
                if query:
                    self.asked += 1
                    self._socket.sendto(self._answer(query), caller)
            except OSError:  # closed
                return

    def _answer(self, query: bytes) -> bytes:
        end = query.index(b"\0", 12) + 5
        question, kind = query[12:end], struct.unpack("!H", query[end - 4 : end - 2])[0]
        found = self.addresses if kind == A else ()
        code = 0 if self.addresses else NO_SUCH_NAME
        header = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(found), 0, 0)
        records = [struct.pack("!HHHIH", 0xC00C, A, 1, 0, 4) + socket.inet_aton(address) for address in found]
        return header + question + b"".join(records)


@contextmanager
def running_name_server() -> Iterator[NameServer]:
    """Answer while the block runs."""
    names = NameServer()
    try:
        yield names
    finally:
        names.close()
