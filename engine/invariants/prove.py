"""Proves invariants over the cells of a policy, and turns each failure into a problem."""

from __future__ import annotations

from collections.abc import Iterable

from engine.invariants.case_space import CaseSpace, TabulatedPolicy, names
from engine.invariants.clauses import clauses, find_ticket
from engine.invariants.order import find_lowered
from engine.invariants.terms import TooLarge
from engine.model.invariants import Counterexample, DecidedTicket, Invariant, InvariantResult, Monotone
from engine.model.policy import Policy
from engine.model.problems import Problem
from engine.tables.check import Witness
from engine.tables.tabulate import cells


def prove_invariants(policy: Policy, laid_out: TabulatedPolicy) -> tuple[InvariantResult, ...]:
    """Prove every invariant of a policy over all of its cells, or find the smallest ticket that breaks it."""
    ground = CaseSpace(policy, laid_out, policy.invariants)
    return tuple(_proof(ground, invariant) for invariant in policy.invariants)


def invariant_problems(proofs: Iterable[InvariantResult]) -> list[Problem]:
    """Return a problem for every invariant that is not proved."""
    return [_problem(proof) for proof in proofs if not proof.holds]


def _proof(ground: CaseSpace, invariant: Invariant) -> InvariantResult:
    cases = cells(ground.axes(invariant))
    try:
        return InvariantResult(invariant=invariant, cases=cases, counterexample=_counterexample(ground, invariant))
    except TooLarge as error:
        return InvariantResult(invariant=invariant, cases=cases, too_large=str(error))


def _counterexample(ground: CaseSpace, invariant: Invariant) -> Counterexample | None:
    claim = invariant.claim
    if isinstance(claim, Monotone):
        found = find_lowered(ground, claim)
        return (
            Counterexample(tuple(_ticket(ground, invariant, facts) for facts in found[0]), found[1]) if found else None
        )
    tickets = [facts for clause in clauses(claim) if (facts := find_ticket(ground, clause)) is not None]
    smallest = min(tickets, key=lambda facts: len(ground.ticket(facts)), default=None)
    return None if smallest is None else Counterexample((_ticket(ground, invariant, smallest),))


def _ticket(ground: CaseSpace, invariant: Invariant, facts: dict[str, int]) -> DecidedTicket:
    outcomes = [name for name in dict.fromkeys(names(invariant)) if name in ground.cells.producer]
    return DecidedTicket(ground.ticket(facts), tuple((name, ground.outcome(name, facts)) for name in outcomes))


def _problem(proof: InvariantResult) -> Problem:
    invariant, shown = proof.invariant, proof.counterexample
    if shown is None:
        return Problem(
            place=invariant.place,
            code="space-too-large",
            message=f"the invariant `{invariant.id}` has too many cases to prove: {proof.too_large}",
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
