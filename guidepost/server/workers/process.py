"""A process that the supervisor started, and the channel to it."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from guidepost.server.workers.channel import Channel, ChannelClosed
from guidepost.server.workers.messages import Message

log = logging.getLogger("guidepost.supervisor")

PATIENCE: Final = 60.0
"""Seconds that a worker has to do what it is told."""


class CannotServe(Exception):
    """A worker cannot serve at all, and says why; trying again would not help."""

    def __init__(self, message: str, help_: str = "") -> None:
        self.help = help_
        super().__init__(message)


async def start_program(program: str, messages: str) -> tuple[asyncio.subprocess.Process, Channel]:
    """Start a program with a channel to it; ``messages`` is how it writes them."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            program,
            str(theirs.fileno()),
            messages,
            pass_fds=(theirs.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
        )
    return process, await Channel.over(ours)


@dataclass(eq=False, slots=True, kw_only=True)
class WorkerProcess:
    """A worker's process, and the channel to it. ``built`` is the bundle it serves; ``busy`` is held while it is being talked to."""

    number: int
    process: asyncio.subprocess.Process
    channel: Channel
    built: Path
    since: float = 0.0
    serving: bool = False
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, told: Message, patience: float = PATIENCE) -> Message | None:
        """Return it something, and give its answer; None if it has ended. One that does not answer is ended."""
        async with self.busy:
            try:
                return await asyncio.wait_for(self.channel.ask(told), patience)
            except ChannelClosed:
                return None
            except TimeoutError:
                log.error("worker %d did not answer in %g s, and is ended", self.number, patience)  # noqa: TRY400 - there is no more to tell
                self.process.kill()
                return None
