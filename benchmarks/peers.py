"""Benchmarks of the guide's matrix and severity table in Guidepost, zen-engine and durable-rules, in turns.

The answers of all three must be equal first. Guidepost makes the whole priority decision, of which the two tables are a
part, with rules and their places; zen-engine and durable-rules evaluate the two tables only. zen-engine is fastest with
``ZenEngine.evaluate`` and a static loader; a ``ZenDecision`` with the same content takes some 150 µs more for each
call. durable-rules runs as in the cross-check: in one thread of its own process, with facts that are asserted and
retracted, and equality tests on classes that are computed in advance.
"""

from __future__ import annotations

import itertools
import json
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Row, in_turns, per_call, ratio
from benchmarks.peers_zen import jdm
from engine.decide.decider import Decider
from engine.version.build import build
from engine.version.version import Version
from guidepost.policies.sources.folder import read_folder, version_folders

ROOT: Final = Path(__file__).resolve().parent.parent

TABLES: Final = {"matrix": "matrix_priority", "severity": "severity_priority"}
FACTS: Final = ("impact", "urgency", "business_impact", "workaround", "affected_percent")
SHARES: Final = (0, 5, 10, 20, 25, 40, 50, 80, 100)

Facts = dict[str, object]
Pair = tuple[object, ...]


def rows() -> list[Row]:
    """Measure it."""
    import zen  # noqa: PLC0415 - installed for the benchmarks only

    version = _version()
    decider = Decider(version)
    tickets = _tickets(version)
    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"tables": jdm(version, TABLES)}}})
    table = engine.get_decision("tables")
    with _durable(version, tickets) as durable:
        expected = [_of_guidepost(decider, ticket) for ticket in tickets]
        _same("zen-engine", expected, [_of_zen(engine.evaluate("tables", ticket)) for ticket in tickets])
        _same("durable-rules", expected, durable.answers(version))
        turns = in_turns(
            {
                "Guidepost": lambda: per_call(lambda ticket: decider.decide("priority", ticket), tickets),
                "Guidepost, tickets met for the first time": lambda: _first_time(tickets),
                "zen-engine, ZenEngine.evaluate": lambda: per_call(
                    lambda ticket: engine.evaluate("tables", ticket), tickets
                ),
                "zen-engine, ZenEngine.evaluate with its trace": lambda: per_call(
                    lambda ticket: engine.evaluate("tables", ticket, {"trace": True}), tickets
                ),
                "zen-engine, ZenDecision.evaluate": lambda: per_call(table.evaluate, tickets),
                "durable-rules": durable.microseconds,
            },
            rounds=15,
        )
    group = f"the same matrix and severity table, {len(tickets)} tickets"
    own = turns["Guidepost"]
    return [
        Row(group=group, what="Guidepost", value=statistics.median(own), unit="µs"),
        *(
            Row(group=group, what=f"{name}: times Guidepost", value=ratio(own, taken), unit="x")
            for name, taken in turns.items()
            if taken is not own
        ),
    ]


def _version() -> Version:
    folder = version_folders(ROOT / "policies")[0]
    return build(read_folder(folder), folder.root)


def _first_time(tickets: list[Facts]) -> float:
    decider = Decider(_version())
    return per_call(lambda ticket: decider.decide("priority", ticket), tickets)


def _tickets(version: Version) -> list[Facts]:
    words = [[value.value for value in version.policy.facts[fact].values] for fact in FACTS[:-1]]
    tickets = [dict(zip(FACTS, values, strict=True)) for values in itertools.product(*words, SHARES)]
    random.Random(4).shuffle(tickets)
    return tickets


def _of_guidepost(decider: Decider, ticket: Facts) -> Pair:
    answer = decider.decide("priority", ticket)
    return tuple(answer[name].value for name in TABLES.values())


def _of_zen(response: dict[str, Any]) -> Pair:
    return tuple(response["result"].get(name) for name in TABLES.values())


def _same(who: str, expected: list[Pair], answers: list[Pair]) -> None:
    if expected != answers:
        raise ValueError(
            f"{who} has a different answer: {next(pair for pair in zip(expected, answers, strict=True) if pair[0] != pair[1])}"
        )


class _Durable:
    """The child process with the rules of both tables in one network."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.child = child

    def _ask(self, what: str) -> Any:
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        print(what, file=self.child.stdin, flush=True)
        return json.loads(self.child.stdout.readline())

    def microseconds(self) -> float:
        """Evaluate every ticket once; return the microseconds of one."""
        return float(self._ask("time"))

    def answers(self, version: Version) -> list[Pair]:
        """Return the outcomes of the first matching rule of each table for every ticket."""
        rules = [(produced, rule) for name, produced in TABLES.items() for rule in version.policy.tables[name].rules]
        found = []
        for matching in self._ask("answers"):
            fired = [rules[at] for at in range(len(rules)) if matching >> at & 1]
            found.append(
                tuple(
                    next((rule.then[produced] for name, rule in fired if name == produced), None)
                    for produced in TABLES.values()
                )
            )
        return found


@contextmanager
def _durable(version: Version, tickets: list[Facts]) -> Iterator[_Durable]:
    parts = version.diagrams.parts
    rules = [
        [(FACTS.index(one.fact), parts[one.fact].allowed(one)) for one in rule.when]
        for name in TABLES
        for rule in version.policy.tables[name].rules
    ]
    classes = [[parts[fact].class_of[version.atoms[fact].of(ticket[fact])] for fact in FACTS] for ticket in tickets]  # type: ignore[arg-type]
    command = [sys.executable, "-m", "benchmarks.peers_durable"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        print(json.dumps({"rules": rules, "tickets": classes}), file=child.stdin, flush=True)
        yield _Durable(child)
        child.stdin.close()
