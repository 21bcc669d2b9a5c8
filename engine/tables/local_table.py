"""One table over the cases that it distinguishes: which rules count, whether something is open, what tickets reach."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from operator import eq
from typing import Any

from engine.diagrams.store import Diagrams, Node
from engine.model.conditions import Condition
from engine.model.policy import HitPolicy, Table
from engine.tables.fact_order import reads_of
from engine.tables.partition import partitions
from engine.tables.reached import reached
from engine.tables.reading import Reading, Ticket
from engine.tables.rule_diagram import RuleDiagram, States, by_class, rule_diagram, sent_states
from engine.tables.table_diagram import put_over, where_undecided


class LocalTable:
    """A table over what it reads, in a store of its own; ``reading`` has these over sent facts.

    What the table reads is in one of its own classes, or in one more: an outcome that is not covered stays without a
    value. A *case* is a combination of these states. It is settled if nothing in it is open.
    """

    def __init__(self, table: Table, reading: Reading) -> None:
        self.table, self.reading = table, reading
        self.parts = partitions([table], reading.atoms)
        self.states = {name: self._states(name) for name in reads_of(table)}
        self._held = {name: by_class(one) for name, one in self.states.items()}
        self.rules: RuleDiagram | None = None
        if table.hit is HitPolicy.COLLECT:
            self.store = Diagrams({name: len(one.classes) for name, one in self.states.items()})
        else:
            self.rules = rule_diagram(table.rules, table.hit, self.states, self.parts, table.otherwise)
            self.store = self.rules.store
        self.no, self.yes = self.store.leaf(False), self.store.leaf(True)

    def _states(self, name: str) -> States:
        size = self.parts[name].size
        if name in self.reading.members:
            return sent_states(size)
        # An outcome without a value waits, or has none for good.
        return States((*range(size), 0), (tuple(range(1, size + 1)), *((),) * size))

    @cached_property
    def over_sent(self) -> Callable[[Node], Node]:
        """What puts a diagram over the cases over sent facts."""
        return put_over(self.reading.store, self._selectors, self.store)

    @cached_property
    def _selectors(self) -> dict[str, Node]:
        return {
            name: self.reading.classes(name, self.parts[name], for_good=self.parts[name].size) for name in self.states
        }

    @cached_property
    def reached(self) -> Node:
        """Where some ticket leads."""
        return reached(self.reading.store, self._selectors, self.store)

    @cached_property
    def settled(self) -> Node:
        """Where nothing is open, reached or not."""
        found = self.yes
        for waits in self._waiting():
            found = self.store.choose(waits, [found, self.no])
        return found

    def _waiting(self) -> list[Node]:
        if self.rules is not None:
            return [where_undecided(self.rules)]
        found = []
        for name, states in self.states.items():
            if any(states.finals):
                waits = self.store.node(name, [self.store.leaf(bool(one)) for one in states.finals])
                for at, rule in enumerate(self.table.rules):
                    if any(one.fact == name and one.unknown for one in rule.when):
                        waits = self.without(waits, self.holds(at))
                found.append(waits)
        return found

    @cached_property
    def reached_settled(self) -> Node:
        """Where tickets lead that leave nothing open: the rule that counts there is the answer."""
        return self.both(self.settled, self.reached)

    @cached_property
    def counts(self) -> Node:
        """Which rule of a table counts, by position; -1 for none. A collect table has no such diagram."""
        if self.rules is None:
            raise ValueError(f"expected a table in which one rule counts, got `{self.table.name}`, which collects")
        return self.store.map(lambda counted: counted[0] if counted else -1, self.rules.counts)

    def counting(self, at: int) -> Node:
        """Draw where the rule at a position counts, reached or not."""
        if self.rules is None:
            return self.holds(at)
        here = self.store.map(lambda rule: rule == at, self.counts)
        return self.both(self.holds(at), here) if at < len(self.table.rules) else here

    @cached_property
    def idle(self) -> frozenset[int]:
        """The rules that count in no case that tickets settle, by position."""
        rules = range(len(self.table.rules))
        if self.rules is None:
            return frozenset(at for at in rules if self.both(self.holds(at), self.reached_settled) == self.no)
        counted = self.store.choose(self.reached_settled, [self.store.leaf(()), self.rules.counts])
        return frozenset(rules) - {at for one in self.store.values(counted) for at in one}

    @cached_property
    def overlaps(self) -> Mapping[tuple[int, int], Node]:
        """Where tickets reach cases in which several rules of a unique table count, by the first two of them."""
        if self.rules is None or self.table.hit is not HitPolicy.UNIQUE:
            return {}
        counted = self.store.choose(self.reached, [self.store.leaf(()), self.rules.counts])
        pairs = self.store.map(lambda rules: rules[:2] if len(rules) > 1 else (), counted)
        return {pair: self.store.map(partial(eq, pair), pairs) for pair in sorted(self.store.values(pairs)) if pair}

    @cached_property
    def counts_settled(self) -> Node:
        """Which rule counts in cases that tickets settle; None elsewhere."""
        return self.store.choose(self.reached_settled, [self.store.leaf(None), self.counts])

    def values_within(self, node: Node, conditions: Iterable[Condition], missing: str = "") -> set[Any]:
        """Return the values of a function where conditions hold, and where ``missing`` has no value.

        No nodes are made for it, so it takes no longer for a table of many rows.
        """
        allowed: dict[str, Iterable[int]] = {**self._allowed(conditions)}
        if missing:
            allowed[missing] = self._held[missing][0]
        store, waiting = self.store, [node]
        seen, found = set[Node](), set[Any]()
        while waiting:
            here = waiting.pop()
            below = store.children(here)
            if not below:
                found.add(store.value(here))
            elif here not in seen:
                seen.add(here)
                states = allowed.get(store.asks(here))
                waiting += below if states is None else [below[one] for one in states]
        return found

    def holds(self, at: int, *, without: Condition | None = None) -> Node:
        """Draw where the conditions of a rule hold, reached or not; those of `otherwise` hold nowhere."""
        if at == len(self.table.rules):
            return self.no
        return self.region(*(one for one in self.table.rules[at].when if one is not without))

    def region(self, *conditions: Condition) -> Node:
        """Draw where conditions hold, reached or not."""
        allowed = self._allowed(conditions)
        node = self.yes
        for name in reversed(self.store.facts):
            if name in allowed:
                node = self.store.node(
                    name, [node if at in allowed[name] else self.no for at in range(len(self.states[name].classes))]
                )
        return node

    def _allowed(self, conditions: Iterable[Condition]) -> dict[str, set[int]]:
        """Return the states that conditions allow, of each thing that they test."""
        allowed: dict[str, set[int]] = {}
        for one in conditions:
            states = {at for held in self.parts[one.fact].allowed(one) for at in self._held[one.fact].get(held, ())}
            allowed[one.fact] = allowed.get(one.fact, states) & states
        return allowed

    def missing(self, name: str) -> Node:
        """Draw where something that is read has no value."""
        return self.store.node(name, [self.store.leaf(one == 0) for one in self.states[name].classes])

    def both(self, one: Node, other: Node) -> Node:
        """Draw where two functions of yes and no are yes."""
        return self.store.choose(one, [self.no, other])

    def without(self, one: Node, other: Node) -> Node:
        """Draw where the first of two functions is yes, and the second no."""
        return self.both(one, self.store.choose(other, [self.yes, self.no]))

    def ticket(self, where: Node) -> Ticket | None:
        """Return the shortest ticket in some cases, one that leaves nothing open if there is one."""
        for chosen in (self.both(where, self.settled), where):
            found = self.reading.shortest(self.over_sent(chosen))
            if found is not None:
                return found
        return None

    def witness(self, where: Node) -> tuple[tuple[str, str], ...]:
        """Return the shortest ticket in some cases as text; () if there is none."""
        found = self.ticket(where) or {}
        return tuple((fact, self.reading.atoms[fact].text(atom)) for fact, atom in sorted(found.items()))
