"""Runs a supervisor: starts it, reacts to signals and changed files, and stops it in order."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import watchfiles

from engine.version.bundle import Bundle
from guidepost.server.workers.admin_link import AdminLink
from guidepost.server.workers.messages import Rejected, Reloaded
from guidepost.server.workers.pickled_bundle import unpickle_bundle
from guidepost.server.workers.shared_port import reserve_port
from guidepost.server.workers.supervisor import Supervisor, SupervisorConfig
from guidepost.server.workers.systemd import READY, STOPPING, notify

log = logging.getLogger("guidepost.supervisor")

T = TypeVar("T")

Ready = Callable[[str, str, str, Bundle], object]
"""Called when calls are answered: with the address of the service, the address of the admin service, the URL of the
metrics, and the versions that are served."""

QUIET_MS: Final = 300
"""Milliseconds without a change after which policies are read: an editor writes several files."""


async def supervise(config: SupervisorConfig, host: str, port: int, *, watch: bool, ready: Ready) -> Rejected | None:
    """Serve until SIGTERM or SIGINT. SIGHUP reloads the policies; with ``watch``, a changed file does, too.

    ``ready`` is called once, when every worker answers calls. Returns Rejected if the policies cannot be served.

    Raises:
        OSError: the address cannot be bound.
        CannotServe: a worker cannot serve, for a reason other than the policies.
    """
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    with reserve_port(host, port) as address:
        supervisor = Supervisor(config, address)
        admin = AdminLink(supervisor, config.admin, config.metrics) if config.admin or config.metrics else None
        try:
            started = await _unless(stop, supervisor.start())
            if started is None or isinstance(started, Rejected):
                return started
            if admin is not None:
                await admin.open()
            bundle = unpickle_bundle(supervisor.bundle)
            ready(address, admin.admin if admin else "", admin.metrics if admin else "", bundle)
            del bundle
            notify(READY, f"STATUS=answering calls on {address}")
            tasks = [asyncio.create_task(reload_when_set(supervisor, reload))]
            if watch:
                tasks.append(asyncio.create_task(watch_files(config.policies, reload)))
            await stop.wait()
            notify(STOPPING)
            for task in tasks:
                task.cancel()
            # A build that is running ends with the server.
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            if admin is not None:
                await admin.close()
            await supervisor.stop()
    log.info("stopped")
    return None


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Return the result of some work; None if the server is stopped before, which cancels the work."""
    working, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        for task in (working, stopped):
            task.cancel()
        await asyncio.gather(working, stopped, return_exceptions=True)


class Reloadable(Protocol):
    """A server that can reload its policies: a supervisor, or a single process."""

    async def reload(self) -> Reloaded | Rejected:
        """Read the policies again."""
        ...


async def reload_when_set(server: Reloadable, requested: asyncio.Event) -> None:
    """Reload whenever the event is set, and log the result."""
    while True:
        await requested.wait()
        requested.clear()
        match await server.reload():
            case Reloaded(versions, changed):
                log.info(
                    "%s: %s",
                    "policies reloaded" if changed else "policies reloaded without a change",
                    ", ".join(f"{ref.version} {ref.digest[:12]}" for ref in versions),
                )
            case Rejected() as rejected:
                log.error(
                    "policies not reloaded, the previous versions are still served: %s",
                    "; ".join(map(str, rejected.problems)) or rejected.message,
                )


def _is_policy_change(_: object, path: str) -> bool:
    """Return whether a change can be one of the policies.

    Side files of editors cannot. A link such as ``..data`` can: Kubernetes replaces folders by it.
    """
    name = Path(path).name
    return not (name.startswith(".") and not name.startswith("..")) and not name.endswith(("~", "#")) and name != "4913"


async def watch_files(policies: Path, changed: asyncio.Event) -> None:
    """Set the event when files of the policies change."""
    with suppress(asyncio.CancelledError):
        async for _ in watchfiles.awatch(
            policies, watch_filter=_is_policy_change, debounce=QUIET_MS, step=QUIET_MS // 3, recursive=True
        ):
            changed.set()
