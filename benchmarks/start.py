"""Benchmark of starting a server: the processor time of all its processes until it answers calls.

It is also given as a ratio to a process that only imports gRPC and SQLAlchemy, which travels better.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.measure import Row

ROOT: Final = Path(__file__).resolve().parent.parent

ROUNDS: Final = 3
WORKERS: Final = 2
READY: Final = "listening on"

IMPORTS: Final = "import grpc, sqlalchemy"


def rows() -> Iterator[Row]:
    """Measure it: the first start cross-checks the policies, later ones read that this succeeded."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = _start(folder)
        rounds = [(_imports(), _start(folder)) for _ in range(ROUNDS)]
    group = f"from start to ready, {WORKERS} workers"
    later = statistics.median(taken for _, taken in rounds)
    ratio = statistics.median(taken / floor for floor, taken in rounds)
    yield Row(group=group, what="policies cross-checked for the first time", value=first, unit="s")
    yield Row(group=group, what="policies cross-checked before", value=later, unit="s")
    yield Row(group=group, what="… against a process that imports gRPC and SQLAlchemy", value=ratio, unit="x")


def _imports() -> float:
    before = os.times()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def _start(folder: Path) -> float:
    """Start a server, wait until it answers calls, and return the processor time of its processes."""
    arguments = ["--policies", str(ROOT / "policies"), "--port", "0", "--workers", str(WORKERS)]
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "guidepost.cli",
            "serve",
            *arguments,
            "--decision-log",
            f"sqlite:///{folder}/log.sqlite",
        ],
        cwd=ROOT,
        env={**os.environ, "GUIDEPOST_CACHE": str(folder), "XDG_STATE_HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said = []
        for line in server.stdout or ():
            said.append(line)
            if READY in line:
                return _session_seconds(server.pid)
        raise RuntimeError("".join(said))
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate()


def _session_seconds(session: int) -> float:
    """Return the processor time of the processes of a session, and of those that they have waited for."""
    ticks = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")
