"""The tables against the oracle and durable-rules: every cell of every shipped version, and random policies."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings

from engine.cross_check import cross_check_tables
from engine.load import load
from engine.model.policy import Policy
from engine.version.agreement import tables_to_cross_check
from engine.version.build import draw_policy
from engine.version.bundle import Bundle
from tests.oracle import Facts, Oracle
from tests.support.campaign import ALL_CELLS, LONG
from tests.support.strategies import policies
from tests.support.table_cases import TableCases

PARTS = 4  # so that two workers share the work
LARGE = 30_000
"""How many cells a table may have to be compared whole in the short form; `.ci/run` asks for all."""
SLICES = 1
"""How many values of its longest axis a larger table is compared for in the short form: in all cells of them."""


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", ["1.0.0", "2.0.0"])
def test_the_oracle_agrees_with_every_case_of_every_table(shipped: Bundle, name: str, part: int) -> None:
    version = next(version for version in shipped.versions if version.ref.version == name)
    tables = [TableCases(version.diagrams, version.atoms, table) for table in version.policy.tables]
    by_size = sorted(tables, key=lambda cases: (-cases.count, cases.table.name))
    for cases in by_size[part::PARTS]:
        assert disagreements(version.policy, cases, sliced=not ALL_CELLS and cases.count > LARGE) == []


@pytest.mark.campaign
@settings(max_examples=2000 if LONG else 60, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies())
def test_oracle_table_and_durable_rules_agree_on_random_policies(files: dict[str, str]) -> None:
    policy = load(files)
    tables = draw_policy(policy)
    for table in policy.tables:
        assert disagreements(policy, TableCases(tables.diagrams, tables.atoms, table)) == []
    assert cross_check_tables(tables_to_cross_check(tables)).ok


def test_values_of_one_class_are_told_apart_by_no_rule(shipped: Bundle) -> None:
    for version in shipped.versions:
        rules = [rule for table in version.policy.tables.values() for rule in table.rules]
        for condition in (condition for rule in rules for condition in rule.when):
            held = [condition.unknown, *map(condition.holds, version.atoms[condition.fact].samples)]
            told = dict.fromkeys(zip(version.diagrams.parts[condition.fact].class_of, held, strict=True))
            assert len({one for one, _ in told}) == len(told), condition


def disagreements(
    policy: Policy, cases: TableCases, most: int = 5, *, sliced: bool = False
) -> list[tuple[object, ...]]:
    """Compare a table with the oracle in every case: the outcome, the facts, what the oracle and what the table says.

    ``sliced`` compares the cases of some values of the fact with the most values only.
    """
    values = cases.values
    oracle = Oracle(policy, values)
    found: list[tuple[object, ...]] = []
    longest = max(values, key=lambda name: len(values[name]), default="")
    kept = {name: [None, *listed] for name, listed in values.items()}
    if sliced:
        kept[longest] = kept[longest][-SLICES:]
    for combination in itertools.product(*kept.values()):
        facts: Facts = dict(zip(kept, combination, strict=True))
        expected = oracle.possible(cases.table, facts)
        for name, said in cases.said(facts).items():
            if said != expected[name]:
                found.append((name, facts, expected[name], said))
        for name in cases.drawn.items:
            for texts, lists in cases.said_of_parts(name, facts):
                wanted = {tuple(text for text in one if text in texts) for one in expected[name]}  # type: ignore[union-attr]
                if lists != wanted:
                    found.append((name, facts, wanted, lists))
        if len(found) >= most:
            break
    return found
