"""A difference in words, the same in every output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from engine.decide.answer_json import written
from engine.diff.nouns import (
    Change,
    DecisionDiff,
    Diff,
    DiffRegion,
    Edit,
    OutcomeDiff,
    OutcomeState,
    StateKind,
    Values,
    Wording,
)
from engine.model.conditions import interval_text
from engine.model.policy import Literal
from engine.model.quoting import shell_word
from engine.model.targets import Measure, Unit
from engine.model.vocabulary import number_text

_KINDS: Mapping[StateKind, str] = {
    StateKind.UNDECIDED: "undecided",
    StateKind.NOT_COVERED: "not covered",
    StateKind.REFUSED: "refused",
    StateKind.ABSENT: "nothing",
}
STATES: Final = tuple(_KINDS.values())
"""The texts of states without a value."""

_ITEMS: Final = 4
"""The most items of a list that are written."""

_LEAST: Final = 0.001
"""The least share that is written, in percent."""

_MOST: Final = 10**12
"""The least count that is rounded."""

NO_CHANGE: Final = (
    "No decision changes: every outcome is the same in every situation, and requests are read the same way."
)


def value_text(value: Literal | Measure | None) -> str:
    """Return a value of an outcome as text.

    >>> value_text(True), value_text(4.0), value_text(("a", "b"))
    ('yes', '4', '[a, b]')
    """
    if isinstance(value, Measure):
        return measure_text(value)
    if isinstance(value, tuple):
        return (
            f"[{', '.join(value)}]"
            if len(value) <= _ITEMS
            else f"[{', '.join(value[:_ITEMS])}, and {len(value) - _ITEMS} more]"
        )
    return written(value)


def measure_text(measure: Measure) -> str:
    """Return a measure as text.

    >>> (
    ...     measure_text(Measure(unit=Unit.BUSINESS_DAYS, rule="same_clock", calendar="weekdays", amount=3)),
    ...     measure_text(Measure(unit=Unit.NOTHING)),
    ... )
    ('3 business_days by weekdays (same_clock)', 'nothing due')
    """
    if measure.unit is Unit.NOTHING:
        return "nothing due"
    amount = "" if measure.amount is None else f"{number_text(measure.amount)} "
    return f"{amount}{measure.unit} by {measure.calendar}{f' ({measure.rule})' if measure.rule else ''}"


def state_text(state: OutcomeState) -> str:
    """Return a state as text: its value, or its kind."""
    if state.kind is not StateKind.DECIDED:
        return _KINDS[state.kind]
    return "a list" if state.value is None else value_text(state.value)


def change_text(change: Change) -> str:
    """Return a change as text.

    >>> change_text(Change(OutcomeState(StateKind.UNDECIDED), OutcomeState(StateKind.DECIDED, "P2")))
    'undecided -> P2'
    >>> change_text(
    ...     Change(
    ...         OutcomeState(StateKind.DECIDED, ("fax",)),
    ...         OutcomeState(StateKind.DECIDED, ("chat", "web")),
    ...         in_part=True,
    ...     )
    ... )
    '- fax, + chat, + web'
    >>> change_text(Change(OutcomeState(StateKind.UNDECIDED), OutcomeState(StateKind.UNDECIDED)))
    'still undecided, between other outcomes'
    >>> change_text(
    ...     Change(
    ...         OutcomeState(StateKind.DECIDED, ("fax",)),
    ...         OutcomeState(StateKind.UNDECIDED, possible=("chat", "fax")),
    ...         in_part=True,
    ...     )
    ... )
    'no longer certain: fax; now possible: chat'
    """
    if change.in_part:
        return "; ".join(_items_texts(item_changes(change)))
    if change.before.kind is change.after.kind is StateKind.UNDECIDED:
        return "still undecided, between other outcomes"
    return f"{state_text(change.before)} -> {state_text(change.after)}"


class ItemChanges(NamedTuple):
    """The items of a list by how they change.

    They are certain in one version and impossible in the other (``removed``, ``added``), or open in one of the two.
    """

    removed: tuple[str, ...]
    added: tuple[str, ...]
    now_certain: tuple[str, ...]
    no_longer_certain: tuple[str, ...]
    now_possible: tuple[str, ...]
    no_longer_possible: tuple[str, ...]


def item_changes(change: Change) -> ItemChanges:
    """Return the items that change in a list."""
    was, now = _items(change.before.value), _items(change.after.value)
    was_open, now_open = _items(change.before.possible), _items(change.after.possible)
    return ItemChanges(
        removed=tuple(item for item in was if item not in now_open),
        added=tuple(item for item in now if item not in was_open),
        now_certain=tuple(item for item in now if item in was_open),
        no_longer_certain=tuple(item for item in was if item in now_open),
        now_possible=tuple(item for item in now_open if item not in was),
        no_longer_possible=tuple(item for item in was_open if item not in now),
    )


def _items(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple) else ()


def _items_texts(changed: ItemChanges) -> Iterator[str]:
    signs = [*(f"- {item}" for item in changed.removed), *(f"+ {item}" for item in changed.added)]
    if signs:
        yield ", ".join(signs)
    for name in ItemChanges._fields[2:]:
        if found := getattr(changed, name):
            yield f"{name.replace('_', ' ')}: {', '.join(found)}"


def values_text(values: Values) -> str:
    """Return the values of a fact as text.

    >>> (
    ...     values_text(Values(fact="channel", unknown=False, words=("email", "portal"))),
    ...     values_text(Values(fact="stage", unknown=False, words=("arrival",))),
    ... )
    ('channel in {email, portal}', 'stage=arrival')
    >>> (
    ...     values_text(Values(fact="impact", unknown=True)),
    ...     values_text(Values(fact="impact", unknown=False, sent=True)),
    ...     values_text(Values(fact="plan", unknown=True, but=("none",))),
    ... )
    ('impact unknown', 'impact known', 'plan not none')
    """
    listed = [*values.words, *map(interval_text, values.spans)]
    if values.sent:
        return f"{values.fact} known"
    if values.but:
        but = values.but[0] if len(values.but) == 1 else f"in {{{', '.join(values.but)}}}"
        return f"{values.fact} {'' if values.unknown else 'known and '}not {but}"
    if values.unknown:
        return f"{values.fact} unknown" if not listed else f"{values.fact} in {{{', '.join([*listed, 'unknown'])}}}"
    if len(listed) > 1:
        return f"{values.fact} in {{{', '.join(listed)}}}"
    return f"{values.fact} {listed[0]}" if values.spans and listed[0][0] in "<>" else f"{values.fact}={listed[0]}"


def region_text(region: DiffRegion) -> str:
    """Return the conditions of a region as text."""
    return ", ".join(when_texts(region.when))


def when_texts(when: Sequence[Values]) -> list[str]:
    """Return the values of some facts as a list of texts.

    Facts that are just known, or unknown, come last and together.
    """
    unknown = [values.fact for values in when if values_text(values) == f"{values.fact} unknown"]
    known = [values.fact for values in when if values.sent]
    said = [values_text(values) for values in when if values.fact not in (*unknown, *known)]
    said += [f"{listed_text(names)} {word}" for names, word in ((known, "known"), (unknown, "unknown")) if names]
    return said or ["always"]


def listed_text(names: Sequence[str]) -> str:
    """Return names as an English list.

    >>> listed_text(["a", "b", "c"])
    'a, b and c'
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def changes_text(changes: Iterable[Change]) -> str:
    """Return the changes of a region on one line; those with a common end are combined.

    >>> to = OutcomeState(StateKind.DECIDED, "P2")
    >>> changes_text([Change(OutcomeState(StateKind.DECIDED, "P1"), to), Change(OutcomeState(StateKind.UNDECIDED), to)])
    'P1, undecided -> P2'
    """
    listed = list(changes)
    if len(listed) > 1 and all(not change.in_part for change in listed):
        for one, other in (("before", "after"), ("after", "before")):
            ends = {state_text(getattr(change, other)) for change in listed}
            if len(ends) == 1:
                starts = ", ".join(dict.fromkeys(state_text(getattr(change, one)) for change in listed))
                return f"{starts} -> {ends.pop()}" if one == "before" else f"{ends.pop()} -> {starts}"
    return "; ".join(map(change_text, listed))


