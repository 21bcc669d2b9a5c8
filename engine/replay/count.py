"""Columns of two sides -> the counts of one outcome, or one deadline, of a chunk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.clock.zone import Column
from engine.columns.fact_columns import Mask
from engine.columns.lookup import Coded
from engine.diff.nouns import Change
from engine.replay.due_shifts import count_shifts
from engine.replay.nouns import Example
from engine.replay.pairs import Pairs
from engine.replay.side import SideDues
from engine.replay.space import NOWHERE, Space
from engine.replay.tally import (
    MAX_CELLS,
    MAX_EXAMPLES,
    MAX_SPOTS,
    Counts,
    DueTally,
    Examples,
    OutcomeTally,
    least,
    shuffle_numbers,
)

_DENSE: Final = 1 << 18
"""The most combinations that are counted in a dense array."""

_SECOND: Final = 1_000_000

Showing = Callable[[int], Example]
"""Returns the example of a row of a chunk."""


@dataclass(frozen=True, slots=True)
class Situations:
    """The situation of each row of a chunk: its short number, or NOWHERE.

    ``cells`` has the number of rows in each situation.
    """

    space: Space
    numbers: Column
    cells: Counts

    @classmethod
    def of(cls, space: Space, cells: Column) -> Situations:
        """Number the situations of a chunk."""
        lost = cells < 0
        if lost.any():
            numbers = np.full(len(cells), NOWHERE, np.int64)
            numbers[~lost] = space.numbers(cells[~lost])
        else:
            numbers = space.numbers(cells)
        return cls(space, numbers, cls._counted(space, numbers))

    def of_rows(self, rows: Column | None) -> Counts:
        """Count the situations of some rows; None means all, and returns the same mapping each time."""
        return self.cells if rows is None else self._counted(self.space, self.numbers[rows])

    @staticmethod
    def _counted(space: Space, numbers: Column) -> Counts:
        counts = np.bincount(numbers + 1, minlength=1)[1:]
        found, met = np.flatnonzero(counts), space.met
        return least(
            {met[number]: count for number, count in zip(found.tolist(), counts[found].tolist(), strict=True)},
            MAX_CELLS,
        )


def count_outcome(
    pairs: Pairs, before: Coded, after: Coded, *, rows: Column | None, at: Situations, shown: Showing
) -> tuple[OutcomeTally, Column]:
    """Count an outcome; also return the rows in which it changes, in order.

    Args:
        pairs: the states of both sides.
        before: the codes of the one in every row.
        after: those of the other.
        rows: the rows that both sides decide; None means all.
        at: where each row is.
        shown: gives the example of a row.
    """
    if rows is not None:
        before, after = before[rows], after[rows]
    number = before.astype(np.intp) * pairs.width + after if pairs.size > pairs.width else after.astype(np.intp)
    counts = np.bincount(number, minlength=pairs.size)
    found = np.flatnonzero(counts)
    matrix: dict[Change, int] = {}
    for one in found.tolist():
        change = pairs.change(one)
        matrix[change] = matrix.get(change, 0) + int(counts[one])
    changing = found[pairs.differ[found]]
    cells = at.of_rows(rows)
    if not len(changing):
        return OutcomeTally(matrix=matrix, cells=cells), np.empty(0, np.int64)
    moving = np.flatnonzero(pairs.differ.take(number))
    changed = moving if rows is None else rows[moving]
    short = np.zeros(pairs.size, np.intp)
    short[changing] = np.arange(len(changing))
    tally = _moved(
        matrix=matrix,
        cells=cells,
        changes=[pairs.change(one) for one in changing.tolist()],
        which=short.take(number[moving]),
        changed=changed,
        at=at,
        shown=shown,
    )
    return tally, changed


def _moved(
    *,
    matrix: dict[Change, int],
    cells: Counts,
    changes: list[Change],
    which: Column,
    changed: Column,
    at: Situations,
    shown: Showing,
) -> OutcomeTally:
    """Count where rows change: ``which`` of the changes happens in each of the changed rows."""
    numbers = at.numbers[changed]
    if (numbers < 0).any():
        # Rows outside the space get a number after all others, which is removed below.
        numbers = np.where(numbers < 0, len(at.space.met), numbers)
    keys, counts, first = _counted(numbers * len(changes) + which, (len(at.space.met) + 1) * len(changes))
    where, what = np.divmod(keys, len(changes))
    names = np.array([*at.space.met, NOWHERE], np.int64)[where]
    rows = changed[first]
    moved: dict[Change, dict[int, int]] = {}
    examples: dict[Change, Examples] = {}
    for one, change in enumerate(changes):
        mine = np.flatnonzero(what == one)
        early = mine[np.argsort(rows[mine], kind="stable")[:MAX_EXAMPLES]]
        examples[change] = {int(names[entry]): shown(int(rows[entry])) for entry in early.tolist()}
        moved[change] = {
            cell: count
            for cell, count in zip(names[mine].tolist(), counts[mine].tolist(), strict=True)
            if cell in cells
        }
    return OutcomeTally(
        matrix=matrix,
        cells=cells,
        moved={change: where for change, where in moved.items() if where},
        examples=examples,
        spots=_spots(names, rows, shown),
    )


def _spots(names: Column, rows: Column, shown: Showing) -> Examples:
    """Return the first changed row of some of the situations."""
    order = np.argsort(rows, kind="stable")
    found, first = np.unique(names[order], return_index=True)
    placed = found >= 0
    found, first = found[placed], first[placed]
    chosen = np.argsort(shuffle_numbers(found), kind="stable")[:MAX_SPOTS]
    return {int(found[one]): shown(int(rows[order[first[one]]])) for one in chosen.tolist()}


def _counted(keys: Column, size: int) -> tuple[Column, Column, Column]:
    """Return the distinct keys, with the count and the first position of each."""
    if size > _DENSE:
        distinct, first, counts = np.unique(keys, return_index=True, return_counts=True)
        return distinct, counts, first
    counts = np.bincount(keys, minlength=size)
    found = np.flatnonzero(counts)
    first = np.zeros(size, np.int64)
    first[keys[::-1]] = np.arange(len(keys) - 1, -1, -1)
    return found, counts[found], first[found]


def count_due(
    before: SideDues, after: SideDues, rows: Column | None, numbers: Column, shown: Showing
) -> tuple[DueTally, Column]:
    """Count a deadline; also return the rows in which it changes, in order.

    ``numbers`` are those of the rows in the source.
    """
    one, other = (
        (before, after) if rows is None else (SideDues(side.micros[rows], side.given[rows]) for side in (before, after))
    )
    both = one.given & other.given
    moves = np.where(both, other.micros - np.where(both, one.micros, 0), 0)
    moved = both & (moves != 0)
    alone = one.given != other.given
    changed = np.flatnonzero(moved | alone)
    steps = moves[moved]
    seconds, rest = np.divmod(steps, _SECOND)
    early = changed[:MAX_EXAMPLES]
    if rows is not None:
        changed, early = rows[changed], rows[early]
    tally = DueTally(
        tickets=len(both),
        both=int(both.sum()),
        appear=int((alone & other.given).sum()),
        vanish=int((alone & one.given).sum()),
        shifts=count_shifts(steps),
        total=int(seconds.sum()) * _SECOND + int(rest.sum()),
        least=int(steps.min()) if len(steps) else None,
        most=int(steps.max()) if len(steps) else None,
        examples={int(numbers[row]): shown(row) for row in early.tolist()},
    )
    return tally, changed


def any_of(size: int, changed: list[Column]) -> Mask:
    """Mark the rows that are in any of these."""
    marks = np.zeros(size, np.bool_)
    for rows in changed:
        marks[rows] = True
    return marks
