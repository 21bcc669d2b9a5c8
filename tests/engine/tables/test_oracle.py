"""The tables against the oracle and durable-rules: every cell of every shipped version, and random policies."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from engine.cross_check import cross_check_tables
from engine.load import load
from engine.model.policy import Policy
from engine.tables.missing_facts import PartialTable
from engine.version.agreement import tables_to_cross_check
from engine.version.bundle import Bundle
from engine.version.version import PolicyTables, tabulate_policy
from tests.oracle import Oracle
from tests.support.campaign import ALL_CELLS, LONG
from tests.support.policy_tables import policy_tables
from tests.support.strategies import policies

PARTS = 4  # so that two workers share the work
LARGE = 100_000
"""How many cells a table may have to be compared whole in the short form; `.ci/run` asks for all."""
SLICES = 1
"""How many values of its longest axis a larger table is compared for in the short form: in all cells of them."""


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", ["1.0.0", "2.0.0"])
def test_the_oracle_agrees_with_every_cell_of_every_table(shipped: Bundle, name: str, part: int) -> None:
    version = next(version for version in shipped.versions if version.ref.version == name)
    by_size = sorted(version.partial_tables.values(), key=lambda partial: (-partial.cell.size, partial.grid.table.name))
    tabulated = policy_tables(version)
    for partial in by_size[part::PARTS]:
        assert (
            disagreements(version.policy, tabulated, partial, sliced=not ALL_CELLS and partial.cell.size > LARGE) == []
        )


@pytest.mark.campaign
@settings(max_examples=2000 if LONG else 60, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies())
def test_oracle_table_and_durable_rules_agree_on_random_policies(files: dict[str, str]) -> None:
    policy = load(files)
    tabulated = tabulate_policy(policy)
    for partial in tabulated.partial_tables.values():
        assert disagreements(policy, tabulated, partial) == []
    assert cross_check_tables(tables_to_cross_check(tabulated)).ok


def test_values_of_one_class_are_told_apart_by_no_rule(shipped: Bundle) -> None:
    for version in shipped.versions:
        for grid in version.grids.values():
            for axis in grid.axes:
                samples = version.atoms[axis.fact].samples
                for condition in (
                    condition for rule in grid.table.rules for condition in rule.when if condition.fact == axis.fact
                ):
                    held = np.array([condition.unknown, *(condition.holds(sample) for sample in samples)])
                    for number in range(axis.size):
                        assert len(set(held[axis.class_of == number].tolist())) == 1


def disagreements(
    policy: Policy, tabulated: PolicyTables, partial: PartialTable, most: int = 5, *, sliced: bool = False
) -> list[tuple[object, ...]]:
    """Compare a table with the oracle in every cell: the outcome, the facts, what the oracle and what the table says.

    ``sliced`` compares the cells of some values of its longest axis only.
    """
    values = {
        axis.fact: [tabulated.atoms[axis.fact].samples[member - 1] for member in axis.members[1:]]
        for axis in partial.axes
    }
    oracle = Oracle(policy, values)
    names = [axis.fact for axis in partial.axes]
    ends = {
        name: ([*codes.domain, None], codes.low.ravel().tolist(), codes.high.ravel().tolist())
        for name, codes in partial.codes.items()
    }
    found: list[tuple[object, ...]] = []
    longest = max(names, key=lambda name: len(values[name]), default="")
    kept = set(values[longest][-SLICES:]) if sliced else {None, *values.get(longest, ())}
    at = names.index(longest) if names else 0
    for cell, combination in enumerate(itertools.product(*([None, *values[name]] for name in names))):
        if combination and combination[at] not in kept:
            continue
        facts = dict(zip(names, combination, strict=True))
        for name, expected in oracle.possible(partial.grid.table, facts).items():
            domain, low, high = ends[name]
            says = {domain[low[cell]], domain[high[cell]]}
            if not says <= expected or (len(expected) == 1) != (low[cell] == high[cell]):
                found.append((name, facts, expected, says))
        if len(found) >= most:
            break
    return found
