"""Benchmarks of proofs, analyses and differences: of the shipped versions, and of a table with two million cells.

The baseline of a difference decides every situation under both versions. A sample is timed, by the first call of each
situation, and extrapolated.
"""

from __future__ import annotations

import itertools
import math
import random
import re
import statistics
from collections.abc import Callable, Iterator
from time import process_time
from typing import Final

from benchmarks import generated
from benchmarks.load import ROOT
from benchmarks.measure import Row, in_turns
from engine.analysis import analyse
from engine.decide.decider import Decider
from engine.diff import Diff, compare
from engine.diff.box_cover import forget
from engine.version.build import build, draw_policy, invariant_results
from engine.version.version import Version
from guidepost.policies.sources.folder import read_folder, version_folders

SHIPPED_GOAL: Final = 1.0
BIG_GOAL: Final = 5.0
ROUNDS: Final = 5
SAMPLE: Final = 300

VALUES: Final = 125
_VALUE: Final = re.compile(r"then: \{queue: v(\d+)\}")


def rows() -> list[Row]:
    """Measure it."""
    return [*_shipped(), *_big()]


def _shipped() -> Iterator[Row]:
    new, old = (build(read_folder(folder), folder.root) for folder in version_folders(ROOT / "policies"))
    tables_of = {version.ref.version: draw_policy(version.policy) for version in (old, new)}
    work: dict[str, Callable[[], object]] = {"comparing 1.0.0 with 2.0.0": lambda: _compared(old, new)}
    for version in (old, new):
        tables = tables_of[version.ref.version]
        work[f"analysing {version.ref.version}"] = lambda version=version, tables=tables: analyse(
            version.policy, tables
        )
        work[f"proving the {len(version.invariants)} invariants of {version.ref.version}"] = (
            lambda version=version, tables=tables: invariant_results(version.policy, tables)
        )
    taken = in_turns({what: lambda done=done: _seconds(done) for what, done in work.items()}, ROUNDS)
    for what, rounds in taken.items():
        yield Row(group="the shipped versions", what=what, value=statistics.median(rounds), unit="s", goal=SHIPPED_GOAL)
    diff = compare(old, new)
    yield Row(
        group="the shipped versions",
        what="deciding every situation of `priority` twice instead: times comparing all outcomes",
        value=_plain_seconds(old, new, "priority", diff) / statistics.median(taken["comparing 1.0.0 with 2.0.0"]),
        unit="x",
    )


def _big() -> Iterator[Row]:
    files = generated.many_cells(facts=3, values=VALUES)
    before = build(files)
    cells = math.prod(len(listed) for listed in _values(before, "queue").values())
    group = f"two versions of a table of {cells:,} cells"
    chance = random.Random(1)
    lines = files["queue.yaml"].splitlines()
    numbers = [at for at, line in enumerate(lines) if "id: f" in line]
    for what, chosen in (
        ("one rule edited", [numbers[60]]),
        ("20 rules edited", chance.sample(numbers, 20)),
        ("every second rule edited", numbers[::2]),
    ):
        edited = [_VALUE.sub(_another, line) if at in chosen else line for at, line in enumerate(lines)]
        after = build({**files, "queue.yaml": "\n".join(edited) + "\n"})
        diff = _compared(before, after)
        (outcome,) = diff.outcomes
        taken = statistics.median(_seconds(lambda after=after: _compared(before, after)) for _ in range(ROUNDS))
        yield Row(
            group=group,
            what=f"{what}: {outcome.changed:,} cells decided differently, in {len(outcome.regions):,} regions",
            value=taken,
            unit="s",
            goal=BIG_GOAL,
        )
    yield Row(
        group=group,
        what="deciding every cell twice instead, as a sample says: times the last comparison",
        value=_plain_seconds(before, after, "queue", diff) / taken,
        unit="x",
    )


def _another(value: re.Match[str]) -> str:
    """Return a different value of the table."""
    return f"then: {{queue: v{(int(value[1]) + 2) % (VALUES - 1)}}}"


def _compared(before: Version, after: Version) -> Diff:
    forget()
    return compare(before, after)


def _plain_seconds(before: Version, after: Version, decision: str, diff: Diff) -> float:
    """Return the estimated time to decide every situation of a decision's first outcome under both versions."""
    outcome = next(one for decided in diff.decisions if decided.name == decision for one in diff.outcomes_of(decided))
    chance = random.Random(2)
    values = _values(after, outcome.name)
    drawn = [{fact: chance.choice(listed) for fact, listed in values.items()} for _ in range(SAMPLE)]
    tickets = [{fact: value for fact, value in one.items() if value is not None} for one in drawn]
    deciders = [Decider(before), Decider(after)]
    start = process_time()
    for decider, ticket in itertools.product(deciders, tickets):
        decider.decide(decision, ticket)
    return (process_time() - start) / SAMPLE * outcome.situations


def _values(version: Version, outcome: str) -> dict[str, list[str | None]]:
    """Return the values of each fact that an outcome depends on, one for all that no table distinguishes."""
    diagrams = version.diagrams
    members = {
        fact: diagrams.parts[fact].members
        for fact in diagrams.store.support(diagrams.tables[version.producer[outcome]].possible[outcome])
    }
    return {fact: [None, *(version.atoms[fact].text(one) for one in listed[1:])] for fact, listed in members.items()}


def _seconds(work: Callable[[], object]) -> float:
    start = process_time()
    work()
    return process_time() - start
