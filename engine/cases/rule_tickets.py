"""Finds tickets for a rule, with as few facts as possible, whose answer names the rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from engine.cases.coverage import Tracer
from engine.cases.deadline_cells import ReachedCell, reached_cells
from engine.decide.answer_times_json import iso
from engine.decide.decider import Decider
from engine.model.policy import Policy, Roster, Rule, Table
from engine.model.vocabulary import FactType
from engine.tables.classes import Indices, Mask
from engine.tables.missing_facts import PartialTable, spread
from engine.version.version import DecisionPlan, Version

MAX_TRIES: Final = 500
"""The most tickets that are tried for a rule in one decision."""

HOURS_OF_A_WEEK: Final = 168

Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Witness:
    """A ticket, and the decision to ask."""

    decision: str
    facts: Facts


class RuleTickets:
    """Finds tickets for the rules of one version."""

    def __init__(self, version: Version) -> None:
        self.version, self.decider = version, Decider(version)
        self.instant = _usual_instant(version.policy)
        self._tracer = Tracer(version)
        self._timed: dict[str, tuple[ReachedCell, ...]] = {}
        self._counted: dict[str, Indices] = {}

    def rule(self, table: str, at: int) -> Witness | None:
        """Return a ticket whose answer names a rule of a table (``at``: its position, ``otherwise`` last)."""
        found = self._of_deadline(table, at) if table in self.version.deadline_grids else self._of_table(table, at)
        rule = self._table(table).all_rules[at]
        for witness in found:
            if self._rests_on(witness.decision, witness.facts, rule.id):
                return Witness(witness.decision, self._without_needless(witness, rule))
        return None

    def turn(self, roster: Roster, entry: str) -> Witness | None:
        """Return a ticket in the first hour in which an entry of a roster has the turn."""
        plan = next((plan for plan in self.version.plans.values() if roster in plan.rosters), None)
        for hours in range(HOURS_OF_A_WEEK):
            facts = {roster.at: iso(datetime.fromisoformat(self.instant) + timedelta(hours=hours))}
            if plan is not None and self.decider.decide(plan.decision.name, facts)[roster.produces].value == entry:
                return Witness(plan.decision.name, facts)
        return None

    def first_turn(self, roster: str) -> Witness | None:
        """Return a ticket whose decision asks a roster."""
        found = self.version.policy.rosters[roster]
        return self.turn(found, found.entries[0].value)

    def cell(self, table: str, cell: int) -> Facts | None:
        """Return the smallest ticket that falls in a cell of the own grid of a table or deadline.

        The result is None if there is none.
        """
        if table in self.version.deadline_grids:
            reached = next((one for one in self._reached(table) if one.cell == cell), None)
            return None if reached is None else self._written(reached.sent)
        partial = self.version.partial_tables[table]
        return next(self._tickets(partial, partial.cell == cell), None)

    def _table(self, name: str) -> Table:
        policy = self.version.policy
        return policy.deadlines[name].table if name in policy.deadlines else policy.tables[name]

    def _of_table(self, name: str, at: int) -> Iterator[Witness]:
        """Yield tickets of decisions that the table answers itself, then of those that depend on it."""
        version, partial = self.version, self.version.partial_tables[name]
        fires = _fires(partial, at)
        behind = {plan.decision.name: self._tracer.tables_of(plan) for plan in version.plans.values()}
        plans = sorted(
            (plan for plan in version.plans.values() if name in behind[plan.decision.name]),
            key=lambda plan: len(behind[plan.decision.name]),
        )
        for sure in (True, False):
            for plan in plans:
                if any(version.producer[outcome] == name for outcome in plan.tabled):
                    yield from self._asked(plan, partial, fires, sure=sure)
            for plan in plans:
                for below in (
                    version.partial_tables[other]
                    for other in self._answering(plan)
                    if other != name and name in self._tracer.chains[other]
                ):
                    where = spread(fires & partial.settled if sure else fires, partial.axes, below.axes)
                    yield from self._asked(plan, below, np.broadcast_to(where, below.cell.shape), sure=sure)
        for plan in plans:
            for one in plan.deadlines:
                if any(name in self._tracer.chains[version.producer[read]] for read in one.reads):
                    yield from self._by_deadline(plan, one.deadline.name, partial, fires)

    def _asked(self, plan: DecisionPlan, partial: PartialTable, where: Mask, *, sure: bool) -> Iterator[Witness]:
        """Yield tickets for cells: the settled ones, or those that may be decided though facts are open."""
        settled = partial.settled if sure else ~partial.settled
        yield from (Witness(plan.decision.name, facts) for facts in self._tickets(partial, where & settled))

    def _by_deadline(self, plan: DecisionPlan, deadline: str, partial: PartialTable, fires: Mask) -> Iterator[Witness]:
        """Yield tickets for a table that only a deadline reads."""
        starts = self.version.policy.deadlines[deadline].starts
        for facts in self._tickets(partial, fires & partial.settled):
            yield Witness(plan.decision.name, {**facts, starts: self.instant})
            for reached in self._reached(deadline):
                yield Witness(plan.decision.name, {**self._written(reached.sent), **facts, starts: self.instant})

    def _answering(self, plan: DecisionPlan) -> list[str]:
        return list(dict.fromkeys(self.version.producer[outcome] for outcome in plan.tabled))

    def _of_deadline(self, name: str, at: int) -> Iterator[Witness]:
        grid = self.version.deadline_grids[name]
        plan = next(
            (plan for plan in self.version.plans.values() if any(one.deadline.name == name for one in plan.deadlines)),
            None,
        )
        fitting = [one for one in self._reached(name) if at in grid.rule_sets[grid.rule_set_of.ravel().item(one.cell)]]
        for one in sorted(fitting, key=lambda one: (not one.ready, len(one.sent), one.cell)):
            if plan is not None:
                yield Witness(
                    plan.decision.name,
                    {**self._written(one.sent), self.version.policy.deadlines[name].starts: self.instant},
                )

    def _reached(self, deadline: str) -> tuple[ReachedCell, ...]:
        if deadline not in self._timed:
            self._timed[deadline] = reached_cells(self.version, deadline) or ()
        return self._timed[deadline]

    def _tickets(self, partial: PartialTable, where: Mask) -> Iterator[Facts]:
        """Yield tickets for the cells of a mask, those with the fewest facts first."""
        found = np.flatnonzero(where)
        for cell in found[np.argsort(self._sizes(partial)[found], kind="stable")[:MAX_TRIES]].tolist():
            steps = np.unravel_index(cell, partial.cell.shape) if partial.axes else ()
            yield self._written(
                {axis.fact: axis.members[int(at)] for axis, at in zip(partial.axes, steps, strict=True) if at}
            )

    def _sizes(self, partial: PartialTable) -> Indices:
        """Count for every cell over sent facts how many are sent there."""
        name = partial.grid.table.name
        if name not in self._counted:
            steps = np.ix_(*(np.arange(axis.size) for axis in partial.axes))
            self._counted[name] = sum(
                ((step > 0).astype(np.int32) for step in steps), np.zeros(partial.cell.shape, dtype=np.int32)
            ).ravel()
        return self._counted[name]

    def _written(self, sent: Mapping[str, int]) -> Facts:
        """Write atoms as a caller sends them, in the order of the vocabulary."""
        return {name: self._value(name, sent[name]) for name in self.version.policy.facts if sent.get(name)}

    def _value(self, name: str, atom: int) -> str:
        fact, text = self.version.policy.facts[name], self.version.atoms[name].text(atom)
        match fact.type:
            case FactType.TEXT:
                return "" if text == "blank" else text
            case FactType.INSTANT:
                return self.instant
            case _:
                return text

    def _rests_on(self, decision: str, facts: Facts, rule: str) -> bool:
        return any(fired.id == rule for fired in self.decider.decide(decision, facts).rules)

    def _without_needless(self, witness: Witness, rule: Rule) -> Facts:
        """Drop facts that the rule does not name, while the answer names the rule and its outcomes do not change."""
        facts = dict(witness.facts)
        wanted = self._by_rule(witness.decision, facts, rule.id)
        named = {condition.fact for condition in rule.when}
        for name in witness.facts:
            fewer = {other: value for other, value in facts.items() if other != name}
            if name not in named and self._by_rule(witness.decision, fewer, rule.id) == wanted:
                facts = fewer
        return facts

    def _by_rule(self, decision: str, facts: Facts, rule: str) -> list[tuple[str, object]]:
        outcomes = self.decider.decide(decision, facts).outcomes
        return [(one.name, one.value) for one in outcomes if any(fired.id == rule for fired in one.rules)]


def _fires(partial: PartialTable, at: int) -> Mask:
    """Return in which cells over sent facts a rule counts."""
    entries = [entry for entry, counted in enumerate(partial.grid.rule_sets) if at in counted]
    return np.isin(partial.rule_set_of, entries)


def _usual_instant(policy: Policy) -> str:
    """Return a start for deadlines.

    It is ten o'clock UTC on a Monday that all holiday lists cover, not before the version's first day.
    """
    day = policy.manifest.effective_from.astimezone(UTC).date()
    firsts = [one.first for one in policy.holidays.values()]
    lasts = [one.last for one in policy.holidays.values()]
    if firsts and not max(firsts) <= day <= min(lasts):
        day = max(firsts)
    day += timedelta(days=-day.weekday() % 7)
    return iso(datetime(day.year, day.month, day.day, 10, tzinfo=UTC))
