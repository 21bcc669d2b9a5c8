"""Shared code of the benchmarks: rows of results, rounds in turns, and the description of the machine.

Loops are measured in CPU time, which other processes affect less; single calls by the wall clock.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter_ns, process_time_ns
from typing import Final

LIBRARIES: Final = (
    "numpy",
    "PyYAML",
    "jsonschema",
    "durable_rules",
    "zen-engine",
    "tzdata",
    "businesstimedelta",
    "pandas",
)

ROUNDS: Final = 7
"""How often everything is measured; what counts is the median of the rounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One result with its unit and, if there is one, the goal, which is an upper limit."""

    group: str
    what: str
    value: float
    unit: str
    goal: float | None = None

    @property
    def met(self) -> str:
        """Return whether the goal is met."""
        return "" if self.goal is None else "yes" if self.value < self.goal else "no"

    def plain(self) -> dict[str, object]:
        """Return it as plain data."""
        return {**asdict(self), "value": float(f"{self.value:.4g}")}


def in_turns(contestants: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Run contestants in turns, so that a slow moment affects all of them; the first round is a warm-up."""
    results: dict[str, list[float]] = {name: [] for name in contestants}
    for at in range(rounds + 1):
        for name, run in contestants.items():
            gc.collect()
            result = run()
            if at:
                results[name].append(result)
    return results


def each(call: Callable[[Mapping[str, object]], object], tickets: Iterable[Mapping[str, object]]) -> list[int]:
    """Time every call separately in nanoseconds by the wall clock; reading the CPU time takes longer than a call."""
    taken = []
    for ticket in tickets:
        start = perf_counter_ns()
        call(ticket)
        taken.append(perf_counter_ns() - start)
    return taken


def per_call(call: Callable[[Mapping[str, object]], object], tickets: Sequence[Mapping[str, object]]) -> float:
    """Time a loop of calls; return the microseconds of one."""
    start = process_time_ns()
    for ticket in tickets:
        call(ticket)
    return (process_time_ns() - start) / 1000 / len(tickets)


def ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the median of the ratios of each round."""
    return statistics.median(its / own for own, its in zip(one, other, strict=True))


def percentile(taken: Sequence[int], share: float) -> float:
    """Return a percentile of calls in microseconds."""
    return sorted(taken)[min(len(taken) - 1, int(share * len(taken)))] / 1000


def machine() -> dict[str, str]:
    """Return a description of the machine, Python and the libraries."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")),
        platform.processor(),
    )
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": cpu or platform.machine(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: _version(name) for name in LIBRARIES},
    }


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"
