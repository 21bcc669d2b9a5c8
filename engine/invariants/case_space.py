"""The names of an invariant -> terms: conditions as masks, orders as ranks, over the facts that callers send.

The proof needs finer atoms than the tables if an invariant names a number that no rule names. The atoms of the version
do not change; the axes of its tables are read through the finer ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.invariants.terms import Term
from engine.model.conditions import Condition, NumberInterval
from engine.model.invariants import Always, Implies, Invariant, Monotone, Never, Order, Test, Tests
from engine.model.policy import Literal, Policy
from engine.model.problems import Place
from engine.model.vocabulary import DECIDED, NO, NOT_COVERED, UNDECIDED, YES, Fact, FactType, number_text
from engine.tables.check import Witness
from engine.tables.classes import Atoms, Axis, Indices, Mask, Masks, atoms_of, joint_axes
from engine.tables.missing_facts import Codes, PartialTable

UNRANKED = -1
"""The rank of a case outside an order: the outcome has no value there, or one without a rank."""


@dataclass(frozen=True, slots=True)
class TabulatedPolicy:
    """A tabulated policy: its tables over sent facts, and the table that produces each outcome."""

    partial_tables: Mapping[str, PartialTable]
    producer: Mapping[str, str]
    atoms: Mapping[str, Atoms]


class CaseSpace:
    """The cells of a policy as some invariants see them."""

    def __init__(self, policy: Policy, cells: TabulatedPolicy, invariants: Iterable[Invariant]) -> None:
        self.policy, self.cells = policy, cells
        self.atoms = dict(cells.atoms)
        self._base: dict[str, Indices] = {}
        for fact, conditions in _numbers_named(policy, invariants).items():
            self._refine(fact, conditions)
        self._masks = Masks(self.atoms)
        self._axes: dict[str, tuple[Axis, ...]] = {}

    def _refine(self, fact: str, conditions: list[Condition]) -> None:
        base = self.cells.atoms[fact]
        points = tuple(NumberInterval(low=cut, high=cut, low_closed=True, high_closed=True) for cut in base.cuts)
        named = Condition(
            fact=fact, words=frozenset(), intervals=points, negated=False, unknown=False, text="", place=Place(file="")
        )
        fine = atoms_of(base.fact, (named, *conditions))
        if len(fine.samples) > len(base.samples):
            self.atoms[fact] = fine
            self._base[fact] = np.array([0, *(base.of(sample) for sample in fine.samples)], dtype=np.int32)

    def masks(self, tests: Iterable[tuple[Test, bool]]) -> tuple[Term, ...]:
        """Return where tests hold (or, with False, do not): a term for each fact, and one for each table."""
        found: dict[str, list[Term]] = {}
        for test, holds in tests:
            where = self.cells.producer.get(test.name, test.name)
            found.setdefault(where, []).append(self._mask(test, holds))
        return tuple(_all_hold(terms) for terms in found.values())

    def _mask(self, test: Test, holds: bool) -> Term:
        if test.name in self.cells.producer:
            partial, codes = self._partial(test.name)
            held = _held(codes, test, self.policy.outcomes[test.name])
            where: Mask = np.where(codes.low == codes.high, held[codes.low], UNDECIDED in test.states or _unknown(test))
            return Term(self._fine_axes(partial), where == holds)
        if test.condition is None:
            raise ValueError(f"the fact {test.name} has no states")
        axis = self._masks.axis(test.name, [test.condition])
        return Term((axis,), self._masks(test.condition)[list(axis.members)] == holds)

    def ranks(self, order: Order) -> Term:
        """Return the rank of an outcome in every cell of its table, from 0; -1 where it has none."""
        partial, codes = self._partial(order.name)
        values = [_tested(value, self.policy.outcomes[order.name]) for value in codes.domain]
        rank: dict[str | float, int] = {value: at for at, value in enumerate(order.values or sorted(set(values)))}
        ranks = np.array([*(rank.get(value, UNRANKED) for value in values), UNRANKED], dtype=np.int32)
        return Term(self._fine_axes(partial), np.where(codes.low == codes.high, ranks[codes.low], np.int32(UNRANKED)))

    def ordered_atoms(self, order: Order) -> list[int]:
        """Return the atoms of a fact in the order of its values."""
        atoms = self.atoms[order.name]
        return [atoms.of(value) for value in order.values] if order.values else list(range(1, len(atoms.samples) + 1))

    def outcome(self, name: str, facts: Mapping[str, int]) -> str:
        """Return the value of an outcome for a ticket (fact to atom)."""
        partial, codes = self._partial(name)
        cell = tuple(int(axis.class_of[facts.get(axis.fact, 0)]) for axis in self._fine_axes(partial))
        low, high = codes.low[cell], codes.high[cell]
        if low != high:
            return UNDECIDED
        return NOT_COVERED if low == codes.not_covered else _text(codes.domain[int(low)])

    def ticket(self, facts: Mapping[str, int]) -> Witness:
        """Write a ticket (fact to atom) as a caller would send it."""
        return tuple((fact, self.atoms[fact].text(atom)) for fact, atom in sorted(facts.items()) if atom)

    def _partial(self, name: str) -> tuple[PartialTable, Codes]:
        partial = self.cells.partial_tables[self.cells.producer[name]]
        return partial, partial.codes[name]

    def axes(self, invariant: Invariant) -> tuple[Axis, ...]:
        """Return the axes of all cases of an invariant: those of its conditions and of the tables behind them."""
        tests = [
            test for test in tests_of(invariant) if test.condition is not None and test.name not in self.cells.producer
        ]
        given = [(self._masks.axis(test.name, [test.condition]),) for test in tests if test.condition is not None]
        return joint_axes(
            [
                *given,
                *(self._fine_axes(self._partial(name)[0]) for name in names(invariant) if name in self.cells.producer),
            ]
        )

    def _fine_axes(self, partial: PartialTable) -> tuple[Axis, ...]:
        """Return the axes of a table through the finer atoms."""
        name = partial.grid.table.name
        if name not in self._axes:
            self._axes[name] = tuple(self._fine(axis) for axis in partial.axes)
        return self._axes[name]

    def _fine(self, axis: Axis) -> Axis:
        if axis.fact not in self._base:
            return axis
        class_of = axis.class_of[self._base[axis.fact]]
        return Axis(axis.fact, class_of, tuple(np.unique(class_of, return_index=True)[1].tolist()))


def tests_of(invariant: Invariant) -> Tests:
    """Return all conditions of an invariant."""
    match invariant.claim:
        case Never(tests) | Always(tests):
            return tests
        case Implies(when, then):
            return (*when, *then)
        case Monotone():
            return ()


def _numbers_named(policy: Policy, invariants: Iterable[Invariant]) -> dict[str, list[Condition]]:
    """Return the conditions that invariants set on facts that are numbers."""
    found: dict[str, list[Condition]] = {}
    for test in (test for invariant in invariants for test in tests_of(invariant)):
        if test.condition is not None and test.name in policy.facts and policy.facts[test.name].numeric:
            found.setdefault(test.name, []).append(test.condition)
    return found


def _all_hold(terms: list[Term]) -> Term:
    """Combine terms over the same facts: where all hold."""
    first, *others = terms
    if not others:
        return first
    if all(term.axes is first.axes for term in others):
        return Term(first.axes, np.logical_and.reduce([term.array for term in terms]))
    return Term(*_over_one_fact(terms))


def _over_one_fact(terms: list[Term]) -> tuple[tuple[Axis, ...], Mask]:
    """Combine the conditions on one fact."""
    atoms = np.logical_and.reduce([term.array[term.axes[0].class_of] for term in terms])
    fact, count = terms[0].axes[0].fact, len(atoms)
    return (Axis(fact, np.arange(count, dtype=np.int32), tuple(range(count))),), atoms


def _held(codes: Codes, test: Test, outcome: Fact) -> Mask:
    """Return for each code of an outcome, and for not covered, whether a test holds."""
    decided = DECIDED in test.states
    held = [
        decided or (test.condition is not None and test.condition.holds(_tested(value, outcome)))
        for value in codes.domain
    ]
    return np.array([*held, NOT_COVERED in test.states or _unknown(test)], dtype=np.bool_)


def _unknown(test: Test) -> bool:
    return test.condition is not None and test.condition.unknown


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
            return "given" if value else "blank"


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


def names(invariant: Invariant) -> Iterator[str]:
    """Yield the facts and outcomes that an invariant names, in its order."""
    claim = invariant.claim
    if isinstance(claim, Monotone):
        yield from (order.name for order in (*claim.raised, *claim.outcomes))
    yield from (test.name for test in tests_of(invariant))
