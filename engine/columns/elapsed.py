"""Elapsed times as columns, for the rows that do not send them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.clock.calendar import DayRule
from engine.clock.columns import count_column, count_days_column
from engine.clock.zone import SECOND, Column
from engine.columns.fact_columns import Mask
from engine.columns.lookup import Scale, Tables
from engine.columns.read import Block, number_atoms
from engine.deadlines.elapsed import ElapsedFact
from engine.model.targets import BY_DAY, Counting, Unit
from engine.model.vocabulary import FactType
from engine.tables.table_diagram import PolicyDiagrams


class ElapsedColumn:
    """Computes one elapsed time, from an instant and `now`."""

    def __init__(self, fact: ElapsedFact, diagrams: PolicyDiagrams) -> None:
        self._fact = fact
        self._region = fact.plan.elapsed.region if fact.needs_region else ""
        self._tables = Tables(diagrams, [self._region])

    def fill(self, block: Block, now: tuple[Column, Mask]) -> None:
        """Add the fact to the rows of a block that lack it, where it can be computed."""
        name = self._fact.plan.elapsed.fact
        since = block.instants.get(self._fact.plan.elapsed.since)
        if since is None:
            return
        atoms = block.atoms.get(name, np.zeros(block.size, np.intp))
        missing = since[1] & now[1] & (atoms == 0)
        if not missing.any():
            return
        atoms = atoms.copy()
        for region, rows in self._by_region(block, missing):
            atoms[rows] = self._atoms(region, since[0].take(rows), now[0].take(rows))
        block.atoms[name] = atoms

    def _by_region(self, block: Block, missing: Mask) -> Iterator[tuple[str, Column]]:
        """Yield the rows that lack the fact by their region, if it is decided; "" is none."""
        if not self._region:
            yield "", np.flatnonzero(missing)
            return
        codes = self._tables.on(block).codes(self._region)
        for code, region in enumerate(self._tables.scale(self._region).domain, Scale.VALUES):
            rows = np.flatnonzero(missing & (codes == code))
            if len(rows) and isinstance(region, str):
                yield region, rows

    def _atoms(self, region: str, starts: Column, now: Column) -> NDArray[np.intp]:
        """Return the atoms of the elapsed units; 0 if the list of holidays does not reach far enough."""
        values, sure = self._values(region, starts, now)
        fact = self._fact.plan.atoms.fact
        values = values if fact.minimum is None else np.maximum(values, fact.minimum)
        values = values if fact.maximum is None else np.minimum(values, fact.maximum)
        return np.where(sure, number_atoms(self._fact.plan.atoms, values), 0)

    def _values(self, region: str, starts: Column, now: Column) -> tuple[NDArray[np.float64], Mask]:
        one = self._fact.plan.elapsed
        clock = self._fact.clocks.of(one.calendar, region)
        if one.unit in BY_DAY:
            days, sure = count_days_column(clock, starts, now, DayRule(one.rule), begun=one.counting is Counting.BEGUN)
            return days.astype(np.float64), sure
        amounts, sure = count_column(clock, starts, now)
        seconds, per_unit = amounts / SECOND, 60 if one.unit is Unit.MINUTES else 3600
        if one.counting is Counting.EXACT and self._fact.plan.atoms.fact.type is not FactType.INTEGER:
            return seconds / per_unit, sure
        return (-(-seconds // per_unit) if one.counting is Counting.BEGUN else seconds // per_unit), sure
