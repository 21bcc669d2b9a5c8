"""Translations of a value of a column to a fact or to a recorded outcome, by the rules of a mapping."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

import numpy as np

from engine.diff.nouns import OutcomeState, StateKind
from engine.model.quoting import value_as_text
from engine.model.vocabulary import (
    NOT_COVERED,
    UNDECIDED,
    YES,
    Fact,
    FactType,
    boolean_word,
    folded,
    number_text,
    stands_for_nothing,
    value_of,
)
from guidepost.past_tickets.dictionary import InvalidValue
from guidepost.past_tickets.mapping import FromColumn, FromTable, UnlistedValue

_STATES: Final = {UNDECIDED: OutcomeState(StateKind.UNDECIDED), NOT_COVERED: OutcomeState(StateKind.NOT_COVERED)}
PLACES: Final = 9
"""The decimal places of a scaled number, so that 0.07 times 100 is 7."""

_GROUPING: Final = re.compile(r"[ \u00a0\u202f]")
_POINT: Final = re.compile(r"(?=[+-]?\.?\d)[+-]?(\d{1,3}([ \u00a0\u202f]\d{3})+|\d+)?(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_COMMA: Final = re.compile(r"(?=[+-]?,?\d)[+-]?(\d{1,3}([. \u00a0\u202f]\d{3})+|\d+)?(,\d*)?([eE][+-]?\d+)?", re.ASCII)
"""Numbers with spaces (or dots) between thousands. A text with a separator in another place is not a number."""

_NOT_LISTED: Final = "is not among the values that the mapping lists"
LIST_AS_EMPTY: Final = "list it under `empty` (or under `values`) in a mapping"
"""The help for a word that other systems write into an empty cell."""

Translate = Callable[[Any], Any]


def cell_text(value: Any) -> str:
    """Return a value of a column as a mapping file writes it.

    >>> cell_text(3), cell_text(3.0), cell_text(True), cell_text(" 1 - High ")
    ('3', '3', 'true', '1 - High')
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value - value == 0:
        return number_text(value)
    return value.isoformat() if isinstance(value, (date, datetime)) else value_as_text(value)


def fact_translator(fact: Fact, rule: FromColumn, empty: frozenset[str]) -> Translate:
    """Return the translation of a value to a fact, where None is an unknown fact.

    A value that the mapping keeps is read by the version, like a value that a caller sends.
    """
    listed = _listed(rule.values) if rule.values is not None else None
    calculated = rule.comma or rule.scale != 1

    def mean(value: Any) -> Any:
        text = cell_text(value)
        return _with_help(text, translated(value, text))

    def translated(value: Any, text: str) -> Any:
        if text in empty and not (rule.values and text in rule.values):
            return None
        if listed is not None:
            target = listed(text)
            if target is not None:
                return target
            if rule.unlisted is not UnlistedValue.KEEP:
                return _unlisted(rule)
        if calculated and fact.numeric:
            return _number(text, rule)
        if fact.type is FactType.TEXT:
            return text
        return value if fact.type is not FactType.CHOICE and isinstance(value, (bool, int, float)) else text

    return mean


def table_translator(rule: FromTable, empty: frozenset[str]) -> Translate:
    """Return the translation of the values of several columns to a fact."""

    def mean(values: tuple[Any, ...]) -> Any:
        texts = dict(zip(rule.columns, ("" if value is None else cell_text(value) for value in values), strict=True))
        for when, then in rule.rows:
            if all(
                texts[column] == wanted
                or (folded(texts[column]) == folded(wanted) and not stands_for_nothing(texts[column]))
                for column, wanted in when.items()
            ):
                return then
        return None if all(text in empty for text in texts.values()) else _unlisted(rule, "is in no row of the table")

    return mean


def state_translator(outcome: Fact, rule: FromColumn, empty: frozenset[str]) -> Translate:
    """Return the translation of a value to the recorded state of an outcome, or to None for an empty cell."""
    listed = _listed(rule.values) if rule.values is not None else None

    def mean(value: Any) -> Any:
        text = cell_text(value)
        return None if text in empty else _with_help(text, translated(text))

    def translated(text: str) -> Any:
        target = listed(text) if listed is not None else text
        if target is None:
            if rule.unlisted is not UnlistedValue.KEEP:
                other = _unlisted(rule)
                return other if other is None or isinstance(other, InvalidValue) else parse_state(outcome, other, rule)
            target = text
        return parse_state(outcome, target, rule)

    return mean


def parse_state(outcome: Fact, text: str, rule: FromColumn) -> OutcomeState | InvalidValue:
    """Return the state that a word of the policy names, or InvalidValue."""
    if text in _STATES:
        return _STATES[text]
    value: Any = text
    match outcome.type:
        case FactType.CHOICE:
            value = value_of(outcome.values, text)
        case FactType.BOOLEAN:
            word = boolean_word(text)
            value = None if word is None else word == YES
        case FactType.NUMBER | FactType.INTEGER:
            value = _number(text, rule)
        case FactType.LIST:
            value = tuple(part.strip() for part in text.split(",") if part.strip())
        case _:
            pass
    if isinstance(value, InvalidValue):
        return value
    return (
        OutcomeState(StateKind.DECIDED, value)
        if value is not None
        else InvalidValue(f"is not a value of the outcome `{outcome.name}`")
    )


def _listed(values: Mapping[str, str]) -> Callable[[str], str | None]:
    """Return a lookup of values by exact spelling, then as a version compares words.

    A word that usually marks an empty cell is only found by its exact spelling.
    """
    loose: dict[str, str] = {}
    for written, target in values.items():
        loose.setdefault(folded(written), target)
    return lambda text: values.get(text, None if stands_for_nothing(text) else loose.get(folded(text)))


def _with_help(text: str, found: Any) -> Any:
    """Add to the reason for a word that usually marks an empty cell where to list it."""
    return (
        InvalidValue(f"{found.reason}; {LIST_AS_EMPTY}")
        if isinstance(found, InvalidValue) and stands_for_nothing(text)
        else found
    )


def _unlisted(rule: FromColumn | FromTable, reason: str = _NOT_LISTED) -> Any:
    match rule.unlisted:
        case UnlistedValue.UNKNOWN:
            return None
        case UnlistedValue.VALUE:
            return rule.fallback
        case _:
            return InvalidValue(reason)


def _number(text: str, rule: FromColumn) -> float | InvalidValue:
    plain = text.removesuffix("%").strip()
    if not (_COMMA if rule.comma else _POINT).fullmatch(plain):
        return InvalidValue("is not a number")
    plain = _GROUPING.sub("", plain)
    number = float(plain.replace(".", "").replace(",", ".") if rule.comma else plain)
    # Rounded like a column of numbers, so that a number does not depend on the other rows.
    return float(np.round(number * rule.scale, PLACES)) if number - number == 0 else InvalidValue("is not a number")
