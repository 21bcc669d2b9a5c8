"""Proves invariants over all cases of a policy, and turns each failure into a problem.

Never, always and implies become *clauses*: conditions that no case may meet together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from engine.diagrams.store import TooManyNodes
from engine.invariants.case_space import CaseSpace
from engine.invariants.order import find_lowered
from engine.model.invariants import (
    Always,
    Counterexample,
    DecidedTicket,
    Implies,
    Invariant,
    InvariantResult,
    Monotone,
    Never,
    Test,
)
from engine.model.policy import Policy
from engine.model.problems import Problem
from engine.tables.atoms import Atoms
from engine.tables.check import Witness
from engine.tables.node_limit import MOST_NODES_A_TABLE, remembered_text
from engine.tables.table_diagram import PolicyDiagrams

MOST_NODES_A_PROOF: Final = MOST_NODES_A_TABLE
"""How many nodes proving one invariant may take."""

Clause = tuple[tuple[Test, bool], ...]
"""Conditions that no case may meet together; those with False are negated."""


def prove_invariants(policy: Policy, drawn: PolicyDiagrams, atoms: Mapping[str, Atoms]) -> tuple[InvariantResult, ...]:
    """Prove every invariant of a policy over all of its cases, or find the smallest ticket that breaks it."""
    return tuple(_proof(policy, drawn, atoms, invariant) for invariant in policy.invariants)


def invariant_problems(proofs: Iterable[InvariantResult]) -> list[Problem]:
    """Return a problem for every invariant that is not proved."""
    return [_problem(proof) for proof in proofs if not proof.holds]


def _proof(policy: Policy, drawn: PolicyDiagrams, atoms: Mapping[str, Atoms], invariant: Invariant) -> InvariantResult:
    cases = 0
    try:
        space = CaseSpace(policy, drawn, atoms, invariant)
        space.store.allow(MOST_NODES_A_PROOF)
        cases = space.cases(invariant)
        return InvariantResult(invariant=invariant, cases=cases, counterexample=_counterexample(space, invariant))
    except TooManyNodes as error:
        return InvariantResult(
            invariant=invariant,
            cases=cases,
            too_large=f"more than the limit of {MOST_NODES_A_PROOF:,} nodes: {remembered_text(error.asking)}",
        )


def _counterexample(space: CaseSpace, invariant: Invariant) -> Counterexample | None:
    claim = invariant.claim
    if isinstance(claim, Monotone):
        lowered = find_lowered(space, claim)
        return Counterexample(tuple(space.decided(facts) for facts in lowered[0]), lowered[1]) if lowered else None
    found = [facts for clause in clauses(claim) if (facts := _meeting(space, clause)) is not None]
    smallest = min(found, key=len, default=None)
    return None if smallest is None else Counterexample((space.decided(space.atoms_of(smallest)),))


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


def _meeting(space: CaseSpace, clause: Clause) -> dict[str, int] | None:
    """Return the fewest facts (fact to class) that meet a clause, or None."""
    met = space.store.leaf(True)
    # Conditions on facts come first: they leave little of the outcomes.
    for test, wanted in sorted(clause, key=lambda one: one[0].name in space.tables):
        met = space.store.combine(
            lambda so_far, holds, wanted=wanted: so_far and holds == wanted, met, space.where(test)
        )
    return space.store.shortest(met)


def _problem(proof: InvariantResult) -> Problem:
    invariant, shown = proof.invariant, proof.counterexample
    if shown is None:
        return Problem(
            place=invariant.place,
            code="space-too-large",
            message=f"proving the invariant `{invariant.id}` takes {proof.too_large}",
            help="name fewer outcomes, or split it into several invariants",
        )
    first, *others = shown.tickets
    message = f"the invariant `{invariant.id}` fails: {_said(first)}"
    if not others:
        return Problem(
            place=invariant.place,
            code="invariant",
            message=message,
            help=f"the invariant: {invariant.about}",
            witness=first.facts,
        )
    return Problem(
        place=invariant.place,
        code="invariant",
        message=f"{message}; {_raised(shown)}",
        help=f"the invariant: {invariant.about}",
        witness=first.facts,
    )


def _said(ticket: DecidedTicket) -> str:
    if not ticket.outcomes:
        return "such a ticket exists"
    return f"{'the ticket below' if ticket.facts else 'a ticket without any fact'} has {_listed(ticket.outcomes)}"


def _listed(pairs: Witness) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairs)


def _raised(shown: Counterexample) -> str:
    """Return how the second ticket differs from the first, with its outcomes."""
    first, second = shown.tickets
    before, after = dict(first.facts), dict(second.facts)
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    gone = [name for name in before if name not in after]
    if len(changed) == 1 and not gone:
        return (
            f"the same with {next(f'{name}={value}' for name, value in changed.items())} has {_listed(second.outcomes)}"
        )
    facts = ", ".join(f"{name}={value}" for name, value in second.facts) or "no facts"
    return f"one with {facts} has {_listed(second.outcomes)}"
