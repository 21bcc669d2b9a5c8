"""How similar a column is to a fact, by its name, its values and their order; guesses carry their reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from rapidfuzz import fuzz

from engine.clock.zone import BEGIN, END
from engine.model.vocabulary import Fact, FactType, boolean_word, folded, spellings, value_of
from guidepost.past_tickets.sample import ColumnProfile
from guidepost.past_tickets.timestamps import InstantReader

SYNONYMS: Final[Mapping[str, str]] = {
    "contact type": "channel contact source medium",
    "contact method": "channel contact source medium",
    "source": "channel source medium",
    "origin": "channel source medium",
    "opened": "received opened created reported",
    "opened at": "received opened created reported",
    "created": "received opened created reported",
    "created at": "received opened created reported",
    "sys created on": "received opened created reported",
    "reported": "received opened created reported",
    "submitted": "received opened created reported",
    "resolved": "resolved",
    "resolution date": "resolved",
    "closed": "closed",
    "issue type": "request type kind",
    "issuetype": "request type kind",
    "ticket type": "request type kind",
    "category": "category service",
    "business service": "service",
    "cmdb ci": "service",
    "component": "service",
    "components": "service",
    "location": "country region location",
    "severity": "severity impact",
    "state": "state",
    "status": "state status",
    "first response": "responded",
    "responded": "responded",
    "sla due": "response due",
    "due": "due",
    "due date": "due",
    "assigned to": "assignee",
}
"""Generic words for the columns of other systems; these words are compared with the names of facts."""

_DAYS: Final = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%Y",
    "%Y/%m/%d",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d/%b/%y",
    "%d/%b/%Y",
    "%d-%b-%Y",
    "%b %d, %Y",
)
_TIMES: Final = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")
FORMATS: Final = (*(f"{day} {time}" for time in _TIMES for day in _DAYS), *_DAYS)
"""The formats of instants that are tried after ISO 8601."""

SCALES: Final = (
    ("highest", "high", "medium", "low", "lowest"),
    ("blocker", "critical", "major", "minor", "trivial"),
    ("critical", "high", "moderate", "low", "planning"),
    ("urgent", "high", "normal", "low"),
    ("critical", "high", "medium", "low"),
    ("high", "medium", "low"),
)
"""Scales of other systems, the most severe word first."""

MIN_NAME_SIMILARITY: Final = 75.0
"""The lowest similarity of a name, from 0 to 100."""

MIN_WORD_SIMILARITY: Final = 82.0
"""The lowest similarity of a value and a word of the policy, from 0 to 100."""

EXACT_SPELLING: Final = "as the policy writes it"
"""The reason for reading a word that usually marks an empty cell as a value."""

MAX_CHOICES: Final = 40
"""The most values of a column of choices."""

_RANK: Final = re.compile(r"^(?:[A-Za-z]{1,3}[\s-]?)?(\d{1,2})\b(?:\s*[-:.)]\s+|[-:.)](?!\d)|\s+|$)(.*)$")
_WRAPPED: Final = re.compile(r"^custom field \((.*)\)$", re.IGNORECASE)
_AMOUNT: Final = re.compile(r"[+-]?\d+([.,]\d+)?\s*%?")
_IGNORED: Final = frozenset(
    {"at", "on", "by", "u", "the", "is", "date", "time", "custom", "field", "fields", "name", "value"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMatch:
    """A possible meaning of a value of a column, and the reason for it ("" for the same word)."""

    text: str
    target: str
    reason: str = ""
    rows: int = 0


@dataclass(frozen=True, slots=True)
class InstantFormat:
    """The format of a column of instants; ``other`` is a second format that also fits."""

    format: str = ""
    offset: bool = False
    other: str = ""


def name_similarity(column: str, fact: str) -> float:
    """Return the similarity, from 0 to 100, of the names of a column and a fact, with the usual names of other systems.

    >>> (
    ...     name_similarity("Impact", "impact"),
    ...     name_similarity("opened_at", "received_at"),
    ...     name_similarity("sys_mod_count", "impact") < MIN_NAME_SIMILARITY,
    ... )
    (100.0, 90.0, True)
    """
    wrapped = _WRAPPED.match(column.strip())
    column = wrapped[1] if wrapped else column
    if folded(column) == folded(fact):
        return 100.0
    words, wanted = _words(column), _words(fact)
    known = SYNONYMS.get(" ".join(words)) or SYNONYMS.get(" ".join(_words(column, keep=True)))
    if known and set(wanted) <= set(known.split()):
        return 90.0
    if not words or not wanted:
        return 0.0
    return 0.85 * fuzz.token_sort_ratio(" ".join(words), " ".join(wanted))


def match_values(profile: ColumnProfile, fact: Fact, *, ranked: bool = True) -> tuple[list[ValueMatch], list[str]]:
    """Match the values of a column with the words of a fact; return the matches, and the values without one.

    With ``ranked``, values without any match are matched by their order. Words that usually mark an empty cell are left
    out: see :func:`ambiguous_values`.
    """
    words = (
        spellings(fact.values)
        if fact.type is FactType.CHOICE
        else {"yes": "yes", "true": "yes", "no": "no", "false": "no", "1": "yes", "0": "no"}
    )
    found: list[ValueMatch] = []
    left: list[str] = []
    for text, count in profile.given.items():
        match = _match_value(text, words)
        if match:
            target, reason = match
            found.append(ValueMatch(text=text, target=target, reason=reason, rows=count))
        else:
            left.append(text)
    if ranked and left and fact.type is FactType.CHOICE and len(left) == len(profile.given):
        ordered = _by_rank(left, fact, profile) or _by_scale(left, fact, profile)
        return (ordered, []) if ordered else (found, left)
    return found, left


def ambiguous_values(profile: ColumnProfile, fact: Fact) -> list[ValueMatch]:
    """Return the words of a column that usually mark an empty cell and are also values of the fact."""
    known = spellings(fact.values) if fact.type is FactType.CHOICE else {}
    return [
        ValueMatch(
            text=text,
            target=known[folded(text)],
            reason=EXACT_SPELLING if value_of(fact.values, text) else "",
            rows=profile.counts[text],
        )
        for text in profile.nulls
        if folded(text) in known
    ]


def instant_format(profile: ColumnProfile) -> InstantFormat | None:
    """Return the format of a column of instants, or None if its values are not instants."""
    if profile.typed:
        return InstantFormat(offset=profile.offset)
    given = list(profile.given)[:2_000]
    if not given:
        return None
    if profile.number:
        least, most = (end(float(text) for text in given) for end in (min, max))
        form = "epoch" if least >= 3e8 and most < 1e10 else "epoch_ms" if least >= 3e11 and most < 1e13 else ""
        return InstantFormat(form, offset=True) if form else None
    if _read(given, ""):
        return InstantFormat(offset=InstantReader().read(pa.array(given))[1] is None)
    fitting = [form for form in FORMATS if _read(given, form)]
    return InstantFormat(fitting[0], other=fitting[1] if len(fitting) > 1 else "") if fitting else None


def fit_score(profile: ColumnProfile, fact: Fact, *, named: bool) -> float:
    """Return how well the values of a column fit a fact, from 0 to 100; ``named`` is whether the names are similar."""
    given = profile.given
    match fact.type:
        case FactType.INSTANT:
            return 100.0 if instant_format(profile) else 0.0
        case FactType.NUMBER | FactType.INTEGER:
            amounts = [parse_amount(text) for text in given]
            if not amounts or any(one is None or not _within(one, fact) for one in amounts):
                return 0.0
            return 97.0 if fact.unit and all(text.endswith(fact.unit) for text in given) else 60.0
        case FactType.CHOICE | FactType.BOOLEAN:
            if (
                not given
                or (len(given) > MAX_CHOICES and not fact.open)
                or (fact.type is FactType.BOOLEAN and any(boolean_word(text) is None for text in given))
            ):
                return 0.0
            found, _ = match_values(profile, fact, ranked=named)
            return 100.0 * sum(one.rows for one in found) / sum(given.values())
        case FactType.TEXT:
            return (
                30.0 if len(given) > MAX_CHOICES / 2 and not profile.number and instant_format(profile) is None else 0.0
            )
        case _:
            return 0.0


def parse_amount(text: str) -> float | None:
    """Read a number with an optional decimal comma and percent sign, or return None.

    >>> parse_amount("3,5 %"), parse_amount("40"), parse_amount("1.234,5")
    (3.5, 40.0, None)
    """
    return float(text.rstrip("% ").replace(",", ".")) if _AMOUNT.fullmatch(text) else None


def _match_value(text: str, words: Mapping[str, str]) -> tuple[str, str] | None:
    if folded(text) in words:
        return words[folded(text)], ""
    ranked = _RANK.match(text)
    if ranked and folded(ranked[2]) in words:
        return words[folded(ranked[2])], ""
    if text.strip().isdigit():
        return None
    scored = sorted(
        ((_word_similarity(folded(text), word), word) for word in words if len(word) > 3),
        key=lambda pair: (-pair[0], pair[1]),
    )
    if scored and scored[0][0] >= MIN_WORD_SIMILARITY:
        return words[scored[0][1]], "similar word"
    return None


def _word_similarity(text: str, word: str) -> float:
    whole = fuzz.ratio(text, word)
    return max(whole, 0.9 * fuzz.partial_ratio(text, word)) if min(len(text), len(word)) > 3 else whole


def _by_rank(texts: Sequence[str], fact: Fact, profile: ColumnProfile) -> list[ValueMatch]:
    """Match numbered values with the words of a fact in order."""
    ranks = {text: match for text in texts if (match := _RANK.match(text))}
    numbers = sorted({int(match[1]) for match in ranks.values()})
    if (
        len(ranks) < len(texts)
        or len(numbers) < len(texts)
        or numbers[0] not in (0, 1)
        or numbers[-1] - numbers[0] >= len(fact.values)
    ):
        return []
    return [
        ValueMatch(
            text=text,
            target=fact.values[int(ranks[text][1]) - numbers[0]].value,
            reason="by order",
            rows=profile.counts[text],
        )
        for text in sorted(texts, key=lambda one: int(ranks[one][1]))
    ]


def _by_scale(texts: Sequence[str], fact: Fact, profile: ColumnProfile) -> list[ValueMatch]:
    """Match the words of a known scale with as many words of a fact in order."""
    words = {folded(text): text for text in texts}
    for scale in SCALES:
        if len(scale) == len(fact.values) and set(words) <= set(scale):
            return [
                ValueMatch(text=words[word], target=value.value, reason="by order", rows=profile.counts[words[word]])
                for word, value in zip(scale, fact.values, strict=True)
                if word in words
            ]
    return []


def _words(name: str, *, keep: bool = False) -> list[str]:
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    words = [word for word in re.split(r"[\W_]+", apart.casefold()) if word]
    return words if keep else [word for word in words if word not in _IGNORED] or words


def _read(texts: Iterable[str], form: str) -> bool:
    """Return whether all texts are instants in a format, in years that the business clock knows."""
    found, wrong = InstantReader(format=form, zone="UTC").read(pa.array(list(texts)))
    # `%Y` reads a year of two digits as one of the first century.
    return wrong is None and bool(np.all((found.micros >= BEGIN) & (found.micros < END)))


def _within(number: float, fact: Fact) -> bool:
    return (fact.minimum is None or number >= fact.minimum) and (fact.maximum is None or number <= fact.maximum)
