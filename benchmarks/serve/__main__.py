"""Run the benchmarks of servers, print the results, and write SERVE.md and serve.json.

``python -m benchmarks.serve [--rounds N] [--no-write] [unary|batches|coalescing|memory|profile …]``
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import machine
from benchmarks.serve import contestants, h2load, profile, requests, soak
from benchmarks.serve.contestants import CERBOS, FLOOR, LOGS, ROOT, Server
from benchmarks.serve.h2load import Load, Seen
from benchmarks.serve.report import page
from guidepost.v1 import decision_service_pb2 as pb

PARTS: Final = ("unary", "batches", "coalescing", "memory", "profile")
IN_FLIGHT: Final = {4: (4, 1), 128: (16, 8)}
"""Calls in flight, as connections and streams on each."""

BATCHES: Final = (50, 100)
BATCHES_IN_FLIGHT: Final = (4, 2)

Found = dict[str, Any]


def main() -> int:
    """Run the named parts, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve")
    parser.add_argument("parts", nargs="*", help=f"what to measure: {', '.join(PARTS)}; all of it without")
    parser.add_argument(
        "--rounds",
        type=int,
        default=4,
        help="how often each contestant has its turn, after a warm-up (default %(default)s)",
    )
    parser.add_argument("--seconds", type=int, default=3, help="how long a turn is (default %(default)s)")
    parser.add_argument(
        "--tickets", type=int, default=1_000_000, help="how many tickets memory is looked at over (default %(default)s)"
    )
    parser.add_argument("--no-write", action="store_true", help="write no files")
    asked = parser.parse_args()
    parts = asked.parts or list(PARTS)
    if wrong := set(parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(wrong))}")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        found = Benchmark(Path(folder), stack, asked.rounds, asked.seconds).measure(parts, asked.tickets)
    written = page(found)
    print(written)
    if not asked.no_write:
        (ROOT / "benchmarks" / "serve.json").write_text(
            json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        (ROOT / "benchmarks" / "SERVE.md").write_text(written, encoding="utf-8")
    return 0


class Benchmark:
    """All running servers, and the requests to them."""

    def __init__(self, folder: Path, stack: ExitStack, rounds: int, seconds: int) -> None:
        self.folder, self.rounds, self.seconds = folder, rounds, seconds
        told("starting the servers")
        program = contestants.cerbos_program(folder)
        self.cerbos = contestants.version(program) if program else ""
        self.servers: dict[str, Server] = {
            name: stack.enter_context(contestants.guidepost(folder, name)) for name in LOGS
        }
        if program:
            self.servers[CERBOS] = stack.enter_context(contestants.cerbos(program, folder))
        size = contestants.asked_once(self.servers["off"], requests.TRIAGE, requests.triage(), _triaged)
        self.servers[FLOOR] = stack.enter_context(contestants.floor(size))

    def measure(self, parts: Sequence[str], tickets: int) -> Found:
        """Run the named parts."""
        found: Found = {
            "machine": machine()
            | {name: version(name) for name in ("grpcio", "protobuf", "uvloop")}
            | {CERBOS: self.cerbos or "not installed"}
        }
        found |= {"rounds": self.rounds, "seconds": self.seconds}
        if "unary" in parts:
            found["unary"] = {f"{calls}": self._turns(self._single(), *shape) for calls, shape in IN_FLIGHT.items()}
        if "batches" in parts:
            found["batches"] = {f"{size}": self._turns(self._batches(size), *BATCHES_IN_FLIGHT) for size in BATCHES}
        if "coalescing" in parts:
            found["coalescing"] = {name: self._coalescing(name) for name in ("off", "sync")}
        if "memory" in parts:
            single, batch = self._single()["bounded"], self._batches(100)["bounded"]
            found["memory"] = [
                asdict(one)
                for one in soak.soak(self.servers["bounded"], single, batch, size=100, tickets=tickets, told=told)
            ]
        if "profile" in parts:
            found["profile"] = dict(self._profile())
        return found

    def _turns(self, loads: Mapping[str, Load], connections: int, streams: int) -> dict[str, list[Found]]:
        """Load the servers in turns; the first round is a warm-up."""
        seen: dict[str, list[Seen]] = {name: [] for name in loads}
        for at in range(self.rounds + 1):
            for name, load in loads.items():
                one = h2load.run(load, connections, streams, self.seconds if at else 1)
                if at:
                    seen[name].append(one)
        for name, rounds in seen.items():
            told(
                f"{name}, {connections * streams} in flight: {statistics.median(one.rate for one in rounds):,.0f} calls/s"
            )
        return {name: [asdict(one) for one in rounds] for name, rounds in seen.items()}

    def _single(self) -> dict[str, Load]:
        loads = {name: self._load(name, requests.TRIAGE, requests.triage(), _triaged) for name in LOGS}
        return loads | {FLOOR: self._load(FLOOR, requests.TRIAGE, requests.triage(), bool)} | self._checks(1)

    def _batches(self, size: int) -> dict[str, Load]:
        return {
            name: self._load(
                name, requests.TRIAGE_BATCH, requests.triage_batch(size), lambda answer: _all_triaged(answer, size)
            )
            for name in LOGS
        } | self._checks(size)

    def _checks(self, size: int) -> dict[str, Load]:
        if CERBOS not in self.servers:
            return {}
        priorities = (b"P1", b"P2", b"P3", b"P4", b"P5")
        return {
            CERBOS: self._load(
                CERBOS, requests.CHECK, requests.check(size), lambda answer: any(one in answer for one in priorities)
            )
        }

    def _load(self, name: str, method: str, message: bytes, right: Callable[[bytes], bool]) -> Load:
        server, body = self.servers[name], self.folder / f"{name}-{len(message)}"
        body.write_bytes(requests.framed(message))
        return Load(
            address=server.address,
            method=method,
            body=body,
            pid=server.pid,
            answer=contestants.asked_once(server, method, message, right),
        )

    def _coalescing(self, name: str) -> dict[str, list[float]]:
        command = [sys.executable, "-m", "benchmarks.serve.coalescing", self.servers[name].address]
        said = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
        rates: dict[str, list[float]] = json.loads(said)
        told(
            f"coalescing, log {name}: {statistics.median(rates['together']):,.0f} against {statistics.median(rates['alone']):,.0f}"
        )
        return rates

    def _profile(self) -> Iterator[tuple[str, Found]]:
        for name, method, message in (
            ("one triage", requests.TRIAGE, requests.triage()),
            ("a batch of 100", requests.TRIAGE_BATCH, requests.triage_batch(100)),
        ):
            told(f"profile of {name}")
            spent, shares = profile.shares(ROOT / "policies", message, method, 4)
            yield name, {"microseconds": spent, "shares": shares}


def _triaged(answer: bytes) -> bool:
    return bool(pb.TriageResponse.FromString(answer).response.HasField("response_due"))


def _all_triaged(answer: bytes, size: int) -> bool:
    results = pb.TriageBatchResponse.FromString(answer).results
    return len(results) == size and all(result.triage.priority.priority for result in results)


def told(what: str) -> None:
    """Print the progress."""
    print(f"… {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
