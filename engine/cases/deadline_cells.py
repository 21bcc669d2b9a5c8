"""The cells of a deadline that tickets reach, with the facts.

A deadline reads outcomes of several tables, and these share facts. Each table is reduced to its outcomes for every
combination of the shared facts; these relations are then joined, one table after the other.
Of the tickets that lead to the same cell, the one with the fewest facts is kept.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.tables.classes import Axis, joint_axes
from engine.tables.missing_facts import PartialTable, spread
from engine.version.version import Version

MAX_ROWS: Final = 200_000
"""The most combinations; beyond that the reachable cells of a deadline are unknown."""

Sent = Mapping[str, int]
"""A ticket: fact name to the atom that is sent."""

_Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReachedCell:
    """A cell of a deadline, a ticket that reaches it, and whether its amount and region are decided."""

    cell: int
    sent: Sent
    ready: bool


@dataclass(frozen=True, slots=True)
class _Row:
    shared: _Key
    outs: _Key
    sent: Sent


@dataclass(frozen=True, slots=True)
class _Relation:
    """One table (or one fact that the deadline reads itself): a row for each combination that differs."""

    names: tuple[str, ...]
    facts: tuple[str, ...]
    rows: tuple[_Row, ...]


def reached_cells(version: Version, name: str) -> tuple[ReachedCell, ...] | None:
    """Return the cells of a deadline that tickets reach, each with the smallest ticket.

    The result is None if there are too many combinations.
    """
    deadline, grid = version.policy.deadlines[name], version.deadline_grids[name]
    tables: dict[str, list[str]] = {}
    for one in deadline.goes_by:
        if one in version.producer:
            tables.setdefault(version.producer[one], []).append(one)
    facts = {axis.fact: (axis,) for axis in grid.axes if axis.fact not in version.producer}
    read = frozenset(axis.fact for axis in grid.axes)
    refined = _refined([*(version.partial_tables[table].axes for table in tables), *facts.values()])
    relations = [
        _of_table(version.partial_tables[table], tuple(names), read, refined) for table, names in tables.items()
    ]
    relations += [_of_fact(fact, refined.get(fact, axes[0])) for fact, axes in facts.items()]
    joined = _joined(relations)
    return (
        None
        if joined is None
        else tuple(_cells(joined, [name for relation in relations for name in relation.names], grid.axes))
    )


def _refined(groups: Sequence[tuple[Axis, ...]]) -> dict[str, Axis]:
    """Return, for each fact that several groups read, an axis as fine as all of theirs together."""
    together = Counter(axis.fact for group in groups for axis in group)
    shared = [tuple(axis for axis in group if together[axis.fact] > 1) for group in groups]
    return {axis.fact: axis for axis in joint_axes(shared)}


def _of_fact(fact: str, axis: Axis) -> _Relation:
    rows = tuple(_Row((at,), (member,), {fact: member} if member else {}) for at, member in enumerate(axis.members))
    return _Relation((fact,), (fact,), rows)


def _of_table(
    partial: PartialTable, names: tuple[str, ...], read: frozenset[str], refined: Mapping[str, Axis]
) -> _Relation:
    axes = tuple(refined.get(axis.fact, axis) for axis in partial.axes)
    shape = tuple(axis.size for axis in axes)
    shared = [at for at, axis in enumerate(axes) if axis.fact in refined]
    key, cost = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int16)
    for at, axis in enumerate(axes):
        along = np.arange(axis.size).reshape(tuple(-1 if other == at else 1 for other in range(len(axes))))
        cost += (along > 0).astype(np.int16)
        if at in shared:
            key = key * axis.size + along
    sizes = []
    for name in names:
        atoms = partial.codes[name].atoms()
        said = atoms if name in read else (atoms > 0).astype(np.int32)
        sizes.append(len(partial.codes[name].domain) + 1)
        key = key * sizes[-1] + spread(said, partial.axes, axes)
    order = np.argsort(cost.ravel(), kind="stable")
    keys, first = np.unique(key.ravel()[order], return_index=True)
    rows = []
    for number, cell in zip(keys.tolist(), order[first].tolist(), strict=True):
        outs, rest = [], number
        for size in reversed(sizes):
            rest, out = divmod(rest, size)
            outs.append(out)
        steps = [int(step) for step in np.unravel_index(cell, shape)] if shape else []
        sent = {axis.fact: axis.members[step] for axis, step in zip(axes, steps, strict=True) if step}
        rows.append(_Row(tuple(steps[at] for at in shared), tuple(reversed(outs)), sent))
    return _Relation(names, tuple(axes[at].fact for at in shared), tuple(rows))


def _joined(relations: Sequence[_Relation]) -> dict[_Key, Sent] | None:
    """Join the relations over shared facts, dropping facts that no later one has; return outcomes -> ticket."""
    facts: tuple[str, ...] = ()
    state: dict[tuple[_Key, _Key], Sent] = {((), ()): {}}
    for at, relation in enumerate(relations):
        later = {fact for other in relations[at + 1 :] for fact in other.facts}
        common = [fact for fact in relation.facts if fact in facts]
        index: dict[_Key, list[_Row]] = {}
        for row in relation.rows:
            index.setdefault(tuple(row.shared[relation.facts.index(fact)] for fact in common), []).append(row)
        kept = [fact for fact in dict.fromkeys((*facts, *relation.facts)) if fact in later]
        grown: dict[tuple[_Key, _Key], Sent] = {}
        for (shared, outs), sent in state.items():
            here = dict(zip(facts, shared, strict=True))
            for row in index.get(tuple(here[fact] for fact in common), ()):
                both = {**here, **dict(zip(relation.facts, row.shared, strict=True))}
                key = (tuple(both[fact] for fact in kept), (*outs, *row.outs))
                ticket = {**sent, **row.sent}
                if key not in grown or len(ticket) < len(grown[key]):
                    grown[key] = ticket
            if len(grown) > MAX_ROWS:
                return None
        state, facts = grown, tuple(kept)
    return {outs: sent for (_, outs), sent in state.items()}


def _cells(joined: Mapping[_Key, Sent], names: Sequence[str], axes: tuple[Axis, ...]) -> Iterator[ReachedCell]:
    """Yield the cell of each combination of outcomes; of several equally ready tickets, the smallest."""
    best: dict[tuple[int, bool], Sent] = {}
    sizes = [axis.size for axis in axes]
    for outs, sent in joined.items():
        atoms = dict(zip(names, outs, strict=True))
        steps = [int(axis.class_of[atoms[axis.fact]]) for axis in axes]
        cell = sum(step * math.prod(sizes[at + 1 :]) for at, step in enumerate(steps))
        ready = all(atom > 0 for name, atom in atoms.items() if name not in {axis.fact for axis in axes})
        if (cell, ready) not in best or len(sent) < len(best[cell, ready]):
            best[cell, ready] = sent
    return (
        ReachedCell(cell, sent, ready)
        for (cell, ready), sent in sorted(best.items(), key=lambda one: (one[0][0], len(one[1]), one[0][1]))
    )
