"""The rules behind an outcome of a ticket, through the whole chain of tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain as chained
from operator import eq
from typing import Any, Final

from engine.cache import Cache
from engine.diagrams.store import Node
from engine.model.policy import Literal, SameAs
from engine.model.targets import Measure
from engine.model.vocabulary import YES, FactType
from engine.tables.atoms import Atoms
from engine.tables.chain import Chains
from engine.tables.reach import Reach
from engine.tables.rule_diagram import RuleDiagram
from engine.tables.table_diagram import Items, TableDiagram

MAX_PATHS_CACHED: Final = 20_000
"""For how many cases the rules behind an outcome are cached."""

Numbers = frozenset[int]
"""Rules of a version by number, ordered by file and line."""

Classes = Mapping[str, int]
"""The class of each fact of a chain."""


class RulePaths:
    """Finds the rules behind outcomes; ``numbers`` has the number of each rule by table and position.

    ``reach`` returns the cases that a ticket with these classes can become in a table.
    """

    def __init__(
        self,
        chains: Chains,
        atoms: Mapping[str, Atoms],
        numbers: Mapping[tuple[str, int], int],
        reach: Callable[[str, Classes], Reach],
    ) -> None:
        self._chains, self._atoms, self._numbers, self._reach = chains, atoms, numbers, reach
        self._diagrams, self._producer = chains.diagrams, chains.maker
        self._paths: Cache[tuple[str, tuple[int, ...]], Numbers] = Cache(MAX_PATHS_CACHED)

    def behind(self, name: str, classes: Classes) -> Numbers:
        """Return the rules behind an outcome, through the whole chain of tables.

        These are the rules that fire on the facts as they are. If none fires, or an open fact changes their outcome to
        the decided one, they are the rules that fire for any value of the open facts.
        """
        facts = self._chains.of(self._producer[name].table.name).facts
        key = tuple([classes[fact] for fact in facts])
        cached = self._paths.get((name, key))
        if cached is None:
            own = dict(zip(facts, key, strict=True))
            cached = self._paths.put((name, key), self._trace(self._producer[name], name, own))
        return cached

    def _trace(self, drawn: TableDiagram, name: str, classes: Classes) -> Numbers:
        if drawn.rules is None:
            return self._trace_list(drawn, name, classes)
        states = self.states(drawn.rules, classes)
        fires = self._value(drawn, drawn.rules, name, states)
        if self.waits(drawn.rules, classes) and fires != self._decided(drawn, name, classes):
            return self._settled_rules(drawn, name, drawn.rules, classes)
        return self._fired(drawn, name, states, classes)

    def _trace_list(self, drawn: TableDiagram, name: str, classes: Classes) -> Numbers:
        found = self._fired_in_list(drawn, name, classes)
        for part in drawn.items[name]:
            states = self.states(part.diagram, classes)
            fires = self._part_value(part, drawn, name, states)
            if self.waits(part.diagram, classes) and fires != part.lists[self._at(part.possible, classes)]:
                found |= self._settled_rules(drawn, name, part.diagram, classes)
        return found

    def _fired(self, drawn: TableDiagram, name: str, states: Mapping[str, int], classes: Classes) -> Numbers:
        """Return the rules that fire, and those behind the outcomes that they depend on."""
        rules = drawn.rules
        counted = () if rules is None else rules.store.value_at(rules.counts, states)
        numbers = frozenset(self._numbers[drawn.table.name, rule] for rule in counted)
        above = self._above(drawn, name, states)
        return numbers.union(*(self._behind(other, classes) for other in above))

    def _above(self, drawn: TableDiagram, name: str, states: Mapping[str, int]) -> list[str]:
        """Return the outcomes that the rules that count depend on: they test it, or another value changes theirs."""
        rules = drawn.rules
        if rules is None:
            return []
        counted = rules.store.value_at(rules.counts, states)
        tested = {condition.fact for rule in counted for condition in drawn.table.all_rules[rule].when}
        return [
            fact
            for fact in rules.store.facts
            if fact in self._producer and (fact in tested or self._matters(drawn, rules, name, fact, states))
        ]

    def _matters(
        self, drawn: TableDiagram, rules: RuleDiagram, name: str, fact: str, states: Mapping[str, int]
    ) -> bool:
        """Return whether another value of one fact would change the outcome."""
        return (
            len(
                {
                    self._value(drawn, rules, name, {**states, fact: one})
                    for one in range(len(rules.states[fact].classes))
                }
            )
            > 1
        )

    def _fired_in_list(self, drawn: TableDiagram, name: str, classes: Classes) -> Numbers:
        """Return the rules of a collect table that fire, and those behind the outcomes that its list depends on."""
        table = drawn.table
        held = {fact: self._class(fact, classes) for fact in table.reads}
        fired = [
            at
            for at, rule in enumerate(table.rules)
            if all(held[one.fact] in self._diagrams.parts[one.fact].allowed(one) for one in rule.when)
        ]
        above = {one.fact for at in fired for one in table.rules[at].when if one.fact in self._producer}
        for part in drawn.items[name]:
            states = self.states(part.diagram, classes)
            for fact in part.diagram.store.facts:
                if fact in self._producer and fact not in above:
                    lists = {
                        self._part_value(part, drawn, name, {**states, fact: one})
                        for one in range(len(part.diagram.states[fact].classes))
                    }
                    above |= {fact} if len(lists) > 1 else set()
        numbers = frozenset(self._numbers[table.name, at] for at in fired)
        return numbers.union(*(self._behind(other, classes) for other in above))

    def _behind(self, name: str, classes: Classes) -> Numbers:
        """Return the rules behind an outcome that a table reads.

        If the outcome is undecided, they are the rules behind the inputs that keep it undecided.
        """
        drawn = self._producer[name]
        if isinstance(self._at(drawn.possible[name], classes), int):
            return self.behind(name, classes)
        if drawn.rules is None:
            return frozenset()
        above = self._above(drawn, name, self.states(drawn.rules, classes))
        return frozenset[int]().union(*(self._behind(other, classes) for other in above))

    def _settled_rules(self, drawn: TableDiagram, name: str, rules: RuleDiagram, classes: Classes) -> Numbers:
        """Return the rules of all settled cases that a case with open facts can lead to."""
        reach = self._reach(drawn.table.name, classes)
        store = reach.store
        counted = store.combine(
            lambda here, settled, counted: counted if here and settled else None,
            reach.cases(rules),
            reach.settled(rules),
            reach.over_missing(rules)(rules.counts),
        )
        fired: Numbers = frozenset()
        for one in store.values(counted):
            if one is not None:
                case = reach.first(store.map(partial(eq, one), counted))
                fired |= self.behind(name, {**classes, **case})
        return fired

    def states(self, rules: RuleDiagram, classes: Classes) -> dict[str, int]:
        """Return the state of everything that rules read."""
        return {name: self._at(self._diagrams.selectors[name], classes) for name in rules.store.facts}

    def _class(self, fact: str, classes: Classes) -> int:
        """Return the class of a fact, or of an outcome as other tables read it: 0 if it has no value."""
        state: int = self._at(self._diagrams.selectors[fact], classes)
        if fact not in self._producer:
            return state
        drawn = self._producer[fact]
        possible = self._at(drawn.possible[fact], classes)
        decided = isinstance(possible, int) and possible < len(drawn.domain[fact])
        return self._diagrams.parts[fact].class_of[possible + 1] if decided else 0

    def waits(self, rules: RuleDiagram, classes: Classes) -> bool:
        """Return whether a missing fact is open."""
        states = self.states(rules, classes)
        for name, waits in rules.waits.items():
            if rules.store.value_at(waits, states):
                if name not in self._producer:
                    return True
                above = self._producer[name].rules
                if above is not None and self.waits(above, classes):
                    return True
        return False

    def _at(self, node: Node, classes: Classes) -> Any:
        return self._diagrams.store.value_at(node, classes)

    def _value(
        self, drawn: TableDiagram, rules: RuleDiagram, name: str, states: Mapping[str, int]
    ) -> Literal | Measure | None:
        """Return what the rules that count say about an outcome; None if none does."""
        counted = rules.store.value_at(rules.counts, states)
        if not counted:
            return None
        value = drawn.table.all_rules[counted[0]].then[name]
        if not isinstance(value, SameAs):
            return value  # type: ignore[no-any-return]
        one = rules.states[value.fact].classes[states[value.fact]]
        member = self._diagrams.parts[value.fact].members[one]
        atoms = self._atoms[value.fact]
        if not member:
            return None
        word = atoms.samples[member - 1]
        return word == YES if atoms.fact.type is FactType.BOOLEAN else word

    def _part_value(self, part: Items, drawn: TableDiagram, name: str, states: Mapping[str, int]) -> tuple[str, ...]:
        counted = part.diagram.store.value_at(part.diagram.counts, states)
        given = [
            drawn.table.rules[part.drawn[rule]].then.get(name, ()) for rule in counted if part.drawn[rule] in part.rules
        ]
        return tuple(chained.from_iterable(one if isinstance(one, tuple) else (str(one),) for one in given))

    def _decided(self, drawn: TableDiagram, name: str, classes: Classes) -> Literal | None:
        code, domain = self._at(drawn.possible[name], classes), drawn.domain[name]
        return domain[code] if code < len(domain) else None
