"""A version and the facts of a ticket in, an answer out: a look-up.

The first time a distinguishable case is met, its answer is put together from the cells; from then on it is found by
the atoms of the ticket. How many rules a policy has makes no difference to either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from engine.answer import Answer, Fired, Outcome, Status, UnknownDecision, Unlisted
from engine.nearest import nearest
from engine.policy import Roster
from engine.roster import on_duty
from engine.ticket import Sent, Ticket
from engine.version import DecisionPlan, Version

MAX_SEEN: Final = 20_000
"""How many answers a version keeps for a decision; beyond that it starts anew."""

MAX_WORD: Final = 100
"""The longest unlisted value whose answer is kept, and how much of a longer one is compared with the list."""


def decide(version: Version, decision: str, facts: Mapping[str, Sent]) -> Answer:
    """Answer one decision.

    Args:
        version: the policy version to answer by.
        decision: the name of one of its decisions.
        facts: fact name to value; a fact that is left out, or None, is not known.

    Raises:
        UnknownDecision: the version does not make this decision.
        WrongRequest: with every fact that the version cannot read.
    """
    plan = version.plans.get(decision)
    if plan is None:
        raise UnknownDecision(decision, tuple(sorted(version.plans)))
    return answer(version, plan, version.reader.read(facts))


def triage(version: Version, facts: Mapping[str, Sent]) -> tuple[Answer, ...]:
    """Answer all decisions that a new ticket needs, in the order of the manifest.

    Raises WrongRequest with every fact that the version cannot read.
    """
    ticket = version.reader.read(facts)
    if ticket.unlisted:
        return tuple([answer(version, plan, ticket) for plan in version.triage])
    atoms = ticket.atoms
    # The common case in line: what a plan with rosters keeps stands under another key, and is found by `answer`.
    return tuple([plan.seen.get(plan.pick(atoms)) or answer(version, plan, ticket) for plan in version.triage])


def answer(version: Version, plan: DecisionPlan, ticket: Ticket) -> Answer:
    """Answer one decision for a ticket that is already read."""
    atoms, _, unlisted = ticket
    key = plan.pick(atoms)
    if plan.rosters or unlisted:
        key = (key, *[_duty(version, roster, ticket) for roster in plan.rosters], *[one for one in unlisted if one[0] in plan.facts])
    kept = plan.seen.get(key)
    if kept is not None:
        return kept
    made = _put_together(version, plan, ticket)
    if all(len(word) <= MAX_WORD for _, word in unlisted):
        if len(plan.seen) >= MAX_SEEN:
            plan.seen.clear()
        plan.seen[key] = made
    return made


def _duty(version: Version, roster: Roster, ticket: Ticket) -> str | None:
    """Give who is on duty when the ticket says; kept by the minute, since zones and hours change on whole minutes."""
    instant = ticket.instants.get(roster.at)
    if instant is None:
        return None
    key = (roster.name, instant.timestamp() // 60)
    value = version.duty.get(key)
    if value is None:
        if len(version.duty) >= MAX_SEEN:
            version.duty.clear()
        value = version.duty[key] = on_duty(roster, instant).value
    return value


def _unlisted(version: Version, plan: DecisionPlan, ticket: Ticket) -> tuple[Unlisted, ...]:
    """Give the sent values that no list has, with the nearest entries by any of their spellings."""
    found = []
    for fact, sent in ticket.unlisted:
        if fact in plan.facts:
            spelled = {spelling: value for value in version.policy.facts[fact].values for spelling in (value.value, value.name, *value.aliases) if spelling}
            close = dict.fromkeys(spelled[word] for word in nearest(sent[:MAX_WORD], spelled, limit=9))
            found.append(Unlisted(fact, sent, tuple((value.value, value.name) for value in close)[:3]))
    return tuple(found)


def _put_together(version: Version, plan: DecisionPlan, ticket: Ticket) -> Answer:
    decision = plan.decision
    cells = {look.outcome: look.cell(ticket.atoms) for look in plan.looks}
    found = {name: version.explainer.outcome(name, cell) for name, cell in cells.items()}
    found |= {roster.produces: _from_roster(version, roster, ticket) for roster in plan.rosters}
    outcomes = tuple([found[name] for name in decision.outcomes])
    answers = outcomes[: len(decision.answers)]
    first = next((outcome for outcome in answers if outcome.status is Status.UNDECIDED), None)
    rules = _ordered(outcomes)
    unlisted = _unlisted(version, plan, ticket) if ticket.unlisted else ()
    return Answer(
        id=_identity(version, plan, ticket, outcomes),
        decision=decision.name,
        status=_status(answers),
        outcomes=outcomes,
        answers=len(answers),
        missing=tuple(sorted({fact for outcome in answers for fact in outcome.missing})),
        possible=first.possible if first else (),
        ask_next=_ask_next(version, first, cells) if first else "",
        rules=rules,
        assumptions=tuple([rule for rule in rules if rule.assumption]),
        unlisted=unlisted,
        version=version.ref,
    )


def _ordered(outcomes: tuple[Outcome, ...]) -> tuple[Fired, ...]:
    """Gather the rules of all outcomes, without doubles, by file and line."""
    distinct = {rule.id: rule for outcome in outcomes for rule in outcome.rules}
    return tuple(sorted(distinct.values(), key=lambda rule: (rule.place.file, rule.place.line, rule.place.column, rule.id)))


def _ask_next(version: Version, undecided: Outcome, cells: Mapping[str, int]) -> str:
    if undecided.name in cells:
        return version.explainer.ask_next(undecided.name, cells[undecided.name])
    return undecided.missing[0]


def _status(answers: tuple[Outcome, ...]) -> Status:
    """Undecided if anything is; else not covered if nothing is decided."""
    statuses = {outcome.status for outcome in answers}
    if Status.UNDECIDED in statuses:
        return Status.UNDECIDED
    return Status.DECIDED if Status.DECIDED in statuses else Status.NOT_COVERED


def _from_roster(version: Version, roster: Roster, ticket: Ticket) -> Outcome:
    value = _duty(version, roster, ticket)
    if value is None:
        possible = tuple(entry.value for entry in roster.entries)
        return Outcome(roster.produces, Status.UNDECIDED, None, "", possible, (roster.at,), ())
    fired = Fired(roster.name, roster.name, roster.place, roster.source, roster.assumption)
    name = next(entry.name for entry in roster.entries if entry.value == value)
    return Outcome(roster.produces, Status.DECIDED, value, name, (), (), (fired,))


def _identity(version: Version, plan: DecisionPlan, ticket: Ticket, outcomes: tuple[Outcome, ...]) -> str:
    """The same version, decision and distinguishable facts have the same id."""
    by_clock = [outcome.value for outcome in outcomes if outcome.name not in version.producer]
    unlisted = [one for one in ticket.unlisted if one[0] in plan.facts]
    content = repr((version.ref.digest, plan.decision.name, plan.facts, plan.pick(ticket.atoms), by_clock, unlisted))
    return hashlib.sha256(content.encode(errors="backslashreplace")).hexdigest()[:32]
