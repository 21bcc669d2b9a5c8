"""One round of load: a number of calls in flight for some seconds, their latencies, and the server's CPU time."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROGRAM: Final = "h2load"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The calls to one server: the address, the method, the message, and the least bytes of a correct response."""

    address: str
    method: str
    body: Path
    pid: int
    answer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The result of a round: calls per second, median and 99th percentile in ms, and CPU time of a call in µs."""

    rate: float
    p50: float
    p99: float
    processor: float


def run(load: Load, connections: int, streams: int, seconds: int) -> Seen:
    """Load a server with a number of connections and calls in flight on each; raises ValueError for wrong responses."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls"
        command = [
            PROGRAM,
            "-D",
            f"{seconds}",
            "-c",
            f"{connections}",
            "-m",
            f"{streams}",
            "-d",
            str(load.body),
            "-H",
            "content-type: application/grpc",
            "-H",
            "te: trailers",
            f"--log-file={log}",
            f"http://{load.address}{load.method}",
        ]
        processes = tree(load.pid)
        before, start = processor(processes), time.perf_counter()
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        spent, taken = processor(processes) - before, time.perf_counter() - start
        calls = [line.split("\t") for line in log.read_text(encoding="ascii").splitlines()]
    times = sorted(int(call[2]) for call in calls if call[1] == "200")
    data = int(_found(r"\((\d+)\) data", said))
    if len(times) < len(calls) or not times or data < 0.9 * load.answer * len(times):
        raise ValueError(f"{load.method} at {load.address} was not answered as it should be:\n{said}")
    return Seen(
        rate=len(times) / min(seconds, taken),
        p50=times[len(times) // 2] / 1000,
        p99=times[int(0.99 * len(times))] / 1000,
        processor=1e6 * spent / len(times),
    )


def tree(pid: int) -> tuple[int, ...]:
    """Return a process and its descendants."""
    return pid, *_started(pid)


def _started(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text(encoding="ascii").split()):
            yield from tree(child)


def processor(pids: tuple[int, ...]) -> float:
    """Return the total CPU time of processes in seconds."""
    return sum(_processor(pid) for pid in pids)


def _processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> tuple[float, float]:
    """Return the resident memory of a process, and its private part, in megabytes.

    Processes share the bundle and libraries.
    """
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    kilobytes = {name: int(_found(rf"{name}:\s+(\d+) kB", text)) for name in ("Rss", "Private_Clean", "Private_Dirty")}
    return kilobytes["Rss"] / 1024, (kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]) / 1024


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise ValueError(f"h2load or /proc wrote something else than expected:\n{text}")
    return match[1]
