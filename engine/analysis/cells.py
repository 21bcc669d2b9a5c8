"""A table with the cells that tickets reach, their outcomes, and a ticket for each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.model.policy import HitPolicy, Rule, SameAs, Table
from engine.tables.cells import holds, idle_rules, reached_cells
from engine.tables.check import Witness
from engine.tables.classes import Atoms, Indices, Mask
from engine.tables.missing_facts import PartialTable

Numbers = npt.NDArray[np.int64]

_NEVER: Final = np.iinfo(np.int64).max


class TableCells:
    """One table over its own cells. ``reached`` are the cells that some ticket falls in."""

    def __init__(self, partial: PartialTable, atoms: Mapping[str, Atoms]) -> None:
        self.partial, self.grid, self.atoms = partial, partial.grid, atoms
        self.table: Table = partial.grid.table
        self.shape = partial.grid.rule_set_of.shape

    @cached_property
    def reached(self) -> Mask:
        """Return which cells a ticket falls in."""
        return reached_cells(self.partial)

    @cached_property
    def settled(self) -> Mask:
        """Return the cells of tickets that leave nothing open: the rule that fires there is the answer."""
        return reached_cells(self.partial, self.partial.settled)

    @cached_property
    def idle(self) -> frozenset[int]:
        """Return the rules that never fire, by position."""
        return frozenset(idle_rules(self.partial))

    @cached_property
    def numbers(self) -> Numbers:
        """Return the number of each cell."""
        return np.arange(self.grid.rule_set_of.size, dtype=np.int64).reshape(self.shape)

    def holds(self, rule: int) -> Mask:
        """Return in which cells that tickets reach the conditions of a rule hold."""
        return holds(self.grid, rule) & self.reached

    def counts(self, rule: int) -> Mask:
        """Return in which cells that tickets reach a rule counts."""
        if self.table.hit is not HitPolicy.COLLECT:
            return np.asarray((self.grid.rule_set_of == rule + 1) & self.reached)
        listed = np.array([rule in entry for entry in self.grid.rule_sets], dtype=np.bool_)
        return np.asarray(listed[self.grid.rule_set_of] & self.reached)

    def rule(self, entry: int) -> Rule | None:
        """Return the rule of an entry of ``hits``, which has only one in a table that does not collect."""
        return next(iter(self.grid.rules(entry)), None)

    def classes(self, cells: Numbers) -> tuple[npt.NDArray[np.intp], ...]:
        """Return the class on each axis, for cells by number."""
        return np.unravel_index(cells, self.shape) if self.shape else ()

    def given(self, entries: Indices, cells: Numbers) -> tuple[Numbers, ...]:
        """Return the outcomes of entries of ``hits`` in cells, as numbers; equal numbers are equal values."""
        classes = self.classes(cells)
        return tuple(self._given(name, entries, classes) for name in self.table.produces)

    def _given(self, name: str, entries: Indices, classes: tuple[npt.NDArray[np.intp], ...]) -> Numbers:
        fixed, copied, codes = self._values[name]
        found: Numbers = fixed[entries]
        for entry, axis in copied:
            here = entries == entry
            if here.any():
                words = self.atoms[self.grid.axes[axis].fact].samples
                member = [-1, *(codes[_key(words[atom - 1])] for atom in self.grid.axes[axis].members[1:])]
                found[here] = np.array(member, dtype=np.int64)[classes[axis][here]]
        return found

    @cached_property
    def _values(self) -> dict[str, tuple[Numbers, list[tuple[int, int]], dict[object, int]]]:
        """Return for each outcome: the value number of each entry, the entries that copy a fact, all value numbers."""
        position = {axis.fact: at for at, axis in enumerate(self.grid.axes)}
        values = {}
        for name in self.table.produces:
            codes: dict[object, int] = {}
            copied: list[tuple[int, int]] = []
            fixed = np.full(len(self.grid.rule_sets), -1, dtype=np.int64)
            for entry, counted in enumerate(self.grid.rule_sets):
                if self.table.hit is HitPolicy.COLLECT:
                    value: Any = tuple(
                        rule.then.get(name, ()) for rule in self.grid.rules(entry) if rule.then.get(name)
                    )
                elif counted:
                    value = self.grid.rules(entry)[0].then[name]
                else:
                    continue
                if isinstance(value, SameAs):
                    copied.append((entry, position[value.fact]))
                    for word in self.atoms[value.fact].samples:
                        codes.setdefault(_key(word), len(codes))
                else:
                    fixed[entry] = codes.setdefault(_key(value), len(codes))
            values[name] = fixed, copied, codes
        return values

    @cached_property
    def _cited(self) -> Numbers:
        """Return a number for the headings and assumptions of each entry of ``hits``."""
        codes: dict[object, int] = {}
        cited = [
            tuple((rule.source, rule.assumption) for rule in self.grid.rules(entry))
            for entry in range(len(self.grid.rule_sets))
        ]
        return np.array([codes.setdefault(one, len(codes)) for one in cited], dtype=np.int64)

    def cites(self, entries: Indices) -> Numbers:
        """Return the citations of entries of ``hits`` as numbers; equal numbers are equal headings and assumptions."""
        return np.asarray(self._cited[entries])

    def waits(self, entries: Indices, cells: Numbers) -> Numbers:
        """Return the facts for which entries of ``hits`` wait in cells.

        These are the facts that are missing and not claimed, as bits.
        """
        found = np.zeros(cells.shape, dtype=np.int64)
        for axis, classes in enumerate(self.classes(cells)):
            found |= ((classes == 0) & ~self.grid.names_unknown[entries, axis]).astype(np.int64) << axis
        return found

    def alike(self, entries: Indices, others: Indices, cells: Numbers, *, cited: bool = True) -> bool:
        """Return whether nothing changes in these cells if other entries count there.

        The outcomes and citations are the same where a ticket is decided, and so are the missing facts.
        """
        if (self.waits(entries, cells) != self.waits(others, cells)).any():
            return False
        final = self.settled.ravel()[cells]
        entries, others, cells = entries[final], others[final], cells[final]
        if cited and (self.cites(entries) != self.cites(others)).any():
            return False
        return not self.differ(entries, others, cells).any()

    def differ(self, entries: Indices, others: Indices, cells: Numbers) -> Mask:
        """Return in which of these cells other entries have different outcomes."""
        pairs = zip(self.given(entries, cells), self.given(others, cells), strict=True)
        return (
            np.any([one != other for one, other in pairs], axis=0)
            if self.table.produces
            else np.zeros(cells.shape, dtype=np.bool_)
        )

    def witness(self, where: Mask) -> Witness:
        """Return a ticket in one of these cells.

        It is the shortest that leaves nothing open, or has the fewest missing facts.
        """
        for best in (self._best_settled, self._best):
            keys = best[where]
            if keys.size and keys.min() < _NEVER:
                at = (
                    np.unravel_index(int(keys.min()) % self.partial.cell.size, self.partial.cell.shape)
                    if self.partial.axes
                    else ()
                )
                return tuple(
                    (axis.fact, self.atoms[axis.fact].text(axis.members[int(one)]))
                    for axis, one in zip(self.partial.axes, at, strict=True)
                    if one
                )
        return ()

    @cached_property
    def _best_settled(self) -> Numbers:
        return self._keys(self.partial.settled, shortest=True)

    @cached_property
    def _best(self) -> Numbers:
        return self._keys(np.ones_like(self.partial.settled), shortest=False)

    def _keys(self, among: Mask, *, shortest: bool) -> Numbers:
        """Return for each own cell the least key of its cells over sent facts.

        A key is the count of sent (or missing) facts, then the cell.
        """
        counted = np.zeros(self.partial.cell.shape, dtype=np.int64)
        for axis in range(len(self.partial.axes)):
            counted[(slice(None),) * axis + (slice(1, None) if shortest else 0,)] += 1
        keys = counted.ravel() * counted.size + np.arange(counted.size)
        best = np.full(self.grid.rule_set_of.size, _NEVER, dtype=np.int64)
        chosen = among.ravel()
        np.minimum.at(best, self.partial.cell.ravel()[chosen], keys[chosen])
        return best.reshape(self.shape)


def _key(value: object) -> object:
    """Return a key that distinguishes yes from 1: values of different types differ; a copied yes/no is its word."""
    return (
        ("yes" if value else "no")
        if isinstance(value, bool)
        else (type(value).__name__, value)
        if isinstance(value, (int, float))
        else value
    )
