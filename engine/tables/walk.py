"""Outcomes of tables for a ticket, all at once: a diagram that a ticket's atoms lead through to its end.

The outcomes of a decision are one diagram whose leaves have all their values, written as nested tuples: a few steps
lead to the values, for a ticket met before or not. Outcomes that would make it too large have a diagram of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from engine.diagrams.store import Diagrams, Node, TooManyNodes
from engine.diagrams.transfer import transfer
from engine.model.answer import Status
from engine.model.policy import Literal
from engine.tables.chain import Chains
from engine.tables.rule_diagram import Possible
from engine.tables.table_diagram import PolicyDiagrams

MOST_NODES_A_WALK: Final = 5_000
"""How many nodes the outcomes of one walk take together; a single outcome may take more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeValue:
    """An outcome without its reasons: its value, or the values that are possible (None: not covered).

    A list has one of these for each of its parts, whose values in order make the list.
    """

    name: str
    status: Status
    value: Literal | None
    possible: tuple[Literal | None, ...]


@dataclass(frozen=True, slots=True)
class WalkEnd:
    """Where a walk ends: the outcomes of all tickets that come here."""

    values: tuple[OutcomeValue, ...]


Step: TypeAlias = "tuple[int, tuple[Step, ...] | WalkEnd]"
"""A fact, by its slot among the atoms of a ticket, with the next step for each of its atoms; or -1 with the end."""

END: Final = -1
"""Where a step would have a fact: this is the end."""


def walk(step: Step, atoms: Sequence[int]) -> WalkEnd:
    """Return where the atoms of a ticket lead."""
    slot, way = step
    while slot >= 0:
        slot, way = way[atoms[slot]]  # type: ignore[index]
    return way  # type: ignore[return-value]


def walks(diagrams: PolicyDiagrams, names: Iterable[str], slots: Mapping[str, int]) -> tuple[Step, ...]:
    """Return where the walks to these outcomes begin; together they lead to all of them, in order.

    ``slots`` has the position of each fact among the atoms of a ticket.
    """
    source = diagrams.store
    store = Diagrams(dict(zip(source.facts, source.sizes, strict=True)))
    moved = transfer(source, store, {fact: range(size) for fact, size in zip(source.facts, source.sizes, strict=True)})
    # Values are numbers while diagrams are combined: numbers are quick to compare.
    values: list[OutcomeValue] = []
    written = _Written(store, diagrams, slots, values)
    begins: list[Step] = []
    root = store.leaf(())
    for node, own_values in _leaves(diagrams, names):
        numbers = {possible: len(values) + at for at, possible in enumerate(own_values)}
        values += own_values.values()
        own = store.map(numbers.__getitem__, moved(node))
        together = _together(store, root, own)
        if together is None:
            begins.append(written.step(root))
            together = store.map(lambda value: (value,), own)
        root = together
    return (*begins, written.step(root))


def _together(store: Diagrams, root: Node, own: Node) -> Node | None:
    """Return the diagram with one outcome more; None if it is too large."""
    store.allow(2 * MOST_NODES_A_WALK)
    try:
        found = store.combine(lambda values, value: (*values, value), root, own)
    except TooManyNodes:
        found = None
    store.allow(store.most)
    if found is None or (root != store.leaf(()) and sum(1 for _ in store.reachable(found)) > MOST_NODES_A_WALK):
        return None
    return found


def _leaves(diagrams: PolicyDiagrams, names: Iterable[str]) -> Iterable[tuple[Node, dict[Possible, OutcomeValue]]]:
    """Yield the diagram of each outcome, and of each part of a list, with the value of each of its leaves."""
    maker = Chains(diagrams).maker
    for name in names:
        drawn = maker[name]
        if name in drawn.items:
            for part in drawn.items[name]:
                yield part.possible, _values(diagrams.store, name, part.possible, part.lists)
        else:
            domain = (*drawn.domain[name], None)
            yield drawn.possible[name], _values(diagrams.store, name, drawn.possible[name], domain)


def _values(store: Diagrams, name: str, node: Node, domain: Sequence[Literal | None]) -> dict[Possible, OutcomeValue]:
    found: dict[Possible, OutcomeValue] = {}
    for possible in store.values(node):
        if isinstance(possible, int):
            value = domain[possible]
            status = Status.NOT_COVERED if value is None else Status.DECIDED
            found[possible] = OutcomeValue(name=name, status=status, value=value, possible=())
        else:
            values = tuple([domain[code] for code in possible])
            found[possible] = OutcomeValue(name=name, status=Status.UNDECIDED, value=None, possible=values)
    return found


class _Written:
    """Writes diagrams as steps by atoms; equal nodes are one object."""

    def __init__(
        self, store: Diagrams, diagrams: PolicyDiagrams, slots: Mapping[str, int], values: Sequence[OutcomeValue]
    ) -> None:
        self._store, self._slots, self._values = store, slots, values
        self._class_of = {fact: diagrams.parts[fact].class_of for fact in store.facts}
        self._known: dict[Node, Any] = {}

    def step(self, node: Node) -> Step:
        found: Any = self._known.get(node)
        if found is None:
            if self._store.is_leaf(node):
                found = (END, WalkEnd(tuple([self._values[number] for number in self._store.value(node)])))
            else:
                fact = self._store.asks(node)
                below = [self.step(child) for child in self._store.children(node)]
                found = (self._slots[fact], tuple([below[one] for one in self._class_of[fact]]))
            self._known[node] = found
        return found  # type: ignore[no-any-return]
