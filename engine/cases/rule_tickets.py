"""Finds tickets for a rule, with as few facts as possible, whose answer names the rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import or_
from typing import Final

from engine.cases.cells import Cell
from engine.cases.coverage import Tracer
from engine.decide.answer_times_json import iso
from engine.decide.decider import Decider
from engine.diagrams.store import Node
from engine.diagrams.witnesses import shortest_of_each
from engine.model.policy import HitPolicy, Policy, Roster, Rule, Table
from engine.model.targets import Measure
from engine.model.vocabulary import FactType
from engine.tables.local_table import LocalTable
from engine.tables.reading import Ticket
from engine.version.version import DecisionPlan, Version

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
        self.reading = self._tracer.reading
        self._none = self.reading.store.leaf(None)
        self._local: dict[str, LocalTable] = {}
        self._shown: dict[tuple[str, str], Node] = {}
        self._tickets: dict[tuple[str, str, bool], Mapping[int | None, Mapping[str, int]]] = {}

    def rule(self, table: str, at: int) -> Witness | None:
        """Return a ticket whose answer names a rule of a table (``at``: its position, ``otherwise`` last)."""
        rule = self._table(table).all_rules[at]
        for witness in (
            self._of_deadline(table, at) if table in self.version.policy.deadlines else self._of_table(table, at)
        ):
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

    def cell(self, table: str, cell: Cell) -> Facts | None:
        """Return the shortest ticket that falls in a cell of a table or deadline; None if there is none."""
        found = self._tracer.cells(table).ticket(cell)
        return None if found is None else self._written(found)

    def _table(self, name: str) -> Table:
        policy = self.version.policy
        return policy.deadlines[name].table if name in policy.deadlines else policy.tables[name]

    def _of(self, name: str) -> LocalTable:
        if name not in self._local:
            self._local[name] = LocalTable(self._table(name), self.reading)
        return self._local[name]

    def _of_table(self, name: str, at: int) -> Iterator[Witness]:
        """Yield tickets of decisions that the table answers itself, then of those that depend on it."""
        version = self.version
        behind = {plan.decision.name: self._tracer.tables_of(plan) for plan in version.plans.values()}
        plans = sorted(
            (plan for plan in version.plans.values() if name in behind[plan.decision.name]),
            key=lambda plan: len(behind[plan.decision.name]),
        )
        for sure in (True, False):
            for plan in plans:
                if name in self._answering(plan):
                    yield from self._asked(plan, name, name, at, sure=sure)
            for plan in plans:
                for below in self._answering(plan):
                    if below != name and name in self._tracer.chains[below]:
                        yield from self._asked(plan, name, below, at, sure=sure)
        for plan in plans:
            for one in plan.deadlines:
                if any(name in self._tracer.chains[version.producer[read]] for read in one.reads):
                    for sure in (True, False):
                        yield from self._asked(plan, name, one.deadline.name, at, sure=sure)

    def _of_deadline(self, name: str, at: int) -> Iterator[Witness]:
        plans = (
            plan for plan in self.version.plans.values() if any(one.deadline.name == name for one in plan.deadlines)
        )
        plan = next(plans, None)
        for sure in (True, False):
            if plan is not None:
                yield from self._asked(plan, name, name, at, sure=sure)

    def _answering(self, plan: DecisionPlan) -> list[str]:
        return list(dict.fromkeys(self.version.producer[outcome] for outcome in plan.tabled))

    def _asked(self, plan: DecisionPlan, name: str, below: str, at: int, *, sure: bool) -> Iterator[Witness]:
        """Yield the shortest ticket for which a rule of a table is behind what another decides.

        It leaves nothing open there; or (not ``sure``) it is decided there though something is open.
        """
        deadline = self.version.policy.deadlines.get(below)
        starts = {deadline.starts: self.instant} if deadline is not None else {}
        if self._table(name).hit is HitPolicy.COLLECT:
            local, no = self._of(name), self.reading.store.leaf(False)
            shown = self._chosen(below, local.over_sent(local.holds(at)), sure=sure, no=no)
            ticket: Mapping[str, int] | None = self.reading.store.shortest(shown)
        else:
            key = (name, below, sure)
            if key not in self._tickets:
                chosen = self._chosen(below, self._behind(name, below), sure=sure, no=self._none)
                self._tickets[key] = shortest_of_each(self.reading.store, chosen)
            ticket = self._tickets[key].get(at)
        if ticket is not None:
            yield Witness(plan.decision.name, {**self._written(self.reading.ticket(ticket)), **starts})

    def _chosen(self, below: str, shown: Node, *, sure: bool, no: Node) -> Node:
        """Draw what is shown where a table leaves nothing open, or where it is decided all the same."""
        local, store = self._of(below), self.reading.store
        settled = local.over_sent(local.settled)
        deadline = self.version.policy.deadlines.get(below)
        if deadline is None:
            if sure:
                return store.choose(settled, [no, shown])
            decided = store.leaf(False)
            for name in local.table.produces:
                decided = store.choose(self.reading.decided(name), [decided, store.leaf(True)])
            return store.choose(settled, [store.choose(decided, [no, shown]), no])
        if not sure:
            return shown
        ready = settled
        for name in (deadline.amount, deadline.region):
            if name in self.version.producer:
                ready = store.choose(self.reading.decided(name), [store.leaf(False), ready])
        return store.choose(ready, [no, shown])

    def _behind(self, name: str, below: str) -> Node:
        """Draw which rule of a table, by position, is behind what another decides; None if no rule is."""
        key = (name, below)
        if key not in self._shown:
            local, store = self._of(below), self.reading.store
            if name == below:
                self._shown[key] = local.over_sent(local.counts)
            else:
                found = self._none
                for read, where in self._heeded(below).items():
                    producer = self.version.producer[read]
                    if name in self._tracer.chains[producer]:
                        shown = store.choose(where, [self._none, self._behind(name, producer)])
                        found = store.combine(lambda one, other: other if one is None else one, found, shown)
                self._shown[key] = found
        return self._shown[key]

    def _heeded(self, name: str) -> Mapping[str, Node]:
        """Draw for each outcome that a table reads where a rule that counts tests it, or another value matters."""
        local = self._of(name)
        found = {read: self._tested(local, read) for read in local.states if read in self.version.producer}
        deadline = self.version.policy.deadlines.get(name)
        if deadline is None:
            return found
        # The rules of a deadline can read their amount and their region too.
        store, rules = self.reading.store, deadline.table.all_rules
        counts = local.over_sent(local.counts)
        for read in {deadline.amount, deadline.region} & self.version.producer.keys():
            measures = [rule.then[name] for rule in rules]
            using = {
                at
                for at, one in enumerate(measures)
                if read == deadline.region or (isinstance(one, Measure) and one.amount is None)
            }
            used = store.map(using.__contains__, counts)
            found[read] = store.choose(found[read], [used, store.leaf(True)]) if read in found else used
        return found

    def _tested(self, local: LocalTable, read: str) -> Node:
        store, table = local.store, local.table
        testing = {at for at, rule in enumerate(table.rules) if any(one.fact == read for one in rule.when)}
        if table.hit is HitPolicy.COLLECT:
            tested = local.no
            for at in sorted(testing):
                tested = store.choose(local.holds(at), [tested, local.yes])
            return local.over_sent(store.some(tested, [read], or_))
        tested = store.map(testing.__contains__, local.counts)
        said = [tuple((type(value), value) for value in rule.then.values()) for rule in table.all_rules]
        values = store.map(lambda at: frozenset({said[at] if at >= 0 else ()}), local.counts)
        matters = store.map(lambda possible: len(possible) > 1, store.some(values, [read], or_))
        return local.over_sent(store.choose(tested, [matters, local.yes]))

    def _written(self, sent: Ticket) -> Facts:
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
            if name in named or self._codes(facts, wanted) != self._codes(fewer, wanted):
                continue
            if self._by_rule(witness.decision, fewer, rule.id) == wanted:
                facts = fewer
        return facts

    def _codes(self, facts: Facts, outcomes: Iterable[tuple[str, object]]) -> list[object]:
        """Return what is possible of outcomes: a look-up, while a decision also explains what is missing."""
        version, drawn = self.version, self.version.diagrams
        atoms = version.reader.read(facts).atoms
        classes = {fact: drawn.parts[fact].class_of[atoms[version.reader.slots[fact]]] for fact in drawn.store.facts}
        found = []
        for name, _ in outcomes:
            if name in version.producer:
                table = drawn.tables[version.producer[name]]
                parts = [one.possible for one in table.items[name]] if table.items else [table.possible[name]]
                found += [drawn.store.value_at(one, classes) for one in parts]
        return found

    def _by_rule(self, decision: str, facts: Facts, rule: str) -> list[tuple[str, object]]:
        outcomes = self.decider.decide(decision, facts).outcomes
        return [(one.name, one.value) for one in outcomes if any(fired.id == rule for fired in one.rules)]


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
