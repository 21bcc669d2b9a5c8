"""Checks a replay against a budget: limits on how many tickets may change, and forbidden changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.diff.budget import ANY, Budget, Excess, ForbiddenChange, Limit
from engine.diff.nouns import Change
from engine.diff.words import change_text, share_text, ticket_text, when_texts
from engine.replay.nouns import DeadlineReplay, Example, OutcomeReplay, Replay
from engine.replay.pairs import changed


def excesses(replay: Replay, budget: Budget) -> tuple[Excess, ...]:
    """Return every excess of a replay over a budget.

    A limit applies to each outcome and each deadline, and to the tickets that both sides decide. Changes that are the
    same for every ticket do not count. A forbidden change is one of an outcome; a change from any value to any value
    also forbids that a deadline moves. If nothing was compared, every budget is exceeded.
    """
    if budget and not replay.compared:
        return (Excess(rule="something to compare", message="nothing was compared, so the limits cannot be checked"),)
    parts: tuple[OutcomeReplay | DeadlineReplay, ...] = (*replay.outcomes, *replay.deadlines)
    limited = [part for part in parts if part.name not in replay.alike]
    found = [] if budget.limit is None else [one for part in limited for one in _over(part, budget.limit)]
    known = {part.name for part in parts}
    for rule in budget.forbidden:
        if rule.outcome not in (ANY, *known):
            found.append(
                Excess(
                    rule=f"never {rule}",
                    message=f"`{rule.outcome}` could not be compared for any ticket, so the limit cannot be checked",
                )
            )
        found += [one for outcome in replay.outcomes for one in _forbidden(outcome, rule)]
        found += [
            one
            for deadline in replay.deadlines
            if rule.forbids_all(deadline.name)
            for one in _moved(deadline, f"never {rule}")
        ]
    return tuple(found)


def _over(one: OutcomeReplay | DeadlineReplay, limit: Limit) -> Iterator[Excess]:
    if not limit.allows(one.changed, one.tickets):
        examples = one.examples if isinstance(one, DeadlineReplay) else _first(one.examples)
        yield Excess(
            rule=f"at most {limit}",
            message=f"`{one.name}` changes in {share_text(one.changed, one.tickets, _tickets(one.tickets))}; the limit is {limit}",
            example=_ticket(examples),
        )


def _forbidden(one: OutcomeReplay, rule: ForbiddenChange) -> Iterator[Excess]:
    for change, tickets in one.matrix.items():
        if changed(change) and rule.forbids(one.name, change):
            region = next((region for region in one.regions if change in region.changes), None)
            yield Excess(
                rule=f"never {rule}",
                message=f"`{one.name}` changes {change_text(change)} in {tickets:,} {_tickets(tickets)}",
                region=", ".join(when_texts(region.when)) if region else "",
                example=_ticket(one.examples.get(change, ())),
            )


def _moved(one: DeadlineReplay, rule: str) -> Iterator[Excess]:
    if one.changed:
        yield Excess(
            rule=rule,
            message=f"`{one.name}` moves in {share_text(one.changed, one.tickets, _tickets(one.tickets))}",
            example=_ticket(one.examples),
        )


def _tickets(number: int) -> str:
    return "ticket" if number == 1 else "tickets"


def _first(examples: Mapping[Change, tuple[Example, ...]]) -> tuple[Example, ...]:
    return next((found for found in examples.values() if found), ())


def _ticket(examples: tuple[Example, ...]) -> str:
    return ticket_text(examples[0].facts) if examples else ""
