"""Benchmarks of the decision log: triages with the log off, bounded and sync, on SQLite and PostgreSQL.

Every contestant is its own server. All run at once, and a load generator in its own process calls them in turns over
127.0.0.1, for a number of calls or seconds a round, whichever ends first.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

import grpc

from benchmarks.look_up import POLICIES
from benchmarks.measure import Row
from benchmarks.tickets import draw
from engine.version.build import build
from engine.version.version import Version
from guidepost.client.requests import Facts, triage_request
from guidepost.policies.sources.folder import read_folder, version_folders
from tests.support.log_servers import POSTGRESQL, PostgreSQL

ROOT: Final = Path(__file__).resolve().parent.parent

IN_FLIGHT: Final = (128, 4)
"""How many calls wait for an answer at the same time."""

CHANNELS: Final = 4
ROUNDS: Final = 4
CALLS: Final = 2_000
SECONDS: Final = 1.0
"""Where a round ends: after so many calls, or so much time."""

TICKETS: Final = 2_000
METHOD: Final = "/guidepost.v1.DecisionService/Triage"

OFF: Final = "off"
GOALS: Final[Mapping[str, float]] = {"SQLite, bounded": 1 / 0.9, "SQLite, sync": 1 / 0.8}
"""How many times as long a triage may take as without a log, with many in flight."""

Measured = dict[str, Any]


def rows() -> list[Row]:
    """Measure it."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        contestants = _contestants(Path(folder), stack)
        started = {name: stack.enter_context(server(arguments)) for name, arguments in contestants.items()}
        addresses = {name: address_of(process) for name, process in started.items()}
        found = _load(addresses, {name: process.pid for name, process in started.items()})
    return [row for in_flight in IN_FLIGHT for row in _rows(in_flight, found[str(in_flight)])]


def _contestants(folder: Path, stack: ExitStack) -> dict[str, list[str]]:
    """Return the arguments of each server; those of PostgreSQL only if it is installed."""
    made = {OFF: ["--log-durability", "off"]}
    for durability in ("bounded", "sync"):
        made[f"SQLite, {durability}"] = [
            "--decision-log",
            f"sqlite:///{folder}/{durability}.db",
            "--log-durability",
            durability,
        ]
    if POSTGRESQL:
        made |= {
            f"PostgreSQL, {durability}": ["--decision-log", url, "--log-durability", durability]
            for durability, url in _postgresql(stack).items()
        }
    return made


def _postgresql(stack: ExitStack) -> dict[str, str]:
    """Start a private PostgreSQL with its default fsync; return the URL of a database for each durability."""
    # Below /tmp, since the user that runs the server must have access.
    folder = Path(tempfile.mkdtemp(prefix="guidepost-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    server = PostgreSQL(folder / "server", fsync=True)
    stack.callback(server.stop)
    return {durability: server.database(durability) for durability in ("bounded", "sync")}


@contextmanager
def server(arguments: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Run a server of one process while the block runs."""
    command = [sys.executable, "server.py", "--policies", str(POLICIES), "--port", "0", "--workers", "0", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def address_of(process: subprocess.Popen[str]) -> str:
    """Wait until a server answers; return its address."""
    said = next((line for line in process.stdout or () if line.startswith("listening on ")), "")
    if not said:
        raise ValueError("the server did not start")
    return said.split()[2].rstrip(";")


def _load(addresses: Mapping[str, str], pids: Mapping[str, int]) -> dict[str, dict[str, list[Measured]]]:
    """Run the load generator; return its figures by calls in flight and contestant."""
    asked = json.dumps({"addresses": addresses, "pids": pids})
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.log"],
        cwd=ROOT,
        input=asked,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
    ).stdout
    found: dict[str, dict[str, list[Measured]]] = json.loads(said)
    return found


def _rows(in_flight: int, found: Mapping[str, Sequence[Measured]]) -> Iterator[Row]:
    group = f"triages served with {in_flight} in flight"
    for name, rounds in found.items():
        goal = GOALS.get(name) if in_flight == max(IN_FLIGHT) else None
        yield Row(group=group, what=f"{name}: a second", value=_middle(rounds, "rate"), unit="/s")
        if name != OFF:
            slower = statistics.median(off["rate"] / one["rate"] for off, one in zip(found[OFF], rounds, strict=True))
            yield Row(group=group, what=f"{name}: time against without a log", value=slower, unit="x", goal=goal)
        yield Row(group=group, what=f"{name}: 99 %", value=_middle(rounds, "p99") / 1000, unit="ms")
        yield Row(
            group=group,
            what=f"{name}: the server's processor time for one",
            value=_middle(rounds, "processor"),
            unit="µs",
        )
    if not any(name.startswith("PostgreSQL") for name in found):
        yield Row(
            group=group,
            what="PostgreSQL: left out, since there is none under /usr/lib/postgresql",
            value=0,
            unit="rounds",
        )


def _middle(rounds: Sequence[Measured], what: str) -> float:
    return statistics.median(float(one[what]) for one in rounds)


# ---- The load generator


async def generate(addresses: Mapping[str, str], pids: Mapping[str, int]) -> dict[str, dict[str, list[Measured]]]:
    """Call all servers in turns; the first round is a warm-up."""
    requests = _requests(_version())
    found: dict[str, dict[str, list[Measured]]] = {
        str(in_flight): {name: [] for name in addresses} for in_flight in IN_FLIGHT
    }
    channels = {
        name: [
            grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) for _ in range(CHANNELS)
        ]
        for name, address in addresses.items()
    }
    for at in range(ROUNDS + 1):
        for in_flight in IN_FLIGHT:
            for name in addresses:
                result = await _round(channels[name], requests, in_flight, pids[name])
                if at:
                    found[str(in_flight)][name].append(result)
    for one in channels.values():
        for channel in one:
            await channel.close()
    return found


async def _round(channels: Sequence[grpc.aio.Channel], requests: Sequence[bytes], in_flight: int, pid: int) -> Measured:
    """Keep calls in flight; return calls per second, and the 99th percentile and CPU time of a call in µs."""
    calls = [channel.unary_unary(METHOD) for channel in channels]
    taken: list[int] = []
    asked = iter(range(CALLS))
    end = time.monotonic() + SECONDS

    async def caller(number: int) -> None:
        call = calls[number % len(calls)]
        for at in asked:
            start = time.perf_counter_ns()
            await call(requests[at % len(requests)], timeout=30)
            taken.append(time.perf_counter_ns() - start)
            if time.monotonic() > end:
                return

    before, start = _processor(pid), time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(in_flight)))
    seconds, processor = time.perf_counter() - start, _processor(pid) - before
    return {
        "rate": len(taken) / seconds,
        "p99": sorted(taken)[int(0.99 * len(taken))] / 1000,
        "processor": 1e6 * processor / len(taken),
    }


def _processor(pid: int) -> float:
    """Return the CPU time of a process in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _requests(version: Version) -> list[bytes]:
    """Return requests for tickets that came in a minute before they are decided."""
    made = []
    for facts in draw(version, TICKETS, seed=4):
        received = facts.get("received_at")
        now = received + timedelta(minutes=1) if isinstance(received, datetime) else None
        made.append(triage_request(cast("Facts", facts), now, (), None).SerializeToString())
    return made


def _version() -> Version:
    folder = version_folders(POLICIES)[0]
    return build(read_folder(folder), folder.root)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(generate(**json.loads(sys.stdin.read())))))
