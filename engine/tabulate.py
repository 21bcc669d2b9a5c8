"""Rules in, a dense table out: which rule fires in every cell of a table, once and for all.

A cell is one combination of classes of the facts that the table reads. Conditions are plain set membership here:
``unknown`` is a value like the others, so a rule fires in a cell or it does not. What a missing fact could still
change is worked out afterwards, by :mod:`engine.settle`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.classes import Atoms, Axis, Indices, Mask, Masks, atoms_of
from engine.conditions import Condition
from engine.policy import HitPolicy, Policy, Rule, SameAs, Table

MAX_CELLS: Final = 4_000_000
"""The most cells a table, or a decision with all that it depends on, may have."""

Tests = tuple[tuple[int, tuple[int, ...]], ...]
"""What one rule asks: for each axis it tests, the classes that it allows."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A tabulated table. ``hit`` holds, for every cell, the number of an entry of ``hits``.

    An entry of ``hits`` lists the rules that count there, by position; the position after the last rule is
    ``otherwise``. Entry 0 is empty: no rule fires. ``claims[entry, axis]`` tells whether its rules name ``unknown``
    for the fact of an axis.
    """

    table: Table
    axes: tuple[Axis, ...]
    tests: tuple[Tests, ...]
    hit: Indices
    hits: tuple[tuple[int, ...], ...]
    claims: Mask

    def rules(self, entry: int) -> tuple[Rule, ...]:
        """Give the rules of an entry of ``hits``."""
        listed = self.table.rules
        return tuple(listed[at] if at < len(listed) else self._otherwise() for at in self.hits[entry])

    def _otherwise(self) -> Rule:
        if self.table.otherwise is None:
            raise ValueError(f"the table {self.table.name} has no otherwise")
        return self.table.otherwise


def all_atoms(policy: Policy) -> dict[str, Atoms]:
    """Give the atoms of every fact and of every outcome that tables can read."""
    named: dict[str, list[Condition]] = {}
    for table in policy.tables.values():
        for rule in table.rules:
            for condition in rule.when:
                named.setdefault(condition.fact, []).append(condition)
    facts = {**policy.facts, **{name: policy.outcomes[name] for name in named if name in policy.outcomes}}
    return {name: atoms_of(fact, named.get(name, ())) for name, fact in sorted(facts.items())}


def table_axes(table: Table, masks: Masks) -> tuple[Axis, ...]:
    """Give the axes of a table, in alphabetical order of their facts."""
    return axes_over((table,), masks, frozenset(table.reads))


def axes_over(tables: Iterable[Table], masks: Masks, facts: frozenset[str]) -> tuple[Axis, ...]:
    """Give axes fine enough for all of these tables at once."""
    conditions: dict[str, list[Condition]] = {fact: [] for fact in facts}
    apart: set[str] = set()
    for table in tables:
        for rule in table.rules:
            for condition in rule.when:
                if condition.fact in conditions:
                    conditions[condition.fact].append(condition)
            apart.update(value.fact for value in rule.then.values() if isinstance(value, SameAs))
    return tuple(masks.axis(fact, conditions[fact], fact in apart) for fact in sorted(facts))


def cells(axes: Iterable[Axis]) -> int:
    """Count the cells that axes span."""
    return math.prod(axis.size for axis in axes)


def tabulate(table: Table, axes: tuple[Axis, ...], masks: Masks) -> Grid:
    """Work out which rules fire in every cell of a table."""
    position = {axis.fact: at for at, axis in enumerate(axes)}
    tests = tuple(_tests(rule, axes, position, masks) for rule in table.rules)
    shape = tuple(axis.size for axis in axes)
    if table.hit is HitPolicy.COLLECT:
        hit, hits = _collect(tests, shape)
    else:
        hit, hits = _single(tests, shape, table.hit, table.otherwise is not None)
    claims = np.zeros((len(hits), len(axes)), dtype=np.bool_)
    for entry, counted in enumerate(hits):
        for rule in counted:
            for axis, allowed in tests[rule] if rule < len(tests) else ():
                claims[entry, axis] |= allowed[0] == 0
    return Grid(table, axes, tests, hit, hits, claims)


def _tests(rule: Rule, axes: tuple[Axis, ...], position: Mapping[str, int], masks: Masks) -> Tests:
    found = []
    for condition in rule.when:
        axis = position[condition.fact]
        allowed = np.unique(axes[axis].class_of[masks(condition)])
        found.append((axis, tuple(int(number) for number in allowed)))
    return tuple(sorted(found))


def region(tests: Tests, shape: tuple[int, ...]) -> tuple[object, ...]:
    """Give the index of all cells in which a rule fires: slices where it can, lists of classes where it must."""
    allowed = dict(tests)
    if all(classes and classes[-1] - classes[0] + 1 == len(classes) for classes in allowed.values()):
        return tuple(slice(allowed[axis][0], allowed[axis][-1] + 1) if axis in allowed else slice(None) for axis in range(len(shape)))
    return np.ix_(*(np.array(allowed.get(axis, range(size)), dtype=np.intp) for axis, size in enumerate(shape)))


def _single(tests: tuple[Tests, ...], shape: tuple[int, ...], policy: HitPolicy, otherwise: bool) -> tuple[Indices, tuple[tuple[int, ...], ...]]:
    """Fill in the one rule that counts: the first in the file. Overlaps of a unique table are found by the check."""
    last = len(tests) + 1
    hit = np.full(shape, last if otherwise else 0, dtype=np.int32)
    for rule in range(len(tests) - 1, -1, -1):
        hit[region(tests[rule], shape)] = rule + 1  # type: ignore[index]
    return hit, ((), *((rule,) for rule in range(len(tests) + otherwise)))


def _collect(tests: tuple[Tests, ...], shape: tuple[int, ...]) -> tuple[Indices, tuple[tuple[int, ...], ...]]:
    """Fill in the set of rules that fire, giving each set that occurs a number."""
    hit = np.zeros(shape, dtype=np.int32)
    hits: list[tuple[int, ...]] = [()]
    for rule, asked in enumerate(tests):
        where = region(asked, shape)
        before = hit[where]  # type: ignore[index]
        olds, inverse = np.unique(before, return_inverse=True)
        news = np.arange(len(hits), len(hits) + len(olds), dtype=np.int32)
        hits.extend((*hits[old], rule) for old in olds)
        hit[where] = news[inverse].reshape(before.shape)  # type: ignore[index]
    used, compact = np.unique(np.concatenate([[0], hit.ravel()]), return_inverse=True)
    return compact[1:].reshape(shape).astype(np.int32), tuple(hits[at] for at in used)
