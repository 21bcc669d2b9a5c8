"""The nouns: a source of past tickets, what comes out of it batch by batch, and what is wrong when there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from engine.replay.nouns import Chunk, Unread

SIZE: Final = 65_536
"""The most rows of a batch, unless somebody asks for another number."""


def _nothing(_: int) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a source: those that can be decided, and those that cannot be read.

    ``share`` tells how far through the source it leads (1.0: the end), if that is known. ``content`` gives a row of the
    batch, by its number, as text: for the file that keeps what a version refuses. ``doubts`` count the rows in which a word
    that may stand for an empty cell is read as a value, by the fact and the word.
    """

    chunk: Chunk
    unread: tuple[Unread, ...] = ()
    share: float | None = None
    content: Callable[[int], str] = field(default=_nothing, repr=False, compare=False)
    doubts: Mapping[tuple[str, str], int] = field(default_factory=dict)


class TicketSource(Protocol):
    """A source of past tickets, read from its beginning each time that ``batches`` is called.

    ``rows`` is how many it has, if that is known without reading them. ``notes`` are sentences for whoever replays it:
    columns that were left out, and the like; some are known only once it was read.
    """

    name: str
    rows: int | None

    @property
    def notes(self) -> list[str]:
        """Sentences for whoever replays it."""

    def batches(self, size: int = SIZE) -> Iterator[Batch]:
        """Give its rows in order, at most so many at a time; raises TicketsError."""
        ...


class TicketsError(Exception):
    """There is no such source of tickets, or it cannot be read: a message, and what to do about it."""

    def __init__(self, message: str, help: str = "") -> None:  # noqa: A002 - as Problem calls it
        super().__init__(message)
        self.message, self.help = message, help

    def __str__(self) -> str:
        """Give message and help as people read them.

        >>> print(TicketsError("no file tickets.csv", "did you mean `ticket.csv`?"))
        no file tickets.csv
            help: did you mean `ticket.csv`?
        """
        return f"{self.message}\n    help: {self.help}" if self.help else self.message
