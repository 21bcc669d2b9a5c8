"""Starts a process with a channel to it."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from dataclasses import dataclass, field
from typing import Final

from guidepost.server.workers.channel import Channel, ChannelClosed
from guidepost.server.workers.messages import Message

log = logging.getLogger("guidepost.supervisor")

ANSWER_TIMEOUT: Final = 60.0
"""Seconds within which a worker answers a message."""


class CannotServe(Exception):
    """A worker cannot serve, for a reason that a retry does not change."""

    def __init__(self, message: str, help_: str = "") -> None:
        self.help = help_
        super().__init__(message)


async def start_program(module: str, log_format: str) -> tuple[asyncio.subprocess.Process, Channel]:
    """Start a Python module with a channel to it.

    Its arguments are the file descriptor of the channel and the log format.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            str(theirs.fileno()),
            log_format,
            pass_fds=(theirs.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
        )
    return process, await Channel.connect(ours)


@dataclass(eq=False, slots=True, kw_only=True)
class WorkerProcess:
    """A worker and the channel to it; ``busy`` is locked during an exchange."""

    number: int
    process: asyncio.subprocess.Process
    channel: Channel
    since: float = 0.0
    serving: bool = False
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, message: Message, patience: float = ANSWER_TIMEOUT) -> Message | None:
        """Send a message and return its answer; None if the worker has ended.

        A worker that does not answer is killed.
        """
        async with self.busy:
            try:
                return await asyncio.wait_for(self.channel.ask(message), patience)
            except ChannelClosed:
                return None
            except TimeoutError:
                log.error("worker %d did not answer within %g s and was killed", self.number, patience)  # noqa: TRY400 - a traceback adds nothing
                self.process.kill()
                return None
