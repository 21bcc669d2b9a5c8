"""Coverage: the rules behind the answers of cases, and the cells in which these were looked up.

- A case covers a *rule* if its answer names the rule.
- A case covers a *cell* of a table if its answer was looked up there: the table produces an outcome of the decision, or
one that a table on the way to it reads. Cells are those of the table's own grid, over what it reads itself; those that
no
  ticket reaches do not count. A deadline has a table too; a case looks there if it sends the instant from which time
  counts, or if nothing is due. An entry of a roster counts as a cell.

Only tables behind a decision count. Whether a case passes does not matter; a case with a rejected request covers
nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from engine.cases.case import CaseResult
from engine.cases.deadline_cells import reached_cells
from engine.decide.decider import Decider
from engine.model.answer import Answer, DeadlineState, Status
from engine.model.policy import Table
from engine.model.problems import Place
from engine.request.lookup import outcome_lookup
from engine.request.moment import Moment
from engine.request.ticket import Sent
from engine.tables.tabulate import Grid
from engine.version.version import DecisionPlan, Version

Point = tuple[str, int, str, float]
"""A table or deadline, a cell of its own grid, a fact it reads there, and the number that was sent for it."""


class TableKind(StrEnum):
    """The kinds of parts with rules and cells."""

    TABLE = "table"
    DEADLINE = "deadline"
    ROSTER = "roster"


@dataclass(frozen=True, slots=True)
class RuleCoverage:
    """A rule, and how many cases cover it."""

    id: str
    place: Place
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCoverage:
    """The coverage of a table. ``missed`` are the cells that tickets reach and cases do not.

    They are None if the reachable cells are unknown.
    """

    name: str
    kind: TableKind
    place: Place
    rules: tuple[RuleCoverage, ...]
    hit: int
    missed: tuple[int, ...] | None

    @property
    def rules_hit(self) -> int:
        """How many rules are covered."""
        return sum(rule.cases > 0 for rule in self.rules)

    @property
    def cells(self) -> int | None:
        """How many cells tickets can reach."""
        return None if self.missed is None else self.hit + len(self.missed)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The coverage of a version by its cases, table by table, in the order of the files."""

    tables: tuple[TableCoverage, ...]

    @property
    def rules(self) -> tuple[int, int]:
        """How many rules are covered, of how many."""
        return sum(table.rules_hit for table in self.tables), sum(len(table.rules) for table in self.tables)

    @property
    def cells(self) -> tuple[int, int]:
        """How many cells are covered, of how many; without tables whose reachable cells are unknown."""
        known = [table for table in self.tables if table.missed is not None]
        return sum(table.hit for table in known), sum(table.cells or 0 for table in known)

    @property
    def missed(self) -> tuple[RuleCoverage, ...]:
        """The rules that no case covers."""
        return tuple(rule for table in self.tables for rule in table.rules if not rule.cases)


def percent(part: int, whole: int) -> float:
    """Return a share in percent; all of nothing is everything.

    >>> percent(1, 4), percent(0, 0)
    (25.0, 100.0)
    """
    return 100 * part / whole if whole else 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTrace:
    """What one answer touches.

    It has rules by id, cells by table, numbers sent for facts in these cells, turns, and states of deadlines. A state
    is True
    at the exact due time.
    """

    rules: frozenset[str]
    cells: frozenset[tuple[str, int]]
    points: frozenset[Point]
    turns: frozenset[tuple[str, str]]
    states: frozenset[tuple[str, DeadlineState, bool]]


