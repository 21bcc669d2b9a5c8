"""The result of a cross-check: the cells put to durable-rules, the disagreements, and the failures."""

from __future__ import annotations

from dataclasses import dataclass

from engine.cross_check.plan import Extent
from engine.cross_check.table import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCrossCheck:
    """One table that durable-rules has answered for.

    Attributes:
        cells: the cells of the table.
        covered: those that were compared: all if whole.
        asked: the network cells put to durable-rules.
        disagreements: the cells in which the two differ.
    """

    table: str
    extent: Extent
    cells: int
    covered: int
    asked: int
    disagreements: int

    def __str__(self) -> str:
        """Return the result in a line.

        >>> print(TableCrossCheck(table="matrix", extent=Extent.WHOLE, cells=16, covered=16, asked=16, disagreements=0))
        matrix: checked whole, 16 of 16 cells (16 asked)
        """
        state = f"{self.disagreements} cells disagree" if self.disagreements else f"checked {self.extent}"
        return f"{self.table}: {state}, {self.covered} of {self.cells} cells ({self.asked} asked)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A cell in which other rules count by durable-rules than by the table: their ids, in order."""

    table: str
    cell: Cell
    expected_rules: tuple[str, ...]
    got_rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failure of durable-rules, with its table and cell; None before the first cell."""

    table: str | None
    cell: Cell | None
    reason: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class CrossCheckReport:
    """The outcome of a cross-check.

    It has the tables that durable-rules answered for, the first disagreements of each, and the failures.
    """

    tables: tuple[TableCrossCheck, ...]
    disagreements: tuple[Disagreement, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every table was answered for and both sides agree."""
        return not self.failures and not any(one.disagreements for one in self.tables)
