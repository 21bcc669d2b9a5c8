"""Never, always and implies: finds a case in which conditions hold that must not hold together.

Each of the three forms becomes *clauses*: conditions that no case may meet together. A clause is decided by projection:
facts on which only one term depends are eliminated first, so that the terms meet over the facts they share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import reduce

import numpy as np

from engine.invariants.case_space import CaseSpace
from engine.invariants.terms import Array, Term, fitting, onto, private, sent, without
from engine.model.invariants import Always, Implies, Never, Test
from engine.tables.classes import Axis

Clause = tuple[tuple[Test, bool], ...]
"""Conditions that no case may meet together; those with False are negated."""

NOWHERE = np.iinfo(np.int64).max // 8
"""More facts than any ticket has: the count of a cell in which a clause does not hold."""


def clauses(claim: Never | Always | Implies) -> Iterator[Clause]:
    """Yield the clauses that no case may meet if a claim holds."""
    match claim:
        case Never(tests):
            yield tuple((test, True) for test in tests)
        case Always(tests):
            yield from (((test, False),) for test in tests)
        case Implies(when, then):
            for test in then:
                yield (*((one, True) for one in when), (test, False))


def find_ticket(ground: CaseSpace, clause: Clause) -> dict[str, int] | None:
    """Return a ticket with the fewest facts (fact to atom) that meets a clause, or None. Raises TooLarge."""
    terms = ground.masks(clause)
    together = Counter(axis.fact for term in terms for axis in term.axes)
    shared = {fact for fact, count in together.items() if count > 1}
    small = []
    for term in terms:
        gone = private(term, shared)
        small.append(Term(without(term, gone), np.any(term.array, axis=gone) if gone else term.array))
    fitted, axes = fitting(small)
    met = reduce(
        np.logical_and, [onto(term, axes) for term in fitted], np.ones([axis.size for axis in axes], dtype=np.bool_)
    )
    return _fewest(terms, shared, met, axes) if met.any() else None


def _fewest(terms: tuple[Term, ...], shared: set[str], met: Array, axes: tuple[Axis, ...]) -> dict[str, int]:
    """Return the ticket with the fewest facts among the cases in which all terms hold."""
    total = np.where(met, sent(met.shape, range(len(axes))), NOWHERE)
    for term in terms:
        gone = private(term, shared)
        if gone:
            least = np.min(_counted(term, gone), axis=gone)
            total = total + onto(Term(without(term, gone), least), axes)
    cell = np.unravel_index(int(np.argmin(total)), met.shape)
    facts = {axis.fact: axis.members[at] for axis, at in zip(axes, cell, strict=True)}
    for term in terms:
        gone = private(term, shared)
        here = tuple(
            slice(None) if at in gone else int(axis.class_of[facts.get(axis.fact, 0)])
            for at, axis in enumerate(term.axes)
        )
        left = _counted(term, gone)[here]
        inner = np.unravel_index(int(np.argmin(left)), left.shape)
        facts |= {term.axes[at].fact: term.axes[at].members[position] for at, position in zip(gone, inner, strict=True)}
    return facts


def _counted(term: Term, gone: tuple[int, ...]) -> Array:
    """Count the facts that only this term depends on, wherever it holds."""
    return np.where(term.array, sent(term.array.shape, gone), NOWHERE)
