"""Which target each row goes by: worked out once for each combination of what a deadline depends on.

Where all that a deadline reads is decided, its schedule depends on these values only; where something is not, on the
cells that it stands in, since these tell what it can still become.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.answer import Status
from engine.clock.zone import Column
from engine.columns.keys import Combinations
from engine.columns.look import DECIDED, NOT_COVERED, UNDECIDED, Coded, Found, Tables
from engine.columns.read import Atomic, Block
from engine.schedule import Scheduler
from engine.timing import Target

LEVELS: Final = {Status.NOT_COVERED: NOT_COVERED, Status.DECIDED: DECIDED, Status.UNDECIDED: UNDECIDED}

_PENDING: Final = -1


@dataclass(frozen=True, slots=True)
class Aim:
    """What a row goes by: how far that is known, and the target where it is."""

    level: int
    target: Target | None


class AimColumn:
    """Finds the aims of one deadline; ``aims`` are those met so far, and columns hold positions in it."""

    def __init__(self, scheduler: Scheduler, tables: Tables, slots: Mapping[str, int]) -> None:
        self._scheduler, self._slots = scheduler, slots
        self.aims: list[Aim] = []
        self._positions: dict[Aim, int] = {}
        self._closed: list[int] = []
        self._open: list[int] = []
        explainer = scheduler.explainer
        flats = {explainer.producer[name]: explainer.flats[explainer.producer[name]] for name in scheduler.looks}
        self._groups = [(tuple(name for name in scheduler.looks if explainer.producer[name] == table), self._shared(table, flats)) for table in flats]
        self._undecided = {name: tables.scales[name].undecided for name in scheduler.looks}
        sizes = [code + 1 for code in self._undecided.values()] + [len(scheduler.atoms[fact].samples) + 1 for fact in scheduler.facts]
        self._values = Combinations(sizes)
        self._cells = Combinations([1 << 31, *(flat.cell.size + 1 for flat in flats.values())])

    def _shared(self, table: str, flats: Mapping[str, object]) -> bool:
        """Tell whether a fact of a table is read by another input too."""
        read = {name: {axis.fact for axis in self._scheduler.explainer.flats[name].axes} for name in flats}
        others = set(self._scheduler.facts).union(*(facts for name, facts in read.items() if name != table))
        return bool(read[table] & others)

    def of(self, found: Found) -> Column:
        """Give the aim of each row of a block."""
        block = found.block
        codes = {name: found.codes(name) for name in self._scheduler.looks}
        atoms = {fact: block.atoms[fact] if fact in block.atoms else np.zeros(block.size, np.intp) for fact in self._scheduler.facts}

        def meet(row: int) -> None:
            pending = any(int(codes[name][row]) == self._undecided[name] for name in codes) or any(not int(column[row]) for column in atoms.values())
            self._closed.append(_PENDING if pending else self._aim(block, row))

        numbers = self._values.numbers([*codes.values(), *atoms.values()], block.size, meet)
        aims = np.array(self._closed, np.int64).take(numbers, mode="clip")
        waiting = np.flatnonzero(aims < 0)
        if len(waiting):
            aims[waiting] = self._still_open(found, codes, numbers, waiting)
        return aims

    def _still_open(self, found: Found, codes: Mapping[str, Coded], numbers: Column, rows: Column) -> Column:
        """Give the aims of the rows for which something is not decided."""
        parts: list[Atomic] = [numbers[rows]]
        for names, shared in self._groups:
            cells = found.cells(names[0])[rows]
            if not shared:
                open_ = np.logical_or.reduce([codes[name][rows] == self._undecided[name] for name in names])
                cells = np.where(open_, cells + 1, 0)
            parts.append(cells)
        which = self._cells.numbers(parts, len(rows), lambda at: self._open.append(self._aim(found.block, int(rows[at]))))
        return np.array(self._open, np.int64).take(which)

    def _aim(self, block: Block, row: int) -> int:
        schedule = self._scheduler.schedule(block.row(row, self._slots))
        aim = Aim(LEVELS[schedule.status], schedule.target)
        if aim not in self._positions:
            self._positions[aim] = len(self.aims)
            self.aims.append(aim)
        return self._positions[aim]
