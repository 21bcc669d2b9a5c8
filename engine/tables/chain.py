"""A table with all tables behind it: the sent facts that it depends on, and the values of these that it distinguishes.

The classes of a policy distinguish what any of its tables does. One table, with those that it reads, often
distinguishes less; then one class stands for all that make no difference to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from engine.model.policy import Rule, SameAs
from engine.tables.table_diagram import PolicyDiagrams, TableDiagram
from engine.tables.target_rules import value_read


@dataclass(frozen=True)
class Chains:
    """The chains of the tables of a policy; each is worked out when it is first asked for."""

    diagrams: PolicyDiagrams

    @cached_property
    def maker(self) -> Mapping[str, TableDiagram]:
        """The table that makes each outcome, also as deadlines read it."""
        made = {name: one for one in self.diagrams.tables.values() for name in one.table.produces}
        return made | {value_read(name): one for name, one in made.items()}

    @cached_property
    def _known(self) -> dict[str, Chain]:
        return {}

    def of(self, table: str) -> Chain:
        """Return the chain of a table."""
        found = self._known.get(table)
        if found is None:
            found = self._known[table] = self._chain(table)
        return found

    def behind(self, table: str) -> list[TableDiagram]:
        """Return a table and all tables that it depends on, each once, in the order of the policy."""
        seen: set[str] = set()
        waiting = [self.diagrams.tables[table]]
        while waiting:
            one = waiting.pop()
            if one.table.name not in seen:
                seen.add(one.table.name)
                waiting += [self.maker[name] for name in one.table.reads if name in self.maker]
        return [one for name, one in self.diagrams.tables.items() if name in seen]

    def _chain(self, table: str) -> Chain:
        tables = self.behind(table)
        sent = {name for one in tables for name in one.table.reads if name not in self.maker}
        return Chain(
            tables=tuple(one.table.name for one in tables),
            claimed=self.claimed([rule for one in tables for rule in one.table.all_rules]),
            first_alike={fact: self._first_alike(fact, tables) for fact in self.diagrams.store.facts if fact in sent},
        )

    def claimed(self, rules: Iterable[Rule]) -> frozenset[str]:
        """Return the facts for which rules name ``unknown``, and those behind an outcome for which they do."""
        found: set[str] = set()
        for name in {one.fact for rule in rules for one in rule.when if one.unknown}:
            found |= set(self.of(self.maker[name].table.name).facts) if name in self.maker else {name}
        return frozenset(found)

    def _first_alike(self, fact: str, tables: list[TableDiagram]) -> tuple[int, ...]:
        part = self.diagrams.parts[fact]
        rules = [rule for one in tables for rule in one.table.all_rules]
        if any(isinstance(value, SameAs) and value.fact == fact for rule in rules for value in rule.then.values()):
            return tuple(range(part.size))
        allowed = {part.allowed(one) for rule in rules for one in rule.when if one.fact == fact}
        told: list[list[int]] = [[] for _ in range(part.size)]
        for number, classes in enumerate(sorted(allowed)):
            for one in classes:
                told[one].append(number)
        first: dict[tuple[int, ...], int] = {}
        return (0, *(first.setdefault(tuple(told[one]), one) for one in range(1, part.size)))


@dataclass(frozen=True, slots=True)
class Chain:
    """A table and those behind it, and the facts that they read.

    ``first_alike`` has the facts in the order of the diagrams; for each class of a fact the first one that makes no
    difference from it. ``claimed`` has the facts for which a rule names ``unknown``, and those behind an outcome for
    which one does: they are not open in every case in which they could still make a difference.
    """

    tables: tuple[str, ...]
    claimed: frozenset[str]
    first_alike: Mapping[str, tuple[int, ...]]

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts, in the order of the diagrams."""
        return tuple(self.first_alike)
