"""A server of a single process, without a supervisor: for embedding, for small machines, and where something else starts processes anew."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import ExitStack

import uvloop

from engine.bundle import Bundle
from service.held import Held
from service.metrics import Metrics, exposed
from service.store import load_bundle
from service.workers.notify import READY, STOPPING, notify
from service.workers.supervisor import Settings
from service.workers.worker import answering


def serve_alone(settings: Settings, address: str, ready: Callable[[str, str, str], object]) -> None:
    """Serve until SIGTERM or SIGINT; ``ready`` is called as that of ``supervise`` is.

    Raises PolicyErrors, LogRefused, SourceError, OSError; ValueError if the address of the metrics is none.
    """
    bundle = load_bundle(settings.policies)
    uvloop.run(_serve(bundle, settings, address, ready))


async def _serve(bundle: Bundle, settings: Settings, address: str, ready: Callable[[str, str, str], object]) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    metrics = Metrics() if settings.metrics else None
    with ExitStack() as stack:
        url = stack.enter_context(exposed(metrics.registry, settings.metrics)) if metrics else ""
        async with answering(settings.load(0, "", address, settings.log, shared=False), Held(bundle), metrics) as bound:
            ready(bound, "", url)
            notify(READY, f"STATUS=answering calls on {bound}")
            await stop.wait()
            notify(STOPPING)
