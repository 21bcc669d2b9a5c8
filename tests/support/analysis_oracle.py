"""The findings of an analysis in the rules of a table, by plain loops over every ticket, without the cells."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.model.policy import HitPolicy, Literal, Policy, Rule, Table
from engine.version.build import PolicyTables
from tests.oracle import Facts, Oracle
from tests.support.table_cases import TableCases


@dataclass(frozen=True)
class Seen:
    """One ticket as a table sees it: what it reads, and whether nothing is open."""

    facts: tuple[tuple[str, object], ...]
    known: Facts
    settled: bool


class TableOracle:
    """Looks at one table of a policy, ticket by ticket."""

    def __init__(self, policy: Policy, tables: PolicyTables, table: Table) -> None:
        self.table = table
        values = TableCases(tables.diagrams, tables.atoms, table.name).values
        self.oracle = Oracle(policy, values)
        self.tickets = []
        for combination in itertools.product(*([None, *listed] for listed in values.values())):
            facts: Facts = dict(zip(values, combination, strict=True))
            known = {name: self.oracle._known(name, facts) for name in table.reads}
            settled = not self.oracle.open_facts(table, dict(facts))
            self.tickets.append(Seen(tuple(facts.items()), known, settled))
        # What no rule tells apart is one case: keep each once, settled if one of them is.
        cases: dict[tuple[object, ...], Seen] = {}
        for seen in self.tickets:
            key = tuple(seen.known.items())
            cases[key] = seen if key not in cases or seen.settled else cases[key]
        self.cases = list(cases.values())

    def holding(self, rule: Rule) -> list[Seen]:
        """Return the cases in which a rule's conditions hold."""
        return [seen for seen in self.cases if all(one.holds(seen.known[one.fact]) for one in rule.when)]

    def counting(self, seen: Seen, rules: tuple[Rule, ...]) -> list[Rule]:
        """Return what counts among some rules of the table."""
        return self.oracle._counting(replace(self.table, rules=rules), seen.known)

    def idle(self) -> list[Rule]:
        """Return the rules that count in no settled case."""
        fired = [rule.id for seen in self.cases if seen.settled for rule in self.counting(seen, self.table.rules)]
        return [rule for rule in self.table.rules if rule.id not in fired]

    def same(self, seen: Seen, some: list[Rule], others: list[Rule], *, cited: bool = True) -> bool:
        """Return whether two sets of rules mean the same in a case: the missing facts, and without any the outcomes."""
        if self._waits(seen, some) != self._waits(seen, others):
            return False
        if not seen.settled:
            return True
        cites = [[(rule.source, rule.assumption) for rule in rules] for rules in (some, others)]
        return self.given(seen, some) == self.given(seen, others) and (
            not cited or self.table.hit is HitPolicy.COLLECT or cites[0] == cites[1]
        )

    def given(self, seen: Seen, rules: list[Rule]) -> list[Literal | None]:
        """Return the outcomes of rules in a case."""
        return [self.oracle._value(self.table, name, rules, seen.known) for name in self.table.produces]

    def _waits(self, seen: Seen, rules: list[Rule]) -> frozenset[str]:
        claimed = {one.fact for rule in rules for one in rule.when if one.unknown}
        return frozenset(name for name, value in seen.known.items() if value is None and name not in claimed)

    def spare(self) -> list[str]:
        """Return the rules that can be left out, in the order of the check: `first` upwards, `collect` downwards."""
        idle = self.idle()
        counted = [rule.id for seen in self.cases for rule in self.counting(seen, self.table.rules)]
        active = [rule for rule in self.table.rules if rule.id in counted]
        found = []
        for rule in [
            rule for rule in (active if self.table.hit is HitPolicy.COLLECT else active[::-1]) if rule not in idle
        ]:
            without = tuple(one for one in active if one is not rule)
            everything = tuple(active)
            if all(
                self.same(seen, self.counting(seen, everything), self.counting(seen, without)) for seen in self.cases
            ):
                active.remove(rule)
                found.append(rule.id)
        return found

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """Yield pairs of rules that both match in a decided case, the second with another outcome further down."""
        idle = self.idle()
        for second in self.table.rules:
            for seen in self.holding(second) if second not in idle else []:
                first = self.counting(seen, self.table.rules)[0]
                if seen.settled and first is not second and self.given(seen, [first]) != self.given(seen, [second]):
                    yield first.id, second.id

    def needless_conditions(self) -> Iterator[tuple[str, str]]:
        """Yield the conditions that hold wherever the others of their rule do, without the needless ones before."""
        idle = self.idle()
        for rule in self.table.rules:
            left = list(rule.when)
            for condition in rule.when if rule not in idle else ():
                others = [one for one in left if one is not condition]
                held = self.holding(replace(rule, when=tuple(others)))
                if others and all(
                    seen.known[condition.fact] is not None and condition.holds(seen.known[condition.fact])
                    for seen in held
                ):
                    left = others
                    yield rule.id, condition.fact
