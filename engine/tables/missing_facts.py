"""The outcomes of a table for every combination of known and missing facts: this module handles missing facts.

One table reads what another produces. A *partial table* is a table over *sent* facts only, so that the chain of tables
disappears and each outcome is one lookup. Every cell has two codes for each outcome: the least and the greatest that is
still possible. If they are equal, the outcome is decided.

The rule of the language, as computed here:

- A missing fact is *open* in a cell unless a rule that fires there names ``unknown`` for it. A missing outcome of
  another table is open through the facts that are open there.
- A cell without open facts is *settled*: the rules that fire there decide.
- In any other cell, the possible outcomes are those of all cells that result once one open fact is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.model.policy import HitPolicy, Literal, Policy, SameAs
from engine.model.targets import Measure
from engine.model.vocabulary import YES, FactType
from engine.tables.classes import Atoms, Axis, Indices, Mask
from engine.tables.tabulate import Grid

_NOTHING: Final = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class Codes:
    """An outcome in every cell: the least and the greatest code that is still possible.

    A code is a position in ``domain``; the code after the last position is "not covered".
    """

    domain: tuple[Literal, ...]
    low: Indices
    high: Indices

    @property
    def not_covered(self) -> int:
        """The code for not covered."""
        return len(self.domain)

    def atoms(self) -> Indices:
        """Return the outcome as atoms for the tables that read it: 0 where it has no value."""
        return np.where((self.low == self.high) & (self.low < len(self.domain)), self.low + 1, 0).astype(np.int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialTable:
    """A table over sent facts.

    Attributes:
        cell: the cell of the table's own grid, for each cell.
        open: for each axis, the cells in which its fact is open.
        settled: the cells in which no fact is open.
        codes: what is still possible, for each outcome.
    """

    grid: Grid
    axes: tuple[Axis, ...]
    cell: Indices
    open: tuple[Mask, ...]
    settled: Mask
    codes: Mapping[str, Codes]

    @property
    def rule_set_of(self) -> Indices:
        """The number of the grid's rule set that counts in each cell."""
        return self.grid.rule_set_of.ravel()[self.cell]


def _domain(grid: Grid, name: str, policy: Policy) -> tuple[Literal, ...]:
    """Return all values of an outcome, in display order; not for collect tables."""
    outcome = policy.outcomes[name]
    if outcome.type is FactType.CHOICE:
        return tuple(value.value for value in outcome.values)
    if outcome.type is FactType.BOOLEAN:
        return (False, True)
    values: set[Any] = {rule.then[name] for rule in grid.table.all_rules}
    return tuple(sorted(values))


def _gathered(grid: Grid, name: str) -> list[tuple[str, ...]]:
    """Return the list that each rule set of a collect table produces: the items of its rules, in file order."""
    given = [rule.then.get(name, ()) for rule in grid.table.rules]
    items = [value if isinstance(value, tuple) else (str(value),) for value in given]
    return [tuple(chain.from_iterable([items[rule] for rule in counted])) for counted in grid.rule_sets]


def value_at(grid: Grid, name: str, entry: int, cell: int, atoms: Mapping[str, Atoms]) -> Literal | Measure | None:
    """Return the value that a rule set has for an outcome in a cell of the table's own grid; None if it has none."""
    rules = grid.rules(entry)
    if grid.table.hit is HitPolicy.COLLECT:
        given = (rule.then.get(name, ()) for rule in rules)
        return tuple(chain.from_iterable(value if isinstance(value, tuple) else (str(value),) for value in given))
    if not rules:
        return None
    value = rules[0].then[name]
    if not isinstance(value, SameAs):
        return value
    at = next(at for at, axis in enumerate(grid.axes) if axis.fact == value.fact)
    member = grid.axes[at].members[int(np.unravel_index(cell, grid.rule_set_of.shape)[at])]
    return _word_value(atoms[value.fact], member) if member else None


def spread(array: npt.NDArray[Any], axes: tuple[Axis, ...], onto: tuple[Axis, ...]) -> npt.NDArray[Any]:
    """Return an array over finer axes that include its own, ready for broadcasting."""
    own = {axis.fact: axis for axis in axes}
    shared = [target for target in onto if target.fact in own]
    for at, target in enumerate(shared):
        classes = own[target.fact].class_of[list(target.members)]
        if not np.array_equal(classes, np.arange(array.shape[at])):
            array = array.take(classes, axis=at)
    return array.reshape(tuple(target.size if target.fact in own else 1 for target in onto))


