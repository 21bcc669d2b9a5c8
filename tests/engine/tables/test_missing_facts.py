"""Undecided cases compared with the oracle: what is still possible, what is missing, what to ask next."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import HealthCheck, given, settings

from engine.load import load
from engine.model.answer import Status
from engine.model.policy import Literal, Policy, Table
from engine.tables.explain import Explainer
from engine.tables.missing_facts import PartialTable
from engine.version.bundle import Bundle
from engine.version.version import PolicyTables, tabulate_policy
from tests.oracle import Facts, Oracle
from tests.support.campaign import LONG
from tests.support.policy_tables import policy_tables
from tests.support.strategies import policies

SAMPLE = 4000 if LONG else 120


@pytest.mark.parametrize("name", ["1.0.0", "2.0.0"])
def test_possible_missing_and_ask_next_are_what_the_oracle_says(shipped: Bundle, name: str) -> None:
    version = next(version for version in shipped.versions if version.ref.version == name)
    tabulated = policy_tables(version)
    for partial in version.partial_tables.values():
        assert differences(version.policy, tabulated, partial) == []


@pytest.mark.campaign
@settings(max_examples=2000 if LONG else 60, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies())
def test_possible_missing_and_ask_next_are_what_the_oracle_says_of_random_policies(files: dict[str, str]) -> None:
    policy = load(files)
    tabulated = tabulate_policy(policy)
    for partial in tabulated.partial_tables.values():
        assert differences(policy, tabulated, partial) == []


def differences(policy: Policy, tabulated: PolicyTables, partial: PartialTable) -> list[tuple[object, ...]]:
    """Compare a seeded sample of cells: the outcome, the facts, the explanation and what the oracle expects."""
    values = {
        axis.fact: [tabulated.atoms[axis.fact].samples[member - 1] for member in axis.members[1:]]
        for axis in partial.axes
    }
    oracle = Oracle(policy, values)
    explainer = Explainer(policy, tabulated.partial_tables, tabulated.producer, tabulated.atoms)
    shape = [range(axis.size) for axis in partial.axes]
    cells = list(enumerate(itertools.product(*shape)))
    found: list[tuple[object, ...]] = []
    for cell, classes in random.Random(0).sample(cells, min(SAMPLE, len(cells))):
        facts: Facts = {
            axis.fact: values[axis.fact][at - 1] if at else None for axis, at in zip(partial.axes, classes, strict=True)
        }
        for name, expected in oracle.possible(partial.grid.table, facts).items():
            outcome = explainer.outcome(name, cell)
            if outcome.status is not Status.UNDECIDED:
                said: object = {outcome.value}
                wanted: object = set(expected)
            else:
                reached, missing = walk(oracle, partial.grid.table, name, facts)
                said = (set(outcome.possible), set(outcome.missing), explainer.ask_next(name, cell))
                wanted = (set(expected) | reached, missing, ask_next(oracle, partial.grid.table, name, facts, missing))
            if said != wanted:
                found.append((name, facts, said, wanted))
    return found


def walk(oracle: Oracle, table: Table, name: str, start: Facts) -> tuple[set[Literal | None], set[str]]:
    """Fill in open facts in every order: the outcomes met, and the facts that changed one of them."""
    seen: set[tuple[object, ...]] = set()
    outcomes: set[Literal | None] = set()
    missing: set[str] = set()

    def state(facts: Facts) -> object:
        found = oracle.possible(table, facts)[name]
        return found if len(found) == 1 else "undecided"

    def visit(facts: Facts) -> None:
        key = tuple(facts.values())
        if key in seen:
            return
        seen.add(key)
        opened = oracle.open_facts(table, facts)
        if not opened:
            outcomes.update(oracle.possible(table, facts)[name])
        for fact in opened:
            further = [{**facts, fact: value} for value in oracle.values[fact]]
            if len({state(facts), *map(state, further)}) > 1:
                missing.add(fact)
            for one in further:
                visit(one)

    visit(dict(start))
    return outcomes, missing


def ask_next(oracle: Oracle, table: Table, name: str, facts: Facts, missing: set[str]) -> str:
    """The fact that leaves the fewest outcomes possible, on average; of equal ones the first by name."""
    scored = []
    for fact in missing:
        left = [len(oracle.possible(table, {**facts, fact: value})[name]) for value in oracle.values[fact]]
        scored.append((not oracle.policy.facts[fact].ask, sum(left) / len(left), fact))
    return min(scored)[-1] if scored else ""
