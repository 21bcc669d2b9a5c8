"""A walk leads every ticket to the outcomes that the tables have for it, however many there are."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings

from benchmarks.tickets import draw
from engine.decide.decider import Decider
from engine.load import load
from engine.model.answer import Status
from engine.tables.atoms import all_atoms
from engine.tables.table_diagram import draw_tables
from engine.tables.walk import MOST_NODES_A_WALK, OutcomeValue, walk, walks
from engine.version.bundle import Bundle
from tests.support.growth import prerequisites
from tests.support.strategies import policies
from tests.support.table_cases import TableCases


@pytest.mark.campaign
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies())
def test_walks_lead_to_what_the_diagrams_say(files: dict[str, str]) -> None:
    policy = load(files)
    atoms = all_atoms(policy)
    diagrams = draw_tables(list(policy.tables.values()), policy.outcomes, atoms)
    slots = {fact: at for at, fact in enumerate(sorted(policy.facts))}
    names = [name for table in policy.tables.values() for name in table.produces]
    begins = walks(diagrams, names, slots)
    chance = random.Random(1)
    for _ in range(50):
        facts = {fact: chance.choice([None, *atoms[fact].samples]) for fact in policy.facts}
        ticket = [atoms[fact].of(facts[fact]) for fact in sorted(facts)]
        found = [value for begin in begins for value in walk(begin, ticket).values]
        assert list(dict.fromkeys(one.name for one in found)) == names
        for table in policy.tables:
            cases = TableCases(diagrams, atoms, table)
            here = {fact: facts[fact] for fact in cases.values}
            for name, said in cases.said(here).items():
                assert [possible(one) for one in found if one.name == name] == [said]
            for name in cases.drawn.items:
                parts = [lists for _, lists in cases.said_of_parts(name, here)]
                assert [possible(one) for one in found if one.name == name] == parts


def test_the_outcomes_of_a_triage_are_those_of_its_answers(shipped: Bundle) -> None:
    for version in shipped.versions:
        decider = Decider(version)
        for facts in draw(version, 200, seed=5):
            ticket, _ = decider.read(facts)
            ends = decider.outcomes(ticket)
            values = iter([one for end in ends for one in end.values])
            for plan, answer in zip(version.triage, decider.triage(facts), strict=True):
                for name in plan.tabled:
                    outcome, parts = answer[name], len(version_parts(decider, name))
                    found = [next(values) for _ in range(parts)]
                    assert {one.name for one in found} == {name}
                    undecided = any(one.status is Status.UNDECIDED for one in found)
                    assert undecided == (outcome.status is Status.UNDECIDED)
                    if not undecided:
                        assert outcome.value == joined(found)


def test_a_wide_list_takes_several_walks_and_none_is_large() -> None:
    policy = load(prerequisites(40))
    atoms = all_atoms(policy)
    diagrams = draw_tables(list(policy.tables.values()), policy.outcomes, atoms)
    slots = {fact: at for at, fact in enumerate(sorted(policy.facts))}
    begins = walks(diagrams, ["steps"], slots)

    assert 1 < len(begins) < 10
    assert all(count(begin) <= MOST_NODES_A_WALK for begin in begins)
    ticket = [atoms[fact].of("yes" if at % 2 else "no") for at, fact in enumerate(sorted(policy.facts))]
    values = [value for begin in begins for value in walk(begin, ticket).values]
    assert joined(values) == tuple(f"step {at}" for at in range(40) if at % 2)


def version_parts(decider: Decider, name: str) -> tuple[object, ...]:
    drawn = decider.explainer.chains.maker[name]
    return drawn.items.get(name, (None,))


def possible(one: OutcomeValue) -> frozenset[object]:
    return frozenset(one.possible) if one.status is Status.UNDECIDED else frozenset([one.value])


def joined(parts: list[OutcomeValue]) -> object:
    """Return the value of an outcome, of a list from its parts."""
    first, *others = [one.value for one in parts]
    for other in others:
        assert isinstance(first, tuple)
        assert isinstance(other, tuple)
        first += other
    return first


def count(begin: object) -> int:
    """Return how many distinct steps there are."""
    seen: dict[int, object] = {}
    waiting = [begin]
    while waiting:
        step = waiting.pop()
        if id(step) not in seen:
            seen[id(step)] = step
            slot, way = step  # type: ignore[misc]
            waiting += way if slot >= 0 else []
    return len(seen)
