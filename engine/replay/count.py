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
    def of(cls, space: Space, numbers: Column) -> Situations:
        """Count the situations of a chunk."""
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
    found, counts = _numbers(number, pairs.size)
    matrix: dict[Change, int] = {}
    for one, count in zip(found.tolist(), counts.tolist(), strict=True):
        change = pairs.change(one)
        matrix[change] = matrix.get(change, 0) + count
    differ = pairs.differ(found)
    changing = found[differ]
    cells = at.of_rows(rows)
    if not len(changing):
        return OutcomeTally(matrix=matrix, cells=cells), np.empty(0, np.int64)
    which = np.searchsorted(found, number) if pairs.size > _DENSE else _dense(found, pairs.size).take(number)
    moving = np.flatnonzero(differ.take(which))
    changed = moving if rows is None else rows[moving]
    short = np.cumsum(differ) - 1
    tally = _moved(
        matrix=matrix,
        cells=cells,
        changes=[pairs.change(one) for one in changing.tolist()],
        which=short.take(which[moving]),
        changed=changed,
        at=at,
        shown=shown,
    )
    return tally, changed


def _numbers(keys: Column, size: int) -> tuple[Column, Column]:
    """Return the distinct keys in order, with the count of each."""
    if size > _DENSE:
        distinct, counts = np.unique(keys, return_counts=True)
        return distinct, counts
    counts = np.bincount(keys, minlength=size)
    found = np.flatnonzero(counts)
    return found, counts[found]


def _dense(found: Column, size: int) -> Column:
    """Return the position of each of these numbers."""
    places = np.zeros(size, np.intp)
    places[found] = np.arange(len(found))
    return places


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
    met = at.space.met
    named = [met[number] if number < len(met) else NOWHERE for number in where.tolist()]
    rows = changed[first]
    moved: dict[Change, dict[int, int]] = {}
    examples: dict[Change, Examples] = {}
    for one, change in enumerate(changes):
        mine = np.flatnonzero(what == one)
        early = mine[np.argsort(rows[mine], kind="stable")[:MAX_EXAMPLES]]
        examples[change] = {named[entry]: shown(int(rows[entry])) for entry in early.tolist()}
        moved[change] = {
            named[entry]: count
            for entry, count in zip(mine.tolist(), counts[mine].tolist(), strict=True)
            if named[entry] in cells
        }
    return OutcomeTally(
        matrix=matrix,
        cells=cells,
        moved={change: where for change, where in moved.items() if where},
        examples=examples,
        spots=_spots(named, rows, shown),
    )


def _spots(named: list[int], rows: Column, shown: Showing) -> Examples:
    """Return the first changed row of some of the situations."""
    firsts: dict[int, int] = {}
    for entry in np.argsort(rows, kind="stable").tolist():
        firsts.setdefault(named[entry], int(rows[entry]))
    firsts.pop(NOWHERE, None)
    return {cell: shown(row) for cell, row in least(firsts, MAX_SPOTS).items()}


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
