"""Tickets for the rules of deadlines: finds facts that produce the outcomes that these rules read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from engine.analysis.cells import TableCells
from engine.tables.check import Witness
from engine.tables.classes import Atoms, Mask
from engine.tables.missing_facts import PartialTable

MAX_TRIED: Final = 200
"""The most cells of one table that are tried for each of the others."""

Known = Mapping[str, int]
"""Facts by name, as atoms; 0 is not sent."""


class TicketFinder:
    """Finds tickets; ``partial_tables`` are the tables over sent facts, ``producer`` maps each outcome to its table."""

    def __init__(
        self,
        partial_tables: Mapping[str, PartialTable],
        producer: Mapping[str, str],
        atoms: Mapping[str, Atoms],
        deadlines: frozenset[str],
    ) -> None:
        self.partial_tables, self.producer, self.atoms, self.deadlines = partial_tables, producer, atoms, deadlines

    def of(self, cells: TableCells, where: Mask) -> Witness:
        """Return a ticket in one of these cells of a deadline's table.

        If there is none, return the outcomes that the table reads.
        """
        found = np.argwhere(where)
        for at in found[np.argsort((found == 0).sum(axis=1), kind="stable")]:
            wanted = {axis.fact: axis.members[int(one)] for axis, one in zip(cells.grid.axes, at, strict=True)}
            ticket = next(self._tickets(wanted), None)
            if ticket is not None:
                return tuple((fact, self.atoms[fact].text(atom)) for fact, atom in sorted(ticket.items()) if atom)
        return cells.witness(where)

    def _tickets(self, wanted: Known) -> Iterator[Known]:
        """Yield facts that produce these outcomes, and include these facts."""
        known = {name: atom for name, atom in wanted.items() if name not in self.producer}
        masks: dict[str, Mask] = {}
        for name in wanted:
            if name in self.producer:
                table = self.producer[name]
                codes = self.partial_tables[table].codes[name]
                here = (
                    (codes.low == codes.high) & (codes.low == wanted[name] - 1)
                    if wanted[name]
                    else (codes.low != codes.high) | (codes.low == codes.not_covered)
                )
                masks[table] = masks.get(table, True) & here
        yield from self._joined(known, sorted(masks.items(), key=lambda pair: pair[1].size))

    def _joined(self, known: Known, masks: list[tuple[str, Mask]]) -> Iterator[Known]:
        if not masks:
            yield known
            return
        (table, mask), *rest = masks
        axes = self.partial_tables[table].axes
        fixed = [int(axis.class_of[known[axis.fact]]) if axis.fact in known else None for axis in axes]
        inside = np.argwhere(mask[tuple(slice(None) if at is None else slice(at, at + 1) for at in fixed)])
        order = np.argsort((inside != 0).sum(axis=1), kind="stable")[:MAX_TRIED]
        for cell in inside[order]:
            more = {
                axis.fact: axis.members[int(at)] for axis, at in zip(axes, cell, strict=True) if axis.fact not in known
            }
            yield from self._joined({**known, **more}, rest)
