"""Columns of facts -> columns of atoms. Each distinct value is read once, by the reader of the version.

So spellings, open lists, limits and subtags have the same effect as in a request. A row with an invalid value is marked
and not decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.clock.zone import BEGIN, END, Column, to_micros
from engine.columns.fact_columns import Instants, Mask, Numbers, SentColumn, Words
from engine.model.answer import WrongFact, WrongRequest
from engine.model.vocabulary import FactType
from engine.request.ticket import Sent, TicketReader
from engine.tables.atoms import Atoms

Atomic = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Refused:
    """A value that the version cannot read, and the rows that have it."""

    wrong: WrongFact
    rows: Column


@dataclass(slots=True, kw_only=True)
class Block:
    """Some rows, read: the atoms of each fact (0: not sent), the instants, and which rows are refused."""

    size: int
    atoms: dict[str, Atomic] = field(default_factory=dict)
    instants: dict[str, tuple[Column, Mask]] = field(default_factory=dict)
    refused: Mask | None = None

    def row(self, at: int, facts: Mapping[str, int]) -> list[int]:
        """Return the atoms of one row as a ticket has them; ``facts`` has the slot of each fact."""
        atoms = [0] * len(facts)
        for name, column in self.atoms.items():
            atoms[facts[name]] = int(column[at])
        return atoms


class ColumnReader:
    """Reads columns for one version, block by block, and collects the values that cannot be read."""

    def __init__(self, reader: TicketReader, atoms: Mapping[str, Atoms], columns: Mapping[str, SentColumn]) -> None:
        self._columns = {name: _readable(name, column, reader, atoms) for name, column in columns.items()}
        self._refused: dict[tuple[str, object], tuple[WrongFact, list[Column]]] = {}

    def block(self, rows: slice) -> Block:
        """Read some rows."""
        block = Block(size=rows.stop - rows.start)
        for name, column in self._columns.items():
            for key, wrong, at in column.read(name, rows, block):
                block.refused = np.zeros(block.size, np.bool_) if block.refused is None else block.refused
                block.refused[at] = True
                self._refused.setdefault((name, key), (wrong, []))[1].append(at + rows.start)
        return block

    @property
    def refused(self) -> tuple[Refused, ...]:
        """The values that were refused so far, by fact, each with its rows in order."""
        found = [Refused(wrong, np.concatenate(rows)) for wrong, rows in self._refused.values()]
        return tuple(sorted(found, key=lambda one: (one.wrong.fact, int(one.rows[0]))))


Refusals = Iterator[tuple[object, WrongFact, Column]]


def _one(reader: TicketReader, name: str, value: Sent) -> tuple[int, int | None, WrongFact | None]:
    """Return the atom and the instant of one value, or why a request with it would be refused."""
    try:
        ticket = reader.read({name: value})
    except WrongRequest as error:
        return 0, None, error.wrong[0]
    if value is None:
        return 0, None, None
    instant = ticket.instants.get(name)
    return ticket.atoms[reader.slots[name]], None if instant is None else to_micros(instant), None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Encoded:
    """A dictionary-encoded column, with the atom of each of its values after the entry for rows without one."""

    codes: NDArray[np.integer[Any]]
    known: bool
    atoms: Atomic
    micros: Column | None
    wrong: Mapping[int, WrongFact]

    def read(self, name: str, rows: slice, block: Block) -> Refusals:
        codes = self.codes[rows] + np.intp(1)
        if self.known:
            block.atoms[name] = self.atoms.take(codes, mode="clip")
            if self.micros is not None:
                block.instants[name] = self.micros.take(codes, mode="clip"), block.atoms[name] > 0
        if self.wrong:
            invalid = np.zeros(len(self.atoms), np.bool_)
            invalid[list(self.wrong)] = True
            at = np.flatnonzero(invalid.take(codes, mode="clip"))
            found = codes[at]
            yield from ((int(code), self.wrong[int(code)], at[found == code]) for code in np.unique(found))


@dataclass(frozen=True, slots=True)
class _Numeric:
    """A column of numbers, for a numeric fact."""

    column: Numbers
    atoms: Atoms
    reader: TicketReader

    def read(self, name: str, rows: slice, block: Block) -> Refusals:
        values = self.column.values[rows]
        given = np.ones(len(values), np.bool_) if self.column.given is None else self.column.given[rows]
        fine = given & np.isfinite(values)
        if self.atoms.fact.type is FactType.INTEGER:
            fine &= np.where(fine, values, 0) % 1 == 0
        if self.atoms.fact.minimum is not None:
            fine &= values >= self.atoms.fact.minimum
        if self.atoms.fact.maximum is not None:
            fine &= values <= self.atoms.fact.maximum
        block.atoms[name] = np.where(fine, number_atoms(self.atoms, values), 0)
        yield from _refusals(self.reader, name, values, np.flatnonzero(given & ~fine), float)


@dataclass(frozen=True, slots=True)
class _Dated:
    """A column of instants, for an instant fact."""

    column: Instants
    atom: int
    reader: TicketReader

    def read(self, name: str, rows: slice, block: Block) -> Refusals:
        micros = self.column.micros[rows]
        # An unset value is usually zero: it is refused like an instant outside the years of calendars.
        inside = (micros >= BEGIN) & (micros < END) & (micros != 0)
        given = inside if self.column.given is None else inside & self.column.given[rows]
        block.atoms[name] = given * np.intp(self.atom)
        block.instants[name] = micros, given
        wrong = ~inside if self.column.given is None else ~inside & self.column.given[rows]
        if wrong.any():
            yield from _refusals(
                self.reader, name, micros, np.flatnonzero(wrong), lambda value: Instants(np.array([value])).sent(0)
            )


def _refusals(
    reader: TicketReader, name: str, values: NDArray[Any], at: Column, sent: Callable[[Any], Sent]
) -> Refusals:
    if not len(at):
        return
    distinct, which = np.unique(values[at], return_inverse=True)
    for number, value in enumerate(distinct.tolist()):
        wrong = _one(reader, name, sent(value))[2]
        if wrong is None:
            raise AssertionError(f"`{name}` takes {value!r}")
        yield repr(value), wrong, at[which == number]


def number_atoms(atoms: Atoms, values: NDArray[np.float64]) -> Atomic:
    """Return the atoms of numbers, by the rules of ``Atoms.of``."""
    pieces = np.array(atoms.piece_atoms, np.intp)
    if not atoms.cuts:
        return np.full(len(values), pieces[0])
    cuts = np.array(atoms.cuts)
    at = np.searchsorted(cuts, values)
    found: Atomic = pieces.take(2 * at + (cuts.take(at, mode="clip") == values), mode="clip")
    return found


_Readable = _Encoded | _Numeric | _Dated


def _readable(name: str, column: SentColumn, reader: TicketReader, atoms: Mapping[str, Atoms]) -> _Readable:
    """Return the reader of a column; a column of another type than its fact is read by its distinct values."""
    fact = reader.facts.get(name)
    if isinstance(column, Numbers) and fact is not None and fact.numeric:
        return _Numeric(column, atoms[name], reader)
    if isinstance(column, Instants) and fact is not None and fact.type is FactType.INSTANT:
        return _Dated(column, atoms[name].of("given"), reader)
    if not isinstance(column, Words):
        column = _encoded(column)
    if len(column.codes) and int(column.codes.max()) >= len(column.values):
        raise ValueError(f"the column `{name}` has a code without a value")
    read = [_one(reader, name, value) for value in column.values]
    micros = None
    if fact is not None and fact.type is FactType.INSTANT:
        micros = np.array([0, *(at or 0 for _, at, _ in read)], np.int64)
    wrong = {code: why for code, (_, _, why) in enumerate(read, start=1) if why is not None}
    return _Encoded(
        codes=column.codes,
        known=fact is not None,
        atoms=np.array([0, *(atom for atom, _, _ in read)], np.intp),
        micros=micros,
        wrong=wrong,
    )


def _encoded(column: Numbers | Instants) -> Words:
    """Encode a column of numbers or instants."""
    values = column.values if isinstance(column, Numbers) else column.micros
    _, first, codes = np.unique(values, return_index=True, return_inverse=True)
    whole = Numbers(column.values) if isinstance(column, Numbers) else Instants(column.micros)
    return Words(
        codes if column.given is None else np.where(column.given, codes, -1),
        tuple(whole.sent(int(row)) for row in first),
    )
