"""Conditions: what a rule asks of one fact, as data.

A condition is a set of values of its fact: words for choices, yes/no, texts and instants, intervals for numbers, and
``unknown`` for a fact that was not sent. ``not`` is all other known values; it never includes ``unknown``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from engine.nearest import did_you_mean
from engine.problems import Place, Problem
from engine.source import Mapping, Node, Scalar, Sequence
from engine.vocabulary import UNKNOWN, Fact, FactType, boolean_word, number_text

_NUMBER: Final = r"[+-]?\d+(?:\.\d+)?"
_COMPARISON: Final = re.compile(rf"(<=|>=|<|>)\s*({_NUMBER})")
_INTERVAL: Final = re.compile(rf"([\[(])\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*([\])])")
_PLAIN: Final = re.compile(_NUMBER)


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers between two ends; an end may belong to it or not."""

    low: float
    high: float
    low_closed: bool
    high_closed: bool

    def holds(self, number: float) -> bool:
        """Tell whether a number lies in it."""
        above = number >= self.low if self.low_closed else number > self.low
        below = number <= self.high if self.high_closed else number < self.high
        return above and below


@dataclass(frozen=True, slots=True)
class Condition:
    """What one fact must be: one of these words, or a number in (or, negated, outside) these intervals, or unknown."""

    fact: str
    words: frozenset[str]
    intervals: tuple[Interval, ...]
    negated: bool
    unknown: bool
    text: str
    place: Place

    def holds(self, value: str | float | None) -> bool:
        """Tell whether the condition holds for a value; None is unknown.

        >>> from engine.problems import Place
        >>> small = Condition("share", frozenset(), (Interval(-math.inf, 10, False, False),), False, False, "< 10", Place(""))
        >>> small.holds(9.5), small.holds(10), small.holds(None)
        (True, False, False)
        """
        if value is None:
            return self.unknown
        if isinstance(value, str):
            return value in self.words
        return any(interval.holds(value) for interval in self.intervals) != self.negated


def written(node: Node) -> str:
    """Give a condition as it is written, on one line."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return "[" + ", ".join(written(item) for item in node.items) + "]"
    return ", ".join(f"{key} {written(value)}" for key, value in node.entries.items())


def parse_condition(fact: Fact, node: Node, problems: list[Problem]) -> Condition | None:
    """Read the condition a rule sets on a fact; what is wrong is added to the problems."""
    before = len(problems)
    negated, inner = False, node
    if isinstance(node, Mapping):
        if tuple(node.entries) != ("not",):
            problems.append(Problem(node.place, "bad-condition", f"a condition on `{fact.name}` is a value, a list, or `not`",
                                    "write {not: value} for everything but a value"))
            return None
        negated, inner = True, node.entries["not"]
    items = inner.items if isinstance(inner, Sequence) else (inner,)
    if not items:
        problems.append(Problem(node.place, "bad-condition", f"an empty list can never hold for `{fact.name}`", "leave the fact out if it does not matter"))
    words, intervals, unknown = _items(fact, items, problems)
    if len(problems) > before:
        return None
    if negated:
        words = set(fact.words) - words
        if not words and not fact.numeric:
            problems.append(Problem(node.place, "bad-condition", f"`not` leaves no value of `{fact.name}`"))
            return None
        return Condition(fact.name, frozenset(words), tuple(intervals), fact.numeric, False, written(node), node.place)
    return Condition(fact.name, frozenset(words), tuple(intervals), False, unknown, written(node), node.place)


def _items(fact: Fact, items: tuple[Node, ...], problems: list[Problem]) -> tuple[set[str], list[Interval], bool]:
    words: set[str] = set()
    intervals: list[Interval] = []
    unknown = False
    for item in items:
        if not isinstance(item, Scalar):
            problems.append(Problem(item.place, "bad-condition", f"a condition on `{fact.name}` is a value, a list, or `not`"))
        elif item.text == UNKNOWN:
            unknown = True
        elif fact.numeric:
            if (interval := _interval(fact, item, problems)) is not None:
                intervals.append(interval)
        elif (word := _word(fact, item, problems)) is not None:
            words.add(word)
    return words, intervals, unknown


def _word(fact: Fact, item: Scalar, problems: list[Problem]) -> str | None:
    word = boolean_word(item.text) if fact.type is FactType.BOOLEAN else item.text
    if word in fact.words:
        return word
    help_ = did_you_mean(item.text, (*fact.words, UNKNOWN))
    problems.append(Problem(item.place, "unknown-value", f"unknown {fact.name} `{item.text}`", help_))
    return None


def _interval(fact: Fact, item: Scalar, problems: list[Problem]) -> Interval | None:
    text = item.text.strip()
    interval: Interval | None = None
    if match := _COMPARISON.fullmatch(text):
        interval = _compared(match[1], float(match[2]))
    elif match := _INTERVAL.fullmatch(text):
        interval = Interval(float(match[2]), float(match[3]), match[1] == "[", match[4] == "]")
    elif _PLAIN.fullmatch(text):
        interval = Interval(float(text), float(text), True, True)
    if interval is None:
        problems.append(Problem(item.place, "bad-condition", f"`{item.text}` is not a condition on the number `{fact.name}`",
                                'write a number, "> 50", ">= 10", "< 10", "<= 50", "[10..25]" or "(25..50]"'))
        return None
    for end in (interval.low, interval.high):
        if math.isfinite(end) and ((fact.minimum is not None and end < fact.minimum) or (fact.maximum is not None and end > fact.maximum)):
            problems.append(Problem(item.place, "bad-condition", f"{number_text(end)} is outside what `{fact.name}` can be", range_text(fact)))
            return None
    if interval.low > interval.high or (interval.low == interval.high and not (interval.low_closed and interval.high_closed)):
        problems.append(Problem(item.place, "bad-condition", f"no number lies in `{item.text}`"))
        return None
    return interval


def _compared(sign: str, number: float) -> Interval:
    match sign:
        case "<":
            return Interval(-math.inf, number, False, False)
        case "<=":
            return Interval(-math.inf, number, False, True)
        case ">":
            return Interval(number, math.inf, False, False)
        case _:
            return Interval(number, math.inf, True, False)


def range_text(fact: Fact) -> str:
    """Say which numbers a fact can be."""
    low = "" if fact.minimum is None else f"from {number_text(fact.minimum)}"
    high = "" if fact.maximum is None else f"up to {number_text(fact.maximum)}"
    kind = "a whole number" if fact.type is FactType.INTEGER else "a number"
    return " ".join(part for part in (kind, low, high) if part)
