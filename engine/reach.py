"""From a cell in which facts are missing: the cells that these facts, once known, lead to, and what is possible there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.classes import Mask
from engine.policy import Literal
from engine.settle import Codes, Flat

Cell = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """The part of a table around a cell: the facts that were sent stay as they are, the others run free.

    ``cells`` marks the cells that are led to by open facts, one after the other; the cell itself is one of them.
    """

    flat: Flat
    start: Cell
    cells: Mask

    @property
    def where(self) -> tuple[slice, ...]:
        """The index of this part in arrays of the whole table."""
        return tuple(slice(None) if at == 0 else slice(at, at + 1) for at in self.start)

    def of(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Give this part of an array of the whole table."""
        return array[self.where]

    def cell(self, inside: np.ndarray[Any, Any]) -> Cell:
        """Turn a position in this part into a cell of the whole table."""
        return tuple(int(step) + at for step, at in zip(inside, self.start, strict=True))


def reach_from(flat: Flat, start: Cell) -> Reach:
    """Walk from a cell along the facts that are open, until no further cell is met."""
    part = Reach(flat, start, np.zeros(0, dtype=np.bool_))
    opened = {axis: part.of(mask) for axis, mask in enumerate(flat.open) if start[axis] == 0}
    cells = np.zeros(tuple(axis.size if at == 0 else 1 for axis, at in zip(flat.axes, start, strict=True)), dtype=np.bool_)
    cells[(0,) * len(start)] = True
    met, before = 1, 0
    while met > before:
        for axis, mask in opened.items():
            missing_here = (slice(None),) * axis + (slice(0, 1),)
            cells[(slice(None),) * axis + (slice(1, None),)] |= cells[missing_here] & mask[missing_here]
        before, met = met, int(cells.sum())
    return Reach(flat, start, cells)


def possible(codes: Codes, reach: Reach, known: tuple[int, int] | None = None) -> tuple[Literal | None, ...]:
    """Give the outcomes of the settled cells that can be reached; None is "not covered".

    ``known`` is an axis and a class: only the cells where that fact has turned out to be in that class.
    """
    part = (slice(None),) * known[0] + (slice(known[1], known[1] + 1),) if known else ()
    found = np.unique(reach.of(codes.low)[part][(reach.cells & reach.of(reach.flat.settled))[part]])
    return tuple(codes.domain[code] if code < len(codes.domain) else None for code in found.tolist())


def missing(codes: Codes, reach: Reach) -> tuple[str, ...]:
    """Give the facts that are not known and can change the outcome, by name."""
    low, high = reach.of(codes.low), reach.of(codes.high)
    state = np.where(low == high, low, -1)
    found = []
    for axis, fact in enumerate(reach.flat.axes):
        if reach.start[axis] != 0:
            continue
        differs = state.max(axis=axis) != state.min(axis=axis)
        here = (slice(None),) * axis + (0,)
        if bool((differs & reach.cells[here] & reach.of(reach.flat.open[axis])[here]).any()):
            found.append(fact.fact)
    return tuple(found)
