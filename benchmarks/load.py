"""Benchmarks of loading a policy from YAML to a version, step by step, and of what it takes in memory."""

from __future__ import annotations

import gc
import json
import math
import pickle
import resource
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks import generated
from benchmarks.measure import Row
from engine.cross_check import cross_check_tables
from engine.decide.decider import Decider
from engine.load import policy as load
from engine.version import build
from engine.version.agreement import tables_to_cross_check
from engine.version.version import Version
from guidepost.policies.sources.folder import read_folder, version_folders

ROOT: Final = Path(__file__).resolve().parent.parent

RULES: Final = (10, 100, 1_000, 10_000)
ROUNDS: Final = 3

STEPS: Final = (
    ("read the YAML", load, "read"),
    ("hold it against the schema", load, "structure_problems"),
    ("read rules and conditions, with the two above", build, "load_with_trees"),
    ("digest", build, "digest"),
    ("draw the diagrams", build, "draw_tables"),
    ("look for gaps, overlaps and rules that never fire", build, "table_problems"),
)
"""The steps of building a version, each as the function that does it and the module that calls it."""

VERSION_MEGABYTES: Final = 2.0
BIG_MEGABYTES: Final = 400.0
BIG_CELLS: Final = 2_000_000
SECONDS_GOAL: Final = 30.0


def rows() -> list[Row]:
    """Measure it."""
    return [*_shipped(), *_generated(), *_big()]


def _shipped() -> Iterator[Row]:
    for folder in version_folders(ROOT / "policies"):
        files = read_folder(folder)
        taken = statistics.median(
            _seconds(lambda files=files, root=folder.root: build.build(files, root)) for _ in range(ROUNDS)
        )
        made = build.build(files, folder.root)
        yield Row(
            group="from YAML to a version",
            what=f"{folder.root}, {_rules(made)} rules",
            value=taken,
            unit="s",
        )
        yield Row(
            group="a version in a worker",
            what=f"{folder.root}, memory",
            value=_unpickled_megabytes(pickle.dumps(made, protocol=5)),
            unit="MB",
            goal=VERSION_MEGABYTES,
        )


def _generated() -> Iterator[Row]:
    for count in RULES:
        files = generated.policy(count)
        rounds = [_steps(files) for _ in range(ROUNDS)]
        group = f"{count:,} rules, {len(files['queue.yaml']):,} characters"
        yield Row(
            group=group,
            what="from YAML to a version",
            value=_middle(rounds, "all"),
            unit="s",
            goal=SECONDS_GOAL if count == max(RULES) else None,
        )
        if count == max(RULES):
            yield from (
                Row(group=group, what=f"… {what}", value=_middle(rounds, what), unit="s") for what, _, _ in STEPS
            )
            made = build.build(files)
            yield Row(
                group=group,
                what="proof by durable-rules (a sample), kept afterwards; by the wall clock",
                value=_seconds(lambda made=made: cross_check_tables(tables_to_cross_check(made)), time.perf_counter),
                unit="s",
            )


def _steps(files: Mapping[str, str]) -> dict[str, float]:
    with _timed() as taken:
        taken["all"] = _seconds(lambda: build.build(files))
    return taken


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    """Time the steps within the block by wrapping their functions."""
    taken = {what: 0.0 for what, _, _ in STEPS}
    kept = [(module, name, getattr(module, name)) for _, module, name in STEPS]
    for (what, module, name), (_, _, function) in zip(STEPS, kept, strict=True):
        setattr(module, name, _standing_in(function, taken, what))
    try:
        yield taken
    finally:
        for module, name, function in kept:
            setattr(module, name, function)


def _standing_in(function: Callable[..., Any], taken: dict[str, float], what: str) -> Callable[..., Any]:
    def timed(*args: Any, **named: Any) -> Any:
        start = time.process_time()
        try:
            return function(*args, **named)
        finally:
            taken[what] += time.process_time() - start

    return timed


def _big() -> Iterator[Row]:
    """Build a table of two million cells in its own process, and decide a ticket."""
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    found = json.loads(said)
    group = f"a table of {found['cells']:,} cells"
    yield Row(group=group, what="from YAML to a version", value=found["seconds"], unit="s")
    yield Row(group=group, what="memory at its highest", value=found["megabytes"], unit="MB", goal=BIG_MEGABYTES)


def _build_big() -> dict[str, float]:
    files = generated.many_cells(facts=3, values=125)
    start = time.process_time()
    made = build.build(files)
    taken = time.process_time() - start
    cells = math.prod(part.size for part in made.diagrams.parts.values())
    answer = Decider(made).decide("queue", {"f0": "v124", "f1": "v7", "f2": "v9"})["queue"].value
    if cells < BIG_CELLS or answer != "v7":
        raise ValueError(f"{cells:,} cells, answered {answer}")
    return {"cells": cells, "seconds": taken, "megabytes": megabytes()}


def _unpickled_megabytes(pickled: bytes) -> float:
    """Return the memory that a version takes in a process that reads it from its build."""
    pickle.loads(pickled)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        read = pickle.loads(pickled)
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] - before
        del read
    finally:
        tracemalloc.stop()
    return held / 1e6


def megabytes() -> float:
    """Return the peak memory of this process; ``ru_maxrss`` would include that of its parent."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    own = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)
    return (own if own is not None else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


def _rules(made: Version) -> int:
    return sum(len(table.rules) for table in made.policy.tables.values())


def _seconds(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    start = clock()
    work()
    return clock() - start


def _middle(rounds: list[dict[str, float]], what: str) -> float:
    return statistics.median(taken[what] for taken in rounds)


if __name__ == "__main__":
    print(json.dumps(_build_big()))
