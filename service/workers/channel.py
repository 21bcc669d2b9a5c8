"""A line each way over a pair of connected sockets. Whoever is left alone on it reads an end, and knows that the other is gone."""

from __future__ import annotations

import asyncio
import socket

from service.workers.told import Told, line, read


class Gone(Exception):
    """The other end of a channel has ended."""


class Channel:
    """One end of the pair."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def over(cls, end: socket.socket) -> Channel:
        """Take an end of the pair."""
        return cls(*await asyncio.open_unix_connection(sock=end))

    async def say(self, told: Told) -> None:
        """Send a line; raises Gone."""
        try:
            self._writer.write(line(told))
            await self._writer.drain()
        except ConnectionError as error:
            raise Gone from error

    async def hear(self) -> Told:
        """Wait for a line; raises Gone."""
        try:
            text = await self._reader.readline()
        except ConnectionError as error:
            raise Gone from error
        if not text.endswith(b"\n"):
            raise Gone
        return read(text)

    async def ask(self, told: Told) -> Told:
        """Send a line, and wait for the answer; raises Gone."""
        await self.say(told)
        return await self.hear()

    def close(self) -> None:
        """Close this end."""
        self._writer.close()
