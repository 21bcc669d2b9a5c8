"""Chooses the cells of a large table that are put to durable-rules: corner cells, ways down, and a seeded choice.

The same table, networks, budget and seed always lead to the same sample.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.cross_check.network import Network
from engine.cross_check.table import LEAF, Cell, CrossCheckRule, CrossCheckTable, ServedRules

LEAST_EVERYWHERE: Final = 16
"""Cells that are put to every network of a sampled table, however little of its budget the corners leave."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Cells of a table and, for each network, the rows of those cells that are put to it."""

    cells: npt.NDArray[np.int64]
    rows: tuple[npt.NDArray[np.int64], ...]


def sample(table: CrossCheckTable, networks: Sequence[Network], budget: int, seed: int) -> Sample:
    """Choose cells: each rule's corners, one for each leaf that serves, and as many others as the budget allows.

    A corner is put to the network of its rule and to those of the rules that decide there, the cell of a leaf to those
    of its rules. The others are put to all networks; every second one follows a way down that none has gone.
    """
    chance = random.Random(f"{seed}:{table.name}")
    home = {rule: number for number, network in enumerate(networks) for rule in network.rules}
    row_of: dict[Cell, int] = {}
    rows: list[set[int]] = [set() for _ in networks]

    def ask(cell: Cell, asked: Iterable[int]) -> None:
        row = row_of.setdefault(cell, len(row_of))
        for network in asked:
            rows[network].add(row)

    for index, rule in enumerate(table.rules):
        rest = anywhere(table.shape, chance)
        for cell in corners(rule, rest, table.shape):
            ask(cell, (home[one] for one in (index, *table.expected(cell)[:1])))
    for served in table.served:
        for counted, way in ways_to_leaves(served):
            ask(filled(way, table.shape, chance), (home[rule] for rule in counted))
    left = max(LEAST_EVERYWHERE, (budget - sum(map(len, rows))) // max(1, len(networks)))
    for way in islice(ways(table, chance), left // 2):
        ask(filled(way, table.shape, chance), range(len(networks)))
    for _ in range(left - left // 2):
        ask(anywhere(table.shape, chance), range(len(networks)))
    return Sample(
        np.array(list(row_of), dtype=np.int64).reshape(len(row_of), len(table.shape)),
        tuple(np.array(sorted(asked), dtype=np.int64) for asked in rows),
    )


def anywhere(shape: Sequence[int], chance: random.Random) -> Cell:
    """Choose a cell of a table."""
    return filled({}, shape, chance)


def filled(way: Mapping[int, int], shape: Sequence[int], chance: random.Random) -> Cell:
    """Choose the classes of the axes that a way does not ask."""
    return tuple([way[axis] if axis in way else chance.randrange(classes) for axis, classes in enumerate(shape)])


def ways_to_leaves(served: ServedRules) -> Iterator[tuple[tuple[int, ...], dict[int, int]]]:
    """Yield the rules of every leaf, with a way to it: the classes of the axes that it asks.

    >>> list(ways_to_leaves(ServedRules((0,), ((1, (1, 1, 2)), (LEAF, ()), (LEAF, (0,))))))
    [((), {1: 0}), ((0,), {1: 2})]
    """
    above: dict[int, tuple[int, int]] = {}
    for number, (axis, below) in enumerate(served.nodes):
        if axis != LEAF:
            for one, child in enumerate(below):
                above.setdefault(child, (number, one))
            continue
        way = {}
        at = number
        while at:
            at, one = above[at]
            way[served.nodes[at][0]] = one
        yield below, way


def ways(table: CrossCheckTable, chance: random.Random) -> Iterator[dict[int, int]]:
    """Yield ways down through everything that serves; at each node, one that none has gone as long as there is any."""
    untried: dict[tuple[int, int], list[int]] = {}
    while True:
        way: dict[int, int] = {}
        for part, served in enumerate(table.served):
            at = 0
            while served.nodes[at][0] != LEAF:
                axis, below = served.nodes[at]
                if axis not in way:
                    if (part, at) not in untried:
                        untried[part, at] = list({child: one for one, child in enumerate(below)}.values())
                        chance.shuffle(untried[part, at])
                    choices = untried[part, at]
                    way[axis] = choices.pop() if choices else chance.randrange(len(below))
                at = below[way[axis]]
        yield way


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
