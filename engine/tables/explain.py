"""The rules behind the outcome of a cell, or what is missing where the outcome is undecided.

Explanations are read from the same cells that decide. Each is computed when it is first needed, and cached.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from engine.cache import Cache
from engine.model.answer import FiredRule, Outcome, Status
from engine.model.policy import Literal, Policy
from engine.model.targets import Measure
from engine.model.vocabulary import FactType
from engine.tables.classes import Atoms
from engine.tables.missing_facts import Codes, PartialTable, value_at
from engine.tables.reach import Cell, Reach, missing, possible, reach_from

MAX_CELLS_CACHED: Final = 20_000
"""How many explained cells an explainer caches."""

Numbers = frozenset[int]
"""Rules of a version by number, ordered by file and line."""

CellMap = tuple[tuple[int, int, tuple[int, ...]], ...]
"""How a cell number becomes that of a table that is read: for each axis, stride, size and added numbers."""


class Explainer:
    """Explains the cells of one version. Several threads may use it: it changes only its caches."""

    def __init__(
        self,
        policy: Policy,
        partial_tables: Mapping[str, PartialTable],
        producer: Mapping[str, str],
        atoms: Mapping[str, Atoms],
    ) -> None:
        self.policy, self.partial_tables, self.producer, self.atoms = policy, partial_tables, producer, atoms
        self.rules, self._numbers = _numbered(policy)
        self._outcomes: Cache[tuple[str, int], Outcome] = Cache(MAX_CELLS_CACHED)
        # Many cells have the same outcome for the same reasons: they share one object.
        self._alike: Cache[Outcome, Outcome] = Cache(MAX_CELLS_CACHED)
        self._paths: Cache[tuple[str, int], Numbers] = Cache(MAX_CELLS_CACHED)
        self._causes: Cache[tuple[str, int], tuple[Numbers, tuple[str, ...]]] = Cache(MAX_CELLS_CACHED)
        self._cell_maps: Cache[tuple[str, str], CellMap] = Cache(MAX_CELLS_CACHED)
        self._last_reach: tuple[tuple[str, int], Reach] | None = None

    def outcome(self, name: str, cell: int) -> Outcome:
        """Return an outcome in a cell of its table: its value and rules, or what is possible and missing."""
        key = (name, cell)
        cached = self._outcomes.get(key)
        if cached is None:
            made = self._explain(name, cell)
            cached = self._outcomes.put(key, self._alike.get(made) or self._alike.put(made, made))
        return cached

    def resolved_cells(self, names: tuple[str, ...], cell: int, shared: frozenset[str]) -> Iterator[Cell]:
        """Yield cells that can result once the open facts of a cell are known.

        One cell stands for all that have the same ``names`` (outcomes of one table) and the same ``shared`` facts.
        Besides settled cells, these are cells that already decide the outcomes: facts that are open there may stay
        unknown.
        """
        partial = self.partial_tables[self.producer[names[0]]]
        reach = self._reach(partial, cell)
        decided = np.logical_and.reduce(
            [reach.of(partial.codes[name].low) == reach.of(partial.codes[name].high) for name in names]
        )
        found = np.argwhere(reach.cells & (reach.of(partial.settled) | decided))
        told_apart = [reach.of(partial.codes[name].low)[tuple(found.T)] for name in names]
        told_apart += [found[:, at] for at, axis in enumerate(partial.axes) if axis.fact in shared]
        _, first = np.unique(np.stack(told_apart), axis=1, return_index=True)
        yield from (reach.cell(found[at]) for at in first)

    def ask_next(self, name: str, cell: int) -> str:
        """Return the missing fact that leaves the fewest outcomes possible, on average over its classes."""
        partial = self.partial_tables[self.producer[name]]
        codes = partial.codes[name]
        reach = self._reach(partial, cell)
        scored = []
        for fact in missing(codes, reach):
            at = next(at for at, axis in enumerate(partial.axes) if axis.fact == fact)
            left = [_outcomes_left(codes, reach, at, known) for known in range(1, partial.axes[at].size)]
            scored.append((not self.policy.facts[fact].ask, sum(left) / len(left), fact))
        return min(scored)[-1] if scored else ""

    def _explain(self, name: str, cell: int) -> Outcome:
        partial = self.partial_tables[self.producer[name]]
        codes = partial.codes[name]
        low = codes.low.item(cell)
        if low < codes.high.item(cell):
            reach = self._reach(partial, cell)
            return Outcome(
                name=name,
                status=Status.UNDECIDED,
                value=None,
                text="",
                possible=possible(codes, reach),
                missing=missing(codes, reach),
                rules=(),
            )
        rules = tuple([self.rules[number] for number in sorted(self._path(partial, name, cell))])
        if low == codes.not_covered:
            return Outcome(
                name=name, status=Status.NOT_COVERED, value=None, text="", possible=(), missing=(), rules=rules
            )
        return Outcome(
            name=name,
            status=Status.DECIDED,
            value=codes.domain[low],
            text=self._display(name, codes.domain[low]),
            possible=(),
            missing=(),
            rules=rules,
        )

    def _display(self, name: str, value: Literal) -> str:
        outcome = self.policy.outcomes[name]
        return outcome.display(value) if outcome.type is FactType.CHOICE and isinstance(value, str) else ""

    def _path(self, partial: PartialTable, name: str, cell: int) -> Numbers:
        """Return the rules behind an outcome in a cell, through the whole chain of tables.

        These are the rules that fire on the facts as they are. If none fires, or an open fact changes their outcome to
        the decided one, they are the rules that fire for any value of the open facts.
        """
        key = (name, cell)
        cached = self._paths.get(key)
        if cached is None:
            cached = self._paths.put(key, self._trace(partial, name, cell))
        return cached

    def _trace(self, partial: PartialTable, name: str, cell: int) -> Numbers:
        local = partial.cell.item(cell)
        if not partial.settled.item(cell) and self._fires(partial, name, local) != self._decided(
            partial.codes[name], cell
        ):
            return self._settled_rules(partial, name, cell)
        fired, above = self._cause(partial, name, local)
        return fired.union(*(self._behind(partial, other, cell) for other in above))

    def _behind(self, partial: PartialTable, name: str, cell: int) -> Numbers:
        """Return the rules behind an outcome that a table reads.

        If the outcome is undecided, they are the rules behind the inputs that keep it undecided.
        """
        producer = self.partial_tables[self.producer[name]]
        there = self._cell_above(partial, producer, cell)
        codes = producer.codes[name]
        if codes.low.item(there) == codes.high.item(there):
            return self._path(producer, name, there)
        _, above = self._cause(producer, name, producer.cell.item(there))
        return frozenset().union(*(self._behind(producer, other, there) for other in above))

    def _fires(self, partial: PartialTable, name: str, local: int) -> Literal | Measure | None:
        return value_at(partial.grid, name, partial.grid.rule_set_of.item(local), local, self.atoms)

    def _decided(self, codes: Codes, cell: int) -> Literal | None:
        code = codes.low.item(cell)
        return codes.domain[code] if code < len(codes.domain) else None

    def _cause(self, partial: PartialTable, name: str, local: int) -> tuple[Numbers, tuple[str, ...]]:
        """Return the rules that fire in a cell of the own grid, and the outcomes that they depend on.

        They depend on an outcome if they test it, or if another value of it would change the result.
        """
        key = (name, local)
        cached = self._causes.get(key)
        if cached is None:
            grid = partial.grid
            entry = grid.rule_set_of.item(local)
            tested = {condition.fact for rule in grid.rules(entry) for condition in rule.when}
            above = [axis.fact for axis in grid.axes if axis.fact in self.producer]
            counting = tuple(fact for fact in above if fact in tested or self._matters(partial, fact, local, name))
            cached = self._causes.put(
                key, (frozenset(self._numbers[grid.table.name, rule] for rule in grid.rule_sets[entry]), counting)
            )
        return cached

    def _matters(self, partial: PartialTable, fact: str, local: int, name: str) -> bool:
        """Return whether another value of one fact would change the outcome."""
        axes = partial.grid.axes
        at = next(at for at, axis in enumerate(axes) if axis.fact == fact)
        stride = math.prod(axis.size for axis in axes[at + 1 :])
        first = local - (local // stride % axes[at].size) * stride
        return len({self._fires(partial, name, first + step * stride) for step in range(axes[at].size)}) > 1

    def _cell_above(self, partial: PartialTable, above: PartialTable, cell: int) -> int:
        """Return the cell of a table that this one reads, for a cell of this one."""
        key = (partial.grid.table.name, above.grid.table.name)
        cell_map = self._cell_maps.get(key)
        if cell_map is None:
            cell_map = self._cell_maps.put(key, _cell_map(partial, above))
        return sum(cells[cell // stride % size] for stride, size, cells in cell_map)

    def _settled_rules(self, partial: PartialTable, name: str, cell: int) -> Numbers:
        """Return the rules of all settled cells that a cell with open facts can lead to."""
        reach = self._reach(partial, cell)
        entries = np.where(reach.cells & reach.of(partial.settled), reach.of(partial.rule_set_of), -1)
        fired: Numbers = frozenset()
        for entry in np.unique(entries[entries >= 0]):
            found = reach.cell(np.argwhere(entries == entry)[0])
            fired |= self._path(partial, name, int(np.ravel_multi_index(found, partial.cell.shape)) if found else 0)
        return fired

    def _reach(self, partial: PartialTable, cell: int) -> Reach:
        """Return the reach of a cell; the last one is cached, since outcomes of one table need it in turn."""
        key = (partial.grid.table.name, cell)
        cached = self._last_reach
        if cached is None or cached[0] != key:
            start = tuple(int(at) for at in np.unravel_index(cell, partial.cell.shape)) if partial.axes else ()
            cached = self._last_reach = (key, reach_from(partial, start))
        return cached[1]


def _numbered(policy: Policy) -> tuple[tuple[FiredRule, ...], dict[tuple[str, int], int]]:
    """Return the rules of all tables by file and line, and the number of each rule by table and position."""
    placed = []
    for table in policy.tables.values():
        for position, rule in enumerate(table.all_rules):
            placed.append(
                (
                    FiredRule(
                        id=rule.id, table=table.name, place=rule.place, source=rule.source, assumption=rule.assumption
                    ),
                    position,
                )
            )
    placed.sort(key=lambda pair: (pair[0].place, pair[0].id))
    return tuple(fired for fired, _ in placed), {
        (fired.table, position): number for number, (fired, position) in enumerate(placed)
    }


def _cell_map(partial: PartialTable, above: PartialTable) -> CellMap:
    """Return how a cell number of a table becomes that of a table that it reads."""
    strides = [math.prod(partial.cell.shape[at + 1 :]) for at in range(len(partial.axes))]
    steps = []
    for at, axis in enumerate(above.axes):
        own = next(number for number, other in enumerate(partial.axes) if other.fact == axis.fact)
        added = math.prod(above.cell.shape[at + 1 :])
        classes = axis.class_of[list(partial.axes[own].members)]
        steps.append((strides[own], partial.axes[own].size, tuple(int(number) * added for number in classes)))
    return tuple(steps)


def _outcomes_left(codes: Codes, reach: Reach, axis: int, known: int) -> int:
    """Return how many outcomes are possible once a fact has a given class."""
    at = tuple(known if other == axis else step for other, step in enumerate(reach.start))
    return 1 if codes.low[at] == codes.high[at] else len(possible(codes, reach_from(reach.partial, at)))
