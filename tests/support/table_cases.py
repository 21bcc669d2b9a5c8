"""The cases of a table with all that it depends on: one value of each fact for all that make no difference to it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.model.policy import Literal, Table
from engine.tables.atoms import Atoms
from engine.tables.chain import Chains
from engine.tables.table_diagram import PolicyDiagrams
from tests.oracle import Facts


class TableCases:
    """The cases of one table, and what its diagrams say in them."""

    def __init__(self, diagrams: PolicyDiagrams, atoms: Mapping[str, Atoms], table: str) -> None:
        self.diagrams, self.atoms, self.drawn = diagrams, atoms, diagrams.tables[table]
        first_alike = Chains(diagrams).of(table).first_alike
        self.values: dict[str, list[str | float]] = {}
        self.classes: dict[str, list[int]] = {}
        for fact in sorted(first_alike):
            self.classes[fact] = sorted({0, *first_alike[fact]})
            members = diagrams.parts[fact].members
            self.values[fact] = [atoms[fact].samples[members[one] - 1] for one in self.classes[fact][1:]]

    @property
    def table(self) -> Table:
        """The table itself."""
        return self.drawn.table

    @property
    def count(self) -> int:
        """How many cases there are."""
        return math.prod(map(len, self.classes.values()))

    def case(self, number: int) -> Facts:
        """Return a case by its number; the last fact changes fastest."""
        found: Facts = {}
        for fact in reversed(self.values):
            number, at = divmod(number, len(self.values[fact]) + 1)
            found[fact] = self.values[fact][at - 1] if at else None
        return {fact: found[fact] for fact in self.values}

    def classes_of(self, facts: Facts) -> dict[str, int]:
        """Return the class of each fact of a case."""
        parts = self.diagrams.parts
        return {fact: parts[fact].class_of[self.atoms[fact].of(value)] for fact, value in facts.items()}

    def said(self, facts: Facts) -> dict[str, frozenset[Literal | None]]:
        """Return what the diagrams say is possible of each outcome but lists."""
        classes = self.classes_of(facts)
        found = {}
        for name, node in self.drawn.possible.items():
            domain = (*self.drawn.domain[name], None)
            found[name] = frozenset(domain[code] for code in codes(self.diagrams.store.value_at(node, classes)))
        return found

    def said_of_parts(self, name: str, facts: Facts) -> Iterator[tuple[frozenset[str], frozenset[tuple[str, ...]]]]:
        """Yield for each part of a list its texts, and the lists of these that the diagrams say are possible."""
        classes = self.classes_of(facts)
        for part in self.drawn.items[name]:
            possible = codes(self.diagrams.store.value_at(part.possible, classes))
            yield frozenset(part.texts), frozenset(part.lists[code] for code in possible)


def codes(possible: Any) -> Sequence[int]:
    """Return what is possible as several codes, also if it is one."""
    return (possible,) if isinstance(possible, int) else possible
