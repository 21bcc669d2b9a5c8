"""How a ticket finds the cell of an outcome in its partial table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter

from engine.request.ticket import TicketReader
from engine.tables.missing_facts import PartialTable


@dataclass(frozen=True, slots=True)
class OutcomeLookup:
    """How to look up an outcome: for each fact, its slot in a ticket, and what each atom adds to the cell number."""

    outcome: str
    steps: tuple[tuple[int, tuple[int, ...]], ...]

    @property
    def slots(self) -> tuple[int, ...]:
        """The slots of the facts of the outcome's table, in the order of its axes."""
        return tuple(slot for slot, _ in self.steps)

    def cell(self, atoms: list[int]) -> int:
        """Return the cell number for the atoms of a ticket."""
        return sum([cells[atoms[slot]] for slot, cells in self.steps])


def outcome_lookup(name: str, partial: PartialTable, reader: TicketReader) -> OutcomeLookup:
    """Return how to look up an outcome of a table."""
    steps = []
    for at, axis in enumerate(partial.axes):
        stride = math.prod(partial.cell.shape[at + 1 :])
        steps.append((reader.slots[axis.fact], tuple(int(number) * stride for number in axis.class_of)))
    return OutcomeLookup(name, tuple(steps))


def key_getter(facts: Iterable[str], reader: TicketReader) -> Callable[[list[int]], object]:
    """Return a function that returns the atoms of these facts from the atoms of a ticket."""
    slots = [reader.slots[fact] for fact in facts]
    return itemgetter(*slots) if slots else _nothing


def _nothing(_: list[int]) -> tuple[()]:
    return ()
