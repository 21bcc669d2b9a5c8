"""One small process that keeps the workers: starts them, starts those anew that die, rolls them, reloads in all or in none."""

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

from engine.model.answer import VersionRef
from guidepost.decision_log.settings import LogSettings
from guidepost.server.observability.config import NO_OBSERVABILITY, ObservabilityConfig
from guidepost.server.security import NO_SECURITY, Security
from guidepost.server.workers.bundle_storage import BundleStorage, StoredBundle
from guidepost.server.workers.channel import ChannelClosed
from guidepost.server.workers.messages import (
    Abort,
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
"""Seconds before a worker is started anew that died at once: the first time, and the most it grows to."""

STEADY: Final = 30.0
"""Seconds after which a worker that dies is started anew without a pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorConfig:
    """What a supervisor is told: the policies, how many workers, and what each of them is to be."""

    policies: Path
    workers: int
    log: LogSettings | None
    grace: float = 5.0
    admin: str = ""
    """The address of the admin service; "" for none."""
    metrics: str = ""
    """The address of the metrics; "" for none."""
    watching: ObservabilityConfig = NO_OBSERVABILITY
    security: Security = NO_SECURITY

    def load(self, number: int, built: str, address: str, log: LogSettings | None, *, shared: bool = True) -> Load:
        """Return what a worker is told."""
        return Load(
            number=number,
            built=built,
            address=address,
            log=log,
            grace=self.grace,
            watching=self.watching,
            security=self.security,
            shared=shared,
        )


def cores() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Supervisor:
    """The workers of a server."""

    def __init__(self, settings: SupervisorConfig, address: str, build: Builder | None = None) -> None:
        """Prepare to serve on an address; ``build`` makes the bundles, by default from the policies of the settings."""
        self._settings, self._address, self._make = settings, address, build or builder_of(settings.policies)
        self._storage = BundleStorage()
        # What is promised of the decision log holds for all workers together.
        self._share = settings.log and replace(settings.log, records=max(1, settings.log.records // settings.workers))
        self._built: StoredBundle | None = None
        self._members: dict[int, WorkerProcess] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._changing = asyncio.Lock()
        self._stopping = asyncio.Event()
        self.versions: tuple[VersionRef, ...] = ()
        self._started = self._reloaded = time.time()
        self._restarts: Counter[int] = Counter()
        self._reloads = self._failures = 0
        self._reload_error: Rejected | None = None

    async def start(self) -> Reloaded | Rejected:
        """Build the policies, and start all workers; back when all of them serve. Raises CannotServe."""
        made = await self._build()
        if isinstance(made, Rejected):
            return made
        self._built, self.versions = made[0], made[1].versions
        log.info("starting %d %s", self._settings.workers, "worker" if self._settings.workers == 1 else "workers")
        start_program = [asyncio.create_task(self._first(number)) for number in range(1, self._settings.workers + 1)]
        try:
            members = await asyncio.gather(*start_program)
        except BaseException:
            for one in start_program:
                one.cancel()
            await asyncio.gather(*start_program, return_exceptions=True)
            raise
        self._tasks = [asyncio.create_task(self._keep(member)) for member in members]
        return made[1]

    async def reload(self) -> Reloaded | Rejected:
        """Build the policies anew, and have every worker serve them, or none: what cannot be built or read changes nothing."""
        async with self._changing:
            found = await self._replace()
            if isinstance(found, Rejected):
                self._failures += 1
                self._reload_error = replace(found, versions=self.versions)
                await asyncio.gather(
                    *(member.ask(ReloadFailed(found.summary)) for member in self._members.values() if member.serving)
                )
                return self._reload_error
            self._reloaded, self._reload_error = time.time(), None
            self._reloads += 1
            return found

    async def _replace(self) -> Reloaded | Rejected:
        made = await self._build()
        if isinstance(made, Rejected):
            return made
        built, reloaded = made
        members = [member for member in self._members.values() if member.serving]
        answers = await asyncio.gather(*(member.ask(Prepare(str(built.path))) for member in members))
        # One that has ended is started anew with whatever is served then.
        if failed := {answer.message for answer in answers if isinstance(answer, Failed)}:
            await asyncio.gather(*(member.ask(Abort()) for member in members))
            built.remove()
            return Rejected(message="; ".join(sorted(failed)))
        before, self._built = self._built, built
        changed, self.versions = reloaded.versions != self.versions, reloaded.versions
        await asyncio.gather(*(member.ask(Commit()) for member in members))
        for member in members:
            member.built = built.path
        if before is not None:
            before.remove()
        # One at a time: it holds up the calls of a worker for a moment.
        for member in members:
            await member.ask(CollectGarbage())
        return replace(reloaded, changed=changed)

    async def roll(self) -> None:
        """Replace every worker by a new one, one at a time: the old one goes when the new one serves."""
        async with self._changing:
            for number in sorted(self._members):
                old = self._members[number]
                new = await self._spawn(number)
                self._members[number] = new
                await self._end(old)
                self._tasks.append(asyncio.create_task(self._keep(new)))

    async def stop(self) -> None:
        """Have every worker end in good order, and wait for it."""
        self._stopping.set()
        await asyncio.gather(*(self._end(member) for member in self._members.values()))
        for task in self._tasks:
            task.cancel()
        self._storage.close()

    async def measured(self) -> ServerMetrics:
        """Ask every worker what it has measured; one that has just ended has nothing to say."""
        members = [member for member in self._members.values() if member.serving]
        told = await asyncio.gather(*(member.ask(GetMetrics()) for member in members))
        return ServerMetrics(tuple(one for one in told if isinstance(one, WorkerMetrics)), self.status)

    @property
    def status(self) -> ServerStatus:
        """How the server is doing."""
        workers = tuple(
            WorkerStatus(number=number, process=one.process.pid, since=one.since, restarts=self._restarts[number])
            for number, one in sorted(self._members.items())
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
        """Who may come in, here and to the admin service."""
        return self._settings.security

    @property
    def messages(self) -> str:
        """How the messages of all processes are written."""
        return self._settings.watching.messages

    @property
    def processes(self) -> dict[int, int]:
        """The process id of each worker, by its number."""
        return {number: member.process.pid for number, member in self._members.items()}

    async def _build(self) -> tuple[StoredBundle, Reloaded] | Rejected:
        path: Path | None = None
        stored: StoredBundle | None = None
        try:
            path = self._storage.file()
            made = await self._make(path)
            if isinstance(made, Rejected):
                return made
            stored = StoredBundle(self._storage, path)
        except OSError as error:
            return Rejected(message=f"the policies could not be built: {error.strerror or error}")
        finally:
            # On every way out, also where the server is stopped meanwhile.
            if path is not None and stored is None:
                path.unlink(missing_ok=True)
        return stored, made

    async def _first(self, number: int) -> WorkerProcess:
        member = await self._spawn(number)
        self._members[number] = member
        return member

    async def _keep(self, member: WorkerProcess) -> None:
        """Start a worker anew whenever it dies, until it is replaced or the server stops."""
        pause = FIRST_PAUSE
        while True:
            start_program = asyncio.get_running_loop().time()
            code = await member.process.wait()
            member.channel.close()
            if self._stopping.is_set() or self._members.get(member.number) is not member:
                return
            log.warning(
                "worker %d (process %d) ended with %d; another one is started", member.number, member.process.pid, code
            )
            self._restarts[member.number] += 1
            if asyncio.get_running_loop().time() - start_program > STEADY:
                pause = FIRST_PAUSE
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LAST_PAUSE)
            while True:
                try:
                    async with self._changing:
                        member = await self._spawn(member.number)
                        self._members[member.number] = member
                except CannotServe as error:
                    log.error("worker %d cannot serve: %s", member.number, error)  # noqa: TRY400 - the worker has said all there is
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LAST_PAUSE)
                else:
                    break

    async def _spawn(self, number: int) -> WorkerProcess:
        """Start a worker with the bundle that is served now; back when it serves. Raises CannotServe."""
        built = self._built
        if built is None:
            raise AssertionError("workers are started once there is something to serve")
        try:
            await asyncio.to_thread(built.restore)
        except OSError as error:
            raise CannotServe(
                f"the built versions are gone, and cannot be written again: {error.strerror or error}"
            ) from error
        process, channel = await start_program("guidepost.server.workers.worker", self.messages)
        member = WorkerProcess(number=number, process=process, channel=channel, built=built.path)
        serving: object = None
        try:
            loaded = await member.ask(self._settings.load(number, str(built.path), self._address, self._share))
            serving = await member.ask(Serve()) if isinstance(loaded, Loaded) else loaded
        finally:
            # Also where the server is stopped meanwhile.
            if not isinstance(serving, Serving):
                channel.close()
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if not isinstance(serving, Serving):
            said = serving if isinstance(serving, Failed) else Failed("the worker ended before it could serve")
            raise CannotServe(said.message, said.help)
        if self._reload_error is not None:
            await member.ask(ReloadFailed(self._reload_error.summary))
        member.serving, member.since = True, time.time()
        return member

    async def _end(self, member: WorkerProcess) -> None:
        """Tell a worker to end in good order, and see that it does."""
        member.serving = False
        async with member.busy:
            with suppress(ChannelClosed):
                await member.channel.say(Stop())
        try:
            await asyncio.wait_for(member.process.wait(), self._settings.grace + 15)
        except TimeoutError:
            log.error("worker %d did not end in %g s, and was killed", member.number, self._settings.grace + 15)  # noqa: TRY400
            member.process.kill()
            await member.process.wait()
