"""Small networks: a few dozen rules of one table on the cells that these rules tell apart.

The rules of a table -> networks of a size that durable-rules handles. Measured with durable-rules 2.0.28 on
Python 3.11, equality tests only, each answer compared with plain loops:

| what | seen |
|---|---|
| up to 80 rules that all match at once, 0 to 5 facts each, single values and lists | right, no errors |
| 96 rules | error 303 in one of 40 rule sets |
| 128 rules and more | error 303 or 302 on a fact, 107 or 108 at creation; right for some shapes |
| 256 rules that test one fact for one value | segmentation fault |
| lists in several facts of one rule | cost adds up, it does not multiply: 32 rules with 4 lists of 60 are right |
| one list of about 1,000 values | the network is not created within a minute |
| 15 or more lists in one rule (13 are right; 40 single values are right) | error 113 at creation |
| creating a network of 12, 24, 48 rules | 0.4, 0.9, 1.3 ms; 0.2 to 0.7 MB stay taken after it is deleted |
| asking one cell with 12, 24, 48 rules | 19, 38, 46 µs; 105 µs with 40 rules that have lists and mostly match |
| 600,000 facts in turn, without `update_state` between matches | right; memory flat at 13 MB |

The limits below are half of that or less. Lists stay short because classes that no rule of the network tells apart are
merged: a rule alone in its network has no lists at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from engine.cross_check.table import Cell, CrossCheckRule, CrossCheckTable

MAX_RULES: Final = 32
"""Rules in one network; also keeps the matches of a cell in the bits of one 64-bit word."""

MAX_CELLS: Final = 4096
"""Cells of a network that is asked whole and holds more than one rule."""

MAX_ALTERNATIVES: Final = 4096
"""Bound on (rules) x (merged classes of all axes), and so on the values in all lists of a network."""

MAX_LISTS: Final = 10
"""Tests of a rule that shares its network; one with more gets a network of its own."""

SLACK: Final = 64
"""Cells that may be asked more to save creating one more network."""

Blocks: TypeAlias = Mapping[int, tuple[int, ...]]
"""For each axis the sets of classes that are not told apart, each as the bits of an integer."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Network:
    """Rules that are put to durable-rules together.

    Attributes:
        rules: their indices in the table, ascending; the position here is the bit in an answer.
        axes: the axes that they test, ascending.
        merged: for each of these axes, the merged class of each class, numbered as they first appear.
        shape: for each of these axes, the number of merged classes.
        tests: for each rule, (position in `axes`, allowed merged classes).
    """

    rules: tuple[int, ...]
    axes: tuple[int, ...]
    merged: tuple[npt.NDArray[np.int64], ...]
    shape: tuple[int, ...]
    tests: tuple[tuple[tuple[int, tuple[int, ...]], ...], ...]

    @property
    def size(self) -> int:
        """The number of cells that the rules tell apart."""
        return math.prod(self.shape)

    def table_cell(self, number: int, axes: int) -> Cell:
        """Return a cell of the table (with so many axes) for a cell of the network; axes not tested are `unknown`."""
        cell = [0] * axes
        for axis, classes, length in reversed(list(zip(self.axes, self.merged, self.shape, strict=True))):
            number, merged_class = divmod(number, length)
            cell[axis] = int(np.argmax(classes == merged_class))
        return tuple(cell)


def pack_whole(table: CrossCheckTable, budget: int) -> tuple[Network, ...] | None:
    """Group rules into networks that are asked whole; None if they have more cells together than the budget.

    Rules that test the same facts for similar values come together. A network grows only as long as its cells stay
    about the sum of what its rules need by themselves.
    """
    groups = []
    cells = 0
    for members, size in _groups(table, whole=True):
        groups.append(members)
        cells += size
        if cells > budget:
            return None
    return tuple(_network(table, sorted(members)) for members in groups)


def pack_sampled(table: CrossCheckTable) -> tuple[Network, ...]:
    """Group rules into networks that are asked in samples: as few as durable-rules can hold, of any number of cells."""
    return tuple(_network(table, sorted(members)) for members, _ in _groups(table, whole=False))


def _groups(table: CrossCheckTable, whole: bool) -> Iterator[tuple[list[int], int]]:
    """Yield groups of rules, each with the number of cells that they tell apart."""
    everything = [(1 << classes) - 1 for classes in table.shape]
    masks = [_masks(rule) for rule in table.rules]
    members: list[int] = []
    blocks: Blocks = {}
    for index in sorted(range(len(masks)), key=lambda i: (sorted(masks[i]), sorted(masks[i].items()), i)):
        alone = _split({}, masks[index], everything)
        joined = _split(blocks, masks[index], everything)
        if members and not _fits(
            table, members, index, whole=whole, now=_cells(blocks), alone=_cells(alone), joined=joined
        ):
            yield members, _cells(blocks)
            members, joined = [], alone
        members = [*members, index]
        blocks = joined
    if members:
        yield members, _cells(blocks)


def _fits(
    table: CrossCheckTable, members: list[int], index: int, *, whole: bool, now: int, alone: int, joined: Blocks
) -> bool:
    """Return whether a rule may join a group."""
    if len(members) >= MAX_RULES or max(len(table.rules[i].tests) for i in (members[-1], index)) > MAX_LISTS:
        return False
    if (len(members) + 1) * sum(map(len, joined.values())) > MAX_ALTERNATIVES:
        return False
    return not whole or _cells(joined) <= min(MAX_CELLS, now + alone + SLACK)


def _masks(rule: CrossCheckRule) -> dict[int, int]:
    """Return the allowed classes of each tested axis as the bits of an integer."""
    return {axis: sum(1 << c for c in allowed) for axis, allowed in rule.tests}


def _split(blocks: Blocks, masks: Mapping[int, int], everything: list[int]) -> Blocks:
    """Return the classes that a rule allows from those that it does not."""
    split = dict(blocks)
    for axis, mask in masks.items():
        old = split.get(axis, (everything[axis],))
        split[axis] = tuple(part for block in old for part in (block & mask, block & ~mask) if part)
    return split


def _cells(blocks: Blocks) -> int:
    return math.prod(map(len, blocks.values()))


def _network(table: CrossCheckTable, rules: list[int]) -> Network:
    """Make the network of some rules, with the classes merged that none of them tells apart."""
    told_apart: dict[int, npt.NDArray[np.int64]] = {}
    for bit, index in enumerate(rules):
        for axis, allowed in table.rules[index].tests:
            words = told_apart.setdefault(axis, np.zeros(table.shape[axis], dtype=np.int64))
            words[list(allowed)] |= 1 << bit
    axes = tuple(sorted(told_apart))
    merged = tuple(_numbered(told_apart[axis]) for axis in axes)
    position = {axis: number for number, axis in enumerate(axes)}
    return Network(
        rules=tuple(rules),
        axes=axes,
        merged=merged,
        shape=tuple(int(classes.max()) + 1 for classes in merged),
        tests=tuple(
            tuple(
                (position[axis], tuple(sorted(set(merged[position[axis]][list(allowed)].tolist()))))
                for axis, allowed in sorted(table.rules[index].tests, key=lambda test: test[0])
            )
            for index in rules
        ),
    )


def _numbered(words: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number equal words alike, in the order in which they first appear."""
    _, first, inverse = np.unique(words, return_index=True, return_inverse=True)
    numbers: npt.NDArray[np.int64] = np.argsort(np.argsort(first))[inverse]
    return numbers