class Tracer:
    """Traces answers of one version to rules and cells."""

    def __init__(self, version: Version) -> None:
        self.version, self._decider = version, Decider(version)
        self.chains = _chains(version)
        self._lookups = {
            table: outcome_lookup(table, partial, version.reader) for table, partial in version.partial_tables.items()
        }

    def tables_of(self, plan: DecisionPlan) -> tuple[str, ...]:
        """Return the tables behind a decision, in the order of the policy."""
        made = [self.version.producer[name] for name in plan.tabled]
        made += [self.version.producer[name] for one in plan.deadlines for name in one.reads]
        behind = frozenset().union(*(self.chains[table] for table in made))
        return tuple(table for table in self.version.partial_tables if table in behind)

    def touched(self, decision: str, facts: Mapping[str, Sent], moment: Moment, answer: Answer) -> AnswerTrace:
        """Return what an answer touches."""
        version, plan = self.version, self.version.plans[decision]
        ticket, _ = self._decider.read(facts, moment)
        numbers = {name: float(str(value)) for name, value in facts.items() if version.policy.facts[name].numeric}
        cells: set[tuple[str, int]] = set()
        points: set[Point] = set()
        for table in self.tables_of(plan):
            partial = version.partial_tables[table]
            cell = partial.cell.item(self._lookups[table].cell(ticket.atoms))
            cells.add((table, cell))
            points |= _points(partial.grid, cell, numbers)
        for one in plan.deadlines:
            name = one.deadline.name
            if one.deadline.starts in ticket.instants or answer[name].status is Status.NOT_COVERED:
                cell = self._deadline_cell(name, ticket.atoms)
                cells.add((name, cell))
                points |= _points(version.deadline_grids[name], cell, numbers)
        return AnswerTrace(
            rules=frozenset(rule.id for rule in answer.rules),
            cells=frozenset(cells),
            points=frozenset(points),
            turns=frozenset((duty.outcome, duty.now.value) for duty in answer.duties),
            states=frozenset(
                (due.name, due.standing.state, due.standing.at == due.due) for due in answer.dues if due.standing
            ),
        )

    def _deadline_cell(self, name: str, atoms: list[int]) -> int:
        version, cell = self.version, 0
        for axis in version.deadline_grids[name].axes:
            if axis.fact in version.producer:
                table = version.producer[axis.fact]
                codes, at = version.partial_tables[table].codes[axis.fact], self._lookups[table].cell(atoms)
                low = codes.low.item(at)
                atom = low + 1 if low == codes.high.item(at) and low < len(codes.domain) else 0
            else:
                atom = atoms[version.reader.slots[axis.fact]]
            cell = cell * axis.size + int(axis.class_of[atom])
        return cell


def _points(grid: Grid, cell: int, numbers: Mapping[str, float]) -> set[Point]:
    return {(grid.table.name, cell, axis.fact, numbers[axis.fact]) for axis in grid.axes if axis.fact in numbers}


def _chains(version: Version) -> dict[str, frozenset[str]]:
    chains: dict[str, frozenset[str]] = {}
    for table in version.policy.tables.values():
        above = [version.producer[name] for name in table.reads if name in version.producer]
        chains[table.name] = frozenset({table.name}).union(*(chains[name] for name in above))
    return chains


def trace(version: Version, results: Iterable[CaseResult]) -> tuple[AnswerTrace, ...]:
    """Return what each answered case touches."""
    tracer = Tracer(version)
    return tuple(
        tracer.touched(result.case.decision, result.case.facts, result.case.moment, result.answer)
        for result in results
        if result.answer is not None
    )


def coverage_of(version: Version, touched: Iterable[AnswerTrace]) -> Coverage:
    """Return the coverage of a version by its cases."""
    listed = tuple(touched)
    rules = Counter(rule for one in listed for rule in one.rules)
    cells = {cell for one in listed for cell in one.cells}
    turns = {turn for one in listed for turn in one.turns}
    tracer, plans = Tracer(version), version.plans.values()
    behind = {table for plan in plans for table in tracer.tables_of(plan)}
    found = [
        _table(version.policy.tables[name], TableKind.TABLE, rules, cells, _reached(version, name))
        for name in version.partial_tables
        if name in behind
    ]
    asked = dict.fromkeys(one.deadline.name for plan in plans for one in plan.deadlines)
    for name in asked:
        reached = reached_cells(version, name)
        known = None if reached is None else frozenset(one.cell for one in reached)
        found.append(_table(version.policy.deadlines[name].table, TableKind.DEADLINE, rules, cells, known))
    for roster in {roster.name: roster for plan in plans for roster in plan.rosters}.values():
        entries = [at for at, entry in enumerate(roster.entries) if (roster.produces, entry.value) not in turns]
        found.append(
            TableCoverage(
                name=roster.name,
                kind=TableKind.ROSTER,
                place=roster.place,
                rules=(RuleCoverage(roster.name, roster.place, rules[roster.name]),),
                hit=len(roster.entries) - len(entries),
                missed=tuple(entries),
            )
        )
    return Coverage(tuple(sorted(found, key=lambda one: (one.place, one.name))))


def _table(
    table: Table, kind: TableKind, rules: Counter[str], cells: set[tuple[str, int]], reached: frozenset[int] | None
) -> TableCoverage:
    listed = tuple(RuleCoverage(rule.id, rule.place, rules[rule.id]) for rule in table.all_rules)
    hit = {cell for name, cell in cells if name == table.name}
    missed = None if reached is None else tuple(sorted(reached - hit))
    return TableCoverage(name=table.name, kind=kind, place=table.place, rules=listed, hit=len(hit), missed=missed)


def _reached(version: Version, name: str) -> frozenset[int]:
    return frozenset(np.unique(version.partial_tables[name].cell).tolist())
