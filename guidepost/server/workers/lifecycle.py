"""A supervisor's life: started, told by signals and by changed files, and stopped in good order."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

import watchfiles

from guidepost.server.workers.admin_link import AdminLink
from guidepost.server.workers.messages import Rejected, Reloaded
from guidepost.server.workers.shared_port import reserve_port
from guidepost.server.workers.supervisor import Supervisor, SupervisorConfig
from guidepost.server.workers.systemd import READY, STOPPING, notify

log = logging.getLogger("guidepost.supervisor")

T = TypeVar("T")

SETTLED_MS = 300
"""Milliseconds for which nothing changes before policies are read: an editor writes several files."""


async def supervise(
    settings: SupervisorConfig, host: str, port: int, *, watch: bool, ready: Callable[[str, str, str], object]
) -> Rejected | None:
    """Serve until SIGTERM or SIGINT; SIGHUP reloads the policies, and so does a changed file if they are watched.

    ``ready`` is called once, with the real addresses of the service and of its admin service, and the URL of its metrics, as soon as every worker answers calls. Gives Refused if the policies cannot be served.

    Raises:
        OSError: the address cannot be bound.
        CannotServe: a worker cannot serve, for a reason that is not the policies'.
    """
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    with reserve_port(host, port) as address:
        supervisor = Supervisor(settings, address)
        office = AdminLink(supervisor, settings.admin, settings.metrics) if settings.admin or settings.metrics else None
        try:
            started = await _unless(stop, supervisor.start())
            if started is None or isinstance(started, Rejected):
                return started
            if office is not None:
                await office.open()
            ready(address, office.admin if office else "", office.metrics if office else "")
            notify(READY, f"STATUS=answering calls on {address}")
            tasks = [asyncio.create_task(reload_when_set(supervisor, reload))]
            if watch:
                tasks.append(asyncio.create_task(watch_files(settings, reload)))
            await stop.wait()
            notify(STOPPING)
            for task in tasks:
                task.cancel()
            # A build that is under way ends with the server.
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            if office is not None:
                await office.close()
            await supervisor.stop()
    log.info("stopped")
    return None


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Wait for work to be done; None if the server is stopped before, which cancels the work."""
    working, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        for task in (working, stopped):
            task.cancel()
        await asyncio.gather(working, stopped, return_exceptions=True)


class Reloadable(Protocol):
    """What can be told to read its policies anew: a supervisor, or a server of one process."""

    async def reload(self) -> Reloaded | Rejected:
        """Read them anew."""
        ...


async def reload_when_set(server: Reloadable, asked: asyncio.Event) -> None:
    """Reload whenever it is asked for, and say in the server's own log what came of it."""
    while True:
        await asked.wait()
        asked.clear()
        match await server.reload():
            case Reloaded(versions, changed):
                log.info(
                    "%s: %s",
                    "policies reloaded" if changed else "policies read again: nothing changed",
                    ", ".join(f"{ref.version} {ref.digest[:12]}" for ref in versions),
                )
            case Rejected() as refused:
                log.error(
                    "policies not reloaded, the last good ones go on serving: %s",
                    "; ".join(map(str, refused.problems)) or refused.message,
                )


def _is_policy_change(_: object, path: str) -> bool:
    """Return whether a change may be one of the policies: not one of a side file, but also that of a link such as ``..data``, by which folders are swapped."""
    name = Path(path).name
    return not (name.startswith(".") and not name.startswith("..")) and not name.endswith(("~", "#")) and name != "4913"


async def watch_files(settings: SupervisorConfig, changed: asyncio.Event) -> None:
    """Ask for a reload when files of the policies change."""
    with suppress(asyncio.CancelledError):
        async for _ in watchfiles.awatch(
            settings.policies, watch_filter=_is_policy_change, debounce=SETTLED_MS, step=SETTLED_MS // 3, recursive=True
        ):
            changed.set()
