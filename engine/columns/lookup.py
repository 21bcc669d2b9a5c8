"""Outcomes of tables as columns: the cell of every row, and its outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.columns.read import Atomic, Block
from engine.model.policy import Literal
from engine.tables.missing_facts import Codes, PartialTable

Coded = NDArray[np.integer[Any]]

NOT_COVERED, DECIDED, UNDECIDED, REFUSED = 0, 1, 2, 3
"""The level of a row. That of a decision is the greatest of its answering outcomes."""

Level = NDArray[np.uint8]

_BEYOND: Final = 3


@dataclass(frozen=True, slots=True)
class Scale:
    """The codes of an outcome: positions in ``domain``, then not covered, undecided and refused."""

    domain: tuple[Literal, ...]

    @property
    def not_covered(self) -> int:
        """The code for not covered."""
        return len(self.domain)

    @property
    def undecided(self) -> int:
        """The code for undecided."""
        return len(self.domain) + 1

    @property
    def refused(self) -> int:
        """The code of rows with values that cannot be read."""
        return len(self.domain) + 2

    @property
    def levels(self) -> Level:
        """The level of each code."""
        return np.array([DECIDED] * len(self.domain) + [NOT_COVERED, UNDECIDED, REFUSED], np.uint8)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest type that holds the codes."""
        return np.min_scalar_type(len(self.domain) + _BEYOND - 1)


@dataclass(frozen=True, slots=True)
class CellColumn:
    """How to find the cells of a table: what the atoms of each fact add to the cell number."""

    steps: tuple[tuple[str, tuple[int, ...]], ...]
    adds: tuple[Atomic, ...]

    def cells(self, block: Block) -> Atomic:
        """Return the cell number of each row."""
        found: Atomic | None = None
        for (fact, _), adds in zip(self.steps, self.adds, strict=True):
            atoms = block.atoms.get(fact)
            if atoms is not None:
                found = adds.take(atoms, mode="clip") if found is None else found + adds.take(atoms, mode="clip")
        return np.zeros(block.size, np.intp) if found is None else found


def cell_column(partial: PartialTable) -> CellColumn:
    """Return how to find the cells of a table; a fact that is not sent is class 0, and adds nothing."""
    steps, stride = [], 1
    for axis in reversed(partial.axes):
        steps.append((axis.fact, tuple((axis.class_of.astype(np.intp) * stride).tolist())))
        stride *= axis.size
    return CellColumn(tuple(steps), tuple(np.array(adds, np.intp) for _, adds in steps))


def coded(codes: Codes) -> tuple[Scale, Coded]:
    """Return an outcome in every cell of its table as a code of its column."""
    scale = Scale(codes.domain)
    return scale, np.where(codes.low == codes.high, codes.low, scale.undecided).astype(scale.dtype).ravel()


class Tables:
    """The tables of a version, for columns. Tables with the same axes find their cells once for each block."""

    def __init__(
        self, partial_tables: Mapping[str, PartialTable], producer: Mapping[str, str], names: Sequence[str]
    ) -> None:
        self._cell_columns: dict[tuple[tuple[str, tuple[int, ...]], ...], CellColumn] = {}
        self._of: dict[str, CellColumn] = {}
        self.scales: dict[str, Scale] = {}
        self._codes: dict[str, Coded] = {}
        for name in names:
            if name in producer:
                self._of[name] = self._shared_cell_column(partial_tables[producer[name]])
                self.scales[name], self._codes[name] = coded(partial_tables[producer[name]].codes[name])

    def _shared_cell_column(self, partial: PartialTable) -> CellColumn:
        column = cell_column(partial)
        return self._cell_columns.setdefault(column.steps, column)

    def on(self, block: Block) -> BlockOutcomes:
        """Return the outcomes of a block."""
        return BlockOutcomes(self, block)

    def codes(self, name: str, cells: Atomic) -> Coded:
        """Return the codes of an outcome in cells."""
        return self._codes[name].take(cells, mode="clip")

    def cell_column_of(self, name: str) -> CellColumn:
        """Return how to find the cells of an outcome's table."""
        return self._of[name]


class BlockOutcomes:
    """The outcomes of one block, each computed when first used."""

    def __init__(self, tables: Tables, block: Block) -> None:
        self.tables, self.block = tables, block
        self._cells: dict[int, Atomic] = {}
        self._codes: dict[str, Coded] = {}

    def cells(self, name: str) -> Atomic:
        """Return the cells of an outcome's table."""
        column = self.tables.cell_column_of(name)
        found = self._cells.get(id(column))
        if found is None:
            found = self._cells[id(column)] = column.cells(self.block)
        return found

    def codes(self, name: str) -> Coded:
        """Return the codes of an outcome."""
        found = self._codes.get(name)
        if found is None:
            found = self._codes[name] = self.tables.codes(name, self.cells(name))
        return found
