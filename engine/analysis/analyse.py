"""Analyses a policy and its cells: errors, warnings and notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.analysis.cells import TableCells
from engine.analysis.citations import citation_findings
from engine.analysis.rules import rule_findings, spare_rules
from engine.analysis.tickets import TicketFinder
from engine.analysis.times import time_findings
from engine.analysis.vocabulary import threshold_findings, vocabulary_findings
from engine.invariants.prove import invariant_problems
from engine.model.policy import Policy
from engine.model.problems import Problem, Related
from engine.tables.cells import overlapping
from engine.version.version import PolicyTables, invariant_results, region_problems


def analyse(policy: Policy, tabulated: PolicyTables) -> tuple[Problem, ...]:
    """Return the problems of a tabulated policy of every level, sorted by place; the policy may have errors."""
    cells = {
        name: TableCells(partial, tabulated.atoms)
        for name, partial in {**tabulated.partial_tables, **tabulated.deadline_tables}.items()
    }
    timed = {name: cells[name] for name in tabulated.deadline_tables}
    tickets = TicketFinder(
        tabulated.partial_tables, tabulated.producer, tabulated.atoms, frozenset(tabulated.deadline_tables)
    )
    found = [*_problems(policy, tabulated, cells)]
    for one in cells.values():
        spare = spare_rules(one)
        found += rule_findings(one, spare)
        found += threshold_findings(one, spare)
    found += vocabulary_findings(policy, tabulated.partial_tables, timed)
    found += time_findings(policy)
    found += citation_findings(policy, cells, tickets)
    return tuple(sorted(set(found)))


def _problems(policy: Policy, tabulated: PolicyTables, cells: dict[str, TableCells]) -> Iterator[Problem]:
    """Yield the errors of the tables, or of the invariants if there are none.

    An overlap has the place of the other rule, and whether the outcomes differ.
    """
    overlaps = {pair: how for one in cells.values() for pair, how in _overlaps(one)}
    problems = [*tabulated.table_problems(policy), *region_problems(policy, tabulated)]
    for problem in problems or invariant_problems(invariant_results(policy, tabulated)):
        more, also = overlaps.get((problem.place, problem.message), ("", ())) if problem.code == "overlap" else ("", ())
        yield replace(problem, message=problem.message + more, also=also)


def _overlaps(cells: TableCells) -> Iterator[tuple[tuple[object, str], tuple[str, tuple[Related, ...]]]]:
    for first, second, shared in overlapping(cells.partial):
        one, other = cells.table.rules[first], cells.table.rules[second]
        at = np.array([np.ravel_multi_index(shared, cells.shape) if shared else 0], dtype=np.int64)
        entries, others = np.array([first + 1], dtype=np.int32), np.array([second + 1], dtype=np.int32)
        how = "different" if cells.differ(entries, others, at).any() else "the same"
        message = f"the rules `{one.id}` and `{other.id}` both cover a case; `{cells.table.name}` is unique"
        yield (
            (other.place, message),
            (f"; their outcomes are {how}", (Related(one.place, f"`{one.id}` also covers it"),)),
        )
