"""A version and the facts of a ticket in, an answer out: a look-up.

The first time a distinguishable case is met, its answer is put together from the cells; from then on it is found by
the atoms of the ticket. How many rules a policy has makes no difference to either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from engine.decide.assemble import MAX_WORD, assemble
from engine.decide.fill_deadlines import fill, from_roster, from_schedule, turn
from engine.model.answer import Answer, Duty, Outcome, Passed, UnknownDecision
from engine.request.moment import Moment
from engine.request.ticket import Sent, Ticket
from engine.version.version import DecisionPlan, Version

NO_MOMENT: Final = Moment()
"""A request that says neither what time it is nor of any hold."""


def decide(version: Version, decision: str, facts: Mapping[str, Sent], moment: Moment = NO_MOMENT) -> Answer:
    """Answer one decision.

    Args:
        version: the policy version to answer by.
        decision: the name of one of its decisions.
        facts: fact name to value; a fact that is left out, or None, is not known.
        moment: what time it is, and the holds on the ticket; without it, no deadline says how it stands.

    Raises:
        UnknownDecision: the version does not make this decision.
        WrongRequest: with every fact that the version cannot read.
    """
    plan = version.plans.get(decision)
    if plan is None:
        raise UnknownDecision(decision, tuple(sorted(version.plans)))
    ticket, passed = _read(version, facts, moment)
    return answer(version, plan, ticket, moment, passed)


def triage(version: Version, facts: Mapping[str, Sent], moment: Moment = NO_MOMENT) -> tuple[Answer, ...]:
    """Answer all decisions that a new ticket needs, in the order of the manifest.

    Raises WrongRequest with every fact that the version cannot read.
    """
    ticket, passed = _read(version, facts, moment)
    if ticket.unlisted or passed:
        return tuple([answer(version, plan, ticket, moment, passed) for plan in version.triage])
    atoms, instants, _ = ticket
    # The common case in line: what a plan keeps for tickets with instants of its own stands under another key, and is found by `answer`.
    return tuple(
        [
            (None if instants and plan.instants else plan.seen.get(plan.key_of(atoms)))
            or answer(version, plan, ticket, moment)
            for plan in version.triage
        ]
    )


def answer(
    version: Version, plan: DecisionPlan, ticket: Ticket, moment: Moment = NO_MOMENT, passed: tuple[Passed, ...] = ()
) -> Answer:
    """Answer one decision for a ticket that is already read."""
    atoms, instants, unlisted = ticket
    key = plan.key_of(atoms)
    if not (unlisted or passed or (instants and plan.instants)):
        return plan.seen.get(key) or _keep(version, plan, ticket, key, {})
    duties = [turn(version, roster, instants[roster.at]) for roster in plan.rosters if roster.at in instants]
    dated = [one.deadline.name for one in plan.schedulers if one.deadline.starts in instants]
    if duties or dated or unlisted:
        turns = tuple([(duty.outcome, duty.now.value) for duty in duties])
        key = (key, turns, tuple(dated), tuple([one for one in unlisted if one[0] in plan.facts]))
    kept = plan.seen.get(key) or _keep(version, plan, ticket, key, {duty.outcome: duty for duty in duties})
    counted = tuple([one for one in passed if one.fact in plan.facts]) if passed else ()
    if duties or dated or counted:
        return fill(version, plan, kept, ticket, moment, tuple(duties), counted)
    return kept


def _keep(version: Version, plan: DecisionPlan, ticket: Ticket, key: object, duties: Mapping[str, Duty]) -> Answer:
    """Put an answer together for the first time, and keep it, unless it holds very long words of the caller."""
    made = _put_together(version, plan, ticket, duties)
    if all(len(word) <= MAX_WORD for _, word in ticket.unlisted):
        plan.seen.keep(key, made)
    return made


def _read(version: Version, facts: Mapping[str, Sent], moment: Moment) -> tuple[Ticket, tuple[Passed, ...]]:
    """Read the facts, and work out those that follow from the time that has passed."""
    ticket = version.reader.read(facts)
    if not ticket.instants or moment.now is None:
        return ticket, ()
    found = [elapsed.fill(ticket, moment.now) for elapsed in version.elapsed]
    return ticket, tuple([passed for passed in found if passed is not None])


def _put_together(version: Version, plan: DecisionPlan, ticket: Ticket, duties: Mapping[str, Duty]) -> Answer:
    decision = plan.decision
    cells = {lookup.outcome: lookup.cell(ticket.atoms) for lookup in plan.lookups}
    found = {name: version.explainer.outcome(name, cell) for name, cell in cells.items()}
    found |= {roster.produces: from_roster(roster, duties.get(roster.produces)) for roster in plan.rosters}
    found |= {one.deadline.name: from_schedule(one, ticket) for one in plan.schedulers}
    outcomes = tuple([found[name] for name in decision.outcomes])
    return assemble(version, plan, ticket, _identity(version, plan, ticket, outcomes), outcomes)


def _identity(version: Version, plan: DecisionPlan, ticket: Ticket, outcomes: tuple[Outcome, ...]) -> str:
    """The same version, decision and distinguishable facts have the same id."""
    by_clock = [(outcome.status.value, outcome.value) for outcome in outcomes if outcome.name not in version.producer]
    unlisted = [one for one in ticket.unlisted if one[0] in plan.facts]
    content = repr((version.ref.digest, plan.decision.name, plan.facts, plan.key_of(ticket.atoms), by_clock, unlisted))
    return hashlib.sha256(content.encode(errors="backslashreplace")).hexdigest()[:32]
