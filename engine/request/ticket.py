"""Facts as callers send them -> a ticket of atoms. Each value is read here, once."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Final, NamedTuple

from engine.model.answer import WrongFact, WrongRequest
from engine.model.did_you_mean import MEANT, nearest
from engine.model.quoting import describe_value, encodable, value_as_text
from engine.model.vocabulary import (
    UNLISTED,
    Fact,
    FactType,
    boolean_word,
    folded,
    number_text,
    spellings,
    stands_for_nothing,
    written,
)
from engine.request.moment import EMPTY, LEAVE_OUT, NotAnInstant, read_instant
from engine.tables.atoms import Atoms

_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)

MAX_WORD: Final = 200
"""The most characters of a value of a choice."""

MAX_MEANT: Final = 20
"""For how many unknown facts of a request the nearest known fact is suggested."""

Sent = object
"""A value as sent: text, number, boolean or instant; None means not sent."""


class Ticket(NamedTuple):
    """The facts of a request, as read.

    Attributes:
        atoms: the atom of each fact of the version, by slot; 0 is not sent.
        instants: the instants, by fact.
        unlisted: the facts with values that are not on their open lists, and these values.
    """

    atoms: list[int]
    instants: Mapping[str, datetime]
    unlisted: tuple[tuple[str, str], ...]


def _no_atoms(_: list[int]) -> tuple[()]:
    return ()


_Reader = Callable[[Sent], tuple[int, datetime | str | None]]


class _Wrong(Exception):
    def __init__(self, message: str, allowed: tuple[str, ...] = (), help_: str = "") -> None:
        self.message, self.allowed, self.help = message, allowed, help_


class _FactReader(NamedTuple):
    """How one fact is read; ``words`` has the atoms of texts that need no further reading."""

    slot: int
    words: Mapping[str, int]
    is_text: bool
    read: _Reader


class TicketReader:
    """Reads tickets for one version of a policy."""

    def __init__(self, facts: Mapping[str, Fact], atoms: Mapping[str, Atoms]) -> None:
        self.facts, self._atoms = facts, atoms
        self.slots = {name: slot for slot, name in enumerate(sorted(facts))}
        self._readers = {name: _fact_reader(facts[name], atoms[name], slot) for name, slot in self.slots.items()}

    def __reduce__(self) -> tuple[type[TicketReader], tuple[Mapping[str, Fact], Mapping[str, Atoms]]]:
        return TicketReader, (self.facts, self._atoms)

    def read(self, sent: Mapping[str, Sent]) -> Ticket:
        """Read the facts of a request; raises WrongRequest with every fact that is wrong."""
        atoms = [0] * len(self.slots)
        instants: dict[str, datetime] = {}
        unlisted: list[tuple[str, str]] = []
        wrong: list[WrongFact] = []
        readers = self._readers
        for name, value in sent.items():
            if value is None:
                continue
            reader = readers.get(name)
            if reader is None:
                wrong.append(self._unknown(name, value, len(wrong)))
                continue
            slot, words, is_text, read = reader
            if value.__class__ is str:
                if is_text:
                    atoms[slot] = words["given"] if value and not value.isspace() else words["blank"]
                    continue
                if (atom := words.get(value)) is not None:
                    atoms[slot] = atom
                    continue
            try:
                atoms[slot], special = read(value)
            except _Wrong as error:
                wrong.append(
                    WrongFact(
                        fact=name,
                        sent=value_as_text(value),
                        message=error.message,
                        allowed=error.allowed,
                        help=error.help,
                    )
                )
                continue
            if special.__class__ is str:
                unlisted.append((name, special))
            elif special is not None:
                instants[name] = special  # type: ignore[assignment]
        if wrong:
            raise WrongRequest(tuple(wrong))
        return Ticket(atoms, instants, tuple(sorted(unlisted)) if unlisted else ())

    def key_of(self, facts: Iterable[str]) -> Callable[[list[int]], object]:
        """Return a function that returns the atoms of these facts from the atoms of a ticket."""
        slots = [self.slots[fact] for fact in facts]
        return itemgetter(*slots) if slots else _no_atoms

    def atom(self, name: str, value: Sent) -> int | None:
        """Return the atom of one value of a fact; None if the value is invalid."""
        try:
            return self._readers[name].read(value)[0]
        except _Wrong:
            return None

    def _unknown(self, name: str, value: Sent, before: int) -> WrongFact:
        names = tuple(self.slots)
        return WrongFact(
            fact=name,
            sent=value_as_text(value),
            message=f"unknown fact `{name}`",
            allowed=names,
            help=_meant(name, names) if before < MAX_MEANT else "",
        )


def _fact_reader(fact: Fact, atoms: Atoms, slot: int) -> _FactReader:
    read = _reader(fact, atoms)
    words: dict[str, int] = {}
    if fact.type is FactType.CHOICE:
        for value in fact.values:
            words |= {word: read(word)[0] for word in (value.value, value.name, *value.aliases) if folded(word)}
    if fact.type is FactType.TEXT:
        words = {"given": atoms.of("given"), "blank": atoms.of("blank")}
    return _FactReader(slot, words, fact.type is FactType.TEXT, read)


def _reader(fact: Fact, atoms: Atoms) -> _Reader:
    match fact.type:
        case FactType.CHOICE:
            return _choice_reader(fact, atoms)
        case FactType.BOOLEAN:
            return lambda sent: (atoms.of(_boolean(fact, sent)), None)
        case FactType.NUMBER | FactType.INTEGER:
            return lambda sent: (atoms.of(_number(fact, sent)), None)
        case FactType.INSTANT:
            return lambda sent: (atoms.of("given"), _instant(fact, sent))
        case _:
            return lambda sent: (atoms.of("given" if _text(fact, sent).strip() else "blank"), None)


def _choice_reader(fact: Fact, atoms: Atoms) -> _Reader:
    known = {spelling: atoms.of(value) for spelling, value in spellings(fact.values).items()}
    exact = written(fact.values)
    allowed = tuple(value.value for value in fact.values)

    def read(sent: Sent) -> tuple[int, str | None]:
        number = _finite(sent)
        text = number_text(number) if number is not None else _text(fact, sent, allowed)
        if len(text) > MAX_WORD:
            raise _Wrong(f"expected at most {MAX_WORD} characters for `{fact.name}`, got {len(text):,}", allowed)
        tag = text.strip()
        if stands_for_nothing(tag) and tag not in exact:
            raise _Wrong(*_nothing(fact, tag, known.get(folded(tag)) is not None, allowed))
        while tag:
            if (atom := known.get(folded(tag))) is not None:
                return atom, None
            tag = tag.replace("_", "-").rpartition("-")[0] if fact.subtags else ""
        if not text.strip():
            raise _Wrong(EMPTY, allowed, LEAVE_OUT)
        if fact.open:
            return atoms.of(UNLISTED), text
        raise _Wrong(f"unknown {fact.name} `{value_as_text(text)}`", allowed, _meant(text, allowed))

    return read


def _nothing(fact: Fact, text: str, meant: bool, allowed: tuple[str, ...]) -> tuple[str, tuple[str, ...], str]:
    """Return why a word for an empty cell is rejected; ``meant``: a value has the same spelling."""
    if meant:
        return (
            f"unknown {fact.name} `{value_as_text(text)}`, which may also be an empty cell",
            allowed,
            f"{_meant(text, allowed)} If it is an empty cell, leave it out".strip(),
        )
    return f"unknown {fact.name} `{value_as_text(text)}`, which usually means an empty cell", allowed, LEAVE_OUT


def _finite(sent: Sent) -> float | None:
    """Return a finite number that was sent as a number; None for anything else, including booleans."""
    if isinstance(sent, bool) or not isinstance(sent, (int, float)):
        return None
    try:
        number = float(sent)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _meant(text: str, allowed: tuple[str, ...]) -> str:
    close = nearest(text, allowed, 1, MEANT)
    return f"did you mean `{close[0]}`?" if close else ""


def _text(fact: Fact, sent: Sent, allowed: tuple[str, ...] = ()) -> str:
    if not isinstance(sent, str):
        raise _Wrong(f"expected a text for `{fact.name}`, got {describe_value(sent)}", allowed)
    if not sent.isascii() and not encodable(sent):
        raise _Wrong(f"expected Unicode text for `{fact.name}`, got `{value_as_text(sent)}`", allowed)
    return sent


def _boolean(fact: Fact, sent: Sent) -> str:
    if isinstance(sent, bool):
        return "yes" if sent else "no"
    word = boolean_word(sent) if isinstance(sent, str) else None
    if word is None:
        _refuse_empty(sent, ("true", "false"))
        raise _Wrong(f"expected true or false for `{fact.name}`, got {describe_value(sent)}", ("true", "false"))
    return word


def _number(fact: Fact, sent: Sent) -> float:
    number = _finite(float(sent)) if isinstance(sent, str) and _NUMBER.fullmatch(sent.strip()) else _finite(sent)
    if number is None:
        _refuse_empty(sent, (_range(fact),))
        raise _Wrong(f"expected a number for `{fact.name}`, got {describe_value(sent)}", (_range(fact),))
    if fact.type is FactType.INTEGER and number != int(number):
        raise _Wrong(f"expected a whole number for `{fact.name}`, got `{number_text(number)}`", (_range(fact),))
    if (fact.minimum is not None and number < fact.minimum) or (fact.maximum is not None and number > fact.maximum):
        raise _Wrong(
            f"`{number_text(number) if abs(number) < 1e15 else number}` is out of range for `{fact.name}`",
            (_range(fact),),
        )
    return number


def _range(fact: Fact) -> str:
    low = "" if fact.minimum is None else number_text(fact.minimum)
    high = "" if fact.maximum is None else number_text(fact.maximum)
    whole = "whole number" if fact.type is FactType.INTEGER else "number"
    return f"{low}..{high}" if low or high else f"any {whole}"


def _instant(fact: Fact, sent: Sent) -> datetime:
    try:
        return read_instant(fact.name, sent)
    except NotAnInstant as error:
        raise _Wrong(error.message, error.allowed, error.help) from None


def _refuse_empty(sent: Sent, allowed: tuple[str, ...]) -> None:
    if isinstance(sent, str) and not sent.strip():
        raise _Wrong(EMPTY, allowed, LEAVE_OUT)
