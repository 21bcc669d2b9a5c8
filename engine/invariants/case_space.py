"""The names of an invariant -> diagrams: conditions as yes and no, orders as ranks, over the facts that callers send.

A proof needs finer classes than the tables if an invariant names a number that no rule names. So what the invariant
names is brought into a store of its own, with the classes that the tables or the invariant distinguish.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from math import prod
from typing import Final

from engine.diagrams.store import Diagrams, Node
from engine.diagrams.transfer import transfer
from engine.model.conditions import Condition, NumberInterval
from engine.model.invariants import Always, DecidedTicket, Implies, Invariant, Monotone, Never, Order, Test, Tests
from engine.model.policy import Literal, Policy
from engine.model.problems import Place
from engine.model.vocabulary import DECIDED, NO, NOT_COVERED, UNDECIDED, YES, Fact, FactType, number_text
from engine.tables.atoms import Atoms, atoms_of
from engine.tables.lists import list_levels
from engine.tables.table_diagram import PolicyDiagrams

GIVEN: Final = "given"
BLANK: Final = "blank"


class CaseSpace:
    """The cases of a policy as one invariant sees them."""

    def __init__(self, policy: Policy, drawn: PolicyDiagrams, atoms: Mapping[str, Atoms], invariant: Invariant) -> None:
        self.policy, self.drawn, self.atoms = policy, drawn, dict(atoms)
        self.tables = {name: one for one in drawn.tables.values() for name in one.table.produces}
        named = list(dict.fromkeys(names(invariant)))
        self.outcomes = [name for name in named if name in self.tables]
        behind = drawn.store.support(*(root for name in self.outcomes for root in self._roots(name)))
        facts = [name for name in named if name not in self.tables and name not in behind]
        self.members: dict[str, tuple[int, ...]] = {}
        self.class_of: dict[str, tuple[int, ...]] = {}
        self._base: dict[str, tuple[int, ...]] = {}
        for fact in (*behind, *facts):
            self._divide(fact, [one.condition for one in tests_of(invariant) if one.name == fact and one.condition])
        self.store = Diagrams({fact: len(members) for fact, members in self.members.items()})
        classes = {fact: [of[member] for member in self.members[fact]] for fact, of in self._base.items()}
        self._moved = transfer(drawn.store, self.store, classes)

    def _roots(self, name: str) -> list[Node]:
        table = self.tables[name]
        return [part.possible for part in table.items[name]] if name in table.items else [table.possible[name]]

    def _divide(self, fact: str, conditions: list[Condition]) -> None:
        """Divide the values of a fact into classes that neither the tables nor the conditions distinguish."""
        coarse = self.atoms[fact]
        if coarse.fact.numeric and conditions:
            points = tuple(NumberInterval(low=cut, high=cut, low_closed=True, high_closed=True) for cut in coarse.cuts)
            cuts = Condition(
                fact=fact,
                words=frozenset(),
                intervals=points,
                negated=False,
                unknown=False,
                text="",
                place=Place(file=""),
            )
            self.atoms[fact] = atoms_of(coarse.fact, (cuts, *conditions))
        fine = self.atoms[fact]
        part = self.drawn.parts.get(fact)
        self._base[fact] = (0, *(part.class_of[coarse.of(sample)] if part else 0 for sample in fine.samples))
        seen: dict[object, int] = {None: 0}
        members, class_of = [0], [0]
        for atom, sample in enumerate(fine.samples, 1):
            told = (self._base[fact][atom], *(one.holds(sample) for one in conditions))
            if told not in seen:
                seen[told] = len(members)
                members.append(atom)
            class_of.append(seen[told])
        self.members[fact], self.class_of[fact] = tuple(members), tuple(class_of)

    def where(self, test: Test) -> Node:
        """Draw where a test holds."""
        if test.name in self.tables:
            return self._outcome(test.name, lambda value: _holds(test, value))
        if test.condition is None:
            raise ValueError(f"the fact {test.name} has no states")
        samples = (None, *self.atoms[test.name].samples)
        told = [test.condition.holds(samples[member]) for member in self.members[test.name]]
        return self.store.node(test.name, [self.store.leaf(one) for one in told])

    def ranks(self, order: Order) -> Node:
        """Draw the rank of an outcome; None where it has none: it has no value there, or one that is not ordered."""
        rank = {word: float(at) for at, word in enumerate(order.values)}

        def ranked(value: str | float) -> float | None:
            return rank.get(value) if isinstance(value, str) else value

        return self._outcome(order.name, ranked)

    def _outcome(self, name: str, told: Callable[[str | float], Hashable]) -> Node:
        """Draw a function of an outcome: of its value as conditions test it, or of UNDECIDED or NOT_COVERED."""
        table, outcome, store = self.tables[name], self.policy.outcomes[name], self.store
        if name in table.items:
            words = {None: UNDECIDED, 0: BLANK, 1: GIVEN}
            levels = list_levels(store, table.items[name], self._moved, lambda listed: int(bool(listed)))
            return store.map(lambda level: told(words[level]), levels)
        values = [*(_tested(value, outcome) for value in table.domain[name]), NOT_COVERED]
        return store.map(
            lambda code: told(values[code] if isinstance(code, int) else UNDECIDED), self._moved(table.possible[name])
        )

    def cases(self, invariant: Invariant) -> int:
        """Return how many combinations of facts make a difference to what an invariant names."""
        roots = [self._moved(root) for name in self.outcomes for root in self._roots(name)]
        roots += [self.where(test) for test in tests_of(invariant) if test.name not in self.tables]
        return prod(len(set(groups)) for groups in self.store.alike(*roots).values())

    def atoms_of(self, classes: Mapping[str, int]) -> dict[str, int]:
        """Return a ticket (fact to atom) of these classes."""
        return {fact: self.members[fact][one] for fact, one in classes.items()}

    def ordered_atoms(self, order: Order) -> list[int]:
        """Return the atoms of a fact in the order of its values."""
        atoms = self.atoms[order.name]
        return [atoms.of(value) for value in order.values] if order.values else list(range(1, len(atoms.samples) + 1))

    def decided(self, facts: Mapping[str, int]) -> DecidedTicket:
        """Write a ticket (fact to atom) as a caller would send it, with the outcomes that the invariant names."""
        sent = tuple((fact, self.atoms[fact].text(atom)) for fact, atom in sorted(facts.items()) if atom)
        classes = {fact: self._base[fact][atom] for fact, atom in facts.items()}
        return DecidedTicket(sent, tuple((name, self._text(name, classes)) for name in self.outcomes))

    def _text(self, name: str, classes: Mapping[str, int]) -> str:
        """Write an outcome of a ticket (fact to class of the tables) for people."""
        table = self.tables[name]
        codes = [self.drawn.store.value_at(root, classes) for root in self._roots(name)]
        if not all(isinstance(code, int) for code in codes):
            return UNDECIDED
        if name in table.items:
            parts = zip(table.items[name], codes, strict=True)
            return _text(tuple(item for part, code in parts for item in part.lists[code]))
        domain = table.domain[name]
        return _text(domain[codes[0]]) if codes[0] < len(domain) else NOT_COVERED


def _holds(test: Test, value: str | float) -> bool:
    if value in (UNDECIDED, NOT_COVERED):
        return value in test.states or (test.condition is not None and test.condition.unknown)
    return DECIDED in test.states or (test.condition is not None and test.condition.holds(value))


def _tested(value: Literal, outcome: Fact) -> str | float:
    """Return a value as conditions test it: a word, a number, or `given` or `blank` for a text."""
    match value:
        case bool():
            return YES if value else NO
        case int() | float():
            return float(value)
        case str() if outcome.type is FactType.CHOICE:
            return value
        case _:
            return GIVEN if value else BLANK


def _text(value: Literal) -> str:
    """Write a value of an outcome for people."""
    match value:
        case bool():
            return YES if value else NO
        case int() | float():
            return number_text(value)
        case tuple():
            return ", ".join(value) or "nothing"
        case _:
            return str(value)


def tests_of(invariant: Invariant) -> Tests:
    """Return all conditions of an invariant."""
    match invariant.claim:
        case Never(tests) | Always(tests):
            return tests
        case Implies(when, then):
            return (*when, *then)
        case Monotone():
            return ()


def names(invariant: Invariant) -> Iterator[str]:
    """Yield the facts and outcomes that an invariant names, in its order."""
    claim = invariant.claim
    if isinstance(claim, Monotone):
        yield from (order.name for order in (*claim.raised, *claim.outcomes))
    yield from (test.name for test in tests_of(invariant))
