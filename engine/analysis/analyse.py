"""Analyses a policy and its diagrams: errors, warnings and notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from engine.analysis.citations import citation_findings
from engine.analysis.likeness import differ
from engine.analysis.rules import rule_findings, spare_rules
from engine.analysis.times import time_findings
from engine.analysis.vocabulary import threshold_findings, vocabulary_findings
from engine.diagrams.store import TooManyNodes
from engine.invariants.prove import invariant_problems
from engine.model.policy import Policy
from engine.model.problems import Problem, Related
from engine.tables.local_table import LocalTable
from engine.tables.reading import Reading
from engine.version.build import PolicyTables, invariant_results, region_problems


def analyse(policy: Policy, tables: PolicyTables) -> tuple[Problem, ...]:
    """Return the problems of a policy of every level, sorted by place; the policy may have errors."""
    drawn, deadlines, atoms = tables.diagrams, tables.deadline_diagrams, tables.atoms
    reading = Reading(drawn, atoms, deadlines.values())
    cases = {table.name: LocalTable(table, reading) for table in policy.all_tables}
    # The rules of a deadline are compared for whatever it reads, but shown with tickets.
    alone = {
        name: LocalTable(deadline.table, Reading(deadlines[name], atoms)) for name, deadline in policy.deadlines.items()
    }
    compared = [one for one in (alone.get(name, one) for name, one in cases.items()) if _can_be_compared(one)]
    found = [*_problems(policy, tables, compared)]
    for one in compared:
        spare = spare_rules(one)
        found += rule_findings(one, spare)
        found += threshold_findings(one, spare)
    found += vocabulary_findings(policy, drawn, deadlines)
    found += time_findings(policy)
    found += citation_findings(policy, cases)
    return tuple(sorted(set(found)))


def _can_be_compared(local: LocalTable) -> bool:
    """Return whether the cases of a table that tickets reach fit into a store."""
    try:
        local.reached_settled  # noqa: B018 - worked out here, and kept
    except TooManyNodes:
        return False
    return True


def _problems(policy: Policy, tables: PolicyTables, compared: Iterable[LocalTable]) -> Iterator[Problem]:
    """Yield the errors of the tables, or of the invariants if there are none.

    An overlap has the place of the other rule, and whether the outcomes differ.
    """
    overlaps = {pair: how for one in compared for pair, how in _overlaps(one)}
    problems = [*tables.table_problems(policy), *region_problems(policy, tables)]
    for problem in problems or invariant_problems(invariant_results(policy, tables)):
        more, also = overlaps.get((problem.place, problem.message), ("", ())) if problem.code == "overlap" else ("", ())
        yield replace(problem, message=problem.message + more, also=also)


def _overlaps(local: LocalTable) -> Iterator[tuple[tuple[object, str], tuple[str, tuple[Related, ...]]]]:
    for (first, second), where in local.overlaps.items():
        one, other = local.table.rules[first], local.table.rules[second]
        unlike = local.both(where, differ(local, (first,), (second,))) != local.no
        message = f"the rules `{one.id}` and `{other.id}` both cover a case; `{local.table.name}` is unique"
        yield (
            (other.place, message),
            (
                f"; their outcomes are {'different' if unlike else 'the same'}",
                (Related(one.place, f"`{one.id}` also covers it"),),
            ),
        )
