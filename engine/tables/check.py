"""Problems of tables: gaps, overlaps, rules that never fire, and values that no rule produces, each with a witness.

The checks read diagrams over sent facts, through the whole chain of tables. So a case that no ticket reaches is not a
problem, and every witness is a ticket that a caller can send, with as few facts as possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from operator import eq
from typing import Final

from engine.diagrams.store import Node, TooManyNodes
from engine.model.policy import HitPolicy, Policy, Rule, Table
from engine.model.problems import Problem
from engine.model.vocabulary import FactType
from engine.tables.atoms import Atoms
from engine.tables.chain import Chains
from engine.tables.node_limit import MOST_NODES_A_TABLE, node_problem
from engine.tables.rule_diagram import RuleDiagram
from engine.tables.table_diagram import PolicyDiagrams, TableDiagram, where_undecided

Witness = tuple[tuple[str, str], ...]

MAX_OVERLAPS: Final = 20
"""How many pairs of overlapping rules are reported for one table."""


def table_problems(
    policy: Policy, drawn: PolicyDiagrams, deadlines: Mapping[str, PolicyDiagrams], atoms: Mapping[str, Atoms]
) -> list[Problem]:
    """Return every problem of the tables of a policy and of its deadlines; the latter are drawn over what they read."""
    problems: list[Problem] = []
    troubled: set[str] = set()
    tables = [(drawn, one) for one in drawn.tables.values()]
    tables += [(one, table) for one in deadlines.values() for table in one.tables.values()]
    for diagrams, table in tables:
        check = _Check(policy=policy, diagrams=diagrams, drawn=table, atoms=atoms)
        behind = bool(troubled & set(table.table.reads))
        diagrams.store.allow(MOST_NODES_A_TABLE)
        try:
            found = check.problems(behind=behind)
        except TooManyNodes as error:
            found = [node_problem(table.table, error.asking, MOST_NODES_A_TABLE)]
        problems.extend(found)
        if found or behind:
            troubled.update(table.table.produces)
    return problems


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    policy: Policy
    diagrams: PolicyDiagrams
    drawn: TableDiagram
    atoms: Mapping[str, Atoms]

    @property
    def table(self) -> Table:
        return self.drawn.table

    def witness(self, where: Node) -> Witness:
        """Return the ticket with the fewest facts for which a diagram is true somewhere, whatever the other facts are.

        Cases in which every fact that matters is known go before others.
        """
        return self._ticket(self._named(where))

    def _named(self, where: Node) -> dict[str, int]:
        store = self.diagrams.store
        named = store.shortest(store.where_known(where, store.leaf(False)))
        return store.shortest(where) or {} if named is None else named

    def _ticket(self, named: Mapping[str, int]) -> Witness:
        parts = self.diagrams.parts
        return tuple((fact, self.atoms[fact].text(parts[fact].members[one])) for fact, one in sorted(named.items()))

    def problems(self, *, behind: bool) -> list[Problem]:
        """Return every problem; ``behind`` a table with problems, none of rules that never fire."""
        found = [*self.gap(), *self.overlaps()]
        idle = [] if behind else self.idle_rules()
        found += [self.never_fires(rule) for rule in idle]
        return [*found, *self.never_produced(idle)]

    def gap(self) -> Iterator[Problem]:
        """Yield the cases in which every fact is known, every outcome that is read is covered, and no rule counts."""
        table, rules = self.table, self.drawn.rules
        if table.has_otherwise or rules is None:
            return
        own, store = rules.store, self.diagrams.store
        covered = [
            own.node(name, [own.leaf(one != 0) for one in states.classes]) for name, states in rules.states.items()
        ]
        bare = own.combine(lambda counted, *known: not counted and all(known), rules.counts, *covered)
        where = store.where_known(self.diagrams.over_sent(rules, bare), store.leaf(False))
        first_alike = Chains(self.diagrams).of(table.name).first_alike
        counted = {fact: sorted({one for one in alike if one}) for fact, alike in first_alike.items()}
        count = store.count(where, counted).get(store.leaf(True), 0)
        if count:
            more = (
                "a rule with `then: nothing` if nothing is due"
                if table.name in self.policy.deadlines
                else "an `otherwise`"
            )
            yield Problem(
                place=table.place,
                code="gap",
                message=f"no rule of `{table.name}` covers {'a case' if count == 1 else f'{count:,} cases'}",
                help=f"add a rule, or {more}",
                witness=self.witness(where),
            )

    def overlaps(self) -> Iterator[Problem]:
        """Yield the pairs of rules of a unique table that count in the same case."""
        table, rules = self.table, self.drawn.rules
        if table.hit is not HitPolicy.UNIQUE or rules is None:
            return
        store = self.diagrams.store
        counts = self.diagrams.over_sent(rules, rules.counts)
        pairs = sorted({counted[:2] for counted in store.values(counts) if len(counted) > 1})
        for first, second in pairs[:MAX_OVERLAPS]:
            both = store.map(partial(_begins_with, (first, second)), counts)
            one, other = table.rules[first], table.rules[second]
            yield Problem(
                place=other.place,
                code="overlap",
                message=f"the rules `{one.id}` and `{other.id}` both cover a case; `{table.name}` is unique",
                help=f"make them exclude each other (`{one.id}` is in line {one.place.line}), or use `hit: first`",
                witness=self.witness(both),
            )

    def idle_rules(self) -> list[int]:
        """Return the rules that count in no case in which nothing is waited for, by position."""
        fired: set[int] = set()
        for rules, positions in self._diagrams():
            settled = rules.store.choose(where_undecided(rules), [rules.counts, rules.store.leaf(())])
            reached = self.diagrams.store.values(self.diagrams.over_sent(rules, settled))
            fired |= {positions[rule] for counted in reached for rule in counted}
        count = len(self.table.rules) + (self.table.otherwise is not None)
        return [at for at in range(count) if at not in fired]

    def _diagrams(self) -> Iterator[tuple[RuleDiagram, tuple[int, ...]]]:
        """Yield the diagrams of the table, each with the positions of its rules."""
        if self.drawn.rules is not None:
            yield self.drawn.rules, tuple(range(len(self.table.rules) + 1))
        for items in self.drawn.items.values():
            yield from ((one.diagram, one.drawn) for one in items)

    def never_fires(self, at: int) -> Problem:
        """Return the problem of a rule that counts in no case, and why it does not."""
        table, rule = self.table, rule_at(self.table, at)
        what = f"the rule `{rule.id}` can never fire"
        if at == len(table.rules):
            return Problem(
                place=rule.place,
                code="never-fires",
                message=f"{what}: the rules above it cover every case",
                help="leave it out",
            )
        rules, positions = next((one, listed) for one, listed in self._diagrams() if at in listed)
        own, store = rules.store, self.diagrams.store
        holds = self._holds(rules, rule)
        # Which rule counts where this one's conditions hold and nothing is waited for: one rule, so that it is the
        # one that fires for the witness.
        winner = own.combine(
            lambda held, counted, waits: counted[0] if held and not waits else None,
            holds,
            rules.counts,
            where_undecided(rules),
        )
        winners = self.diagrams.over_sent(rules, winner)
        if found := [one for one in store.values(winners) if one is not None]:
            named = {one: self._named(store.map(partial(eq, one), winners)) for one in found}
            counts = self.diagrams.over_sent(rules, rules.counts)
            for one, facts in named.items():
                # With what is not sent, another rule may fire: then the ticket has to be one for which this one does.
                if store.value_at(counts, facts)[:1] != (one,):
                    named[one] = store.shortest(store.map(partial(eq, one), winners)) or {}
            witnesses = {one: self._ticket(facts) for one, facts in named.items()}
            first = min(found, key=lambda one: (len(witnesses[one]), one))
            other = rule_at(table, positions[first])
            return Problem(
                place=rule.place,
                code="never-fires",
                message=f"{what}: other rules come first",
                help=f"for the witness, `{other.id}` in line {other.place.line} fires",
                witness=witnesses[first],
            )
        where = self.diagrams.over_sent(rules, holds)
        if where != store.leaf(False):
            return Problem(
                place=rule.place,
                code="never-fires",
                message=f"{what}: its conditions hold only while a fact is unknown that it does not name",
                help="add a condition on that fact: `unknown`, or a value",
                witness=self.witness(where),
            )
        return Problem(
            place=rule.place,
            code="never-fires",
            message=f"{what}: no ticket meets its conditions",
            help="they contradict each other, or need outcomes that no table produces",
        )

    def _holds(self, rules: RuleDiagram, rule: Rule) -> Node:
        """Draw where the conditions of a rule hold, over what the table reads."""
        own, node = rules.store, rules.store.leaf(True)
        for name in reversed(own.facts):
            for one in rule.when:
                if one.fact == name:
                    allowed = set(self.diagrams.parts[name].allowed(one))
                    no = own.leaf(False)
                    node = own.node(name, [node if held in allowed else no for held in rules.states[name].classes])
        return node

    def never_produced(self, idle: Iterable[int]) -> Iterator[Problem]:
        """Yield the values of a choice that no ticket is decided as, but not those of rules that never fire."""
        for name, node in self.drawn.possible.items():
            outcome = self.policy.outcomes[name]
            if outcome.type is not FactType.CHOICE:
                continue
            produced = {code for code in self.diagrams.store.values(node) if isinstance(code, int)}
            told = {rule_at(self.table, at).then.get(name) for at in idle}
            domain = self.drawn.domain[name]
            missing = [value for code, value in enumerate(domain) if code not in produced and value not in told]
            if missing:
                yield Problem(
                    place=outcome.place,
                    code="never-produced",
                    message=f"no rule of `{self.table.name}` produces the {name} {', '.join(f'`{one}`' for one in missing)}",
                    help="remove it from the vocabulary, or add a rule that produces it",
                )


def _begins_with(pair: tuple[int, int], counted: tuple[int, ...]) -> bool:
    return counted[:2] == pair


def rule_at(table: Table, at: int) -> Rule:
    """Return the rule at a position; the one after the last is `otherwise`."""
    return table.rules[at] if table.otherwise is None or at < len(table.rules) else table.otherwise
