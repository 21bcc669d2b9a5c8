"""The target of each row for a deadline, computed once for each combination of its inputs.

The target depends on the state of each input: its value, or what is still possible of it. Tied inputs count together
(:mod:`engine.columns.inputs`); then the target is found by all facts behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from engine.clock.zone import Column
from engine.columns.combinations import Combinations
from engine.columns.inputs import NOT_YET, TIED, Inputs, class_column, classes_of, tiers
from engine.columns.lookup import DECIDED, NOT_COVERED, UNDECIDED, BlockOutcomes, Tables
from engine.columns.read import Block
from engine.deadlines.schedule import Scheduler
from engine.model.targets import Target
from engine.version.version import Version


@dataclass(frozen=True, slots=True)
class RowTarget:
    """The target of a row, and whether it is decided."""

    level: int
    target: Target | None


class TargetColumn:
    """Finds the targets of one deadline.

    ``row_targets`` lists those found so far, and columns have positions in it.
    """

    def __init__(self, scheduler: Scheduler, tables: Tables, version: Version) -> None:
        self._scheduler, self._slots = scheduler, version.reader.slots
        self.row_targets: list[RowTarget] = []
        self._positions: dict[RowTarget, int] = {}
        deadline = scheduler.plan.deadline
        first, *others = tiers(deadline.goes_by, version, deadline.name, tables)
        self._first, self._others = _Known(first), [_Known(one) for one in others]
        self._facts = {fact: classes_of(fact, version, deadline.name) for fact in sorted(first.behind)}
        self._numbers = Combinations([int(one.max()) + 1 for one in self._facts.values()])
        self._tied = np.empty(0, np.int64)

    def of(self, found: BlockOutcomes) -> Column:
        """Return the target of each row of a block, as a position in ``row_targets``."""
        block = found.block
        row_targets = self._first.of(found, lambda row: self._row_target(block, row))
        rows = np.flatnonzero(row_targets == TIED)
        if len(rows):
            row_targets[rows] = self._of_tied(_some(block, rows, self._facts))
        return row_targets

    def _of_tied(self, block: Block) -> Column:
        """Return the targets of rows whose inputs are tied; those with the same facts have the same."""
        new: list[int] = []
        columns = [class_column(block, fact, classes) for fact, classes in self._facts.items()]
        numbers = self._numbers.numbers(columns, block.size, new.append)
        if new:
            some = _some(block, np.array(new), self._facts)
            row_targets = np.full(len(new), TIED)
            for known in self._others:
                rows = np.flatnonzero(row_targets == TIED)
                if len(rows):
                    part = _some(some, rows, self._facts)
                    found = known.inputs.tables.on(part)
                    row_targets[rows] = known.of(found, lambda row, part=part: self._row_target(part, row))  # type: ignore[misc]
            self._tied = np.concatenate([self._tied, row_targets])
        return self._tied.take(numbers)

    def _row_target(self, block: Block, row: int) -> int:
        targets = self._scheduler.targets(block.row(row, self._slots))
        target = next(iter(targets)) if len(targets) == 1 else None
        row_target = RowTarget(UNDECIDED if len(targets) > 1 else NOT_COVERED if target is None else DECIDED, target)
        if row_target not in self._positions:
            self._positions[row_target] = len(self.row_targets)
            self.row_targets.append(row_target)
        return self._positions[row_target]


class _Known:
    """The row targets of the combinations of some inputs that were met."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self._numbers = Combinations(inputs.sizes)
        self._tied_if, self._known = np.empty(0, np.int64), np.empty(0, np.int64)

    def of(self, found: BlockOutcomes, find: Callable[[int], int]) -> Column:
        """Return the row target of each row, or TIED; ``find`` computes that of a row."""
        states = self.inputs.states(found)
        new: list[int] = []
        numbers = self._numbers.numbers(states, found.block.size, new.append)
        if new:
            ties = [self.inputs.tied_if([int(one[row]) for one in states]) for row in new]
            self._tied_if = np.concatenate([self._tied_if, np.array(ties, np.int64)])
            self._known = np.concatenate([self._known, np.full(len(new), NOT_YET)])
        row_targets = self._known.take(numbers)
        tied_if = self._tied_if.take(numbers)
        rows = np.flatnonzero(tied_if)
        rows = rows[tied_if.take(rows) & self.inputs.missing(found.block, rows) != 0]
        row_targets[rows] = TIED
        fresh = np.flatnonzero(row_targets == NOT_YET)
        if len(fresh):
            for number, at in zip(*np.unique(numbers[fresh], return_index=True), strict=True):
                self._known[number] = find(int(fresh[at]))
            row_targets[fresh] = self._known.take(numbers[fresh])
        return row_targets


def _some(block: Block, rows: Column, facts: Iterable[str]) -> Block:
    return Block(size=len(rows), atoms={fact: block.atoms[fact].take(rows) for fact in facts if fact in block.atoms})
