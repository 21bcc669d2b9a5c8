"""Facts and outcomes: what a policy may speak of, with types, values and aliases."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from engine.problems import Place

UNKNOWN: Final = "unknown"
UNLISTED: Final = "unlisted"
DECIDED: Final = "decided"
UNDECIDED: Final = "undecided"
NOT_COVERED: Final = "not_covered"
RESERVED: Final = frozenset({UNKNOWN, UNLISTED, NOT_COVERED, UNDECIDED, "not"})
"""Words with a meaning of their own in conditions and cases; no value may be called so."""

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


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a choice: the word policies use, one line about it, a display name, and other spellings."""

    value: str
    about: str = ""
    name: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
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
    place: Place = field(default=Place(""), compare=False)

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers."""
        return self.type in (FactType.NUMBER, FactType.INTEGER)

    @property
    def words(self) -> tuple[str, ...]:
        """The words a condition may name, in order; empty for numbers.

        >>> Fact("workaround", FactType.BOOLEAN).words
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
        """Give the display name of a value, or "" if it has none."""
        return next((value.name for value in self.values if value.value == word), "")


def folded(text: str) -> str:
    """Give a text without case, spaces and punctuation, for look-ups.

    >>> folded("Self-Service Portal") == folded("selfservice portal")
    True
    """
    return re.sub(r"[\W_]+", "", text.casefold())


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


def number_text(number: float) -> str:
    """Write a number as people do: no needless fraction.

    >>> number_text(50.0), number_text(0.5)
    ('50', '0.5')
    """
    return str(int(number)) if number == int(number) else repr(number)
