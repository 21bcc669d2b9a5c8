"""The outcomes of a decision in, its answer out: what they rest on, what is missing, what to ask next."""

from __future__ import annotations

from typing import Final

from engine.model.answer import Answer, Fired, Outcome, Status, Unlisted
from engine.model.did_you_mean import nearest
from engine.request.ticket import Ticket
from engine.version.version import DecisionPlan, Version

MAX_WORD: Final = 100
"""The longest unlisted value whose answer is kept, and how much of a longer one is compared with the list."""


def assemble(
    version: Version,
    plan: DecisionPlan,
    ticket: Ticket,
    identity: str,
    outcomes: tuple[Outcome, ...],
    more: tuple[Fired, ...] = (),
) -> Answer:
    """Put an answer together from the outcomes of a decision, in its order; it rests on their rules, and on ``more``."""
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
        ask_next=_ask_next(version, plan, ticket, first) if first else "",
        rules=rules,
        assumptions=tuple([rule for rule in rules if rule.assumption]),
        unlisted=_unlisted(version, plan, ticket) if ticket.unlisted else (),
        version=version.ref,
    )


def _unlisted(version: Version, plan: DecisionPlan, ticket: Ticket) -> tuple[Unlisted, ...]:
    """Return the sent values that no list has, with the nearest entries by any of their spellings."""
    found = []
    for fact, sent in ticket.unlisted:
        if fact in plan.facts:
            spelled = {
                spelling: value
                for value in version.policy.facts[fact].values
                for spelling in (value.value, value.name, *value.aliases)
                if spelling
            }
            close = dict.fromkeys(spelled[word] for word in nearest(sent[:MAX_WORD], spelled, limit=9))
            found.append(Unlisted(fact, sent, tuple((value.value, value.name) for value in close)[:3]))
    return tuple(found)


def ordered(outcomes: tuple[Outcome, ...], more: tuple[Fired, ...]) -> tuple[Fired, ...]:
    """Gather the rules of all outcomes, without doubles, by file and line."""
    distinct = {rule.id: rule for rules in (*[outcome.rules for outcome in outcomes], more) for rule in rules}
    return tuple(
        sorted(distinct.values(), key=lambda rule: (rule.place.file, rule.place.line, rule.place.column, rule.id))
    )


def _ask_next(version: Version, plan: DecisionPlan, ticket: Ticket, undecided: Outcome) -> str:
    lookup = next((lookup for lookup in plan.lookups if lookup.outcome == undecided.name), None)
    if lookup is None:
        return next(iter(undecided.missing), "")
    return version.explainer.ask_next(undecided.name, lookup.cell(ticket.atoms))


def _status(answers: tuple[Outcome, ...]) -> Status:
    """Undecided if anything is; else not covered if nothing is decided."""
    statuses = {outcome.status for outcome in answers}
    if Status.UNDECIDED in statuses:
        return Status.UNDECIDED
    return Status.DECIDED if Status.DECIDED in statuses else Status.NOT_COVERED
