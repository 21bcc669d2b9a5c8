"""The supervisor: starts, restarts and replaces workers, and reloads policies in all of them or in none."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from engine.model.answer import VersionRef
from guidepost.decision_log.settings import LogSettings
from guidepost.server.defaults import GRACE
from guidepost.server.observability.config import NO_OBSERVABILITY, ObservabilityConfig
from guidepost.server.security import NO_SECURITY, Security
from guidepost.server.workers.channel import ChannelClosed
from guidepost.server.workers.messages import (
    Abort,
    Built,
    CollectGarbage,
    Commit,
    Failed,
    GetMetrics,
    Load,
    Loaded,
    Prepare,
    Rejected,
    Reloaded,
    ReloadFailed,
    Serve,
    ServerMetrics,
    ServerStatus,
    Serving,
    Stop,
    WorkerMetrics,
    WorkerStatus,
)
from guidepost.server.workers.process import CannotServe, WorkerProcess, start_program
from guidepost.server.workers.run_build import Builder, builder_of

log = logging.getLogger("guidepost.supervisor")

FIRST_PAUSE, LAST_PAUSE = 0.1, 10.0
"""Seconds before a worker that died soon after its start is restarted: at first, and after repeated deaths at most."""

STEADY: Final = 30.0
"""A worker that dies after running for this many seconds is restarted without a pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorConfig:
    """The configuration of a supervisor and of its workers."""

    policies: Path
    workers: int
    log: LogSettings | None
    grace: float = GRACE
    admin: str = ""
    """The address of the admin service; "" for none."""
    metrics: str = ""
    """The address of the metrics; "" for none."""
    observability: ObservabilityConfig = NO_OBSERVABILITY
    security: Security = NO_SECURITY

    def load(self, number: int, bundle: bytes, address: str, log: LogSettings | None, *, shared: bool = True) -> Load:
        """Return the first message to a worker."""
        return Load(
            number=number,
            bundle=bundle,
            address=address,
            log=log,
            grace=self.grace,
            observability=self.observability,
            security=self.security,
            shared=shared,
        )


