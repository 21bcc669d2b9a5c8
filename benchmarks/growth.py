"""Benchmarks of policies that grow: loading, nodes, memory, checking, deciding, and the difference after one edit.

Each policy is measured in a process of its own, which builds the shipped policies first; ratios are to those. All
times are processor time.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from time import process_time
from typing import Any, Final

from benchmarks.load import ROOT, megabytes
from benchmarks.measure import Row, in_turns, per_call, ratio
from benchmarks.tickets import draw
from engine.decide.decider import Decider
from engine.diff import compare
from engine.load import load_with_trees
from engine.model.problems import PolicyErrors
from engine.tables.atoms import all_atoms
from engine.tables.check import table_problems
from engine.tables.table_diagram import draw_tables
from engine.version.build import build
from engine.version.version import Version
from guidepost.policies.sources.folder import read_folder, version_folders
from tests.support import growth

Files = Mapping[str, str]

VIP: Final = "the shipped policies with a VIP tier and a P2 in two hours for one plan"

DESKS: Final[Mapping[str, Callable[[], Files]]] = {
    VIP: lambda: growth.vip_tier(dict(shipped_files())),
    "200 customers with six contracts": lambda: growth.customers(200, amounts=False),
    "2,000 customers with six contracts": lambda: growth.customers(2_000, amounts=False),
    "5,000 customers with six contracts": lambda: growth.customers(5_000, amounts=False),
    "200 customers with amounts of their own": lambda: growth.customers(200, amounts=True),
    "2,000 customers with amounts of their own": lambda: growth.customers(2_000, amounts=True),
    "5,000 customers with amounts of their own": lambda: growth.customers(5_000, amounts=True),
    "a list of 12 steps, each for a fact": lambda: growth.prerequisites(12),
    "a list of 20 steps": lambda: growth.prerequisites(20),
    "a list of 40 steps": lambda: growth.prerequisites(40),
    "60 facts in a chain of 30 tables": lambda: growth.chain(30),
    "three numbers with 50 thresholds each": lambda: growth.thresholds(50),
    "random rules over 8 facts of four values": lambda: growth.web(8),
}
"""Policies that are built whole."""

LIMITS: Final[Mapping[str, Callable[[], Files]]] = {
    "random rules over 9 facts of four values": lambda: growth.web(9),
    "random rules over 10 facts of four values": lambda: growth.web(10),
    "random rules over 12 facts of four values": lambda: growth.web(12),
    **{
        f"{count} tables that each read a random earlier fact too": lambda count=count: growth.tangle(count)  # type: ignore[misc]
        for count in (8, 10, 14, 16)
    },
}
"""Policies that are only drawn, up to the limit and beyond it."""

LOAD_GOAL: Final = 3.0
DECISION_GOAL: Final = 1.3
DIFF_GOAL: Final = 2.0

TICKETS: Final = 500


def rows() -> list[Row]:
    """Measure all policies."""
    return [*_built(), *_drawn()]


def _built() -> Iterator[Row]:
    for name in DESKS:
        found = _child(name)
        yield Row(
            group=name, what="load, more than the shipped policies", value=found["load"], unit="s", goal=LOAD_GOAL
        )
        yield Row(group=name, what="nodes made", value=found["nodes"], unit="")
        yield Row(group=name, what="memory that the version keeps", value=found["kept"], unit="MB")
        yield Row(group=name, what="memory at its highest while it is loaded", value=found["highest"], unit="MB")
        yield Row(group=name, what="check for gaps, overlaps and idle rules", value=found["check"], unit="s")
        yield Row(
            group=name,
            what="a decision that was met, times one of the shipped policies",
            value=found["decision"],
            unit="x",
            goal=DECISION_GOAL,
        )
        yield Row(group=name, what="exact difference after one edit", value=found["diff"], unit="s", goal=DIFF_GOAL)


def _drawn() -> Iterator[Row]:
    for name in LIMITS:
        found = _child(name)
        refused = not found["nodes"]
        yield Row(group=name, what="refused after" if refused else "drawn in", value=found["draw"], unit="s")
        if not refused:
            yield Row(group=name, what="nodes made", value=found["nodes"], unit="")
        yield Row(group=name, what="memory at its highest", value=found["megabytes"], unit="MB")


def _child(name: str) -> dict[str, float]:
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.growth", name], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    found: dict[str, float] = json.loads(said)
    return found


def shipped_files() -> Files:
    """Return the files of the working version of the shipped policies."""
    return read_folder(version_folders(ROOT / "policies")[0])


def measured(name: str) -> dict[str, float]:
    """Measure one policy in this process."""
    return _measured_whole(DESKS[name]()) if name in DESKS else _measured_drawing(LIMITS[name]())


def _measured_drawing(files: Files) -> dict[str, float]:
    policy, _ = load_with_trees(files, "")
    atoms = all_atoms(policy)
    nodes = 0

    def drawing() -> None:
        nonlocal nodes
        try:
            nodes = len(draw_tables(list(policy.tables.values()), policy.outcomes, atoms).store)
        except PolicyErrors:
            nodes = 0

    return {"draw": _seconds(drawing), "nodes": nodes, "megabytes": megabytes()}


def _measured_whole(files: Files) -> dict[str, float]:
    shipped = build(shipped_files())
    base = statistics.median(_seconds(lambda: build(shipped_files())) for _ in range(3))
    load = statistics.median(_seconds(lambda: build(files)) for _ in range(3))
    tracemalloc.start()
    version = build(files)
    gc.collect()
    kept, highest = (one / 1e6 for one in tracemalloc.get_traced_memory())
    tracemalloc.stop()
    policy, drawn = version.policy, version.diagrams
    check = _seconds(lambda: table_problems(policy, drawn, version.deadline_diagrams, version.atoms))
    after = build(edited(files))
    return {
        "load": max(load - base, 0),
        "nodes": sum(size.nodes for size in drawn.sizes.values()),
        "kept": kept,
        "highest": highest,
        "check": check,
        "decision": _decisions(shipped, version),
        "diff": min(_seconds(lambda: compare(version, after)) for _ in range(3)),
    }


def _decisions(shipped: Version, version: Version) -> float:
    """Return how long a decision takes, as a multiple of one of the shipped policies with as many outcomes or more."""
    tickets = draw(shipped, TICKETS, seed=1)
    own = tickets if "response" in version.plans else _tickets(version)
    name, other = ("response", "response") if "response" in version.plans else ("response", "all")
    deciders = Decider(shipped), Decider(version)
    taken = in_turns(
        {
            "shipped": lambda: per_call(lambda facts: deciders[0].decide(name, facts), tickets * 4),
            "own": lambda: per_call(lambda facts: deciders[1].decide(other, facts), own * 4),
        }
    )
    return ratio(taken["shipped"], taken["own"])


def _tickets(version: Version) -> list[dict[str, object]]:
    """Draw tickets in which nearly every fact is known."""
    chance = random.Random(1)
    return [
        {
            fact: chance.choice(version.atoms[fact].samples)
            for fact in version.policy.facts
            if fact in version.atoms and chance.random() < 0.98
        }
        for _ in range(TICKETS)
    ]


def edited(files: Files) -> Files:
    """Return a policy with one rule edited, in the middle of its first table, or one line of the shipped policies."""
    if "sla.yaml" in files:
        return {**files, "sla.yaml": files["sla.yaml"].replace("response_amount: 4", "response_amount: 3", 1)}
    concern: dict[str, Any] = json.loads(files["all.yaml"])
    tables = list(concern["tables"].values())
    table = tables[0] if len(tables) == 2 else tables[-1]
    then = table["rules"][(len(table["rules"]) - 1) // 2]["then"]
    name, value = list(then.items())[-1]
    then[name] = value + 1 if isinstance(value, int) else ["another step"] if isinstance(value, list) else _next(value)
    return {**files, "all.yaml": json.dumps(concern)}


def _next(value: str) -> str:
    """Return another value of a choice.

    >>> _next("v1")
    'v2'
    """
    return f"{value[0]}{(int(value[1:]) + 1) % 3}"


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = process_time()
    work()
    return process_time() - start


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1])))
