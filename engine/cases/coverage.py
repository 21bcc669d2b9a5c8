"""Coverage: the rules behind the answers of cases, and the cells in which these were looked up.

- A case covers a *rule* if its answer names the rule.
- A case covers a *cell* of a table if its answer was looked up there: the table produces an outcome of the decision, or
  one that a table on the way to it reads. Cells are combinations of what the table reads itself, as far as its rules
  distinguish it; those that no ticket reaches do not count. A deadline has a table too; a case looks there if it sends
  the instant from which time counts, or if nothing is due. An entry of a roster counts as a cell.

Only tables behind a decision count. Whether a case passes does not matter; a case with a rejected request covers
nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from engine.cases.case import CaseResult
from engine.cases.cells import Cell, TableCells
from engine.decide.decider import Decider
from engine.model.answer import Answer, DeadlineState, Status
from engine.model.problems import Place
from engine.request.moment import Moment
from engine.request.ticket import Sent
from engine.tables.reading import Reading
from engine.version.version import DecisionPlan, Version

MOST_MISSED: Final = 20
"""How many of the cells of one table that cases do not cover are listed."""

Point = tuple[str, Cell, str, float]
"""A table or deadline, a cell, a fact that is read there, and the number that was sent for it."""


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
    """The coverage of a table.

    ``cells`` is how many cells tickets reach, None if they are too many to count; ``missed`` are the first of those
    that cases do not.
    """

    name: str
    kind: TableKind
    place: Place
    rules: tuple[RuleCoverage, ...]
    hit: int
    cells: int | None
    missed: tuple[Cell, ...] = ()

    @property
    def rules_hit(self) -> int:
        """How many rules are covered."""
        return sum(rule.cases > 0 for rule in self.rules)


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
        """How many cells are covered, of how many; without tables that have too many to count."""
        known = [table for table in self.tables if table.cells is not None]
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
    cells: frozenset[tuple[str, Cell]]
    points: frozenset[Point]
    turns: frozenset[tuple[str, str]]
    states: frozenset[tuple[str, DeadlineState, bool]]


class Tracer:
    """Traces answers of one version to rules and cells."""

    def __init__(self, version: Version) -> None:
        self.version, self._decider = version, Decider(version)
        self.chains = _chains(version)
        self.reading = Reading(version.diagrams, version.atoms, version.deadline_diagrams.values())
        self._cells: dict[str, TableCells] = {}

    def cells(self, name: str) -> TableCells:
        """Return the cells of a table or deadline."""
        found = self._cells.get(name)
        if found is None:
            policy = self.version.policy
            table = policy.deadlines[name].table if name in policy.deadlines else policy.tables[name]
            found = self._cells[name] = TableCells(table, self.reading)
        return found

    def tables_of(self, plan: DecisionPlan) -> tuple[str, ...]:
        """Return the tables behind a decision, in the order of the policy."""
        made = [self.version.producer[name] for name in plan.tabled]
        made += [self.version.producer[name] for one in plan.deadlines for name in one.reads]
        behind = frozenset().union(*(self.chains[table] for table in made))
        return tuple(table for table in self.version.policy.tables if table in behind)

    def touched(self, decision: str, facts: Mapping[str, Sent], moment: Moment, answer: Answer) -> AnswerTrace:
        """Return what an answer touches."""
        version, plan = self.version, self.version.plans[decision]
        ticket, _ = self._decider.read(facts, moment)
        numbers = {name: float(str(value)) for name, value in facts.items() if version.policy.facts[name].numeric}
        looked = [*self.tables_of(plan)]
        for one in plan.deadlines:
            name = one.deadline.name
            if one.deadline.starts in ticket.instants or answer[name].status is Status.NOT_COVERED:
                looked.append(name)
        slots = version.reader.slots
        classes = {fact: class_of[ticket.atoms[slots[fact]]] for fact, class_of in self.reading.class_of.items()}
        cells: set[tuple[str, Cell]] = set()
        points: set[Point] = set()
        for name in looked:
            for cell in self.cells(name).of(classes):
                cells.add((name, cell))
                read = self.cells(name).parts[cell[0]]
                points |= {(name, cell, fact, numbers[fact]) for fact in read if fact in numbers}
        return AnswerTrace(
            rules=frozenset(rule.id for rule in answer.rules),
            cells=frozenset(cells),
            points=frozenset(points),
            turns=frozenset((duty.outcome, duty.now.value) for duty in answer.duties),
            states=frozenset(
                (due.name, due.standing.state, due.standing.at == due.due) for due in answer.dues if due.standing
            ),
        )


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
    tables = [(TableKind.TABLE, version.policy.tables[name]) for name in version.policy.tables if name in behind]
    asked = dict.fromkeys(one.deadline.name for plan in plans for one in plan.deadlines)
    tables += [(TableKind.DEADLINE, version.policy.deadlines[name].table) for name in asked]
    found = []
    for kind, table in tables:
        hit = {cell for name, cell in cells if name == table.name}
        known = tracer.cells(table.name)
        found.append(
            TableCoverage(
                name=table.name,
                kind=kind,
                place=table.place,
                rules=tuple(RuleCoverage(rule.id, rule.place, rules[rule.id]) for rule in table.all_rules),
                hit=len(hit),
                cells=known.count,
                missed=() if known.count is None else tuple(islice(known.missed(hit), MOST_MISSED)),
            )
        )
    for roster in {roster.name: roster for plan in plans for roster in plan.rosters}.values():
        turned = [entry for entry in roster.entries if (roster.produces, entry.value) in turns]
        found.append(
            TableCoverage(
                name=roster.name,
                kind=TableKind.ROSTER,
                place=roster.place,
                rules=(RuleCoverage(roster.name, roster.place, rules[roster.name]),),
                hit=len(turned),
                cells=len(roster.entries),
            )
        )
    return Coverage(tuple(sorted(found, key=lambda one: (one.place, one.name))))
