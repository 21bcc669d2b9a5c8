"""A connection between two processes of a server, over a pair of sockets; it closes when either process ends."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Final

from guidepost.server.workers.messages import Message, decode, encode

MAX_MESSAGE: Final = 1 << 30
"""Maximum bytes of an encoded message; the largest contain a bundle."""


class ChannelClosed(Exception):
    """The process at the other end of a channel has ended."""


class Channel:
    """One end of a connection. ``closed`` is set when the other process has ended, even while nothing is received."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._received: asyncio.Queue[Message | None] = asyncio.Queue()
        self.closed = asyncio.Event()
        self._reading = asyncio.create_task(self._read(reader))

    @classmethod
    async def connect(cls, end: socket.socket) -> Channel:
        """Return a channel over one socket of the pair."""
        return cls(*await asyncio.open_unix_connection(sock=end, limit=MAX_MESSAGE))

    async def send(self, message: Message) -> None:
        """Send a message; raises ChannelClosed."""
        try:
            self._writer.write(encode(message))
            await self._writer.drain()
        except ConnectionError as error:
            raise ChannelClosed from error

    async def receive(self) -> Message:
        """Wait for the next message; raises ChannelClosed."""
        message = await self._received.get()
        if message is None:
            self._received.put_nowait(None)
            raise ChannelClosed
        return message

    async def ask(self, message: Message) -> Message:
        """Send a message and wait for its answer; raises ChannelClosed."""
        await self.send(message)
        return await self.receive()

    def close(self) -> None:
        """Close this end."""
        self._reading.cancel()
        self._writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            with suppress(ConnectionError):
                while (line := await reader.readline()).endswith(b"\n"):
                    self._received.put_nowait(decode(line))
        finally:
            # Also if a line cannot be decoded, so that no receiver waits forever.
            self._received.put_nowait(None)
            self.closed.set()
