"""The facts of two versions on one scale: every value that either distinguishes, with its atom in each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from engine.diff.nouns import Values
from engine.model.conditions import NumberInterval, interval_text
from engine.model.policy import Policy
from engine.model.vocabulary import UNLISTED, Fact, FactType, number_text
from engine.request.ticket import TicketReader
from engine.tables.atoms import Atoms, sample_of

REFUSED: Final = -1
"""The atom of a value that a version rejects."""


class Reading(Protocol):
    """What reads the facts of a version."""

    @property
    def policy(self) -> Policy:
        """Its vocabulary."""

    @property
    def atoms(self) -> Mapping[str, Atoms]:
        """The atoms of each fact, and of each outcome that tables read."""

    @property
    def reader(self) -> TicketReader:
        """Reads what callers send."""


class Classes(Protocol):
    """Classes of the atoms of a fact."""

    @property
    def class_of(self) -> Any:
        """The class of each atom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointValue:
    """A value of a fact (a word, or a span of numbers with a sample), and its atom in each version.

    ``label`` is its name if that is not the sample: the whole numbers of a span, or its fractions, if only one version
    accepts fractions.
    """

    before: int
    after: int
    sample: str
    span: NumberInterval | None = None
    label: str = ""

    @property
    def word(self) -> str:
        """Its name."""
        return self.label or self.sample


@dataclass(frozen=True, slots=True)
class JointFact:
    """A fact on the scale of both versions. Position 0 is "not sent"."""

    name: str
    values: tuple[JointValue, ...]

    def named(self, positions: Iterable[int]) -> Values | None:
        """Return the values of a fact at these positions; None for any value."""
        chosen = set(positions)
        known = chosen - {0}
        count = len(self.values)
        unknown = 0 in chosen
        if len(known) == count:
            return None if unknown else Values(fact=self.name, unknown=False, sent=True)
        spans = [span for at in sorted(known) if (span := self.values[at - 1].span)]
        words = tuple(self.values[at - 1].word for at in sorted(known) if self.values[at - 1].span is None)
        if spans:
            return Values(fact=self.name, unknown=unknown, words=words, spans=self._to_the_ends(_joined(spans)))
        if 2 * (count - len(known)) <= len(words) and len(words) > 3:
            rest = tuple(self.values[at - 1].word for at in range(1, count + 1) if at not in known)
            return Values(fact=self.name, unknown=unknown, but=rest)
        return Values(fact=self.name, unknown=unknown, words=words)

    def _to_the_ends(self, spans: tuple[NumberInterval, ...]) -> tuple[NumberInterval, ...]:
        """Extend spans that reach the limits of the fact: `<= 25` means the same as 0 to 25, and is shorter."""
        first, last = self.values[0].span, self.values[-1].span
        opened = list(spans)
        if first and (opened[0].low, opened[0].low_closed) == (first.low, first.low_closed):
            opened[0] = replace(opened[0], low=-math.inf, low_closed=False)
        if last and (opened[-1].high, opened[-1].high_closed) == (last.high, last.high_closed):
            opened[-1] = replace(opened[-1], high=math.inf, high_closed=False)
        return tuple(opened)


def joint_fact(name: str, before: Reading, after: Reading) -> JointFact:
    """Put a fact (or an outcome that a deadline reads) on the scale of both versions.

    An unknown fact counts as not sent.
    """
    sides = (_Side(name, before), _Side(name, after))
    words = dict.fromkeys(word for side in sides if side.fact is not None for word in side.fact.words)
    listed = [word for word in words if word != UNLISTED] + [UNLISTED] * (UNLISTED in words)
    values = _numbers(sides) + [
        JointValue(before=sides[0].atom(word), after=sides[1].atom(word), sample=word) for word in listed
    ]
    return JointFact(name, tuple(value for value in values if (value.before, value.after) != (REFUSED, REFUSED)))


class _Side:
    """One version's view of a fact."""

    def __init__(self, name: str, version: Reading) -> None:
        self.name = name
        self.fact: Fact | None = version.policy.facts.get(name) or version.policy.outcomes.get(name)
        self.reader: TicketReader | None = version.reader if name in version.policy.facts else None
        self.atoms: Atoms | None = version.atoms.get(name)
        self.words = frozenset(self.fact.words if self.fact is not None else ())

    def atom(self, value: str | float) -> int:
        """Return the atom of a value; 0 if the version does not have the fact."""
        if self.fact is None or self.atoms is None:
            return 0
        if isinstance(value, str) and value in self.words:
            return self.atoms.of(value)
        if self.reader is None or self.fact.type is FactType.INSTANT:
            return REFUSED
        atom = self.reader.atom(self.name, value)
        return REFUSED if atom is None else atom


