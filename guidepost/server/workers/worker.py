"""The program of a worker: ``python -m guidepost.server.workers.worker FD FORMAT``.

It answers calls, and follows the messages of its supervisor at the other end of the channel FD. When the supervisor
ends or SIGTERM arrives, it accepts no more calls, completes those under way, and ends. Exit codes: 0 ended in order, 1
it could not load or serve, and reported why.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import uvloop

from engine.decide.decider import bundle_deciders
from guidepost.decision_log.log_error import LogError
from guidepost.policies.sources.source import SourceError
from guidepost.server.app import listening
from guidepost.server.auth import InvalidAuthFiles
from guidepost.server.observability import logging as logs
from guidepost.server.observability.call_log import call_observers
from guidepost.server.rpc.live_bundle import LiveBundle
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
from guidepost.server.workers.pickled_bundle import unpickle_bundle

if TYPE_CHECKING:
    from guidepost.server.observability.metrics import Metrics


@asynccontextmanager
async def serving(load: Load, live: LiveBundle, metrics: Metrics | None) -> AsyncIterator[str]:
    """Answer calls while the block runs, and yield the address.

    Raises LogError, SourceError, InvalidAuthFiles or OSError on entry.
    """
    settings = load.log.for_worker(load.number) if load.log else None
    with call_observers(load.observability) as observers:
        async with listening(
            live,
            load.address,
            grace=load.grace,
            log=settings,
            security=load.security,
            metrics=metrics,
            observers=observers,
            shared=load.shared,
        ) as address:
            yield address


def collect_garbage() -> None:
    """Free unreachable objects, and exclude the rest from later collections.

    Each of these would delay calls by 100 ms or more.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _metrics() -> Metrics:
    from guidepost.server.observability.metrics import Metrics  # noqa: PLC0415 - few servers need it

    return Metrics()


class Worker:
    """A worker with its live bundle, and the next one after Prepare."""

    def __init__(self, channel: Channel, load: Load) -> None:
        self._channel, self._load = channel, load
        self._live = LiveBundle(unpickle_bundle(load.bundle))
        collect_garbage()
        self._next = self._live.deciders
        self._address = load.address
        self._metrics = _metrics() if load.observability.metrics else None

    async def run(self) -> None:
        """Report that the bundle is loaded, serve on request, and follow messages until Stop."""
        await self._channel.send(Loaded())
        if not await self._until_serve():
            return
        async with serving(self._load, self._live, self._metrics) as self._address:
            await self._channel.send(self._serving())
            while (answer := await self._handle(await self._channel.receive())) is not None:
                await self._channel.send(answer)

    async def _until_serve(self) -> bool:
        """Follow messages until Serve; return false after Stop."""
        while not isinstance(message := await self._channel.receive(), Serve):
            answer = await self._handle(message)
            if answer is None:
                return False
            await self._channel.send(answer)
        return True

    async def _handle(self, message: Message) -> Message | None:
        """Follow a message and return the answer; None to end."""
        match message:
            case Prepare():
                try:
                    # In a thread, since reading takes a moment and calls go on meanwhile.
                    self._next = await asyncio.to_thread(lambda: bundle_deciders(unpickle_bundle(message.bundle)))
                except ValueError as error:
                    return Failed(f"the new policies cannot be read: {error}")
                return Loaded()
            case Commit():
                self._live.deciders, self._live.reload_error = self._next, ""
                return self._serving()
            case Abort():
                self._next = self._live.deciders
                return self._serving()
            case ReloadFailed():
                self._live.reload_error = message.message
                return self._serving()
            case CollectGarbage():
                collect_garbage()
                return self._serving()
            case GetMetrics():
                return WorkerMetrics(self._load.number, "" if self._metrics is None else self._metrics.text)
            case Stop():
                return None
            case _:
                raise AssertionError(f"unexpected message of the supervisor: {message!r}")

    def _serving(self) -> Serving:
        return Serving(self._address, tuple(version.digest for version in self._live.bundle.versions))


async def work(end: socket.socket) -> int:
    """Run a worker until Stop, SIGTERM or the end of its supervisor; return the exit code."""
    channel = await Channel.connect(end)
    task = asyncio.ensure_future(_work(channel))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return 0
    finally:
        channel.close()


async def _work(channel: Channel) -> int:
    try:
        load = await channel.receive()
        if not isinstance(load, Load):
            raise TypeError(f"expected Load as the first message, got {load!r}")
        try:
            await Worker(channel, load).run()
        except (OSError, ValueError, LogError, SourceError, InvalidAuthFiles) as error:
            help_ = getattr(error, "help", "")
            await channel.send(Failed(str(error), help_))
            return 1
    except ChannelClosed:
        return 0
    return 0


def main() -> int:
    """Connect to the supervisor and work."""
    logs.set_up(sys.argv[2])
    # A terminal sends Ctrl-C to every process; the supervisor stops its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end = socket.socket(fileno=int(sys.argv[1]))
    with suppress(KeyboardInterrupt):
        return uvloop.run(work(end))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
