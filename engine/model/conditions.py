"""Conditions of a rule on one fact, as data.

A condition is a set of values of its fact: words for choices, yes/no, texts and instants, intervals for numbers, and
``unknown`` for a fact that was not sent. ``not`` matches all other known values, but never ``unknown``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.model.problems import Place
from engine.model.vocabulary import number_text


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberInterval:
    """The numbers between two ends, each of which is included or not."""

    low: float
    high: float
    low_closed: bool
    high_closed: bool

    def holds(self, number: float) -> bool:
        """Return whether a number lies in it."""
        above = number >= self.low if self.low_closed else number > self.low
        below = number <= self.high if self.high_closed else number < self.high
        return above and below


def interval_text(interval: NumberInterval) -> str:
    """Write numbers as policies do.

    >>> (
    ...     interval_text(NumberInterval(low=50, high=math.inf, low_closed=False, high_closed=False)),
    ...     interval_text(NumberInterval(low=10, high=25, low_closed=True, high_closed=False)),
    ...     interval_text(NumberInterval(low=3, high=3, low_closed=True, high_closed=True)),
    ... )
    ('> 50', '[10..25)', '3')
    """
    low, high = (
        number_text(interval.low) if math.isfinite(interval.low) else "",
        number_text(interval.high) if math.isfinite(interval.high) else "",
    )
    if low == high:
        return low or "any number"
    if not low:
        return f"{'<=' if interval.high_closed else '<'} {high}"
    if not high:
        return f"{'>=' if interval.low_closed else '>'} {low}"
    return f"{'[' if interval.low_closed else '('}{low}..{high}{']' if interval.high_closed else ')'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """The allowed values of one fact: some words, the numbers inside (or, negated, outside) intervals, or unknown."""

    fact: str
    words: frozenset[str]
    intervals: tuple[NumberInterval, ...]
    negated: bool
    unknown: bool
    text: str
    place: Place

    def holds(self, value: str | float | None) -> bool:
        """Return whether the condition holds for a value; None is unknown.

        >>> from engine.model.problems import Place
        >>> small = Condition(
        ...     fact="share",
        ...     words=frozenset(),
        ...     intervals=(NumberInterval(low=-math.inf, high=10, low_closed=False, high_closed=False),),
        ...     negated=False,
        ...     unknown=False,
        ...     text="< 10",
        ...     place=Place(file=""),
        ... )
        >>> small.holds(9.5), small.holds(10), small.holds(None)
        (True, False, False)
        """
        if value is None:
            return self.unknown
        if isinstance(value, str):
            return value in self.words
        return any(interval.holds(value) for interval in self.intervals) != self.negated