def _numbers(sides: tuple[_Side, _Side]) -> list[JointValue]:
    """Cut the range of numbers at the thresholds of both versions; none if neither accepts numbers."""
    facts = [side.fact for side in sides if side.fact is not None and side.fact.numeric]
    if not facts:
        return []
    kinds = {fact.type for fact in facts}
    whole = kinds == {FactType.INTEGER}
    lows, highs = [fact.minimum for fact in facts], [fact.maximum for fact in facts]
    widest = Fact(
        name=facts[0].name,
        type=FactType.INTEGER if whole else FactType.NUMBER,
        minimum=None if None in lows else min(low for low in lows if low is not None),
        maximum=None if None in highs else max(high for high in highs if high is not None),
    )
    cuts = tuple(sorted({cut for side in sides if side.atoms is not None for cut in side.atoms.cuts}))
    if len(kinds) == 1:
        return [
            _number(sides, sample, _span(cuts, piece))
            for piece in range(2 * len(cuts) + 1)
            if (sample := sample_of(widest, cuts, piece)) is not None
        ]
    found = []
    for piece in range(2 * len(cuts) + 1):
        span = _span(cuts, piece)
        samples = [sample_of(replace(widest, type=kind), cuts, piece) for kind in (FactType.INTEGER, FactType.NUMBER)]
        if samples[1] is not None and span.low == span.high:
            found.append(_number(sides, samples[1], span))
        elif samples[1] is not None:
            if samples[0] is not None:
                found.append(replace(_number(sides, samples[0], None), label=f"whole numbers {interval_text(span)}"))
            found.append(
                replace(_number(sides, _fraction(samples[1], span), None), label=f"fractions {interval_text(span)}")
            )
    return found


def _number(sides: tuple[_Side, _Side], sample: float, span: NumberInterval | None) -> JointValue:
    return JointValue(before=sides[0].atom(sample), after=sides[1].atom(sample), sample=number_text(sample), span=span)


def _fraction(sample: float, span: NumberInterval) -> float:
    """Return a fraction in an open span, at its sample or just above it."""
    return sample if sample != int(sample) else sample + min(0.5, (span.high - sample) / 2)


def _span(cuts: tuple[float, ...], piece: int) -> NumberInterval:
    at, is_cut = divmod(piece, 2)
    if is_cut:
        return NumberInterval(low=cuts[at], high=cuts[at], low_closed=True, high_closed=True)
    low = cuts[at - 1] if at else -math.inf
    high = cuts[at] if at < len(cuts) else math.inf
    return NumberInterval(low=low, high=high, low_closed=False, high_closed=False)


def _joined(spans: list[NumberInterval]) -> tuple[NumberInterval, ...]:
    """Merge neighbouring spans."""
    joined = [spans[0]]
    for span in spans[1:]:
        last = joined[-1]
        if last.high == span.low and (last.high_closed or span.low_closed):
            joined[-1] = NumberInterval(
                low=last.low, high=span.high, low_closed=last.low_closed, high_closed=span.high_closed
            )
        else:
            joined.append(span)
    return tuple(joined)


@dataclass(frozen=True, slots=True, kw_only=True)
class JointAxis:
    """A fact as two tables distinguish it.

    It has for each position the class in each table, and the joint values (0: not sent).
    """

    fact: JointFact
    before: tuple[int, ...]
    after: tuple[int, ...]
    members: tuple[tuple[int, ...], ...]

    @property
    def size(self) -> int:
        """How many positions there are, not sent included."""
        return len(self.members)


def joint_axis(fact: JointFact, before: Classes | None, after: Classes | None) -> JointAxis:
    """Join the classes of one side with those of another; None is a side that does not read the fact."""
    groups: dict[tuple[int, int, bool], list[int]] = {}
    for at, (one, other) in enumerate([(0, 0), *((value.before, value.after) for value in fact.values)]):
        classes = (_class(before, one), _class(after, other))
        key = (*classes, at == 0)
        groups.setdefault(key, []).append(at)
    return JointAxis(
        fact=fact,
        before=tuple(key[0] for key in groups),
        after=tuple(key[1] for key in groups),
        members=tuple(map(tuple, groups.values())),
    )


def _class(axis: Classes | None, atom: int) -> int:
    if atom == REFUSED:
        return REFUSED
    return 0 if axis is None else int(axis.class_of[atom])
