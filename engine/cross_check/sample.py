"""Chooses the cells of a large table that are put to durable-rules: corner cells and a seeded choice.

The same table, networks, budget and seed always lead to the same sample.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.cross_check.network import Network
from engine.cross_check.table import Cell, CrossCheckRule, CrossCheckTable

LEAST_EVERYWHERE: Final = 16
"""Cells that are put to every network of a sampled table, however little of its budget the corners leave."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Cells of a table and, for each network, the rows of those cells that are put to it."""

    cells: npt.NDArray[np.int64]
    rows: tuple[npt.NDArray[np.int64], ...]


def sample(table: CrossCheckTable, networks: Sequence[Network], budget: int, seed: int) -> Sample:
    """Choose cells: each rule's corners, and as many others as the budget allows.

    A corner is put to the network of its rule and to that of the rule that decides there; the other cells to all
    networks.
    """
    chance = random.Random(f"{seed}:{table.name}")
    shape = table.shape
    home = {rule: number for number, network in enumerate(networks) for rule in network.rules}
    row_of: dict[Cell, int] = {}
    rows: list[set[int]] = [set() for _ in networks]
    for index, rule in enumerate(table.rules):
        rest = [chance.randrange(classes) for classes in shape]
        for cell in corners(rule, rest, shape):
            row = row_of.setdefault(cell, len(row_of))
            rows[home[index]].add(row)
            for decides in table.expected(cell)[:1]:
                rows[home[decides]].add(row)
    left = (budget - sum(map(len, rows))) // max(1, len(networks))
    for _ in range(max(LEAST_EVERYWHERE, left)):
        cell = tuple(chance.randrange(classes) for classes in shape)
        row = row_of.setdefault(cell, len(row_of))
        for asked in rows:
            asked.add(row)
    return Sample(
        np.array(list(row_of), dtype=np.int64).reshape(len(row_of), len(shape)),
        tuple(np.array(sorted(asked), dtype=np.int64) for asked in rows),
    )


def corners(rule: CrossCheckRule, rest: Sequence[int], shape: Sequence[int]) -> Iterator[Cell]:
    """Yield the corner cells of a rule; axes that it does not test take their class from `rest`.

    These are: all axes at their first and at their last allowed class; then, axis by axis, the nearest class that is
    not allowed
    and `unknown`, with the other axes at their first allowed class.

    >>> list(corners(CrossCheckRule("r", ((0, frozenset({2, 3})),)), [0, 1], [5, 2]))
    [(2, 1), (3, 1), (1, 1), (0, 1)]
    """
    first = list(rest)
    last = list(rest)
    for axis, allowed in rule.tests:
        first[axis] = min(allowed, default=0)
        last[axis] = max(allowed, default=0)
    yield tuple(first)
    yield tuple(last)
    for axis, allowed in rule.tests:
        beyond = [_nearest_refused(allowed, shape[axis]), 0] if allowed else [0]
        for c in beyond:
            yield (*first[:axis], c, *first[axis + 1 :])


def _nearest_refused(allowed: frozenset[int], classes: int) -> int:
    """Return the class not allowed that is nearest to an allowed one, or an allowed one where all are."""
    beside = {c + step for c in allowed for step in (-1, 1)} - allowed
    return min((c for c in beside if 0 <= c < classes), default=min(allowed))
