"""A line each way over a pair of connected sockets. Whoever is left alone on it reads an end, and knows that the other is gone."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from guidepost.server.workers.messages import Message, line, read


class ChannelClosed(Exception):
    """The other end of a channel has ended."""


class Channel:
    """One end of the pair. ``gone`` is set once the other end has ended, whether or not anybody listens."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._heard: asyncio.Queue[Message | None] = asyncio.Queue()
        self.gone = asyncio.Event()
        self._listening = asyncio.create_task(self._listen(reader))

    @classmethod
    async def over(cls, end: socket.socket) -> Channel:
        """Take an end of the pair."""
        return cls(*await asyncio.open_unix_connection(sock=end))

    async def say(self, told: Message) -> None:
        """Send a line; raises Gone."""
        try:
            self._writer.write(line(told))
            await self._writer.drain()
        except ConnectionError as error:
            raise ChannelClosed from error

    async def hear(self) -> Message:
        """Wait for a line; raises Gone."""
        told = await self._heard.get()
        if told is None:
            self._heard.put_nowait(None)
            raise ChannelClosed
        return told

    async def ask(self, told: Message) -> Message:
        """Send a line, and wait for the answer; raises Gone."""
        await self.say(told)
        return await self.hear()

    def close(self) -> None:
        """Close this end."""
        self._listening.cancel()
        self._writer.close()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            with suppress(ConnectionError):
                while (text := await reader.readline()).endswith(b"\n"):
                    self._heard.put_nowait(read(text))
        finally:
            # Also where a line cannot be read: nobody is to wait for an answer that does not come.
            self._heard.put_nowait(None)
            self.gone.set()
