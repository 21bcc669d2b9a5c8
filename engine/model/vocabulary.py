"""Facts and outcomes of a policy, with types, values and aliases."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from engine.model.problems import Place

UNKNOWN: Final = "unknown"
UNLISTED: Final = "unlisted"
DECIDED: Final = "decided"
UNDECIDED: Final = "undecided"
NOT_COVERED: Final = "not_covered"
RESERVED: Final = frozenset({UNKNOWN, UNLISTED, NOT_COVERED, UNDECIDED, "not"})
"""Words with their own meaning in conditions and cases, which values cannot have."""

YES, NO = "yes", "no"
_BOOLEANS: Final = {"yes": YES, "true": YES, "no": NO, "false": NO}


class FactType(StrEnum):
    """What kind of values a fact or an outcome has."""

    CHOICE = "choice"
    BOOLEAN = "boolean"
    NUMBER = "number"
    INTEGER = "integer"
    TEXT = "text"
    INSTANT = "instant"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of a choice: the word policies use, one line about it, a display name, and other spellings."""

    value: str
    about: str = ""
    name: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A fact that callers send, or an outcome that tables produce."""

    name: str
    type: FactType
    about: str = ""
    values: tuple[Value, ...] = ()
    open: bool = False
    subtags: bool = False
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    ask: bool = True
    place: Place = field(default=Place(file=""), compare=False)
    words: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The words a condition may name, in order; empty for numbers."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", self._words())

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers."""
        return self.type in (FactType.NUMBER, FactType.INTEGER)

    def _words(self) -> tuple[str, ...]:
        """Return the words a condition may name.

        >>> Fact(name="workaround", type=FactType.BOOLEAN).words
        ('no', 'yes')
        """
        match self.type:
            case FactType.CHOICE:
                listed = tuple(value.value for value in self.values)
                return (*listed, UNLISTED) if self.open else listed
            case FactType.BOOLEAN:
                return (NO, YES)
            case FactType.TEXT:
                return ("blank", "given")
            case FactType.INSTANT:
                return ("given",)
            case _:
                return ()

    def display(self, word: str) -> str:
        """Return the display name of a value, or "" if it has none."""
        return next((value.name for value in self.values if value.value == word), "")


_DASH: Final = "[-\u2010-\u2015\u2212]"
_SEPARATES: Final = re.compile(rf"[\s_]|{_DASH}")
_SEPARATOR: Final = re.compile(
    # One separator between two letters, or between a letter and a digit: spaces, `_`, and at most one dash.
    # Between two digits it counts (1-5 is not 15), and so does a dash that is a sign (`x -1`).
    rf"(?:(?<=[^\W\d_])|(?<=\d)(?![\s_]*{_DASH}?[\s_]*\d))(?![\s_]+{_DASH}\d)(?:[\s_]+{_DASH}?[\s_]*|{_DASH}[\s_]*)(?=[^\W_])",
)

NOTHING: Final = frozenset(
    {"none", "null", "nil", "nan", "undefined", "n/a", "#n/a", "-", "--", "?", "(empty)", "(none)", "(null)", "\\n"}
)
"""Words that other systems write into an empty cell, in folded form."""


def folded(text: str) -> str:
    """Return the form in which two spellings of one word are equal.

    Case does not count, nor does one space, `_` or dash between two letters, or between a letter and a digit.
    Everything else does: a sign, brackets, `!`, separators between two digits, an accent.

    >>> folded("Self-Service Portal") == folded("selfservice portal"), folded("1 - High") == folded("1-HIGH")
    (True, True)
    >>> [folded(text) for text in ("-1", "- 2", "(2)", "!high", "1.5", "1-5", "level -1")]
    ['-1', '- 2', '(2)', '!high', '1.5', '1-5', 'level -1']
    """
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).strip()
    if plain.isascii():
        return _SEPARATOR.sub("", plain)
    # An accent or a vowel sign belongs to its letter, though `re` takes it for punctuation.
    letters = "".join(
        "a" if unicodedata.category(one)[0] == "M" and not _SEPARATES.match(before) else one
        for before, one in zip(" " + plain, plain, strict=False)
    )
    kept, at = [], 0
    for separator in _SEPARATOR.finditer(letters):
        kept.append(plain[at : separator.start()])
        at = separator.end()
    return "".join((*kept, plain[at:]))


def stands_for_nothing(text: str) -> bool:
    """Return whether other systems write this word into an empty cell.

    >>> stands_for_nothing("NULL"), stands_for_nothing(" None "), stands_for_nothing("no")
    (True, True, False)
    """
    return text.strip().casefold() in NOTHING


def boolean_word(text: str) -> str | None:
    """Read yes or no, also written true or false; None if it is neither."""
    return _BOOLEANS.get(text.strip().casefold())


def spellings(values: Iterable[Value]) -> dict[str, str]:
    """Map every folded spelling (value, display name, alias) to its value; the first of two equal ones counts."""
    table: dict[str, str] = {}
    listed = tuple(values)
    for value in listed:
        table.setdefault(folded(value.value), value.value)
    for value in listed:
        for spelling in (value.name, *value.aliases):
            if folded(spelling):
                table.setdefault(folded(spelling), value.value)
    return table


def value_of(values: Iterable[Value], text: str) -> str | None:
    """Return the value that a text spells, or None.

    A word that also stands for an empty cell has to be written exactly as the vocabulary writes it.

    >>> level = [Value(value="none"), Value(value="high", aliases=("1", "1 - High"))]
    >>> [value_of(level, text) for text in ("none", "None", "HIGH", "1-high", "-1", "(1)")]
    ['none', None, 'high', 'high', None, None]
    """
    listed = tuple(values)
    if stands_for_nothing(text) and text.strip() not in written(listed):
        return None
    return spellings(listed).get(folded(text))


def written(values: Iterable[Value]) -> frozenset[str]:
    """Return every spelling of some values, exactly as the vocabulary has it."""
    return frozenset(spelling for value in values for spelling in (value.value, value.name, *value.aliases))


def number_text(number: float) -> str:
    """Write a number as people do: no needless fraction.

    >>> number_text(50.0), number_text(0.5), number_text(float("inf"))
    ('50', '0.5', 'inf')
    """
    return str(int(number)) if math.isfinite(number) and number == int(number) else repr(number)
