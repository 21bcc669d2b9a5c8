"""Where the outcomes of a decision stand in the tables, and how a ticket finds them there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter

from engine.request.ticket import TicketReader
from engine.tables.partial import PartialTable


@dataclass(frozen=True, slots=True)
class OutcomeLookup:
    """How to look an outcome up: for each fact, where its atom stands in a ticket and what that adds to the cell number."""

    outcome: str
    steps: tuple[tuple[int, tuple[int, ...]], ...]

    @property
    def slots(self) -> tuple[int, ...]:
        """Where the facts of the outcome's table stand in a ticket, in the order of its axes."""
        return tuple(slot for slot, _ in self.steps)

    def cell(self, atoms: list[int]) -> int:
        """Return the number of the cell that a ticket falls in."""
        return sum([cells[atoms[slot]] for slot, cells in self.steps])


def outcome_lookup(name: str, partial: PartialTable, reader: TicketReader) -> OutcomeLookup:
    """Return how to look an outcome of a table up."""
    steps = []
    for at, axis in enumerate(partial.axes):
        stride = math.prod(partial.cell.shape[at + 1 :])
        steps.append((reader.slots[axis.fact], tuple(int(number) * stride for number in axis.class_of)))
    return OutcomeLookup(name, tuple(steps))


def key_getter(facts: Iterable[str], reader: TicketReader) -> Callable[[list[int]], object]:
    """Return what takes the atoms of these facts out of a ticket."""
    slots = [reader.slots[fact] for fact in facts]
    return itemgetter(*slots) if slots else _nothing


def _nothing(_: list[int]) -> tuple[()]:
    return ()
