"""The cells that become reachable once the missing facts of a cell are known, and their outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.model.policy import Literal
from engine.tables.classes import Mask
from engine.tables.missing_facts import Codes, PartialTable

Cell = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The cells that are reachable from a cell.

    Attributes:
        free: the axes whose facts are open at the start or can become open; the others stay as they are.
        cells: the reachable cells, within the part of the table that the free axes span; the start is one of them.
    """

    partial: PartialTable
    start: Cell
    free: frozenset[int]
    cells: Mask

    def of(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the part of an array of the whole table that the free axes span."""
        return array[_part(self.start, self.free)]

    def cell(self, inside: np.ndarray[Any, Any]) -> Cell:
        """Return the cell of the whole table at a position in this part."""
        return tuple(int(step) + at for step, at in zip(inside, self.start, strict=True))


def reach_from(partial: PartialTable, start: Cell) -> Reach:
    """Return the cells that are reachable from a cell by learning open facts."""
    free = _free(partial, start)
    part = _part(start, free)
    opened = {axis: partial.open[axis][part] for axis in free}
    cells = np.zeros(tuple(axis.size if at in free else 1 for at, axis in enumerate(partial.axes)), dtype=np.bool_)
    cells[(0,) * len(start)] = True
    met, before = 1, 0
    while met > before:
        for axis, mask in opened.items():
            missing_here = (slice(None),) * axis + (slice(0, 1),)
            cells[(slice(None),) * axis + (slice(1, None),)] |= cells[missing_here] & mask[missing_here]
        before, met = met, int(cells.sum())
    return Reach(partial=partial, start=start, free=free, cells=cells)


def _free(partial: PartialTable, start: Cell) -> frozenset[int]:
    """Return the axes whose facts are open at the start, or can become open once others are known."""
    closed = {axis for axis, at in enumerate(start) if at == 0}
    free: frozenset[int] = frozenset()
    while True:
        part = _part(start, free)
        found = {axis for axis in closed if partial.open[axis][part].any()}
        if not found:
            return free
        free |= found
        closed -= found


def _part(start: Cell, free: frozenset[int]) -> tuple[slice, ...]:
    return tuple(slice(None) if axis in free else slice(at, at + 1) for axis, at in enumerate(start))


def possible(codes: Codes, reach: Reach) -> tuple[Literal | None, ...]:
    """Return the outcomes of the reachable settled cells; None is "not covered"."""
    found = np.unique(reach.of(codes.low)[reach.cells & reach.of(reach.partial.settled)])
    return tuple(codes.domain[code] if code < len(codes.domain) else None for code in found.tolist())


def missing(codes: Codes, reach: Reach) -> tuple[str, ...]:
    """Return the missing facts that can change the outcome."""
    low, high = reach.of(codes.low), reach.of(codes.high)
    state = np.where(low == high, low, -1)
    found = []
    for axis in sorted(reach.free):
        here = (slice(None),) * axis + (0,)
        opened = reach.cells[here] & reach.of(reach.partial.open[axis])[here]
        if bool(((state.max(axis=axis) != state.min(axis=axis)) & opened).any()):
            found.append(reach.partial.axes[axis].fact)
    return tuple(found)
