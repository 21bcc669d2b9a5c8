"""Starts the admin process, restarts it if it dies, and answers its requests from the supervisor."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from guidepost.server.workers.channel import Channel, ChannelClosed
from guidepost.server.workers.messages import (
    AdminStarted,
    Failed,
    GetMetrics,
    GetStatus,
    Message,
    Reload,
    RollWorkers,
    StartAdmin,
)
from guidepost.server.workers.process import CannotServe, start_program
from guidepost.server.workers.supervisor import Supervisor

log = logging.getLogger("guidepost.supervisor")

PAUSE = 1.0
"""Seconds before an admin process that died is restarted."""


class AdminLink:
    """The admin process. ``admin`` is the address of its service, ``metrics`` the URL of its metrics."""

    def __init__(self, supervisor: Supervisor, admin: str = "", metrics: str = "") -> None:
        self._supervisor, self.admin, self.metrics = supervisor, admin, ""
        self._metrics_address = metrics
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    async def open(self) -> None:
        """Start the process; raises CannotServe if its address is taken."""
        channel = await self._start()
        self._task = asyncio.create_task(self._run(channel))

    async def close(self) -> None:
        """End the process."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()

    async def _start(self) -> Channel:
        self._process, channel = await start_program(
            "guidepost.server.workers.admin_process", self._supervisor.log_format
        )
        answer: Message
        try:
            answer = await channel.ask(StartAdmin(self.admin, self._metrics_address, self._supervisor.security))
        except ChannelClosed:
            answer = Failed("the admin service ended before it could serve")
        if not isinstance(answer, AdminStarted):
            raise CannotServe(answer.message if isinstance(answer, Failed) else str(answer))
        self.admin, self.metrics = answer.admin, answer.metrics
        return channel

    async def _run(self, channel: Channel) -> None:
        """Answer requests, and restart the process when it dies."""
        while True:
            with suppress(ChannelClosed):
                while True:
                    await channel.send(await self._answer(await channel.receive()))
            channel.close()
            log.warning("the admin service ended and is being restarted")
            while True:
                await asyncio.sleep(PAUSE)
                try:
                    channel = await self._start()
                except CannotServe as error:
                    log.error("the admin service cannot serve: %s", error)  # noqa: TRY400 - a traceback adds nothing
                else:
                    break

    async def _answer(self, request: Message) -> Message:
        match request:
            case Reload():
                return await self._supervisor.reload()
            case RollWorkers():
                try:
                    await self._supervisor.roll()
                except CannotServe as error:
                    return Failed(str(error), error.help)
                return self._supervisor.status
            case GetMetrics():
                return await self._supervisor.metrics()
            case GetStatus():
                return self._supervisor.status
            case _:
                raise AssertionError(f"unexpected request of the admin process: {request!r}")
