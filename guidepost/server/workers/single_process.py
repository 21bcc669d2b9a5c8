"""A server of a single process, without a supervisor: for embedding, for small machines, and where something else starts processes anew."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import uvloop

from engine.model.answer import VersionRef
from engine.version.bundle import Bundle
from guidepost.server.observability.metrics import Metrics, serve_metrics
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.server.workers.bundle_file import read_bundle
from guidepost.server.workers.bundle_storage import BundleStorage
from guidepost.server.workers.lifecycle import reload_when_set, watch_files
from guidepost.server.workers.messages import Rejected, Reloaded
from guidepost.server.workers.run_build import Builder, builder_of
from guidepost.server.workers.supervisor import SupervisorConfig
from guidepost.server.workers.systemd import READY, STOPPING, notify
from guidepost.server.workers.worker import collect_garbage, serving

log = logging.getLogger("guidepost.server")


def serve_single_process(
    settings: SupervisorConfig, address: str, ready: Callable[[str, str, str], object], *, watch: bool
) -> Rejected | None:
    """Serve until SIGTERM or SIGINT; reloads, gives Refused and calls ``ready`` as ``supervise`` does.

    Raises LogError, SourceError, AccessRefused, OSError; ValueError if the address of the metrics is none.
    """
    storage = BundleStorage()
    try:
        return uvloop.run(
            _serve(SingleProcess(builder_of(settings.policies), storage), settings, address, ready, watch)
        )
    finally:
        storage.close()


class SingleProcess:
    """What a single process answers from: built by a process that ends, like that of workers."""

    def __init__(self, build: Builder, storage: BundleStorage) -> None:
        self._build, self._storage = build, storage
        self._versions: tuple[VersionRef, ...] = ()
        self.live = LiveBundle(Bundle(()))

    async def reload(self) -> Reloaded | Rejected:
        """Build the policies anew, and answer from them; what cannot be built or read changes nothing."""
        path: Path | None = None
        try:
            path = self._storage.file()
            made = await self._build(path)
            if isinstance(made, Rejected):
                return self._kept(made)
            # In a thread: reading takes a moment, and the calls go on meanwhile.
            self.live.bundle = await asyncio.to_thread(read_bundle, path)
        except (OSError, ValueError) as error:
            return self._kept(
                Rejected(message=f"the policies could not be built: {getattr(error, 'strerror', None) or error}")
            )
        finally:
            if path is not None:
                path.unlink(missing_ok=True)
        before, self._versions = self._versions, made.versions
        self.live.reload_error = ""
        collect_garbage()
        return replace(made, changed=before != made.versions)

    def _kept(self, refused: Rejected) -> Rejected:
        """Go on with the versions that are live, and have health say why."""
        self.live.reload_error = refused.summary
        return replace(refused, versions=self._versions)


async def _serve(
    alone: SingleProcess,
    settings: SupervisorConfig,
    address: str,
    ready: Callable[[str, str, str], object],
    watch: bool,
) -> Rejected | None:
    stop, reload, loop = asyncio.Event(), asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    if isinstance(first := await alone.reload(), Rejected):
        return first
    metrics = Metrics() if settings.metrics else None
    with ExitStack() as stack:
        url = stack.enter_context(serve_metrics(metrics.registry, settings.metrics)) if metrics else ""
        async with serving(settings.load(0, "", address, settings.log, shared=False), alone.live, metrics) as bound:
            ready(bound, "", url)
            notify(READY, f"STATUS=answering calls on {bound}")
            tasks = [asyncio.create_task(reload_when_set(alone, reload))]
            if watch:
                tasks.append(asyncio.create_task(watch_files(settings, reload)))
            await stop.wait()
            notify(STOPPING)
            for task in tasks:
                task.cancel()
    log.info("stopped")
    return None
