"""The classes of past tickets: sources, their batches, and the error of a source that cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import numpy as np

from engine.replay.nouns import Chunk, RejectedRow
from engine.replay.rows import rows_of

SIZE: Final = 65_536
"""The most rows of a batch by default."""


Doubts = Mapping[tuple[str, str], int]
"""The number of rows by fact and word, for words that may mark an empty cell and were read as values."""


def _nothing(_: int) -> str:
    return ""


def _no_doubts(_: Chunk) -> Doubts:
    return {}


def _no_help(_: Chunk, __: RejectedRow) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Consecutive rows of a source: those that can be decided, and those that are rejected.

    Attributes:
        chunk: the tickets.
        rejected: the rows that cannot be read.
        share: the share of the source that is read after this batch, up to 1.0, if it is known.
        content: returns a row by its number as text, for the file of rejected rows.
        count_doubts: counts the rows of a chunk in which a word that may mark an empty cell is read as a value.
        help: returns what to change in the mapping about a row that a version rejects, or "".
    """

    chunk: Chunk
    rejected: tuple[RejectedRow, ...] = ()
    share: float | None = None
    content: Callable[[int], str] = field(default=_nothing, repr=False, compare=False)
    count_doubts: Callable[[Chunk], Doubts] = field(default=_no_doubts, repr=False, compare=False)
    help: Callable[[Chunk, RejectedRow], str] = field(default=_no_help, repr=False, compare=False)

    def all_rejected(self, refused: Iterable[RejectedRow]) -> tuple[RejectedRow, ...]:
        """Return the rejected rows of the batch and of the version in order, with their content."""
        return tuple(sorted((*self.rejected, *map(self._completed, refused)), key=lambda one: one.row))

    def _completed(self, one: RejectedRow) -> RejectedRow:
        said = self.help(self.chunk, one)
        return replace(
            one, message=f"{one.message}; {said}" if said else one.message, content=one.content or self.content(one.row)
        )

    def doubts(self, refused: Sequence[RejectedRow]) -> Doubts:
        """Count the words that may mark an empty cell in the rows of the chunk that the version does not reject."""
        if not refused:
            return self.count_doubts(self.chunk)
        lost = np.isin(self.chunk.rows, [one.row for one in refused])
        return self.count_doubts(rows_of(self.chunk, np.flatnonzero(~lost)))


class TicketSource(Protocol):
    """A source of past tickets; each call of ``batches`` reads it from the start.

    ``rows`` is the number of rows, if it is known before they are read. ``notes`` are sentences for the user, such as
    the columns that were left out; the list is complete once the source is read.
    """

    name: str
    rows: int | None

    @property
    def notes(self) -> list[str]:
        """Sentences for the user."""

    def batches(self, size: int = SIZE) -> Iterator[Batch]:
        """Yield the rows in order, at most ``size`` at a time; raises TicketsError."""
        ...


class TicketsError(Exception):
    """A source of tickets does not exist or cannot be read; ``help`` is what to do about it."""

    def __init__(self, message: str, help: str = "") -> None:  # noqa: A002 - as Problem calls it
        super().__init__(message)
        self.message, self.help = message, help

    def __str__(self) -> str:
        """Return the message and, below it, the help.

        >>> print(TicketsError("no file tickets.csv", "did you mean `ticket.csv`?"))
        no file tickets.csv
            help: did you mean `ticket.csv`?
        """
        return f"{self.message}\n    help: {self.help}" if self.help else self.message