def cores() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Supervisor:
    """The workers of a server. ``bundle`` has the versions that they serve, pickled."""

    def __init__(self, config: SupervisorConfig, address: str, build: Builder | None = None) -> None:
        """Prepare to serve on an address.

        ``build`` makes the bundles, by default from the policies of the configuration.
        """
        self._config, self._address, self._builder = config, address, build or builder_of(config.policies)
        # The limit of records at risk holds for all workers together.
        self._worker_log = config.log and replace(config.log, records=max(1, config.log.records // config.workers))
        self.bundle = b""
        self._workers: dict[int, WorkerProcess] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._changing = asyncio.Lock()
        self._stopping = asyncio.Event()
        self.versions: tuple[VersionRef, ...] = ()
        self._started = self._reloaded = time.time()
        self._restarts: Counter[int] = Counter()
        self._reloads = self._failures = 0
        self._reload_error: Rejected | None = None

    async def start(self) -> Reloaded | Rejected:
        """Build the policies and start the workers; return when all of them serve. Raises CannotServe."""
        made = await self._build()
        if isinstance(made, Rejected):
            return made
        self.bundle, self.versions = made.bundle, made.versions
        log.info("starting %d %s", self._config.workers, "worker" if self._config.workers == 1 else "workers")
        starting = [asyncio.create_task(self._first(number)) for number in range(1, self._config.workers + 1)]
        try:
            workers = await asyncio.gather(*starting)
        except BaseException:
            for one in starting:
                one.cancel()
            await asyncio.gather(*starting, return_exceptions=True)
            raise
        self._tasks = [asyncio.create_task(self._restart_when_dead(worker)) for worker in workers]
        return Reloaded(made.versions)

    async def reload(self) -> Reloaded | Rejected:
        """Build the policies and serve them in every worker.

        If they cannot be built or read, every worker keeps the previous ones.
        """
        async with self._changing:
            found = await self._replace()
            if isinstance(found, Rejected):
                self._failures += 1
                self._reload_error = msgspec.structs.replace(found, versions=self.versions)
                await asyncio.gather(
                    *(worker.ask(ReloadFailed(found.summary)) for worker in self._workers.values() if worker.serving)
                )
                return self._reload_error
            self._reloaded, self._reload_error = time.time(), None
            self._reloads += 1
            return found

    async def _replace(self) -> Reloaded | Rejected:
        made = await self._build()
        if isinstance(made, Rejected):
            return made
        workers = [worker for worker in self._workers.values() if worker.serving]
        answers = await asyncio.gather(*(worker.ask(Prepare(made.bundle)) for worker in workers))
        # A worker that has ended is restarted with the bundle that is served then.
        if failed := {answer.message for answer in answers if isinstance(answer, Failed)}:
            await asyncio.gather(*(worker.ask(Abort()) for worker in workers))
            return Rejected(message="; ".join(sorted(failed)))
        changed = made.versions != self.versions
        self.bundle, self.versions = made.bundle, made.versions
        await asyncio.gather(*(worker.ask(Commit()) for worker in workers))
        # One at a time, since it delays the calls of a worker for a moment.
        for worker in workers:
            await worker.ask(CollectGarbage())
        return Reloaded(made.versions, changed=changed)

    async def roll(self) -> None:
        """Replace the workers one at a time: each old one ends when the new one serves."""
        async with self._changing:
            for number in sorted(self._workers):
                old = self._workers[number]
                new = await self._spawn(number)
                self._workers[number] = new
                await self._end(old)
                self._tasks.append(asyncio.create_task(self._restart_when_dead(new)))

    async def stop(self) -> None:
        """End every worker in order, and wait for it."""
        self._stopping.set()
        await asyncio.gather(*(self._end(worker) for worker in self._workers.values()))
        for task in self._tasks:
            task.cancel()

    async def metrics(self) -> ServerMetrics:
        """Return the metrics of all workers, except those that have just ended, and the state of the server."""
        workers = [worker for worker in self._workers.values() if worker.serving]
        answers = await asyncio.gather(*(worker.ask(GetMetrics()) for worker in workers))
        return ServerMetrics(tuple(one for one in answers if isinstance(one, WorkerMetrics)), self.status)

    @property
    def status(self) -> ServerStatus:
        """The state of the server."""
        workers = tuple(
            WorkerStatus(number=number, process=one.process.pid, since=one.since, restarts=self._restarts[number])
            for number, one in sorted(self._workers.items())
        )
        return ServerStatus(
            started=self._started,
            versions=self.versions,
            workers=workers,
            reloaded=self._reloaded,
            reloads=self._reloads,
            failures=self._failures,
            reload_error=self._reload_error,
        )

    @property
    def security(self) -> Security:
        """The security of the server and of its admin service."""
        return self._config.security

    @property
    def log_format(self) -> str:
        """How all processes write their messages."""
        return self._config.observability.log_format

    @property
    def processes(self) -> dict[int, int]:
        """The process id of each worker, by its number."""
        return {number: worker.process.pid for number, worker in self._workers.items()}

    async def _build(self) -> Built | Rejected:
        try:
            return await self._builder()
        except OSError as error:
            return Rejected(message=f"the policies could not be built: {error.strerror or error}")

    async def _first(self, number: int) -> WorkerProcess:
        worker = await self._spawn(number)
        self._workers[number] = worker
        return worker

    async def _restart_when_dead(self, worker: WorkerProcess) -> None:
        """Restart a worker whenever it dies, until it is replaced or the server stops."""
        pause = FIRST_PAUSE
        while True:
            began = asyncio.get_running_loop().time()
            code = await worker.process.wait()
            worker.channel.close()
            if self._stopping.is_set() or self._workers.get(worker.number) is not worker:
                return
            log.warning(
                "worker %d (process %d) ended with %d and is being restarted", worker.number, worker.process.pid, code
            )
            self._restarts[worker.number] += 1
            if asyncio.get_running_loop().time() - began > STEADY:
                pause = FIRST_PAUSE
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LAST_PAUSE)
            while True:
                try:
                    async with self._changing:
                        worker = await self._spawn(worker.number)
                        self._workers[worker.number] = worker
                except CannotServe as error:
                    log.error("worker %d cannot serve: %s", worker.number, error)  # noqa: TRY400 - a traceback adds nothing
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LAST_PAUSE)
                else:
                    break

    async def _spawn(self, number: int) -> WorkerProcess:
        """Start a worker with the current bundle; return when it serves. Raises CannotServe."""
        process, channel = await start_program("guidepost.server.workers.worker", self.log_format)
        worker = WorkerProcess(number=number, process=process, channel=channel)
        serving: object = None
        try:
            loaded = await worker.ask(self._config.load(number, self.bundle, self._address, self._worker_log))
            serving = await worker.ask(Serve()) if isinstance(loaded, Loaded) else loaded
        finally:
            # Also if the server is stopped meanwhile.
            if not isinstance(serving, Serving):
                channel.close()
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if not isinstance(serving, Serving):
            failed = serving if isinstance(serving, Failed) else Failed("the worker ended before it could serve")
            raise CannotServe(failed.message, failed.help)
        if self._reload_error is not None:
            await worker.ask(ReloadFailed(self._reload_error.summary))
        worker.serving, worker.since = True, time.time()
        return worker

    async def _end(self, worker: WorkerProcess) -> None:
        """End a worker in order; kill it if it does not end within the grace period and 15 seconds."""
        worker.serving = False
        async with worker.busy:
            with suppress(ChannelClosed):
                await worker.channel.send(Stop())
        try:
            await asyncio.wait_for(worker.process.wait(), self._config.grace + 15)
        except TimeoutError:
            log.error("worker %d did not end within %g s and was killed", worker.number, self._config.grace + 15)  # noqa: TRY400
            worker.process.kill()
            await worker.process.wait()
