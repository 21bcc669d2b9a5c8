"""Checks the expectations of a case against the policy: values that no rule produces, unknown rules and names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from engine.load.conditions import plain_number, value_help
from engine.load.node_readers import Mapping, Node, Scalar, Sequence, items, mapping, pairs, text
from engine.model.did_you_mean import did_you_mean
from engine.model.policy import Literal, Policy
from engine.model.problems import Place, Problem
from engine.model.vocabulary import NOT_COVERED, UNDECIDED, Fact, FactType, boolean_word, number_text
from engine.request.moment import NotAnInstant, read_instant

MOST_NUMBERS: Final = 12
"""The most numbers that a help lists."""


class AnswerVocabulary:
    """Everything that an answer of one policy can contain: values of outcomes, rules, assumptions, entries."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._values = {name: _given(policy, name) for name in policy.outcomes}
        self._rules = dict(_rule_ids(policy))
        self._entries = [value.value for fact in policy.facts.values() if fact.open for value in fact.values]

    def problems(self, node: Node, decision: str) -> Iterator[Problem]:
        """Yield what is wrong with the expectations of a case."""
        made = self.policy.decisions.get(decision)
        outcomes = made.outcomes if made else tuple(self.policy.outcomes)
        answers = made.answers if made else ()
        yield from _unknown_keys(mapping(node, "expect"), outcomes, "outcome")
        for name, value in pairs(node, "expect"):
            if name in outcomes:
                yield from self._value((name,), value, (UNDECIDED, NOT_COVERED))
        for item in items(node, "possible"):
            yield from self._value(answers, item, (NOT_COVERED,))
        asked = [node.entries["ask_next"]] if isinstance(node, Mapping) and "ask_next" in node.entries else []
        for item in (*items(node, "missing"), *asked):
            if text(item) not in self.policy.facts:
                yield Problem(
                    place=item.place,
                    code="unknown-fact",
                    message=f"unknown fact `{text(item)}`",
                    help=did_you_mean(text(item), self.policy.facts),
                )
        yield from self._references(node)
        yield from _unknown_keys(
            mapping(node, "states"), [name for name in outcomes if name in self.policy.deadlines], "deadline"
        )

    def _references(self, node: Node) -> Iterator[Problem]:
        for item in items(node, "rules"):
            if text(item) not in self._rules:
                yield Problem(
                    place=item.place,
                    code="unknown-reference",
                    message=f"unknown rule `{text(item)}`",
                    help=did_you_mean(text(item), self._rules),
                )
        assumed = [name for name, assumes in self._rules.items() if assumes]
        for item in items(node, "assumptions"):
            if text(item) in self._rules and text(item) not in assumed:
                yield Problem(
                    place=item.place,
                    code="unknown-reference",
                    message=f"the rule `{text(item)}` makes no assumption",
                    help="remove it, or list it under `rules`",
                )
            elif text(item) not in assumed:
                yield Problem(
                    place=item.place,
                    code="unknown-reference",
                    message=f"unknown rule `{text(item)}`",
                    help=did_you_mean(text(item), assumed),
                )
        for item in items(node, "nearest"):
            if text(item) not in self._entries:
                yield Problem(
                    place=item.place,
                    code="unknown-value",
                    message=f"no table of entries has `{text(item)}`",
                    help=did_you_mean(text(item), self._entries),
                )

    def _value(self, names: tuple[str, ...], value: Node, others: tuple[str, ...]) -> Iterator[Problem]:
        """Yield a problem if none of these outcomes can have the value."""
        facts = [self.policy.outcomes[name] for name in names]
        if not facts or (isinstance(value, Scalar) and text(value) in others):
            return
        found = [self._wrong(fact, value) for fact in facts]
        if all(found):
            place, code, message, help_ = next(wrong for wrong in found if wrong)
            yield Problem(place=place, code=code, message=message, help=help_)

    def _wrong(self, fact: Fact, value: Node) -> tuple[Place, str, str, str] | None:
        """Return why an outcome can never have a value: place, code, message, help."""
        if fact.type is FactType.LIST:
            listed = value.items if isinstance(value, Sequence) else (value,)
            wrong = next((item for item in listed if text(item) not in self._values[fact.name]), None)
            given = self._values[fact.name]
            if wrong is None:
                return None
            return (
                wrong.place,
                "unknown-value",
                f"no rule adds `{text(wrong)}` to the list `{fact.name}`",
                did_you_mean(text(wrong), given),
            )
        if not isinstance(value, Scalar):
            return (
                value.place,
                "wrong-type",
                f"expected one value for the outcome `{fact.name}`, got a list or a mapping",
                "write one value",
            )
        written = text(value)
        if fact.type is FactType.INSTANT:
            try:
                read_instant(fact.name, written)
            except NotAnInstant as error:
                return value.place, "bad-format", error.message, error.help or ", ".join(error.allowed)
            return None
        if fact.type is FactType.BOOLEAN:
            return (
                None
                if boolean_word(written)
                else (
                    value.place,
                    "unknown-value",
                    f"expected yes or no for `{fact.name}`, got `{written}`",
                    "write yes or no",
                )
            )
        if fact.type is FactType.CHOICE:
            return (
                None
                if written in fact.words
                else (value.place, "unknown-value", f"unknown {fact.name} `{written}`", value_help(fact, written))
            )
        number = plain_number(written) if fact.numeric else None
        said = written if number is None else number_text(number)
        if said in self._values[fact.name]:
            return None
        known = self._values[fact.name]
        help_ = (
            f"known: {', '.join(sorted(known, key=float))}"
            if fact.numeric and 0 < len(known) <= MOST_NUMBERS
            else did_you_mean(written, known)
        )
        return value.place, "unknown-value", f"no rule produces the {fact.name} `{written}`", help_


def _unknown_keys(node: Mapping | None, names: Iterable[str], what: str) -> Iterator[Problem]:
    known = tuple(names)
    for key, _ in pairs(node):
        if key not in known and node is not None:
            yield Problem(
                place=node.key_places[key],
                code="unknown-fact",
                message=f"unknown {what} `{key}`",
                help=did_you_mean(key, known),
            )


def _given(policy: Policy, name: str) -> tuple[str, ...]:
    """Return the numbers, texts or items that rules produce for an outcome, as they are written."""
    found: dict[str, None] = {}
    for table in policy.tables.values():
        for rule in table.all_rules:
            found |= dict.fromkeys(_items(rule.then.get(name)))
    return tuple(found)


def _items(value: Literal | object) -> tuple[str, ...]:
    match value:
        case bool():
            return ()
        case int() | float():
            return (number_text(value),)
        case str():
            return (value,)
        case tuple():
            return tuple(str(item) for item in value)
        case _:
            return ()


def _rule_ids(policy: Policy) -> Iterator[tuple[str, bool]]:
    """Yield the names of rules and other sources of an answer, each with whether it has an assumption."""
    for table in policy.all_tables:
        for rule in table.all_rules:
            yield rule.id, bool(rule.assumption)
    for roster in policy.rosters.values():
        yield roster.name, bool(roster.assumption)
    for calendar in policy.calendars.values():
        yield calendar.name, bool(calendar.assumption)
    for name, elapsed in policy.elapsed.items():
        yield name, bool(elapsed.assumption)
    for name, deadline in policy.deadlines.items():
        if deadline.at_risk is not None and deadline.at_risk.assumption:
            yield f"{name}.at_risk", True
        if deadline.holds.assumption:
            yield f"{name}.holds", True
