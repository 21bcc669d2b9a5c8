"""Which target each row goes by: worked out once for each combination of what a deadline depends on.

Where all that a deadline reads is decided, its target depends on these values only. Where something is not, it depends
on what that can still become; and on the very cell of a table whose facts other inputs read too, as long as one of these
is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.clock.zone import Column
from engine.columns.keys import Combinations
from engine.columns.lookup import DECIDED, NOT_COVERED, UNDECIDED, Found, Tables
from engine.columns.read import Atomic, Block
from engine.deadlines.schedule import Scheduler
from engine.model.targets import Target
from engine.tables.partial import Codes, PartialTable
from engine.tables.possible_sets import possible_sets

_PENDING: Final = -1


@dataclass(frozen=True, slots=True)
class Aim:
    """What a row goes by: how far that is known, and the target where it is."""

    level: int
    target: Target | None


class _Group:
    """The inputs that one table gives; ``shared`` are its facts that other inputs read too."""

    def __init__(self, partial: PartialTable, names: tuple[str, ...], shared: tuple[str, ...]) -> None:
        self.partial, self.names, self.shared = partial, names, shared
        self.size = 2 * partial.cell.size + 1
        self._sets: Atomic | None = None

    @property
    def sets(self) -> Atomic:
        """For each cell, a number for what the inputs can become there, taken together."""
        if self._sets is None:
            joint = np.zeros(self.partial.cell.shape, np.int64)
            open_ = np.zeros(self.partial.cell.shape, np.bool_)
            for codes in (self.partial.codes[name] for name in self.names):
                joint = joint * (codes.not_covered + 1) + codes.low
                open_ |= codes.low != codes.high
            distinct, least = np.unique(joint, return_inverse=True)
            low = least.reshape(joint.shape).astype(np.int32)
            whole = Codes(tuple(range(len(distinct) - 1)), low, np.where(open_, len(distinct), low).astype(np.int32))
            self._sets = possible_sets(self.partial, whole).set_numbers.ravel().astype(np.intp)
        return self._sets

    def part(self, found: Found, rows: Column, undecided: Mapping[str, int]) -> Atomic:
        """Return a number for all that matters of the group where something is not decided: 0 if it stays as it is."""
        cells = found.cells(self.names[0])[rows]
        open_ = np.logical_or.reduce([found.codes(name)[rows] == undecided[name] for name in self.names])
        part = np.where(open_, self.sets.take(cells) + 1, 0) if open_.any() else np.zeros(len(rows), np.intp)
        atoms = [found.block.atoms.get(fact) for fact in self.shared]
        moving = (
            np.logical_or.reduce(
                [np.full(len(rows), True) if column is None else column[rows] == 0 for column in atoms]
            )
            if atoms
            else False
        )
        return np.where(moving, self.partial.cell.size + 1 + cells, part)


class AimColumn:
    """Finds the aims of one deadline; ``aims`` are those met so far, and columns hold positions in it."""

    def __init__(self, scheduler: Scheduler, looked: Tables, slots: Mapping[str, int]) -> None:
        self._scheduler, self._slots = scheduler, slots
        self.aims: list[Aim] = []
        self._positions: dict[Aim, int] = {}
        self._closed: list[int] = []
        self._open: list[int] = []
        producer, partial_tables = scheduler.explainer.producer, scheduler.explainer.partial_tables
        tables = {producer[name]: partial_tables[producer[name]] for name in scheduler.plan.lookups}
        self._groups = [
            _Group(
                partial,
                tuple(name for name in scheduler.plan.lookups if producer[name] == table),
                _shared(table, tables, scheduler.plan.facts),
            )
            for table, partial in tables.items()
        ]
        self._undecided = {name: looked.scales[name].undecided for name in scheduler.plan.lookups}
        sizes = [code + 1 for code in self._undecided.values()] + [
            len(scheduler.atoms[fact].samples) + 1 for fact in scheduler.plan.facts
        ]
        self._values = Combinations(sizes)
        self._further = Combinations([1 << 31, *(group.size for group in self._groups)])

    def of(self, found: Found) -> Column:
        """Return the aim of each row of a block."""
        block = found.block
        codes = {name: found.codes(name) for name in self._scheduler.plan.lookups}
        atoms = {
            fact: block.atoms[fact] if fact in block.atoms else np.zeros(block.size, np.intp)
            for fact in self._scheduler.plan.facts
        }

        def meet(row: int) -> None:
            pending = any(int(codes[name][row]) == self._undecided[name] for name in codes) or any(
                not int(column[row]) for column in atoms.values()
            )
            self._closed.append(_PENDING if pending else self._aim(block, row))

        numbers = self._values.numbers([*codes.values(), *atoms.values()], block.size, meet)
        aims = np.array(self._closed, np.int64).take(numbers, mode="clip")
        waiting = np.flatnonzero(aims < 0)
        if len(waiting):
            parts = [numbers[waiting], *(group.part(found, waiting, self._undecided) for group in self._groups)]
            which = self._further.numbers(
                parts, len(waiting), lambda at: self._open.append(self._aim(block, int(waiting[at])))
            )
            aims[waiting] = np.array(self._open, np.int64).take(which)
        return aims

    def _aim(self, block: Block, row: int) -> int:
        targets = self._scheduler.targets(block.row(row, self._slots))
        target = next(iter(targets)) if len(targets) == 1 else None
        aim = Aim(UNDECIDED if len(targets) > 1 else NOT_COVERED if target is None else DECIDED, target)
        if aim not in self._positions:
            self._positions[aim] = len(self.aims)
            self.aims.append(aim)
        return self._positions[aim]


def _shared(table: str, tables: Mapping[str, PartialTable], facts: Mapping[str, int]) -> tuple[str, ...]:
    """Return the facts of a table that another input reads too."""
    others = set(facts).union(
        *({axis.fact for axis in partial.axes} for name, partial in tables.items() if name != table)
    )
    return tuple(axis.fact for axis in tables[table].axes if axis.fact in others)
