"""The cells of a table that cases are counted by: combinations of what it reads, as far as it distinguishes this.

A collect table that reads many things has too many combinations to be covered, and none of them says more than its
parts do. Its cells are those of each part of its list: what the rules that give some items read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property, partial
from operator import eq
from typing import Final

from engine.diagrams.store import Diagrams, Node, TooManyNodes
from engine.model.policy import Table
from engine.tables.partition import partitions
from engine.tables.reached import reached
from engine.tables.reading import Reading, Ticket

MOST_CELLS: Final = 4_000_000
"""How many cells are counted as combinations of all that a table reads."""

Cell = tuple[int, tuple[int, ...]]
"""The part of a table, and the class of each thing that this part reads, by name."""


class TableCells:
    """The cells of one table. ``parts`` has what each part reads, sorted."""

    def __init__(self, table: Table, reading: Reading) -> None:
        self.reading = reading
        own = partitions([table], reading.atoms)
        self._sizes = {name: part.size for name, part in sorted(own.items())}
        self._classes = {name: reading.classes(name, own[name]) for name in self._sizes}
        whole = tuple(self._sizes)
        self._reached: dict[tuple[str, ...], tuple[Diagrams, Node]] = {}
        self.parts: tuple[tuple[str, ...], ...] = (whole,)
        count = self._count(whole)
        drawn = next((reading.producer[name] for name in table.produces if name in reading.producer), None)
        if drawn is not None and drawn.items and (count is None or count > MOST_CELLS):
            read = {tuple(sorted(one.diagram.states)) for items in drawn.items.values() for one in items}
            self.parts = tuple(sorted(read))

    def _reach(self, names: tuple[str, ...]) -> tuple[Diagrams, Node]:
        if names not in self._reached:
            own = Diagrams({name: self._sizes[name] for name in names})
            classes = {name: self._classes[name] for name in names}
            self._reached[names] = own, reached(self.reading.store, classes, own)
        return self._reached[names]

    def _count(self, names: tuple[str, ...]) -> int | None:
        try:
            store, where = self._reach(names)
        except TooManyNodes:
            return None
        return store.count(where).get(store.leaf(True), 0)

    @cached_property
    def count(self) -> int | None:
        """How many cells tickets reach; None if they are too many to count."""
        counts = [self._count(names) for names in self.parts]
        known = [count for count in counts if count is not None and count <= MOST_CELLS]
        return sum(known) if len(known) == len(counts) else None

    def of(self, classes: Mapping[str, int]) -> tuple[Cell, ...]:
        """Return the cell of each part for a ticket of these classes, by fact."""
        value_at = self.reading.store.value_at
        held = {name: value_at(node, classes) for name, node in self._classes.items()}
        return tuple((at, tuple([held[name] for name in names])) for at, names in enumerate(self.parts))

    def missed(self, hit: Collection[Cell]) -> Iterator[Cell]:
        """Yield the cells that tickets reach and that were not hit, in order."""
        for at, names in enumerate(self.parts):
            store, where = self._reach(names)
            for cell in _cells(store, where):
                if (at, cell) not in hit:
                    yield at, cell

    def ticket(self, cell: Cell) -> Ticket | None:
        """Return the shortest ticket in a cell; None if there is none."""
        store, (part, classes) = self.reading.store, cell
        no, where = store.leaf(False), store.leaf(True)
        for name, wanted in zip(self.parts[part], classes, strict=True):
            where = store.choose(store.map(partial(eq, wanted), self._classes[name]), [no, where])
        return None if where == no else self.reading.shortest(where)


def _cells(store: Diagrams, where: Node) -> Iterator[tuple[int, ...]]:
    """Yield the classes of all facts where a function is true."""
    no, chosen = store.leaf(False), list[int]()

    def visit(node: Node) -> Iterator[tuple[int, ...]]:
        level = len(chosen)
        if node == no:
            return
        if level == len(store.facts):
            yield tuple(chosen)
            return
        asks = store.children(node) and store.asks(node) == store.facts[level]
        for one in range(store.sizes[level]):
            chosen.append(one)
            yield from visit(store.children(node)[one] if asks else node)
            chosen.pop()

    return visit(where)
