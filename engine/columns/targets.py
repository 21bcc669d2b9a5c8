"""The target of each row for a deadline, computed once for each combination of its inputs.

If all inputs are decided, the target depends on their values only. If an input is undecided, it depends on the values
that are still possible. If a table shares facts with other inputs and one of these facts is missing, it depends on the
cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.clock.zone import Column
from engine.columns.combinations import Combinations
from engine.columns.lookup import DECIDED, NOT_COVERED, UNDECIDED, BlockOutcomes, Tables
from engine.columns.read import Atomic, Block
from engine.deadlines.schedule import Scheduler
from engine.model.targets import Target
from engine.tables.missing_facts import Codes, PartialTable
from engine.tables.possible_sets import possible_sets
from engine.version.version import Version

_PENDING: Final = -1


@dataclass(frozen=True, slots=True)
class RowTarget:
    """The target of a row, and whether it is decided."""

    level: int
    target: Target | None


class _Group:
    """The inputs from one table; ``shared`` are its facts that other inputs read, too."""

    def __init__(self, partial: PartialTable, names: tuple[str, ...], shared: tuple[str, ...]) -> None:
        self.partial, self.names, self.shared = partial, names, shared
        self.size = 2 * partial.cell.size + 1
        self._sets: Atomic | None = None

    @property
    def sets(self) -> Atomic:
        """A number for each cell, for the combination of values that are still possible for the inputs there."""
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

    def part(self, found: BlockOutcomes, rows: Column, undecided: Mapping[str, int]) -> Atomic:
        """Return for each row a number for what is still possible in the group; 0 if all its inputs are decided."""
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


class TargetColumn:
    """Finds the targets of one deadline.

    ``row_targets`` lists those found so far, and columns have positions in it.
    """

    def __init__(self, scheduler: Scheduler, looked: Tables, version: Version) -> None:
        self._scheduler, self._slots = scheduler, version.reader.slots
        self.row_targets: list[RowTarget] = []
        self._positions: dict[RowTarget, int] = {}
        self._closed: list[int] = []
        self._open: list[int] = []
        producer, partial_tables = version.producer, version.partial_tables
        tables = {producer[name]: partial_tables[producer[name]] for name in scheduler.plan.reads}
        self._groups = [
            _Group(
                partial,
                tuple(name for name in scheduler.plan.reads if producer[name] == table),
                _shared(table, tables, scheduler.plan.facts),
            )
            for table, partial in tables.items()
        ]
        self._undecided = {name: looked.scales[name].undecided for name in scheduler.plan.reads}
        sizes = [code + 1 for code in self._undecided.values()] + [
            len(scheduler.atoms[fact].samples) + 1 for fact in scheduler.plan.facts
        ]
        self._values = Combinations(sizes)
        self._further = Combinations([1 << 31, *(group.size for group in self._groups)])

    def of(self, found: BlockOutcomes) -> Column:
        """Return the target of each row of a block, as a position in ``row_targets``."""
        block = found.block
        codes = {name: found.codes(name) for name in self._scheduler.plan.reads}
        atoms = {
            fact: block.atoms[fact] if fact in block.atoms else np.zeros(block.size, np.intp)
            for fact in self._scheduler.plan.facts
        }

        def meet(row: int) -> None:
            pending = any(int(codes[name][row]) == self._undecided[name] for name in codes) or any(
                not int(column[row]) for column in atoms.values()
            )
            self._closed.append(_PENDING if pending else self._row_target(block, row))

        numbers = self._values.numbers([*codes.values(), *atoms.values()], block.size, meet)
        row_targets = np.array(self._closed, np.int64).take(numbers, mode="clip")
        waiting = np.flatnonzero(row_targets < 0)
        if len(waiting):
            parts = [numbers[waiting], *(group.part(found, waiting, self._undecided) for group in self._groups)]
            which = self._further.numbers(
                parts, len(waiting), lambda at: self._open.append(self._row_target(block, int(waiting[at])))
            )
            row_targets[waiting] = np.array(self._open, np.int64).take(which)
        return row_targets

    def _row_target(self, block: Block, row: int) -> int:
        targets = self._scheduler.targets(block.row(row, self._slots))
        target = next(iter(targets)) if len(targets) == 1 else None
        row_target = RowTarget(UNDECIDED if len(targets) > 1 else NOT_COVERED if target is None else DECIDED, target)
        if row_target not in self._positions:
            self._positions[row_target] = len(self.row_targets)
            self.row_targets.append(row_target)
        return self._positions[row_target]


def _shared(table: str, tables: Mapping[str, PartialTable], facts: Mapping[str, int]) -> tuple[str, ...]:
    """Return the facts of a table that another input reads, too."""
    others = set(facts).union(
        *({axis.fact for axis in partial.axes} for name, partial in tables.items() if name != table)
    )
    return tuple(axis.fact for axis in tables[table].axes if axis.fact in others)
