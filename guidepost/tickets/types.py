"""The nouns: a source of past tickets, what comes out of it batch by batch, and what is wrong when there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import numpy as np

from engine.replay.nouns import Chunk, RejectedRow
from engine.replay.rows import rows_of

SIZE: Final = 65_536
"""The most rows of a batch, unless somebody asks for another number."""


Doubts = Mapping[tuple[str, str], int]
"""Rows by a fact and a word."""


def _nothing(_: int) -> str:
    return ""


def _no_doubts(_: Chunk) -> Doubts:
    return {}


def _no_help(_: Chunk, __: RejectedRow) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some rows of a source: those that can be decided, and those that cannot be read.

    ``share`` tells how far through the source it leads (1.0: the end), if that is known. ``content`` gives a row of the
    batch, by its number, as text: for the file that keeps what a version refuses. ``count_doubts`` counts the rows of a chunk in
    which a word that may stand for an empty cell is read as a value, by the fact and the word. ``help`` says of a row of a chunk
    that a version refused what to change in the mapping, or "".
    """

    chunk: Chunk
    rejected: tuple[RejectedRow, ...] = ()
    share: float | None = None
    content: Callable[[int], str] = field(default=_nothing, repr=False, compare=False)
    count_doubts: Callable[[Chunk], Doubts] = field(default=_no_doubts, repr=False, compare=False)
    help: Callable[[Chunk, RejectedRow], str] = field(default=_no_help, repr=False, compare=False)

    def all_rejected(self, refused: Iterable[RejectedRow]) -> tuple[RejectedRow, ...]:
        """Return all rows that cannot be read, in order: those of the batch, and those that the version refused, with what they say."""
        return tuple(sorted((*self.rejected, *map(self._completed, refused)), key=lambda one: one.row))

    def _completed(self, one: RejectedRow) -> RejectedRow:
        said = self.help(self.chunk, one)
        return replace(
            one, message=f"{one.message}; {said}" if said else one.message, content=one.content or self.content(one.row)
        )

    def doubts(self, refused: Sequence[RejectedRow]) -> Doubts:
        """Count the doubtful words in the rows that are decided: those of the chunk without those that the version refused."""
        if not refused:
            return self.count_doubts(self.chunk)
        lost = np.isin(self.chunk.rows, [one.row for one in refused])
        return self.count_doubts(rows_of(self.chunk, np.flatnonzero(~lost)))


class TicketSource(Protocol):
    """A source of past tickets, read from its beginning each time that ``batches`` is called.

    ``rows`` is how many it has, if that is known without reading them. ``notes`` are sentences for whoever replays it:
    columns that were left out, and the like; some are known only once it was read.
    """

    name: str
    rows: int | None

    @property
    def notes(self) -> list[str]:
        """Sentences for the person who replays it."""

    def batches(self, size: int = SIZE) -> Iterator[Batch]:
        """Yield its rows in order, at most so many at a time; raises TicketsError."""
        ...


class TicketsError(Exception):
    """There is no such source of tickets, or it cannot be read: a message, and what to do about it."""

    def __init__(self, message: str, help: str = "") -> None:  # noqa: A002 - as Problem calls it
        super().__init__(message)
        self.message, self.help = message, help

    def __str__(self) -> str:
        """Return message and help as people read them.

        >>> print(TicketsError("no file tickets.csv", "did you mean `ticket.csv`?"))
        no file tickets.csv
            help: did you mean `ticket.csv`?
        """
        return f"{self.message}\n    help: {self.help}" if self.help else self.message
