"""A decision table over classes of values, as it is served: what is cross-checked.

It consists of names, class counts, rules and the dense array only; the rest of the package works on these values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Cell: TypeAlias = tuple[int, ...]
"""One class index for each axis of a table."""

Hits: TypeAlias = npt.NDArray[np.int32]
"""A hit id for each cell of a table, in C order."""

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


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CrossCheckTable:
    """A table and the array that serves it.

    Attributes:
        axes: fact name and number of classes, for each axis; class 0 is `unknown`, a class like any other here.
        hit: the hit id served in each cell.
        hits: for each hit id the indices of the rules that count there, in order; empty where none does
            (cells of `otherwise` too).
    """

    name: str
    axes: tuple[tuple[str, int], ...]
    rules: tuple[CrossCheckRule, ...]
    policy: str
    hit: Hits
    hits: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise ValueError(f"unknown hit policy `{self.policy}`")
        if self.hit.shape != self.shape:
            raise ValueError(f"table {self.name}: hit has the shape {self.hit.shape}, the axes say {self.shape}")
        if self.hit.size and not (self.hit.min() >= 0 and self.hit.max() < len(self.hits)):
            raise ValueError(f"table {self.name}: a hit id that hits does not have")
        for rule in self.rules:
            tested = [axis for axis, _ in rule.tests]
            if len(set(tested)) < len(tested):
                raise ValueError(f"table {self.name}: rule {rule.id} tests an axis twice")
            for axis, allowed in rule.tests:
                if not 0 <= axis < len(self.axes) or any(not 0 <= c < self.shape[axis] for c in allowed):
                    raise ValueError(f"table {self.name}: rule {rule.id} tests an axis or class that is not there")

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of classes of each axis."""
        return tuple(classes for _, classes in self.axes)

    def expected(self, cell: Cell) -> tuple[int, ...]:
        """Return the indices of the rules that count in a cell, as it is served."""
        return self.hits[int(self.hit[cell])]