def alike_text(region: DiffRegion) -> str:
    """Return the text for the situations of a region in which nothing changes."""
    return f" (in {number_of(region.alike)} nothing changes)" if region.alike else ""


def ticket_text(ticket: Mapping[str, str]) -> str:
    """Return a ticket as arguments of a command line.

    >>> ticket_text({"impact": "high", "beds": "< 3"})
    "impact=high 'beds=< 3'"
    """
    return " ".join(shell_word(f"{fact}={value}") for fact, value in ticket.items()) or "(no facts)"


def share_text(changed: int, total: int, noun: str = "") -> str:
    """Return a count of a total, with its share.

    >>> share_text(1, 8), share_text(3, 100_000, "tickets")
    ('1 of 8 (12.5%)', '3 of 100,000 tickets (0.003%)')
    """
    return f"{number_of(changed)} of {number_of(total)}{f' {noun}' if noun else ''} ({percent(changed, total)})"


def percent(part: int, whole: int) -> str:
    """Return a part of a whole in percent; a part that is neither nothing nor the whole is never rounded to it.

    >>> percent(1, 8), percent(0, 3), percent(3, 3), percent(1, 10**30), percent(10**6 - 1, 10**6)
    ('12.5%', '0%', '100%', 'less than 0.001%', 'more than 99.9%')
    """
    share = 100 * part / whole if whole else 0.0
    if 0 < share < _LEAST:
        return f"less than {_LEAST:g}%"
    return "more than 99.9%" if 99.9 < share < 100 else f"{share:.3g}%"


