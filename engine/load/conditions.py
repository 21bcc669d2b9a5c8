"""Reads conditions: a YAML node -> a :class:`~engine.model.conditions.Condition` or its problems."""

from __future__ import annotations

import math
import re
from typing import Final

from engine.load.yaml_tree import Mapping, Node, Scalar, Sequence
from engine.model.conditions import Condition, NumberInterval
from engine.model.did_you_mean import did_you_mean
from engine.model.problems import Problem
from engine.model.vocabulary import UNKNOWN, UNLISTED, Fact, FactType, boolean_word, number_text, value_of

_NUMBER: Final = r"[+-]?[0-9]+(?:\.[0-9]+)?"
_COMPARISON: Final = re.compile(rf"(<=|>=|<|>)\s*({_NUMBER})")
_INTERVAL: Final = re.compile(rf"([\[(])\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*([\])])")
_PLAIN: Final = re.compile(_NUMBER)


def plain_number(text: str) -> float | None:
    """Read a number as policies write it; None if it has another form, or is too large.

    >>> plain_number("2.50"), plain_number("1e3"), plain_number("9" * 400)
    (2.5, None, None)
    """
    number = float(text) if _PLAIN.fullmatch(text.strip()) else math.inf
    return number if math.isfinite(number) else None


def written(node: Node) -> str:
    """Return a condition as its text, on one line."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return "[" + ", ".join(written(item) for item in node.items) + "]"
    return ", ".join(f"{key} {written(value)}" for key, value in node.entries.items())


def parse_condition(fact: Fact, node: Node, problems: list[Problem]) -> Condition | None:
    """Read the condition of a rule on a fact; append what is wrong to the problems."""
    before = len(problems)
    negated, inner = False, node
    if isinstance(node, Mapping):
        if tuple(node.entries) != ("not",):
            _not_a_condition(fact, node, problems)
            return None
        negated, inner = True, node.entries["not"]
    items = inner.items if isinstance(inner, Sequence) else (inner,)
    if not items:
        problems.append(
            Problem(
                place=inner.place,
                code="bad-condition",
                message=f"expected conditions on `{fact.name}`, got an empty list",
                help="leave the fact out if it does not matter",
            )
        )
    words, intervals, unknown = _items(fact, items, negated, problems)
    if len(problems) > before:
        return None
    if negated:
        words = set(fact.words) - words
        if not words and not fact.numeric and not undescribed(fact):
            problems.append(
                Problem(
                    place=inner.place,
                    code="bad-condition",
                    message=f"`not` excludes every value of `{fact.name}`",
                    help=f"to match a fact that is not sent, write `{fact.name}: unknown`",
                )
            )
            return None
        return Condition(
            fact=fact.name,
            words=frozenset(words),
            intervals=tuple(intervals),
            negated=fact.numeric,
            unknown=False,
            text=written(node),
            place=node.place,
        )
    return Condition(
        fact=fact.name,
        words=frozenset(words),
        intervals=tuple(intervals),
        negated=False,
        unknown=unknown,
        text=written(node),
        place=node.place,
    )


def undescribed(fact: Fact) -> bool:
    """Return whether the values of a choice are missing in the vocabulary, which is reported there once."""
    return fact.type is FactType.CHOICE and not fact.values


def _not_a_condition(fact: Fact, node: Mapping, problems: list[Problem]) -> None:
    odd = next((key for key in node.entries if key != "not"), None)
    place = node.place if odd is None else node.key_places[odd]
    found = "nothing" if odd is None else f"`{odd}`"
    problems.append(
        Problem(
            place=place,
            code="bad-condition",
            message=f"expected a value, a list or `not` as the condition on `{fact.name}`, got {found}",
            help="write {not: value} to exclude one value",
        )
    )


def _items(
    fact: Fact, items: tuple[Node, ...], negated: bool, problems: list[Problem]
) -> tuple[set[str], list[NumberInterval], bool]:
    words: set[str] = set()
    intervals: list[NumberInterval] = []
    unknown = False
    for item in items:
        if not isinstance(item, Scalar):
            inside = "`not`" if negated else "a list"
            shape = "a list" if isinstance(item, Sequence) else "`not`" if "not" in item.entries else "a mapping"
            problems.append(
                Problem(
                    place=item.place,
                    code="bad-condition",
                    message=f"{shape} is not allowed inside {inside}",
                    help="write {not: [one, other]} to exclude several values",
                )
            )
        elif not item.text.strip():
            problems.append(
                Problem(
                    place=item.place,
                    code="bad-condition",
                    message=f"the condition on `{fact.name}` is empty",
                    help="leave the fact out if it does not matter",
                )
            )
        elif item.text.strip() == UNKNOWN:
            unknown = True
        elif fact.numeric:
            if (interval := _interval(fact, item, problems)) is not None:
                intervals.append(interval)
        elif (word := _word(fact, item, problems)) is not None:
            words.add(word)
    return words, intervals, unknown


def _word(fact: Fact, item: Scalar, problems: list[Problem]) -> str | None:
    text = item.text.strip()
    word = boolean_word(text) if fact.type is FactType.BOOLEAN else text
    if word in fact.words or undescribed(fact):
        return word
    match fact.type:
        case FactType.BOOLEAN:
            code, message, help_ = (
                "unknown-value",
                f"expected yes or no for `{fact.name}`, got `{text}`",
                "write yes, no or unknown",
            )
        case FactType.TEXT | FactType.INSTANT:
            code, message, help_ = (
                "bad-condition",
                f"expected a condition on the {fact.type} `{fact.name}`, got `{text}`",
                f"write {', '.join(fact.words)} or unknown",
            )
        case _ if text == UNLISTED:
            code, message, help_ = (
                "bad-condition",
                f"`{fact.name}` can never be unlisted because it is not open",
                "add `open: yes` to it in the vocabulary, or remove `unlisted`",
            )
        case _:
            code, message, help_ = "unknown-value", f"unknown {fact.name} `{text}`", value_help(fact, text, UNKNOWN)
    problems.append(Problem(place=item.place, code=code, message=message, help=help_))
    return None


def value_help(fact: Fact, text: str, *others: str) -> str:
    """Return the help for a value that a choice does not have.

    It names the value of an alias, a similar value, or all values.
    """
    meant = value_of(fact.values, text)
    return f"did you mean `{meant}`?" if meant else did_you_mean(text, (*fact.words, *others))


def _interval(fact: Fact, item: Scalar, problems: list[Problem]) -> NumberInterval | None:
    text = item.text.strip()
    interval: NumberInterval | None = None
    if match := _COMPARISON.fullmatch(text):
        interval = _compared(match[1], float(match[2]))
    elif match := _INTERVAL.fullmatch(text):
        interval = NumberInterval(
            low=float(match[2]), high=float(match[3]), low_closed=match[1] == "[", high_closed=match[4] == "]"
        )
    elif _PLAIN.fullmatch(text):
        interval = NumberInterval(low=float(text), high=float(text), low_closed=True, high_closed=True)
    wrong = _interval_problem(fact, text, interval)
    if wrong:
        message, help_ = wrong
        problems.append(Problem(place=item.place, code="bad-condition", message=message, help=help_))
        return None
    return interval


def _interval_problem(fact: Fact, text: str, interval: NumberInterval | None) -> tuple[str, str] | None:
    """Describe what is wrong with a condition on a number, and what would be right."""
    if interval is None:
        return (
            f"expected a condition on the number `{fact.name}`, got `{text}`",
            'write a number, "> 50", ">= 10", "< 10", "<= 50", "[10..25]" or "(25..50]"',
        )
    for end in (interval.low, interval.high):
        if math.isfinite(end) and (
            (fact.minimum is not None and end < fact.minimum) or (fact.maximum is not None and end > fact.maximum)
        ):
            return f"`{number_text(end)}` is out of range for `{fact.name}`", f"it must be {range_text(fact)}"
    one_number = interval.low == interval.high
    if (
        interval.low > interval.high
        or (one_number and not (interval.low_closed and interval.high_closed))
        or math.isinf(max(interval.low, -interval.high))
    ):
        return (
            f"the range `{text}` contains no number",
            "write the smaller end first; `[` and `]` include an end, `(` and `)` exclude it",
        )
    if one_number and fact.type is FactType.INTEGER and interval.low != int(interval.low):
        return f"expected a whole number for `{fact.name}`, got `{text}`", f"it must be {range_text(fact)}"
    return None


def _compared(sign: str, number: float) -> NumberInterval:
    match sign:
        case "<":
            return NumberInterval(low=-math.inf, high=number, low_closed=False, high_closed=False)
        case "<=":
            return NumberInterval(low=-math.inf, high=number, low_closed=False, high_closed=True)
        case ">":
            return NumberInterval(low=number, high=math.inf, low_closed=False, high_closed=False)
        case _:
            return NumberInterval(low=number, high=math.inf, low_closed=True, high_closed=False)


def range_text(fact: Fact) -> str:
    """Return which numbers a fact can be."""
    low = "" if fact.minimum is None else f"from {number_text(fact.minimum)}"
    high = "" if fact.maximum is None else f"up to {number_text(fact.maximum)}"
    kind = "a whole number" if fact.type is FactType.INTEGER else "a number"
    return " ".join(part for part in (kind, low, high) if part)
