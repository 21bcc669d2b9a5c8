"""A server in a process of its own, and what its callers and its log know of the same tickets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from engine.records.filter import Filter
from engine.records.record import Record
from engine.records.verify import verify
from guidepost.decision_log.store import Store
from tests.support.paths import ROOT


@dataclass(frozen=True)
class Acknowledged:
    """An acknowledged ticket: its size, the id of its decision, and the monotonic time of the answer in seconds."""

    size: int
    decision: str
    at: float


def records_by_ticket(store: Store) -> dict[str, list[Record]]:
    """Return the records whose tickets are numbers, by ticket; other tests write under names."""
    found: dict[str, list[Record]] = {}
    for _, one in store.search(Filter()):
        if one.ticket.isdigit():
            found.setdefault(one.ticket, []).append(one)
    return found


def check_log(store: Store, acknowledged: Mapping[str, Acknowledged]) -> dict[str, list[Record]]:
    """Check that a log contains each acknowledged decision once and unchanged, and that its chains are complete."""
    there = records_by_ticket(store)

    assert set(acknowledged) - set(there) == set()
    assert [name for name, records in there.items() if len(records) > 1] == []
    wrong = [
        name
        for name, told in acknowledged.items()
        if (there[name][0].facts, there[name][0].decisions[0].id) != ({"size": f"{told.size}"}, told.decision)
    ]
    assert wrong == []
    assert verify(store.entries(), ends=store.ends()).breaks == ()
    return there


@contextmanager
def serving_process(
    folder: Path, url: str, cache: Path, *arguments: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `guidepost serve` in a process group of its own; yield its process and its address."""
    command = [
        sys.executable,
        "-m",
        "guidepost.cli",
        "serve",
        "--policies",
        str(folder),
        "--port",
        "0",
        "--workers",
        "2",
        "--decision-log",
        url,
        *arguments,
    ]
    started = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "GUIDEPOST_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    timer = threading.Timer(120, kill_server, (started,))
    timer.start()
    try:
        assert started.stdout is not None
        said = next((line for line in started.stdout if line.startswith("listening on ")), "")
        assert said
        yield started, said.split()[2].rstrip(";")
    finally:
        timer.cancel()
        kill_server(started)
        started.communicate()


def kill_server(server: subprocess.Popen[str]) -> None:
    """Kill a server with its workers and every other process that it started."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
