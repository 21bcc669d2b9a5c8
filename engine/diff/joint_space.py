"""Two versions in one store of diagrams, whose classes are those that either version distinguishes.

An outcome differs exactly where its diagrams do. A value that a version rejects has a class of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from engine.diagrams.store import MOST_NODES, Diagrams, Node
from engine.diagrams.transfer import transfer
from engine.diff.joint_facts import REFUSED, JointFact, joint_axis
from engine.diff.nouns import Values
from engine.model.policy import Policy, Table
from engine.request.ticket import TicketReader
from engine.tables.atoms import Atoms
from engine.tables.partition import Partition, partitions
from engine.tables.table_diagram import PolicyDiagrams, TableDiagram
from engine.version.version import Version

MOST: Final = 4 * MOST_NODES
"""How many nodes two versions may take together."""

NOTHING: Final = PolicyDiagrams(store=Diagrams({}), parts={}, selectors={}, tables={})
"""The diagrams of a version without what is compared."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of two versions that are compared: how it reads facts, and its tables."""

    policy: Policy
    atoms: Mapping[str, Atoms]
    reader: TicketReader
    diagrams: PolicyDiagrams

    @cached_property
    def maker(self) -> Mapping[str, TableDiagram]:
        """The table that produces each outcome."""
        return {name: one for one in self.diagrams.tables.values() for name in one.table.produces}

    def table(self, outcome: str) -> TableDiagram | None:
        """Return the table that produces an outcome; None if none does."""
        return self.maker.get(outcome)

    def behind(self, table: str) -> tuple[Table, ...]:
        """Return a table, and all that it depends on."""
        found: dict[str, Table] = {}
        waiting = [self.diagrams.tables[table].table]
        while waiting:
            one = waiting.pop()
            if one.name not in found:
                found[one.name] = one
                waiting += [drawn.table for drawn in map(self.table, one.reads) if drawn is not None]
        return tuple(found.values())


def side_of(version: Version, deadline: str | None = None) -> Side:
    """Return a version as a side of a comparison; with ``deadline``, that deadline over what it reads."""
    diagrams = version.diagrams if deadline is None else version.deadline_diagrams.get(deadline, NOTHING)
    return Side(policy=version.policy, atoms=version.atoms, reader=version.reader, diagrams=diagrams)


@dataclass(frozen=True, slots=True)
class Situations:
    """The situations of an outcome: of each fact that it depends on, by name, one class for each of its positions."""

    classes: Mapping[str, tuple[int, ...]]

    @property
    def total(self) -> int:
        """How many there are."""
        return math.prod(map(len, self.classes.values()))


class JointSpace:
    """Two sides in one store; ``axes`` has for each fact the classes of the store: those of each side, and values."""

    def __init__(self, before: Side, after: Side, fact: Callable[[str], JointFact]) -> None:
        self.sides = (before, after)
        self.fact = fact
        parts = [side.diagrams.parts for side in self.sides]
        facts = _in_order(*(side.diagrams.store.facts for side in self.sides))
        self.axes = {name: joint_axis(fact(name), *(one.get(name) for one in parts)) for name in facts}
        self.store = Diagrams({name: axis.size for name, axis in self.axes.items()}, MOST)
        classes = (
            {name: axis.before for name, axis in self.axes.items()},
            {name: axis.after for name, axis in self.axes.items()},
        )
        self._refused = [
            {name: frozenset(at for at, one in enumerate(listed) if one == REFUSED) for name, listed in side.items()}
            for side in classes
        ]
        self.moved = [
            transfer(
                side.diagrams.store,
                self.store,
                {name: [max(one, 0) for one in listed] for name, listed in taken.items()},
            )
            for side, taken in zip(self.sides, classes, strict=True)
        ]
        self.situations = cache(self._situations)
        self._parts = cache(self._chain_parts)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The facts as people read them: those of the tables that are read first, and by name for each table."""
        found: dict[str, None] = {}

        def visit(side: Side, table: Table, seen: set[str]) -> None:
            if table.name not in seen:
                seen.add(table.name)
                for drawn in filter(None, map(side.table, table.reads)):
                    visit(side, drawn.table, seen)
                found.update(dict.fromkeys(name for name in table.reads if name in self.axes))

        for side in reversed(self.sides):
            seen: set[str] = set()
            for _, drawn in sorted(side.diagrams.tables.items()):
                visit(side, drawn.table, seen)
        return tuple(found)

    def facts(self, outcome: str) -> frozenset[str]:
        """Return the facts that an outcome depends on, on either side."""
        found: set[str] = set()
        for side in self.sides:
            drawn = side.table(outcome)
            if drawn is not None:
                found.update(name for table in side.behind(drawn.table.name) for name in table.reads)
        return frozenset(found & set(self.axes))

    def refused(self, at: int, outcome: str) -> Node:
        """Draw where a side rejects a value of a fact that an outcome depends on."""
        store = self.store
        node, yes = store.leaf(False), store.leaf(True)
        for name in sorted(self.facts(outcome), key=store.level.__getitem__, reverse=True):
            if refused := self._refused[at].get(name):
                node = store.node(name, [yes if one in refused else node for one in range(self.axes[name].size)])
        return node

    def _situations(self, outcome: str) -> Situations:
        """Return the situations that either side, with all tables behind the outcome, distinguishes."""
        tables = [self.sides[at].table(outcome) for at in (0, 1)]
        parts = [{} if drawn is None else self._parts(at, drawn.table.name) for at, drawn in enumerate(tables)]
        found = {}
        for name in sorted({*parts[0], *parts[1]}):
            place = {value: at for at, members in enumerate(self.axes[name].members) for value in members}
            axis = joint_axis(self.fact(name), *(one.get(name) for one in parts))
            found[name] = tuple(place[members[0]] for members in axis.members)
        return Situations(found)

    def _chain_parts(self, at: int, table: str) -> dict[str, Partition]:
        side = self.sides[at]
        found = partitions(side.behind(table), side.atoms)
        return {name: part for name, part in found.items() if name in side.diagrams.store.level}

    def when(self, classes: Mapping[str, Sequence[int]]) -> tuple[Values, ...]:
        """Return classes of facts in words, by the names of the facts."""
        named = (
            self.axes[name].fact.named(value for one in listed for value in self.axes[name].members[one])
            for name, listed in sorted(classes.items())
        )
        return tuple(values for values in named if values is not None)

    def ticket(self, classes: Mapping[str, int]) -> dict[str, str]:
        """Return a ticket with these classes of facts; those in class 0 are not sent."""
        axes = self.axes
        return {
            name: axes[name].fact.values[axes[name].members[one][0] - 1].sample
            for name, one in sorted(classes.items())
            if one
        }


def _in_order(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Return the facts of both, in the order of the later one; others come behind those that they followed.

    >>> _in_order(["a", "b", "c"], ["c", "a"])
    ['c', 'a', 'b']
    """
    found = list(after)
    for at, name in enumerate(before):
        if name not in after:
            found.insert(found.index(before[at - 1]) + 1 if at else 0, name)
    return found