def number_of(amount: int) -> str:
    """Return a count as text; beyond a million millions, its size.

    >>> number_of(699_840), number_of(3**40)
    ('699,840', '1.2e+19')
    """
    return f"{amount:,}" if amount < _MOST else f"{Decimal(amount):.1e}"


def wording_text(one: Wording) -> str:
    """Return one difference of the text on one line."""
    what = f"{one.part} {one.name}"
    if one.edit is Edit.RENAMED:
        return f"{one.part} {one.before} is now called {one.after}"
    if not one.what:
        return f"{what}: {one.after or one.before}"
    if one.edit is Edit.CHANGED and one.before and one.after:
        return f"{what}: {one.what} {one.before} -> {one.after}"
    if one.edit is Edit.CHANGED and (one.before or one.after):
        return f"{what}: {one.what} {'added' if one.after else 'removed'}: {one.before or one.after}"
    return f"{what}: {one.what} {one.after or one.before}".rstrip()


def outcome_text(one: OutcomeDiff) -> str:
    """Return a summary of an outcome on one line."""
    parts = (
        [
            share_text(one.changed, one.situations)
            + (" combinations of what it depends on" if one.inputs else " situations")
        ]
        if one.changed
        else []
    )
    parts += [
        f"follows {follows.outcome}, which changes in {number_of(follows.situations)} situations"
        for follows in one.follows
    ]
    return "; ".join([*parts, *one.terms])


def mostly_text(one: OutcomeDiff) -> str:
    """Return the most frequent change of an outcome, and the number of others; "" if it has no changes.

    A change from or to a value counts before those in which it stays undecided.
    """
    if not one.changes:
        return ""
    more = len(one.changes) - 1
    first = max(one.changes, key=lambda change: (_ends(change), one.changes[change]))
    return change_text(first) + (f", and {more:,} more" if more else "")


def _ends(change: Change) -> int:
    """Return how many ends of a change are values."""
    return sum(state.kind is not StateKind.UNDECIDED for state in (change.before, change.after))


def decision_text(one: DecisionDiff) -> str:
    """Return the difference of a decision beyond its outcomes; "" for none."""
    if one.only_after:
        return "a new decision"
    if one.only_before:
        return "no longer decided"
    return "; ".join(one.terms)


def headline(diff: Diff) -> str:
    """Summarize a difference; versions of two desks are named as such first."""
    if diff.two_desks:
        return f"These are versions of two desks, {diff.before.name} and {diff.after.name}. {_summary(diff)}"
    return _summary(diff)


def _summary(diff: Diff) -> str:
    if diff.same_decisions:
        return NO_CHANGE
    names = [one.name for one in diff.changed_decisions]
    same = [one.name for one in diff.decisions if one.name not in names]
    if not names:
        return "Every situation is decided the same; what may be sent, or how it is read, changes."
    rest = f"; the same in every situation: {listed_text(same)}" if same else ""
    return f"Decided differently: {listed_text(names)}{rest}."
