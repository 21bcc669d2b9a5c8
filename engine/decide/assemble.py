"""Puts an answer together: its outcomes, the rules that they rest on, what is missing, and what to ask next."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from engine.decide.live_decision import LiveDecision
from engine.decide.outcomes import deadline_outcome, roster_outcome
from engine.model.answer import Answer, Duty, FiredRule, Outcome, Status, Unlisted
from engine.model.did_you_mean import nearest
from engine.request.ticket import Ticket

MAX_WORD: Final = 100
"""The longest unlisted value whose answer is cached, and how much of a longer one is compared with the list."""


def assemble_answer(live: LiveDecision, ticket: Ticket, duties: Mapping[str, Duty]) -> Answer:
    """Return the answer for a ticket, without the instants of its deadlines; ``duties`` are by outcome."""
    plan = live.plan
    found = {name: live.explainer.outcome(name, ticket.atoms) for name in plan.tabled}
    found |= {roster.produces: roster_outcome(roster, duties.get(roster.produces)) for roster in plan.rosters}
    found |= {one.plan.deadline.name: deadline_outcome(one, ticket) for one in live.schedulers}
    outcomes = tuple([found[name] for name in plan.decision.outcomes])
    made = assemble(live, ticket, "", outcomes)
    identity = _identity(live, ticket, made)
    # Tickets that differ in what makes no difference have one answer, which is kept once.
    kept = None if made.unlisted else live.alike.get(identity)
    if kept is not None:
        return kept
    made = replace(made, id=identity)
    return made if made.unlisted else live.alike.put(identity, made)


def assemble(
    live: LiveDecision, ticket: Ticket, identity: str, outcomes: tuple[Outcome, ...], more: tuple[FiredRule, ...] = ()
) -> Answer:
    """Return the answer with these outcomes, in the order of the decision; it rests on their rules and on ``more``."""
    plan = live.plan
    answers = outcomes[: len(plan.decision.answers)]
    first = next((outcome for outcome in answers if outcome.status is Status.UNDECIDED), None)
    rules = ordered(outcomes, more)
    return Answer(
        id=identity,
        decision=plan.decision.name,
        status=_status(answers),
        outcomes=outcomes,
        answers=len(answers),
        missing=tuple(sorted({fact for outcome in answers for fact in outcome.missing})),
        possible=first.possible if first else (),
        ask_next=_ask_next(live, ticket, first) if first else "",
        rules=rules,
        assumptions=tuple([rule for rule in rules if rule.assumption]),
        unlisted=_unlisted(live, ticket) if ticket.unlisted else (),
        version=live.version.ref,
    )


def _identity(live: LiveDecision, ticket: Ticket, answer: Answer) -> str:
    """Return an id that is the same for the same version, decision, answer, and targets of its deadlines."""
    schedules = [scheduler.schedule(ticket.atoms) for scheduler in live.schedulers]
    content = (
        answer.version.digest,
        answer.decision,
        [
            (
                one.name,
                one.status.value,
                one.value,
                one.possible,
                one.items,
                one.missing,
                [rule.id for rule in one.rules],
            )
            for one in answer.outcomes
        ],
        answer.ask_next,
        [(one.status.value, one.target, one.possible, [rule.id for rule in one.rules]) for one in schedules],
        [(one.fact, one.sent) for one in answer.unlisted],
    )
    return hashlib.sha256(repr(content).encode(errors="backslashreplace")).hexdigest()[:32]


def _unlisted(live: LiveDecision, ticket: Ticket) -> tuple[Unlisted, ...]:
    """Return the values that are not on their lists, each with the nearest entries by any spelling."""
    found = []
    for fact, sent in ticket.unlisted:
        if fact in live.plan.facts:
            spelled = {
                spelling: value
                for value in live.version.policy.facts[fact].values
                for spelling in (value.value, value.name, *value.aliases)
                if spelling
            }
            close = dict.fromkeys(spelled[word] for word in nearest(sent[:MAX_WORD], spelled, limit=9))
            found.append(Unlisted(fact, sent, tuple((value.value, value.name) for value in close)[:3]))
    return tuple(found)


def ordered(outcomes: tuple[Outcome, ...], more: tuple[FiredRule, ...]) -> tuple[FiredRule, ...]:
    """Return the rules of all outcomes and ``more``, each once, by file and line."""
    distinct = {rule.id: rule for rules in (*[outcome.rules for outcome in outcomes], more) for rule in rules}
    return tuple(
        sorted(distinct.values(), key=lambda rule: (rule.place.file, rule.place.line, rule.place.column, rule.id))
    )


def _ask_next(live: LiveDecision, ticket: Ticket, undecided: Outcome) -> str:
    if undecided.name not in live.plan.tabled:
        return next(iter(undecided.missing), "")
    return live.explainer.ask_next(undecided.name, ticket.atoms)


def _status(answers: tuple[Outcome, ...]) -> Status:
    """Return the status of a decision: undecided if any outcome is, not covered if no outcome is decided."""
    statuses = {outcome.status for outcome in answers}
    if Status.UNDECIDED in statuses:
        return Status.UNDECIDED
    return Status.DECIDED if Status.DECIDED in statuses else Status.NOT_COVERED
