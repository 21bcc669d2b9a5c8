"""Counts distinct tickets in bounded memory: a value that adds up in any order, and converts to JSON.

Each ticket is the hash of its name. The MOST smallest hashes are kept, each with its rows: all tickets of a small
source, and a uniform sample of a large one.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from engine.replay.nouns import Repeats

MOST: Final = 1 << 18
"""The most tickets that are counted exactly."""

NAMED: Final = 1_024
"""The most tickets whose names are kept."""

SHOWN: Final = 3

Numbers = NDArray[np.uint64]


def _none() -> NDArray[np.uint64]:
    return np.empty(0, np.uint64)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class DistinctTickets:
    """Some rows by their tickets.

    Attributes:
        tickets: the smallest hashes of tickets, sorted.
        rows: the number of rows of each of these.
        names: the names of those with the smallest hashes.
        named: how many rows have a ticket; ``nameless``: how many have none, each of which counts as a ticket.
        whole: whether ``tickets`` are all.
    """

    tickets: Numbers = field(default_factory=_none)
    rows: Numbers = field(default_factory=_none)
    names: Mapping[int, str] = field(default_factory=dict)
    named: int = 0
    nameless: int = 0
    whole: bool = True

    @classmethod
    def of(cls, numbers: Numbers, name: Callable[[int], str]) -> Self:
        """Count rows by the hashes of their tickets (0: none); ``name`` returns the name of the ticket of a row."""
        found, rows = np.unique(numbers, return_counts=True)
        nameless = int(rows[0]) if len(found) and found[0] == 0 else 0
        if nameless:
            found, rows = found[1:], rows[1:]
        least = found[: min(NAMED, MOST)]
        named = np.flatnonzero((numbers > 0) & (numbers <= least[-1])) if len(least) else np.empty(0, np.intp)
        names = {
            number: name(at) for number, at in zip(numbers[named[::-1]].tolist(), named[::-1].tolist(), strict=True)
        }
        return cls(
            tickets=found[:MOST],
            rows=rows[:MOST].astype(np.uint64),
            names=names,
            named=len(numbers) - nameless,
            nameless=nameless,
            whole=len(found) <= MOST,
        )

    def merge(self, other: DistinctTickets) -> DistinctTickets:
        """Add up: the rows of both."""
        if not other.named and not other.nameless:
            return self
        if not self.named and not self.nameless:
            return other
        # Above the greatest hash that either side kept, its count of rows is unknown.
        ends = [one.tickets[-1] for one in (self, other) if not one.whole]
        sides = [_up_to(one, min(ends)) for one in (self, other)] if ends else [self, other]
        tickets, rows = _united(*sorted(sides, key=lambda one: len(one.tickets)))
        least = set(tickets[: min(NAMED, MOST)].tolist())
        names = {number: name for one in (self, other) for number, name in one.names.items() if number in least}
        return DistinctTickets(
            tickets=tickets[:MOST],
            rows=rows[:MOST],
            names=names,
            named=self.named + other.named,
            nameless=self.nameless + other.nameless,
            whole=self.whole and other.whole and len(tickets) <= MOST,
        )

    def repeats(self) -> Repeats | None:
        """Return the number of tickets; None if no two rows are known to have the same."""
        several = self.rows > 1
        if not several.any():
            return None
        # Every ticket is equally likely to be kept, so these estimate the rows per ticket.
        share = 1.0 if self.whole else self.named / int(self.rows.sum())
        known = [
            (name, int(self.rows[np.searchsorted(self.tickets, np.uint64(number))]))
            for number, name in self.names.items()
        ]
        examples = sorted((one for one in known if one[1] > 1), key=lambda one: (-one[1], one[0]))[:SHOWN]
        return Repeats(
            tickets=round(len(self.tickets) * share) + self.nameless,
            repeated=round(int(several.sum()) * share),
            exact=self.whole,
            examples=tuple(examples),
        )

    def plain(self) -> list[Any]:
        """Return it as plain data for JSON; ``read`` is the inverse."""
        return [
            _text(self.tickets),
            _text(self.rows),
            {str(number): name for number, name in self.names.items()},
            self.named,
            self.nameless,
            self.whole,
        ]

    @classmethod
    def read(cls, plain: list[Any]) -> Self:
        """Read the plain data that ``plain`` returned."""
        tickets, rows, names, named, nameless, whole = plain
        return cls(
            tickets=_numbers(tickets),
            rows=_numbers(rows),
            names={int(number): name for number, name in names.items()},
            named=named,
            nameless=nameless,
            whole=whole,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DistinctTickets) and self.plain() == other.plain()

    __hash__ = None  # type: ignore[assignment]


def _united(few: DistinctTickets, many: DistinctTickets) -> tuple[Numbers, Numbers]:
    """Merge the tickets of both, and add up the rows of common ones."""
    at = np.searchsorted(many.tickets, few.tickets)
    known = at < len(many.tickets)
    known[known] = many.tickets[at[known]] == few.tickets[known]
    rows = many.rows.copy()
    rows[at[known]] += few.rows[known]
    return np.insert(many.tickets, at[~known], few.tickets[~known]), np.insert(rows, at[~known], few.rows[~known])


def _up_to(one: DistinctTickets, most: np.uint64) -> DistinctTickets:
    """Drop tickets beyond the limit."""
    end = int(np.searchsorted(one.tickets, most, side="right"))
    return DistinctTickets(tickets=one.tickets[:end], rows=one.rows[:end])


def _text(numbers: Numbers) -> str:
    return b64encode(numbers.astype("<u8").tobytes()).decode()


def _numbers(text: str) -> Numbers:
    return np.frombuffer(b64decode(text), "<u8").astype(np.uint64)
