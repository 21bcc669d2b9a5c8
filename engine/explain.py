"""Why a cell says what it says: the rules that fired on the way, and what is missing where nothing is decided.

Everything here is read off the same cells that decide. It runs once for each distinguishable case; the answer is kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.answer import Fired, Outcome, Status
from engine.classes import Atoms
from engine.policy import Literal, Policy, Rule
from engine.reach import Cell, Reach, missing, possible, reach_from
from engine.settle import Codes, Flat, value_at
from engine.vocabulary import FactType


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains the cells of one version."""

    policy: Policy
    flats: Mapping[str, Flat]
    producer: Mapping[str, str]
    atoms: Mapping[str, Atoms]
    reached: dict[tuple[str, Cell], Reach] = field(default_factory=dict)

    def outcome(self, name: str, atoms: Mapping[str, int]) -> Outcome:
        """Give an outcome for the atoms of the sent facts, with its rules, or with what is still possible and missing."""
        flat = self.flats[self.producer[name]]
        codes = flat.codes[name]
        cell = self.cell(flat, atoms)
        low, high = int(codes.low[cell]), int(codes.high[cell])
        if low < high:
            reach = self._reach(flat, cell)
            return Outcome(name, Status.UNDECIDED, None, "", possible(codes, reach), missing(codes, reach), ())
        rules = tuple(sorted(self.rules(flat, name, cell), key=lambda fired: (fired.place, fired.id)))
        if low == codes.not_covered:
            return Outcome(name, Status.NOT_COVERED, None, "", (), (), rules)
        value = codes.domain[low]
        return Outcome(name, Status.DECIDED, value, self._display(name, value), (), (), rules)

    def cell(self, flat: Flat, atoms: Mapping[str, int]) -> Cell:
        """Give the cell that the atoms of the sent facts fall in."""
        return tuple(int(axis.class_of[atoms[axis.fact]]) for axis in flat.axes)

    def _reach(self, flat: Flat, cell: Cell) -> Reach:
        key = (flat.grid.table.name, cell)
        if key not in self.reached:
            self.reached[key] = reach_from(flat, cell)
        return self.reached[key]

    def _display(self, name: str, value: Literal) -> str:
        outcome = self.policy.outcomes[name]
        return outcome.display(value) if outcome.type is FactType.CHOICE and isinstance(value, str) else ""

    def rules(self, flat: Flat, name: str, cell: Cell) -> set[Fired]:
        """Give the rules that make an outcome what it is in a cell, all the way down the chain of tables.

        These are the rules that fire on the facts as they are. Where none does, or an open fact turns their outcome
        into the decided one, they are those that fire whichever way the open facts turn out.
        """
        grid = flat.grid
        local = int(flat.cell[cell])
        entry = int(grid.hit.ravel()[local])
        if not flat.settled[cell] and value_at(grid, name, entry, local, self.atoms) != self._decided(flat, name, cell):
            return self._rules_whichever_way(flat, name, cell)
        fired = {_fired(rule, grid.table.name) for rule in grid.rules(entry)}
        tested = {condition.fact for rule in grid.rules(entry) for condition in rule.when}
        for at, axis in enumerate(grid.axes):
            above = self.flats.get(self.producer.get(axis.fact, ""))
            if above is not None and (axis.fact in tested or self._matters_here(flat, at, local, name)):
                fired |= self._rules_above(flat, above, axis.fact, cell)
        return fired

    def _decided(self, flat: Flat, name: str, cell: Cell) -> Literal | None:
        codes = flat.codes[name]
        code = int(codes.low[cell])
        return codes.domain[code] if code < len(codes.domain) else None

    def _rules_above(self, flat: Flat, above: Flat, name: str, cell: Cell) -> set[Fired]:
        """Give the rules behind an outcome that another table made, if it is decided there."""
        classes = {axis.fact: axis.members[at] for axis, at in zip(flat.axes, cell, strict=True)}
        there = tuple(int(axis.class_of[classes[axis.fact]]) for axis in above.axes)
        codes = above.codes[name]
        return self.rules(above, name, there) if codes.low[there] == codes.high[there] else set()

    def _matters_here(self, flat: Flat, axis: int, local: int, name: str) -> bool:
        """Tell whether another value of what one axis stands for would have given another outcome."""
        grid = flat.grid
        stride = math.prod(other.size for other in grid.axes[axis + 1:])
        size = grid.axes[axis].size
        first = local - (local // stride % size) * stride
        cells = range(first, first + size * stride, stride)
        return len({value_at(grid, name, int(grid.hit.ravel()[at]), at, self.atoms) for at in cells}) > 1

    def _rules_whichever_way(self, flat: Flat, name: str, cell: Cell) -> set[Fired]:
        """A cell that is decided though facts are open: gather the rules of all settled cells it can lead to."""
        reach = self._reach(flat, cell)
        entries = np.where(reach.cells & reach.of(flat.settled), reach.of(flat.hit), -1)
        fired: set[Fired] = set()
        for entry in np.unique(entries[entries >= 0]):
            fired |= self.rules(flat, name, reach.cell(np.argwhere(entries == entry)[0]))
        return fired

    def ask_next(self, name: str, atoms: Mapping[str, int]) -> str:
        """Give the missing fact whose answer leaves, on average over its classes, the fewest outcomes possible."""
        flat = self.flats[self.producer[name]]
        codes = flat.codes[name]
        reach = self._reach(flat, self.cell(flat, atoms))
        scored = []
        for fact in missing(codes, reach):
            at = next(at for at, axis in enumerate(flat.axes) if axis.fact == fact)
            left = [_left(codes, reach, at, known) for known in range(1, flat.axes[at].size)]
            scored.append((not self.policy.facts[fact].ask, sum(left) / len(left), fact))
        return min(scored)[-1] if scored else ""


def _left(codes: Codes, reach: Reach, axis: int, known: int) -> int:
    """Count the outcomes possible once a fact is known to be in a class."""
    at = tuple(known if other == axis else step for other, step in enumerate(reach.start))
    return 1 if codes.low[at] == codes.high[at] else len(possible(codes, reach, (axis, known)))


def _fired(rule: Rule, table: str) -> Fired:
    return Fired(rule.id, table, rule.place, rule.source, rule.assumption)


