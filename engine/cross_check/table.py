"""A decision table over classes of values, with the rules that count by the diagrams that serve: what is cross-checked.

It consists of names, class counts, rules and diagrams as plain data; the rest of the package works on these values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

Cell: TypeAlias = tuple[int, ...]
"""One class index for each axis of a table."""

LEAF: Final = -1
"""The axis of a node that asks none."""

POLICIES: Final = ("unique", "first", "collect")


@dataclass(frozen=True, slots=True)
class CrossCheckRule:
    """A rule as tests on class indices: (axis index, allowed classes); an axis not named does not matter."""

    id: str
    tests: tuple[tuple[int, frozenset[int]], ...] = ()

    def matches(self, cell: Cell) -> bool:
        """Return whether the rule holds in a cell.

        >>> CrossCheckRule("r", ((1, frozenset({2, 3})),)).matches((0, 2))
        True
        """
        return all(cell[axis] in allowed for axis, allowed in self.tests)


@dataclass(frozen=True)
class ServedRules:
    """Which of some rules count in each cell, as it is served: a diagram as plain data.

    Attributes:
        rules: the indices of these rules in the table.
        nodes: the root first, in the order in which axes are asked. An inner node has its axis, and for each class of
            it the number of the next node; a leaf has ``LEAF`` and the indices of the rules that count, in order.
    """

    rules: tuple[int, ...]
    nodes: tuple[tuple[int, tuple[int, ...]], ...]

    def counted(self, cell: Cell) -> tuple[int, ...]:
        """Return the indices of the rules that count in a cell.

        >>> ServedRules((0,), ((1, (1, 1, 2)), (LEAF, ()), (LEAF, (0,)))).counted((4, 2))
        (0,)
        """
        axis, below = self.nodes[0]
        while axis != LEAF:
            axis, below = self.nodes[below[cell[axis]]]
        return below

    def leaves(self, classes: Sequence[npt.NDArray[Any]], axes: int) -> npt.NDArray[np.int64]:
        """Return the numbers of the leaves in many cells at once.

        ``classes`` has an array for each axis of the table; these go together as numpy broadcasts them, to an array of
        so many axes.
        """
        asks, starts, below = self._flat
        node = np.zeros((1,) * axes, dtype=np.int64)
        for axis in dict.fromkeys(axis for axis, _ in self.nodes if axis != LEAF):
            node = np.where(asks[node] == axis, below[starts[node] + classes[axis]], node)
        return node

    @cached_property
    def _flat(self) -> tuple[npt.NDArray[np.int64], ...]:
        """The axis of each node, where its children begin, and all children one after the other."""
        asks = np.array([axis for axis, _ in self.nodes], dtype=np.int64)
        sizes = [0 if axis == LEAF else len(below) for axis, below in self.nodes]
        children = [one for axis, below in self.nodes if axis != LEAF for one in below]
        # A node that does not ask an axis is read past its own children; what is found there is not used.
        children += [0] * max(sizes)
        return asks, np.cumsum([0, *sizes[:-1]], dtype=np.int64), np.array(children, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCheckTable:
    """A table and what serves it.

    Attributes:
        axes: fact name and number of classes, for each axis; class 0 is `unknown`, a class like any other here.
        served: which rules count, without `otherwise`: all rules together; or, of a collect table, some here and some
            there.
    """

    name: str
    axes: tuple[tuple[str, int], ...]
    rules: tuple[CrossCheckRule, ...]
    policy: str
    served: tuple[ServedRules, ...]

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise ValueError(f"unknown hit policy `{self.policy}`")
        for rule in self.rules:
            tested = [axis for axis, _ in rule.tests]
            if len(set(tested)) < len(tested):
                raise ValueError(f"table {self.name}: rule {rule.id} tests an axis twice")
            for axis, allowed in rule.tests:
                if not 0 <= axis < len(self.axes) or any(not 0 <= c < self.shape[axis] for c in allowed):
                    raise ValueError(f"table {self.name}: rule {rule.id} tests an axis or class that is not there")
        if self.policy != "collect" and [one.rules for one in self.served] != [tuple(range(len(self.rules)))]:
            raise ValueError(f"table {self.name}: expected one diagram of all rules")
        for one in self.served:
            self._check_nodes(one)

    def _check_nodes(self, served: ServedRules) -> None:
        order = {axis: at for at, axis in enumerate(dict.fromkeys(axis for axis, _ in served.nodes if axis != LEAF))}
        order[LEAF] = len(order)
        rules = set(served.rules)
        for axis, below in served.nodes:
            if axis == LEAF:
                if not rules.issuperset(below):
                    raise ValueError(f"table {self.name}: a leaf has a rule that its diagram does not have")
            elif len(below) != self.shape[axis] or any(
                not 0 < one < len(served.nodes) or order[served.nodes[one][0]] <= order[axis] for one in below
            ):
                raise ValueError(f"table {self.name}: a node does not have a later node for each class of its axis")

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of classes of each axis."""
        return tuple(classes for _, classes in self.axes)

    @property
    def cells(self) -> int:
        """How many cells the axes span."""
        return math.prod(self.shape)

    def expected(self, cell: Cell) -> tuple[int, ...]:
        """Return the indices of the rules that count in a cell, as it is served."""
        return tuple(sorted({rule for one in self.served for rule in one.counted(cell)}))
