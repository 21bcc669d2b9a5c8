"""A replay in plain loops: every ticket is decided, compared and counted by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.diff.nouns import OutcomeState, StateKind, Values
from engine.model.answer import Status, WrongRequest
from engine.model.vocabulary import FactType
from engine.request.moment import Hold, Moment
from engine.version.version import Version
from tests.support.deciders import decide

Facts = dict[str, Any]

KINDS = {
    Status.DECIDED: StateKind.DECIDED,
    Status.UNDECIDED: StateKind.UNDECIDED,
    Status.NOT_COVERED: StateKind.NOT_COVERED,
}


@dataclass(kw_only=True)
class Past:
    """A past ticket: its facts, the moment, and how it was decided, as far as that is recorded."""

    facts: Facts
    now: datetime | None = None
    holds: tuple[Hold, ...] = ()
    outcomes: dict[str, OutcomeState] = field(default_factory=dict)
    dues: dict[str, datetime | None] = field(default_factory=dict)


@dataclass(kw_only=True)
class Count:
    """What plain loops count."""

    tickets: int = 0
    changed: int = 0
    unread: list[tuple[int, str]] = field(default_factory=list)
    matrix: dict[str, Counter[tuple[OutcomeState, OutcomeState]]] = field(default_factory=dict)
    moves: dict[str, list[timedelta]] = field(default_factory=dict)
    appear: Counter[str] = field(default_factory=Counter)
    vanish: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)
    changes: dict[str, list[int]] = field(default_factory=dict)
    """By outcome or deadline, the rows that change."""


def decided(
    version: Version, names: Sequence[str], past: Past, unknown_elsewhere: Sequence[str]
) -> tuple[dict[str, OutcomeState], dict[str, datetime | None]] | str:
    """Decide a ticket: outcomes as states, and deadlines; or the fact that is refused."""
    facts = {
        name: value
        for name, value in past.facts.items()
        if name in version.policy.facts or name not in unknown_elsewhere
    }
    outcomes: dict[str, OutcomeState] = {}
    dues: dict[str, datetime | None] = {}
    for plan in version.plans.values():
        try:
            answer = decide(version, plan.decision.name, facts, Moment(past.now, past.holds))
        except WrongRequest as error:
            return error.wrong[0].fact
        for one in answer.outcomes:
            if one.name in version.policy.deadlines and one.name in names:
                dues[one.name] = one.value if isinstance(one.value, datetime) else None
            elif one.name in names:
                outcomes[one.name] = OutcomeState(KINDS[one.status], one.value)
    return outcomes, dues


def wanted(versions: Sequence[Version]) -> list[str]:
    """Return the outcomes that a new ticket needs in any version."""
    return sorted({name for version in versions for plan in version.triage for name in plan.decision.outcomes})


def has(version: Version, names: Sequence[str]) -> list[str]:
    """Return those of the names that a version decides anywhere."""
    return [name for name in names if any(name in plan.decision.outcomes for plan in version.plans.values())]


def replayed(past: Sequence[Past], after: Version, before: Version) -> Count:
    """Count what two versions make of tickets."""
    found, names = Count(), wanted([after, before])
    for row, ticket in enumerate(past, start=1):
        new = decided(after, names, ticket, list(before.policy.facts))
        old = decided(before, names, ticket, list(after.policy.facts))
        if isinstance(new, str) and isinstance(old, str):
            found.unread.append((row, new))
            continue
        sides = [
            side if not isinstance(side, str) else refused(version, names)
            for side, version in ((old, before), (new, after))
        ]
        different = isinstance(new, str) or isinstance(old, str)
        texts = [
            name
            for name in names
            if all(name in version.policy.outcomes and given_to_all(version, name) for version in (after, before))
        ]
        _count(found, row, sides[0], sides[1], different, texts=texts)
    return found


def refused(version: Version, names: Sequence[str]) -> tuple[dict[str, OutcomeState], dict[str, datetime | None]]:
    dues = {name: None for name in has(version, names) if name in version.policy.deadlines}
    return {name: OutcomeState(StateKind.REFUSED) for name in has(version, names) if name not in dues}, dues


def against_record(past: Sequence[Past], after: Version, digest: str) -> Count:
    """Count what a version makes of tickets beside what is recorded of them."""
    found = Count()
    for row, ticket in enumerate(past, start=1):
        names = [*ticket.outcomes, *ticket.dues]
        new = decided(after, names, ticket, list(ticket.facts) if digest not in ("", after.digest) else [])
        if isinstance(new, str) and not digest:
            found.unread.append((row, new))
            continue
        sides = refused(after, names) if isinstance(new, str) else new
        texts = [name for name in names if name in after.policy.outcomes and given_to_all(after, name)]
        _count(found, row, (ticket.outcomes, ticket.dues), sides, isinstance(new, str), recorded=True, texts=texts)
    return found


def given_to_all(version: Version, outcome: str) -> bool:
    """Return whether an outcome is a text that a version gives to every ticket, by the rules of its table."""
    if version.policy.outcomes[outcome].type not in (FactType.TEXT, FactType.LIST) or outcome not in version.producer:
        return False
    table = version.policy.tables[version.producer[outcome]]
    given = {rule.then.get(outcome, ()) for rule in table.all_rules}
    return len(given) == 1 and any(not rule.when for rule in table.all_rules)


def _count(
    found: Count, row: int, old: Any, new: Any, different: bool, recorded: bool = False, texts: Sequence[str] = ()
) -> None:
    found.tickets += 1
    absent = OutcomeState(StateKind.ABSENT)
    for name in old[0] if recorded else sorted({*old[0], *new[0]}):
        pair = (old[0].get(name, absent), new[0].get(name, absent))
        found.matrix.setdefault(name, Counter())[pair] += 1
        if not same(*pair):
            found.changes.setdefault(name, []).append(row)
            different = different or (absent not in pair and name not in texts)
    for name in old[1] if recorded else sorted({*old[1], *new[1]}):
        one, other = old[1].get(name), new[1].get(name)
        found.compared[name] += 1
        if one != other:
            found.changes.setdefault(name, []).append(row)
            different = True
        if one and other:
            found.moves.setdefault(name, []).append(other - one)
        found.appear[name] += bool(other and not one)
        found.vanish[name] += bool(one and not other)
    found.changed += different


def same(one: OutcomeState, other: OutcomeState) -> bool:
    """What is still possible does not count."""
    return (
        one.kind is other.kind
        and one.value == other.value
        and isinstance(one.value, bool) == isinstance(other.value, bool)
    )


def within(when: Sequence[Values], facts: Mapping[str, str | float]) -> bool:
    """Return whether a ticket (its values as policies write them) is one of those that some facts describe."""
    return all(_is(values, facts.get(values.fact)) for values in when)


def _is(values: Values, value: str | float | None) -> bool:
    if value is None:
        return values.unknown
    if values.sent:
        return True
    if values.but:
        return value not in values.but
    if isinstance(value, float):
        return any(
            span.low < value < span.high
            or (value == span.low and span.low_closed)
            or (value == span.high and span.high_closed)
            for span in values.spans
        )
    return value in values.words
