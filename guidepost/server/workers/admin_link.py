"""The admin service and the metrics as the supervisor has them: a process of its own, started anew if it dies, whose questions are answered here."""

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
"""Seconds before an admin service that died is started anew."""


class AdminLink:
    """Keeps the process that administers and measures: where it listens, and the URL of the metrics."""

    def __init__(self, supervisor: Supervisor, admin: str = "", metrics: str = "") -> None:
        self._supervisor, self.admin, self.metrics = supervisor, admin, ""
        self._metrics = metrics
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    async def open(self) -> None:
        """Start it; raises CannotServe if its address is taken."""
        channel = await self._start()
        self._task = asyncio.create_task(self._keep(channel))

    async def close(self) -> None:
        """End it."""
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
            "guidepost.server.workers.admin_process", self._supervisor.messages
        )
        try:
            told = await channel.ask(StartAdmin(self.admin, self._metrics, self._supervisor.security))
        except ChannelClosed:
            told = Failed("the admin service ended before it could serve")
        if not isinstance(told, AdminStarted):
            raise CannotServe(told.message if isinstance(told, Failed) else str(told))
        self.admin, self.metrics = told.admin, told.metrics
        return channel

    async def _keep(self, channel: Channel) -> None:
        """Answer until it dies, and start it anew."""
        while True:
            with suppress(ChannelClosed):
                while True:
                    await channel.say(await self._answer(await channel.hear()))
            channel.close()
            log.warning("the admin service ended; another one is started")
            while True:
                await asyncio.sleep(PAUSE)
                try:
                    channel = await self._start()
                except CannotServe as error:
                    log.error("the admin service cannot serve: %s", error)  # noqa: TRY400 - it has said all there is
                else:
                    break

    async def _answer(self, told: Message) -> Message:
        match told:
            case Reload():
                return await self._supervisor.reload()
            case RollWorkers():
                try:
                    await self._supervisor.roll()
                except CannotServe as error:
                    return Failed(str(error), error.help)
                return self._supervisor.status
            case GetMetrics():
                return await self._supervisor.measured()
            case GetStatus():
                return self._supervisor.status
            case _:
                raise AssertionError(f"an admin service does not ask {told!r}")
