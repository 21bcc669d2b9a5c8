"""The program that answers calls, one of several: ``python -m guidepost.server.workers.worker FD HOW``, with a channel to its supervisor, and how messages are written.

It does what it is told (see ``told``). When its supervisor is gone, or it gets SIGTERM, it takes no more calls, answers
those under way, and ends. Exit codes: 0 ended in good order, 1 it could not load or serve, and told its supervisor why.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import uvloop

from guidepost.decision_log.database import LogError
from guidepost.policies.sources import SourceError
from guidepost.server.app import listening
from guidepost.server.auth import InvalidAuthFiles
from guidepost.server.observability import logging as logs
from guidepost.server.observability.call_log import call_observers
from guidepost.server.observability.metrics import Metrics
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.server.workers.bundle_file import read_bundle
from guidepost.server.workers.channel import Channel, ChannelClosed
from guidepost.server.workers.messages import (
    Abort,
    CollectGarbage,
    Commit,
    Failed,
    GetMetrics,
    Load,
    Loaded,
    Message,
    Prepare,
    ReloadFailed,
    Serve,
    Serving,
    Stop,
    WorkerMetrics,
)


@asynccontextmanager
async def serving(load: Load, live: LiveBundle, metrics: Metrics | None) -> AsyncIterator[str]:
    """Answer calls as a worker is told to, while the block runs; gives the address.

    Entering it raises LogError, SourceError, InvalidAuthFiles or OSError.
    """
    settings = load.log.for_worker(load.number) if load.log else None
    with call_observers(load.watching) as looking:
        async with listening(
            live,
            load.address,
            grace=load.grace,
            log=settings,
            security=load.security,
            metrics=metrics,
            observers=looking,
            shared=load.shared,
        ) as address:
            yield address


def collect_garbage() -> None:
    """Free what nothing refers to any more, and keep the rest from being looked through again: each time would hold up every call for a tenth of a second and more."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class Worker:
    """What a worker holds, and what it is listening on."""

    def __init__(self, channel: Channel, load: Load) -> None:
        self._channel, self._load = channel, load
        self._live = LiveBundle(read_bundle(Path(load.built)))
        collect_garbage()
        self._next = self._live.bundle
        self._address = load.address
        self._metrics = Metrics() if load.watching.metrics else None

    async def run(self) -> None:
        """Load, serve when told to, and obey until the end."""
        await self._channel.say(Loaded())
        if not await self._until_serve():
            return
        async with serving(self._load, self._live, self._metrics) as self._address:
            await self._channel.say(self._serving())
            while (answer := await self._obey(await self._channel.hear())) is not None:
                await self._channel.say(answer)

    async def _until_serve(self) -> bool:
        """Obey until told to serve; false if told to stop instead."""
        while not isinstance(told := await self._channel.hear(), Serve):
            answer = await self._obey(told)
            if answer is None:
                return False
            await self._channel.say(answer)
        return True

    async def _obey(self, told: Message) -> Message | None:
        """Do what is told, and give the answer; None to end."""
        match told:
            case Prepare():
                try:
                    # In a thread: reading takes a moment, and the calls go on meanwhile.
                    self._next = await asyncio.to_thread(read_bundle, Path(told.built))
                except (OSError, ValueError) as error:
                    return Failed(f"the new policies cannot be read: {error}")
                return Loaded()
            case Commit():
                self._live.bundle, self._live.reload_error = self._next, ""
                return self._serving()
            case Abort():
                self._next = self._live.bundle
                return self._serving()
            case ReloadFailed():
                self._live.reload_error = told.message
                return self._serving()
            case CollectGarbage():
                collect_garbage()
                return self._serving()
            case GetMetrics():
                return WorkerMetrics(self._load.number, "" if self._metrics is None else self._metrics.text)
            case Stop():
                return None
            case _:
                raise AssertionError(f"a supervisor does not say {told!r}")

    def _serving(self) -> Serving:
        return Serving(self._address, tuple(version.digest for version in self._live.bundle.versions))


async def work(end: socket.socket) -> int:
    """Be a worker until told to stop, or left alone; give the exit code."""
    channel = await Channel.over(end)
    asked = asyncio.ensure_future(_work(channel))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.cancel)
    try:
        return await asked
    except asyncio.CancelledError:
        return 0
    finally:
        channel.close()


async def _work(channel: Channel) -> int:
    try:
        load = await channel.hear()
        if not isinstance(load, Load):
            raise TypeError(f"a worker is first told what to load, not {load!r}")
        try:
            await Worker(channel, load).run()
        except (OSError, LogError, SourceError, InvalidAuthFiles) as error:
            help_ = getattr(error, "help", "")
            await channel.say(Failed(str(error), help_))
            return 1
    except ChannelClosed:
        return 0
    return 0


def main() -> int:
    """Take the channel, and work."""
    logs.set_up(sys.argv[2])
    # Ctrl-C goes to every process of a terminal; the supervisor hears it, and says what is to be done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end = socket.socket(fileno=int(sys.argv[1]))
    with suppress(KeyboardInterrupt):
        return uvloop.run(work(end))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