def partial_table(
    grid: Grid,
    axes: tuple[Axis, ...],
    producers: Mapping[str, PartialTable],
    policy: Policy,
    atoms: Mapping[str, Atoms],
) -> PartialTable:
    """Return a table over sent facts.

    Args:
        grid: the table over the facts and outcomes that it reads itself.
        axes: the axes of all sent facts that it depends on, fine enough for every table in the chain.
        producers: the partial table that produces each outcome that it reads.
        policy: the policy of the table.
        atoms: the atoms of each fact.
    """
    shape = tuple(axis.size for axis in axes)
    classes = [_classes(local, axes, producers) for local in grid.axes]
    cell = np.zeros(shape, dtype=np.int32)
    for local, numbers in zip(grid.axes, classes, strict=True):
        cell = cell * local.size + numbers
    entry = grid.rule_set_of.ravel()[cell]
    opened = _opened(grid, axes, classes, entry, producers)
    settled = ~np.any(np.stack(opened), axis=0) if opened else np.ones(shape, dtype=np.bool_)
    codes = {}
    for name in grid.table.produces:
        gathered = _gathered(grid, name) if grid.table.hit is HitPolicy.COLLECT else []
        domain = tuple(sorted(set(gathered))) or _domain(grid, name, policy)
        if gathered:
            code = {value: at for at, value in enumerate(domain)}
            value = np.array([code[items] for items in gathered], dtype=np.int32)[entry]
        else:
            value = _values(grid, name, domain=domain, entry=entry, classes=classes, atoms=atoms)
        codes[name] = Codes(domain, *_possible(value, settled, opened))
    return PartialTable(grid=grid, axes=axes, cell=cell, open=opened, settled=settled, codes=codes)


def _classes(local: Axis, axes: tuple[Axis, ...], producers: Mapping[str, PartialTable]) -> Indices:
    """Return the class on one axis of the own grid, for every cell over sent facts."""
    for at, axis in enumerate(axes):
        if axis.fact == local.fact:
            own = local.class_of[list(axis.members)]
            return own.reshape(tuple(-1 if other == at else 1 for other in range(len(axes))))
    producer = producers[local.fact]
    atoms: Indices = spread(producer.codes[local.fact].atoms(), producer.axes, axes)
    return local.class_of[atoms]


def _opened(
    grid: Grid, axes: tuple[Axis, ...], classes: list[Indices], entry: Indices, producers: Mapping[str, PartialTable]
) -> tuple[Mask, ...]:
    """Return the cells in which each sent fact is open."""
    opened = [np.zeros(entry.shape, dtype=np.bool_) for _ in axes]
    position = {axis.fact: at for at, axis in enumerate(axes)}
    for at, local in enumerate(grid.axes):
        missing = (classes[at] == 0) & ~grid.names_unknown[:, at][entry]
        if local.fact in position:
            opened[position[local.fact]] |= missing
            continue
        producer = producers[local.fact]
        for axis, mask in zip(producer.axes, producer.open, strict=True):
            opened[position[axis.fact]] |= missing & spread(mask, producer.axes, axes)
    return tuple(opened)


def _values(
    grid: Grid,
    name: str,
    *,
    domain: tuple[Literal, ...],
    entry: Indices,
    classes: list[Indices],
    atoms: Mapping[str, Atoms],
) -> Indices:
    """Return the code of the rules that fire in every cell, as if no fact were open."""
    code: dict[Literal | Measure, int] = {value: at for at, value in enumerate(domain)}
    fixed = np.full(len(grid.rule_sets), len(domain), dtype=np.int32)
    copied: list[tuple[int, str]] = []
    for number in range(1, len(grid.rule_sets)):
        value = grid.rules(number)[0].then[name]
        if isinstance(value, SameAs):
            copied.append((number, value.fact))
        else:
            fixed[number] = code[value]
    values = fixed[entry]
    for number, fact in copied:
        at = next(at for at, axis in enumerate(grid.axes) if axis.fact == fact)
        words = [_word_value(atoms[fact], member) for member in grid.axes[at].members[1:]]
        member_codes = np.array([len(domain), *(code.get(word, len(domain)) for word in words)], dtype=np.int32)
        values = np.where(entry == number, member_codes[classes[at]], values)
    return values


def _word_value(atoms: Atoms, member: int) -> Literal:
    """Return the value of an atom of a choice or a boolean."""
    word = atoms.samples[member - 1]
    return word == YES if atoms.fact.type is FactType.BOOLEAN else word


def _possible(value: Indices, settled: Mask, opened: tuple[Mask, ...]) -> tuple[Indices, Indices]:
    """Return the least and the greatest code that is still possible in every cell.

    The codes of settled cells spread to the cells that lead to them, one open fact at a time, until nothing changes.
    """
    low = np.where(settled, value, _NOTHING).astype(np.int32)
    high = np.where(settled, value, -1).astype(np.int32)
    if settled.all():
        return low, low
    changed = True
    while changed:
        changed = False
        for axis, mask in enumerate(opened):
            missing = (slice(None),) * axis + (0,)
            here = mask[missing]
            if not here.any():
                continue
            least, most = np.array(low[missing]), np.array(high[missing])
            for lower, upper in zip(np.moveaxis(low, axis, 0)[1:], np.moveaxis(high, axis, 0)[1:], strict=True):
                np.minimum(least, lower, out=least, where=here)
                np.maximum(most, upper, out=most, where=here)
            if not changed:
                changed = bool((least != low[missing]).any() or (most != high[missing]).any())
            low[missing], high[missing] = least, most
    return low, high
