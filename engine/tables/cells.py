"""The cells of tables: how many there may be, which are reached, and in which of them rules hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from engine.model.policy import HitPolicy, Table
from engine.model.problems import Place, Problem
from engine.tables.classes import Axis, Mask
from engine.tables.missing_facts import PartialTable
from engine.tables.tabulate import MAX_CELLS, Grid, Tests, cells, region

MAX_READERS = 4
"""How many of the tables that read a fact are named."""

MAX_OVERLAPS = 20
"""How many pairs of overlapping rules are reported for one table."""


def too_many(axes: tuple[Axis, ...]) -> bool:
    """Return whether axes span more cells than can be tabulated."""
    return cells(axes) > MAX_CELLS


def space_problem(what: str, axes: tuple[Axis, ...], place: Place, tables: Sequence[Table]) -> Problem | None:
    """Return the problem of axes that span more cells than can be tabulated; ``tables`` are those that read them."""
    if not too_many(axes):
        return None
    return Problem(
        place=place,
        code="space-too-large",
        message=f"{what} has {cells(axes):,} cells, more than the limit of {MAX_CELLS:,}: {sizes_text({axis.fact: axis.size for axis in axes})}",
        help=_smaller(axes, tables),
    )


def _smaller(axes: tuple[Axis, ...], tables: Sequence[Table]) -> str:
    """Return which facts have to go, where they are read, and how many cells are left without them."""
    left, gone = cells(axes), list[Axis]()
    for axis in sorted(axes, key=lambda one: (-one.size, one.fact)):
        if left <= MAX_CELLS:
            break
        gone.append(axis)
        left //= axis.size
    parts = []
    for axis in gone:
        readers = [table.name for table in tables if axis.fact in table.reads]
        more = f" and {len(readers) - MAX_READERS} more" if len(readers) > MAX_READERS else ""
        parts.append(
            f"`{axis.fact}`"
            + (f" from {', '.join(f'`{name}`' for name in readers[:MAX_READERS])}{more}" if readers else "")
        )
    return (
        f"the sizes multiply: remove {', and '.join(parts)}, and {left:,} cells are left; "
        f"or distinguish fewer values of a fact, since values that no rule distinguishes count once; or move an outcome that depends on fewer facts to another table"
    )


def sizes_text(sizes: Mapping[str, int]) -> str:
    """Return how many values of each fact are reported apart, the most first.

    >>> sizes_text({"impact": 4, "country": 9})
    'country 9 × impact 4'
    """
    return " × ".join(f"{fact} {size}" for fact, size in sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0])))


def reached_cells(partial: PartialTable, where: Mask | None = None) -> Mask:
    """Return which cells of a table's own grid a ticket falls in: any ticket, or one of these cells over sent facts."""
    reached = np.zeros(partial.grid.rule_set_of.size, dtype=np.bool_)
    reached[partial.cell.ravel() if where is None else partial.cell[where]] = True
    return reached.reshape(partial.grid.rule_set_of.shape)


def overlapping(partial: PartialTable) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Yield pairs of rules of a unique table that both fire in a cell that tickets reach, with the first such cell."""
    if partial.grid.table.hit is HitPolicy.UNIQUE:
        yield from _crowded(partial.grid, reached_cells(partial))


def _crowded(grid: Grid, reached: Mask) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    count = np.zeros(grid.rule_set_of.shape, dtype=np.int32)
    allowed = [_allowed(tests, grid) for tests in grid.tests]
    for classes in allowed:
        count[np.ix_(*classes) if classes else ()] += 1
    crowded = np.asarray((count > 1) & reached)
    found = 0
    for cell in map(tuple, np.argwhere(crowded)):
        if not crowded[cell]:
            continue
        both = [
            rule
            for rule, classes in enumerate(allowed)
            if all(at in axis for at, axis in zip(cell, classes, strict=True))
        ]
        yield both[0], both[1], tuple(int(at) for at in cell)
        found += 1
        if found == MAX_OVERLAPS:
            return
        if not cell:
            return
        shared = [np.intersect1d(one, other) for one, other in zip(allowed[both[0]], allowed[both[1]], strict=True)]
        crowded[np.ix_(*shared)] = False


def _allowed(tests: Tests, grid: Grid) -> list[np.ndarray]:
    asked = dict(tests)
    return [np.array(asked.get(at, range(axis.size)), dtype=np.intp) for at, axis in enumerate(grid.axes)]


def idle_rules(partial: PartialTable) -> Iterator[int]:
    """Yield the positions of the rules that fire in no settled cell.

    Overlapping rules of a unique table are reported elsewhere.
    """
    grid, table = partial.grid, partial.grid.table
    settled = reached_cells(partial, partial.settled)
    if table.hit is HitPolicy.COLLECT:
        yield from (at for at in range(len(table.rules)) if not (holds(grid, at) & settled).any())
        return
    fired = {rule for entry in np.unique(grid.rule_set_of[settled]).tolist() for rule in grid.rule_sets[entry]}
    for at in range(len(table.rules) + (table.otherwise is not None)):
        if at not in fired and not (table.hit is HitPolicy.UNIQUE and bool((holds(grid, at) & settled).any())):
            yield at


def holds(grid: Grid, at: int) -> Mask:
    """Return in which cells of a table's own grid the conditions of a rule hold; those of `otherwise` hold nowhere."""
    local = np.zeros(grid.rule_set_of.shape, dtype=np.bool_)
    if at < len(grid.tests):
        local[region(grid.tests[at], grid.rule_set_of.shape)] = True
    return local
