"""A server of a single process, without a supervisor: for embedding, for small machines, and where something else starts processes anew."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import uvloop

from engine.answer import VersionRef
from engine.bundle import Bundle
from service.held import Held
from service.metrics import Metrics, exposed
from service.workers.built import read_built
from service.workers.notify import READY, STOPPING, notify
from service.workers.run import reloading, watching
from service.workers.supervisor import Builder, Settings, built_from, own_folder
from service.workers.told import Refused, Reloaded
from service.workers.worker import answering, settle


def serve_alone(settings: Settings, address: str, ready: Callable[[str, str, str], object], *, watch: bool) -> Refused | None:
    """Serve until SIGTERM or SIGINT; reloads, gives Refused and calls ``ready`` as ``supervise`` does.

    Raises LogRefused, SourceError, AccessRefused, OSError; ValueError if the address of the metrics is none.
    """
    folder = own_folder()
    try:
        return uvloop.run(_serve(Alone(built_from(settings.policies), folder), settings, address, ready, watch))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Alone:
    """What a single process answers from: built by a process that ends, like that of workers."""

    def __init__(self, build: Builder, folder: Path) -> None:
        self._build, self._path = build, folder / "built"
        self._versions: tuple[VersionRef, ...] = ()
        self.held = Held(Bundle(()))

    async def reload(self) -> Reloaded | Refused:
        """Build the policies anew, and answer from them; what cannot be built or read changes nothing."""
        try:
            made = await self._build(self._path)
            if isinstance(made, Refused):
                return replace(made, versions=self._versions)
            # In a thread: reading takes a moment, and the calls go on meanwhile.
            self.held.bundle = await asyncio.to_thread(read_built, self._path)
            self._path.unlink()
        except (OSError, ValueError) as error:
            return Refused(message=f"the policies could not be built: {error}", versions=self._versions)
        before, self._versions = self._versions, made.versions
        settle()
        return replace(made, changed=before != made.versions)


async def _serve(alone: Alone, settings: Settings, address: str, ready: Callable[[str, str, str], object], watch: bool) -> Refused | None:
    stop, reload, loop = asyncio.Event(), asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    if isinstance(first := await alone.reload(), Refused):
        return first
    metrics = Metrics() if settings.metrics else None
    with ExitStack() as stack:
        url = stack.enter_context(exposed(metrics.registry, settings.metrics)) if metrics else ""
        async with answering(settings.load(0, "", address, settings.log, shared=False), alone.held, metrics) as bound:
            ready(bound, "", url)
            notify(READY, f"STATUS=answering calls on {bound}")
            tasks = [asyncio.create_task(reloading(alone, reload))]
            if watch:
                tasks.append(asyncio.create_task(watching(settings, reload)))
            await stop.wait()
            notify(STOPPING)
            for task in tasks:
                task.cancel()
    return None
