"""A version's tables -> what durable-rules is asked, and its report -> problems of the policy."""

from __future__ import annotations

from engine.cross_check import CrossCheckReport, CrossCheckRule, CrossCheckTable, Disagreement, Failure
from engine.model.problems import Place, Problem
from engine.tables.tabulate import Grid
from engine.version.version import PolicyTables, Version


def tables_to_cross_check(version: Version | PolicyTables) -> tuple[CrossCheckTable, ...]:
    """Return the tables of a version in the form that durable-rules checks, without `otherwise`."""
    return tuple(_cross_check_table(grid) for grid in _grids(version).values() if grid.table.rules)


def _grids(version: Version | PolicyTables) -> dict[str, Grid]:
    """Return the grids of all tables and deadlines."""
    return {**version.grids, **version.deadline_grids}


def _cross_check_table(grid: Grid) -> CrossCheckTable:
    listed = len(grid.table.rules)
    rules = tuple(
        CrossCheckRule(rule.id, tuple((axis, frozenset(allowed)) for axis, allowed in tests))
        for rule, tests in zip(grid.table.rules, grid.tests, strict=True)
    )
    hits = tuple(tuple(at for at in counted if at < listed) for counted in grid.rule_sets)
    return CrossCheckTable(
        name=grid.table.name,
        axes=tuple((axis.fact, axis.size) for axis in grid.axes),
        rules=rules,
        policy=grid.table.hit.value,
        hit=grid.rule_set_of,
        hits=hits,
    )


def agreement_problems(version: Version, report: CrossCheckReport) -> list[Problem]:
    """Return every disagreement and failure as a problem that names its table and cell."""
    return [_disagreement(version, found) for found in report.disagreements] + [
        _failure(version, found) for found in report.failures
    ]


def _disagreement(version: Version, found: Disagreement) -> Problem:
    expected, got = (", ".join(rules) or "no rule" for rules in (found.expected_rules, found.got_rules))
    return Problem(
        place=_place(version, found.table),
        code="rules-engine",
        message=f"durable-rules and the table `{found.table}` disagree: expected {expected}, got {got}",
        help="this is a bug in Guidepost or durable-rules, not in the policy",
        witness=_cell(version, found.table, found.cell),
    )


def _failure(version: Version, found: Failure) -> Problem:
    where = f" on the table `{found.table}`" if found.table else ""
    cell = _cell(version, found.table, found.cell) if found.table and found.cell is not None else ()
    return Problem(
        place=_place(version, found.table),
        code="rules-engine",
        message=found.reason if found.help else f"durable-rules failed{where}: {found.reason}",
        help=found.help,
        witness=cell,
    )


def _place(version: Version, table: str | None) -> Place:
    return _grids(version)[table].table.place if table is not None else version.policy.manifest.place


def _cell(version: Version, table: str, cell: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
    """Return a cell as facts and values; the value of a missing fact is `unknown`."""
    axes = _grids(version)[table].axes
    return tuple(
        (axis.fact, version.atoms[axis.fact].text(axis.members[at]) if at else "unknown")
        for axis, at in zip(axes, cell, strict=True)
    )
