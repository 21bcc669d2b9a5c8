"""The child process: puts planned cells to durable-rules and writes down which rules match.

Run by path as `worker.py PLAN PROGRESS ANSWERS`; imports nothing but the standard library and durable-rules' C module,
so that it starts at once and brings no threads. It keeps to what was measured to be right: one thread, facts asserted
and retracted on the default session, equality tests only, every code looked at. `durable.engine` is left aside, as its
host starts threads.

PLAN is JSON: tables, each a list of networks `{"shape": [..], "rules": [[[axis, [classes]], ..], ..], "cells": [..]}`,
where `null` for the cells stands for all.
PROGRESS is a file of three 64-bit integers, kept at the table, network and cell being asked, for the parent to read if
this process dies. ANSWERS gets a 64-bit word for each cell asked, bit n for the n-th rule of its network.
"""

from __future__ import annotations

import json
import mmap
import struct
import sys
from array import array
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

EXIT_MISSING = 3
"""Exit code when durable-rules is not installed."""

EXIT_FAILED = 4
"""Exit code when durable-rules reports an error or answers with something unexpected."""

NOT_INSTALLED = "durable-rules is not installed"
"""How the last line on stderr begins then."""

LAST_PYTHON = (3, 12)
"""The last Python that durable-rules can be built for."""

NO_CLASS = -1
"""A class that no cell has, for a rule that allows none."""

UNMATCHED = 1
"""The code for a fact that no rule matches; it is not kept, and there is nothing to retract."""


class EngineError(Exception):
    """Durable-rules answered with an error code, or with something that it must not answer."""


def definition(rules: Iterable[list[Any]]) -> str:
    """Write rules as durable-rules reads them.

    >>> definition([[[0, [1]], [1, [2, 3]]]])
    '{"r0": {"all": [{"m": {"$and": [{"f0": 1}, {"$or": [{"f1": 2}, {"f1": 3}]}]}}]}}'
    """
    return json.dumps({f"r{number}": {"all": [{"m": _condition(tests)}]} for number, tests in enumerate(rules)})


def _condition(tests: Iterable[Any]) -> dict[str, Any]:
    """Write the tests of one rule; a rule without tests asks for what every fact has."""
    conditions: list[dict[str, Any]] = []
    for axis, classes in tests:
        alternatives = [{f"f{axis}": c} for c in classes] or [{f"f{axis}": NO_CLASS}]
        conditions.append(alternatives[0] if len(alternatives) == 1 else {"$or": alternatives})
    if not conditions:
        return {"any": 1}
    return conditions[0] if len(conditions) == 1 else {"$and": conditions}


def facts(shape: list[int], cells: Iterable[int]) -> Iterator[str]:
    """Write a fact for each cell; its id is unique within the network."""
    places = []
    step = 1
    for axis in reversed(range(len(shape))):
        places.append((axis, step, shape[axis]))
        step *= shape[axis]
    for ordinal, cell in enumerate(cells):
        values = "".join(f',"f{axis}":{cell // step % length}' for axis, step, length in places)
        yield f'{{"id":{ordinal},"any":1{values}}}'


def ask(engine: Any, handle: int, fact: str) -> int:
    """Put one fact to a network, and return the rules that match as bits.

    A match names its rule and repeats its fact; a match of another fact would be stale state, and is rejected.
    """
    code, state = engine.assert_fact(handle, fact)
    if code == UNMATCHED:
        return 0
    if code != 0:
        raise EngineError(f"code {code} on asserting {fact}")
    ending = f'":{{"m":{fact}}}}}'
    matching = 0
    started = engine.start_action_for_state(handle, state)
    match = started[1] if started else None
    while match:
        rule = match.removeprefix('{"r').removesuffix(ending)
        if not rule.isdecimal():
            raise EngineError(f"unexpected match {match} for {fact}")
        matching |= 1 << int(rule)
        match = engine.complete_and_start_action(handle, state)
    code, _ = engine.retract_fact(handle, fact)
    if code != 0:
        raise EngineError(f"code {code} on retracting {fact}")
    return matching


def run(engine: Any, plan: list[list[dict[str, Any]]], progress: mmap.mmap, answers: BinaryIO) -> None:
    """Ask everything that is planned, network by network."""
    for table, networks in enumerate(plan):
        for number, network in enumerate(networks):
            struct.pack_into("<3q", progress, 0, table, number, 0)
            size = 1
            for length in network["shape"]:
                size *= length
            words = array("Q")
            handle = engine.create_ruleset(f"t{table}n{number}", definition(network["rules"]))
            for fact in facts(network["shape"], range(size) if network["cells"] is None else network["cells"]):
                struct.pack_into("<q", progress, 16, len(words))
                words.append(ask(engine, handle, fact))
            left = engine.get_facts(handle, "0").strip()
            if left != "[]":
                raise EngineError(f"facts left behind: {left[:80]}")
            engine.delete_ruleset(handle)
            answers.write(words.tobytes())
            answers.flush()


def missing(python: tuple[int, int], error: str) -> str:
    """Return why durable-rules cannot be loaded: mostly because it cannot be built for this Python.

    >>> missing((3, 13), "No module named 'durable_rules_engine'")
    'durable-rules is not installed: it runs on Python 3.11 and 3.12, and this is Python 3.13'
    """
    if python > LAST_PYTHON:
        return f"{NOT_INSTALLED}: it runs on Python 3.11 and 3.12, and this is Python {python[0]}.{python[1]}"
    return f"{NOT_INSTALLED}: {error}"


def main(arguments: list[str]) -> int:
    """Read the plan, ask, and return the exit code; the last line on stderr has the error."""
    try:
        import durable_rules_engine as engine  # type: ignore[import-not-found, unused-ignore]  # C, without stubs
    except ImportError as error:
        print(missing(sys.version_info[:2], str(error)), file=sys.stderr)
        return EXIT_MISSING
    plan_path, progress_path, answers_path = arguments
    with open(plan_path, encoding="utf-8") as file:
        plan = json.load(file)
    with (
        open(progress_path, "r+b") as kept,
        mmap.mmap(kept.fileno(), 24) as progress,
        open(answers_path, "wb") as answers,
    ):
        try:
            run(engine, plan, progress, answers)
        except (EngineError, engine.error) as error:
            print(f"durable-rules: {error}", file=sys.stderr)
            return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
