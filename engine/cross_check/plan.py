"""The plan of a cross-check: which networks durable-rules receives, and for which of their cells it is asked.

Tables -> a plan, and the plain data that the child process reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.cross_check.network import Network, pack_sampled, pack_whole
from engine.cross_check.sample import Sample, sample
from engine.cross_check.table import Cell, CrossCheckTable

BUDGET: Final = 40_000
"""Network cells of a table up to which it is checked whole: some two seconds."""

MAX_WHOLE: Final = 1_000_000
"""Cells of a table up to which it is checked whole."""

LARGEST_NUMBER: Final = 2**62
"""The number of cells from which on these are numbered by Python's integers."""


class Extent(StrEnum):
    """How much of a table is put to durable-rules."""

    WHOLE = "whole"
    SAMPLED = "sampled"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CellQuery:
    """A network, the cells it is asked (their numbers in C order) and, if sampled, the sample's rows they stand for.

    Attributes:
        cells: None for all.
        rows: rows of the table's sample; `answers` gives for each the position of its answer in `cells`.
    """

    network: Network
    cells: npt.NDArray[Any] | None = None
    rows: npt.NDArray[np.int64] | None = None
    answers: npt.NDArray[np.int64] | None = None

    @property
    def count(self) -> int:
        """The number of cells that are asked."""
        return self.network.size if self.cells is None else len(self.cells)

    def number(self, position: int) -> int:
        """Return the network cell that is asked at a position."""
        return position if self.cells is None else int(self.cells[position])


@dataclass(frozen=True, slots=True, eq=False)
class TablePlan:
    """What is asked about one table; without a sample it is checked whole."""

    table: CrossCheckTable
    questions: tuple[CellQuery, ...]
    sample: Sample | None = None

    @property
    def extent(self) -> Extent:
        """Whether the table is checked whole or sampled."""
        return Extent.WHOLE if self.sample is None else Extent.SAMPLED

    @property
    def asked(self) -> int:
        """The number of network cells put to durable-rules."""
        return sum(question.count for question in self.questions)

    @property
    def covered(self) -> int:
        """The number of cells of the table that the answers cover."""
        return self.table.cells if self.sample is None else len(self.sample.cells)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is asked about all tables."""

    tables: tuple[TablePlan, ...]

    @property
    def asked(self) -> int:
        """The number of network cells put to durable-rules."""
        return sum(planned.asked for planned in self.tables)

    def cell(self, table: int, question: int, position: int) -> Cell:
        """Return the table's cell for the position of a question."""
        planned = self.tables[table]
        asked = planned.questions[question]
        return asked.network.table_cell(asked.number(position), len(planned.table.axes))

    def as_plain(self) -> list[list[dict[str, object]]]:
        """Return the plan as plain data for the child: tables, networks, their shape, rules and cells."""
        return [
            [
                {
                    "shape": question.network.shape,
                    "rules": question.network.tests,
                    "cells": None if question.cells is None else question.cells.tolist(),
                }
                for question in planned.questions
            ]
            for planned in self.tables
        ]


def plan(tables: Iterable[CrossCheckTable], *, budget: int = BUDGET, seed: int = 0) -> Plan:
    """Plan the cross-check of tables.

    One that has too many cells, or whose networks have more together than the budget, is sampled.
    """
    return Plan(tuple(_plan_table(table, budget, seed) for table in tables))


def _plan_table(table: CrossCheckTable, budget: int, seed: int) -> TablePlan:
    whole = pack_whole(table, budget) if table.cells <= MAX_WHOLE else None
    if whole is not None:
        return TablePlan(table, tuple(CellQuery(network=network) for network in whole))
    networks = pack_sampled(table)
    chosen = sample(table, networks, budget, seed)
    asked = zip(networks, chosen.rows, strict=True)
    return TablePlan(table, tuple(_question(network, chosen.cells, rows) for network, rows in asked), chosen)


def _question(network: Network, sampled: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> CellQuery:
    """Ask a network each of its cells that a sampled cell falls in, once."""
    numbers = np.zeros(len(rows), dtype=np.int64 if network.size < LARGEST_NUMBER else object)
    for axis, merged, length in zip(network.axes, network.merged, network.shape, strict=True):
        numbers = numbers * length + merged[sampled[rows, axis]]
    cells, answers = np.unique(numbers, return_inverse=True)
    return CellQuery(network=network, cells=cells, rows=rows, answers=answers.astype(np.int64))
