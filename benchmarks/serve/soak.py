"""The memory of a worker after many tickets, in single calls and in batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serve.contestants import Server
from benchmarks.serve.h2load import Load, memory, run, tree


@dataclass(frozen=True, slots=True)
class Held:
    """The resident and private memory of the largest worker, in megabytes, after a number of tickets."""

    tickets: int
    resident: float
    own: float


def soak(
    server: Server, single: Load, batch: Load, *, size: int, tickets: int, told: Callable[[str], None]
) -> list[Held]:
    """Triage a number of tickets, one second in ten by single calls; return the memory of the workers at ten points."""
    done, found = 0, [_held(server, 0)]
    while done < tickets:
        upto = done + tickets // 10
        done += round(run(single, 8, 4, 1).rate)
        while done < upto:
            done += round(9 * run(batch, 4, 2, 9).rate) * size
        found.append(_held(server, done))
        told(f"{done:,} tickets: {found[-1].resident:.0f} MB")
    return found


def _held(server: Server, tickets: int) -> Held:
    workers = [
        pid
        for pid in tree(server.pid)
        if b"guidepost.server.workers.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    resident, own = max(memory(pid) for pid in workers)
    return Held(tickets, resident, own)
