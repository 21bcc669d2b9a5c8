"""A server of one process, without a supervisor, for small machines and platforms that restart processes."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import ExitStack

import msgspec
import uvloop

from engine.decide.decider import bundle_deciders
from engine.model.answer import VersionRef
from engine.version.bundle import Bundle
from guidepost.server.observability.metrics import Metrics, serve_metrics
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.server.workers.lifecycle import Ready, reload_when_set, watch_files
from guidepost.server.workers.messages import Rejected, Reloaded
from guidepost.server.workers.pickled_bundle import unpickle_bundle
from guidepost.server.workers.run_build import Builder, builder_of
from guidepost.server.workers.supervisor import SupervisorConfig
from guidepost.server.workers.systemd import READY, STOPPING, notify
from guidepost.server.workers.worker import collect_garbage, serving

log = logging.getLogger("guidepost.server")


def serve_single_process(config: SupervisorConfig, address: str, ready: Ready, *, watch: bool) -> Rejected | None:
    """Serve until SIGTERM or SIGINT. Reloads, returns Rejected and calls ``ready`` as ``supervise`` does.

    Raises LogError, SourceError, InvalidAuthFiles, OSError; ValueError if the address of the metrics is not HOST:PORT.
    """
    server = SingleProcess(builder_of(config.policies))
    return uvloop.run(_serve(server, config, address, ready, watch))


class SingleProcess:
    """The live bundle of a single process. As for workers, a process of its own builds it."""

    def __init__(self, build: Builder) -> None:
        self._build = build
        self._versions: tuple[VersionRef, ...] = ()
        self.live = LiveBundle(Bundle(()))

    async def reload(self) -> Reloaded | Rejected:
        """Build the policies and serve them. If they cannot be built or read, the previous versions stay live."""
        try:
            made = await self._build()
            if isinstance(made, Rejected):
                return self._rejected(made)
            # In a thread, since reading takes a moment and calls go on meanwhile.
            self.live.deciders = await asyncio.to_thread(lambda: bundle_deciders(unpickle_bundle(made.bundle)))
        except (OSError, ValueError) as error:
            return self._rejected(
                Rejected(message=f"the policies could not be built: {getattr(error, 'strerror', None) or error}")
            )
        before, self._versions = self._versions, made.versions
        self.live.reload_error = ""
        collect_garbage()
        return Reloaded(made.versions, changed=before != made.versions)

    def _rejected(self, rejected: Rejected) -> Rejected:
        """Report the failure in health checks, and add the versions that are still served."""
        self.live.reload_error = rejected.summary
        return msgspec.structs.replace(rejected, versions=self._versions)


async def _serve(
    server: SingleProcess,
    config: SupervisorConfig,
    address: str,
    ready: Ready,
    watch: bool,
) -> Rejected | None:
    stop, reload, loop = asyncio.Event(), asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    if isinstance(first := await server.reload(), Rejected):
        return first
    metrics = Metrics() if config.metrics else None
    with ExitStack() as stack:
        url = stack.enter_context(serve_metrics(metrics.registry, config.metrics)) if metrics else ""
        load = config.load(0, b"", address, config.log, shared=False)
        async with serving(load, server.live, metrics) as bound:
            ready(bound, "", url, server.live.bundle)
            notify(READY, f"STATUS=answering calls on {bound}")
            tasks = [asyncio.create_task(reload_when_set(server, reload))]
            if watch:
                tasks.append(asyncio.create_task(watch_files(config.policies, reload)))
            await stop.wait()
            notify(STOPPING)
            for task in tasks:
                task.cancel()
    log.info("stopped")
    return None
