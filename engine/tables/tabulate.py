"""The rules of a table -> the rules that count in each of its cells.

A cell is one combination of classes of the facts that the table reads. A condition is plain set membership here:
``unknown`` is a value like any other, so a rule fires in a cell or it does not. What a missing fact can still change is
computed later, by :mod:`engine.tables.missing_facts`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np

from engine.model.conditions import Condition
from engine.model.policy import HitPolicy, Policy, Rule, SameAs, Table
from engine.tables.classes import Atoms, Axis, Indices, Mask, Masks, atoms_of

MAX_CELLS: Final = 4_000_000
"""The most cells of a table, with all that it depends on."""

Tests = tuple[tuple[int, tuple[int, ...]], ...]
"""The conditions of one rule: the classes that it allows, for each axis that it tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table over the facts and outcomes that it reads itself: for each cell, the rules that count there.

    Attributes:
        tests: what each rule tests, in file order.
        rule_set_of: the number of a rule set for each cell.
        rule_sets: the rules of each set, by position; the position after the last rule is ``otherwise``. Set 0 is
            empty: no rule fires.
        names_unknown: for each rule set and axis, whether a rule of the set names ``unknown`` for the fact of the axis.
    """

    table: Table
    axes: tuple[Axis, ...]
    tests: tuple[Tests, ...]
    rule_set_of: Indices
    rule_sets: tuple[tuple[int, ...], ...]
    names_unknown: Mask

    def rules(self, rule_set: int) -> tuple[Rule, ...]:
        """Return the rules of a set, in file order."""
        listed = self.table.rules
        return tuple(listed[at] if at < len(listed) else self._otherwise() for at in self.rule_sets[rule_set])

    def _otherwise(self) -> Rule:
        if self.table.otherwise is None:
            raise ValueError(f"the table {self.table.name} has no otherwise")
        return self.table.otherwise


def all_atoms(policy: Policy) -> dict[str, Atoms]:
    """Return the atoms of every fact and of every outcome that tables can read."""
    named: dict[str, list[Condition]] = {}
    for table in policy.all_tables:
        for rule in table.rules:
            for condition in rule.when:
                named.setdefault(condition.fact, []).append(condition)
    facts = {**policy.facts, **{name: policy.outcomes[name] for name in named if name in policy.outcomes}}
    return {name: atoms_of(fact, named.get(name, ())) for name, fact in sorted(facts.items())}


def table_axes(table: Table, masks: Masks) -> tuple[Axis, ...]:
    """Return the axes of a table, in alphabetical order of their facts."""
    return axes_over((table,), masks, frozenset(table.reads))


def axes_over(tables: Iterable[Table], masks: Masks, facts: frozenset[str]) -> tuple[Axis, ...]:
    """Return axes that distinguish all values that any of these tables distinguishes."""
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
    """Return how many cells axes span."""
    return math.prod(axis.size for axis in axes)


def tabulate(table: Table, axes: tuple[Axis, ...], masks: Masks) -> Grid:
    """Return which rules count in every cell of a table."""
    position = {axis.fact: at for at, axis in enumerate(axes)}
    tests = tuple(_tests(rule, axes, position, masks) for rule in table.rules)
    shape = tuple(axis.size for axis in axes)
    if table.hit is HitPolicy.COLLECT:
        rule_set_of, rule_sets = _collect(tests, shape)
    else:
        rule_set_of, rule_sets = _single(tests, shape, table.otherwise is not None)
    return Grid(
        table=table,
        axes=axes,
        tests=tests,
        rule_set_of=rule_set_of,
        rule_sets=rule_sets,
        names_unknown=_names_unknown(tests, rule_sets, len(axes)),
    )


def _tests(rule: Rule, axes: tuple[Axis, ...], position: Mapping[str, int], masks: Masks) -> Tests:
    return tuple(sorted((position[one.fact], masks.classes(one, axes[position[one.fact]])) for one in rule.when))


def _names_unknown(tests: tuple[Tests, ...], rule_sets: tuple[tuple[int, ...], ...], axes: int) -> Mask:
    """Return for each rule set and axis whether a rule of the set names ``unknown`` for the fact of the axis."""
    by_rule = np.zeros((len(tests) + 1, axes), dtype=np.bool_)
    for rule, tested in enumerate(tests):
        for axis, allowed in tested:
            by_rule[rule, axis] = allowed[:1] == (0,)
    rules = np.fromiter(chain.from_iterable(rule_sets), dtype=np.intp)
    owners = np.repeat(np.arange(len(rule_sets)), [len(counted) for counted in rule_sets])
    by_set = np.zeros((len(rule_sets), axes), dtype=np.bool_)
    np.logical_or.at(by_set, owners, by_rule[rules])
    return by_set


def region(tests: Tests, shape: tuple[int, ...]) -> Any:
    """Return an index of all cells in which a rule fires: slices for adjacent classes, or else lists."""
    allowed = dict(tests)
    if all(classes and classes[-1] - classes[0] + 1 == len(classes) for classes in allowed.values()):
        return tuple(
            slice(allowed[axis][0], allowed[axis][-1] + 1) if axis in allowed else slice(None)
            for axis in range(len(shape))
        )
    return np.ix_(*(np.array(allowed.get(axis, range(size)), dtype=np.intp) for axis, size in enumerate(shape)))


def _single(
    tests: tuple[Tests, ...], shape: tuple[int, ...], otherwise: bool
) -> tuple[Indices, tuple[tuple[int, ...], ...]]:
    """Return the rule sets of a table in which the first rule that fires counts; ``check`` finds overlaps."""
    last = len(tests) + 1
    hit = np.full(shape, last if otherwise else 0, dtype=np.int32)
    for rule in range(len(tests) - 1, -1, -1):
        hit[region(tests[rule], shape)] = rule + 1
    return hit, ((), *((rule,) for rule in range(len(tests) + otherwise)))


def _collect(tests: tuple[Tests, ...], shape: tuple[int, ...]) -> tuple[Indices, tuple[tuple[int, ...], ...]]:
    """Return the rule sets of a table in which all rules that fire count.

    Sets are first distinguished by number alone, rule by rule, and assembled at the end.
    """
    hit = np.zeros(shape, dtype=np.int32)
    grown: list[tuple[int, int]] = [(-1, -1)]
    for rule, tested in enumerate(tests):
        where = region(tested, shape)
        before = hit[where]
        olds, inverse = np.unique(before, return_inverse=True)
        hit[where] = (np.arange(len(olds), dtype=np.int32) + len(grown))[inverse].reshape(before.shape)
        grown.extend((int(old), rule) for old in olds)
    used, compact = np.unique(np.append(hit.ravel(), 0), return_inverse=True)
    return compact[:-1].reshape(shape).astype(np.int32), _regrown(grown, used.tolist())


def _regrown(grown: list[tuple[int, int]], numbers: list[int]) -> tuple[tuple[int, ...], ...]:
    """Return the rule sets of these numbers: each is an earlier set and one more rule."""
    sets: dict[int, tuple[int, ...]] = {0: ()}
    for number in numbers:
        path = []
        at = number
        while at not in sets:
            path.append(at)
            at = grown[at][0]
        for step in reversed(path):
            earlier, rule = grown[step]
            sets[step] = (*sets[earlier], rule)
    return tuple(sets[number] for number in numbers)
