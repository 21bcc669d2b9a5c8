"""Undecided cases compared with the oracle: what is still possible, what is missing, what to ask next."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from engine.load import load
from engine.model.answer import PossibleItems, Status
from engine.model.policy import Literal, Policy, Table
from engine.tables.atoms import all_atoms
from engine.tables.explain import Explainer
from engine.tables.table_diagram import draw_tables
from engine.version.bundle import Bundle
from tests.oracle import Facts, Oracle
from tests.support.campaign import LONG
from tests.support.growth import prerequisites
from tests.support.strategies import policies
from tests.support.table_cases import TableCases

SAMPLE = 4000 if LONG else 120


@pytest.mark.parametrize("name", ["1.0.0", "2.0.0"])
def test_possible_missing_and_ask_next_are_what_the_oracle_says(shipped: Bundle, name: str) -> None:
    version = next(version for version in shipped.versions if version.ref.version == name)
    explainer = Explainer(version.policy, version.diagrams, version.producer, version.atoms, version.reader.slots)
    for table in version.policy.tables:
        assert differences(version.policy, explainer, table) == []


@pytest.mark.campaign
@settings(max_examples=2000 if LONG else 60, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies())
def test_possible_missing_and_ask_next_are_what_the_oracle_says_of_random_policies(files: dict[str, str]) -> None:
    policy = load(files)
    explainer = explainer_of(policy)
    for table in policy.tables:
        assert differences(policy, explainer, table) == []


def test_a_list_of_forty_is_explained_item_by_item() -> None:
    explainer = explainer_of(load(prerequisites(40)))
    atoms = [0] * 40
    atoms[explainer.slots["f03"]] = explainer.atoms["f03"].of("yes")
    atoms[explainer.slots["f07"]] = explainer.atoms["f07"].of("no")
    steps = explainer.outcome("steps", atoms)

    assert steps.status is Status.UNDECIDED
    assert steps.items is not None
    assert (steps.items.always, steps.items.never) == (("step 3",), ("step 7",))
    assert steps.items.open == tuple(f"step {at}" for at in range(40) if at not in (3, 7))
    assert steps.missing == tuple(f"f{at:02}" for at in range(40) if at not in (3, 7))


def explainer_of(policy: Policy) -> Explainer:
    """Return what explains the tables of a policy, whose facts stand by name in a ticket."""
    atoms = all_atoms(policy)
    diagrams = draw_tables(list(policy.tables.values()), policy.outcomes, atoms)
    producer = {name: table.name for table in policy.tables.values() for name in table.produces}
    return Explainer(policy, diagrams, producer, atoms, {fact: at for at, fact in enumerate(sorted(policy.facts))})


def differences(policy: Policy, explainer: Explainer, table: str) -> list[tuple[object, ...]]:
    """Compare a seeded sample of cases: the outcome, the facts, the explanation and what the oracle expects."""
    cases = TableCases(explainer.diagrams, explainer.atoms, table)
    oracle = Oracle(policy, cases.values)
    found: list[tuple[object, ...]] = []
    for number in random.Random(0).sample(range(cases.count), min(SAMPLE, cases.count)):
        facts = cases.case(number)
        atoms = [0] * len(explainer.slots)
        for fact, value in facts.items():
            atoms[explainer.slots[fact]] = explainer.atoms[fact].of(value)
        for name, expected in oracle.possible(cases.table, facts).items():
            outcome = explainer.outcome(name, atoms)
            if outcome.status is not Status.UNDECIDED:
                said: object = {outcome.value}
                wanted: object = set(expected)
            else:
                reached, missing = walk(oracle, cases.table, name, facts)
                asked = explainer.ask_next(name, atoms)
                possible: object = set(expected) | reached
                if outcome.items is not None:
                    possible = items_of(cases, name, set(expected) | reached)
                said = (outcome.items or set(outcome.possible), set(outcome.missing), asked)
                wanted = (possible, missing, ask_next(oracle, cases, name, facts, missing))
            if said != wanted:
                found.append((name, facts, said, wanted))
    return found


def items_of(cases: TableCases, name: str, lists: set[Any]) -> PossibleItems:
    """Return which items are in all lists, in some, and in none."""
    given = [rule.then.get(name, ()) for rule in cases.table.rules]
    texts = dict.fromkeys(text for one in given for text in (one if isinstance(one, tuple) else (str(one),)))
    among = {text: sum(text in one for one in lists) for text in texts}
    return PossibleItems(
        tuple(text for text in texts if among[text] == len(lists)),
        tuple(text for text in texts if 0 < among[text] < len(lists)),
        tuple(text for text in texts if not among[text]),
    )


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


def ask_next(oracle: Oracle, cases: TableCases, name: str, facts: Facts, missing: set[str]) -> str:
    """The fact that leaves the fewest outcomes possible, on average; of equal ones the first by name.

    Of a list, it leaves the fewest items open.
    """
    collects = name in cases.drawn.items

    def left(fact: str, value: str | float) -> int:
        possible = oracle.possible(cases.table, {**facts, fact: value})[name]
        return len(items_of(cases, name, set(possible)).open) if collects else len(possible)

    scored = []
    for fact in missing:
        counts = [left(fact, value) for value in oracle.values[fact]]
        scored.append((not oracle.policy.facts[fact].ask, sum(counts) / len(counts), fact))
    return min(scored)[-1] if scored else ""
