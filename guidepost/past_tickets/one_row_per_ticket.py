"""The first or the last of several rows of a ticket: a source of all rows in, a source of one row a ticket out.

The source is read twice. In memory there are two numbers for each ticket, and none of its text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.replay.rows import rows_of
from guidepost.past_tickets.mapping import Repeated
from guidepost.past_tickets.ticket_ids import Hashes, hash_texts
from guidepost.past_tickets.types import SIZE, Batch, TicketSource

_PENDING: Final = 1 << 20
"""After how many rows the rows of the same ticket are merged."""

Rows = NDArray[np.integer[Any]]


class OneRowPerTicket:
    """The last (or first) row of each ticket of a source, and every row without a ticket."""

    def __init__(self, source: TicketSource, which: Repeated) -> None:
        self._source, self._which = source, which
        self.name = source.name
        self.rows: int | None = None
        self._left = 0

    @property
    def notes(self) -> list[str]:
        """The notes of the source, and how many rows were left out."""
        if not self._left:
            return self._source.notes
        later = "a later" if self._which is Repeated.LAST else "an earlier"
        return [
            *self._source.notes,
            f"left out, since {later} row of the same ticket counts: {self._left:,} {'row' if self._left == 1 else 'rows'}",
        ]

    def batches(self, size: int = SIZE) -> Iterator[Batch]:
        """Yield the rows that count, in order, at most ``size`` at a time; raises TicketsError."""
        chosen, self._left = self._chosen(size), 0
        for batch in self._source.batches(size):
            chunk = batch.chunk
            keep = _in(chunk.rows, chosen)
            if chunk.tickets is not None:
                keep |= chunk.tickets == 0
            unread = tuple(one for one in batch.rejected if not one.name or bool(_in(np.array([one.row]), chosen)[0]))
            self._left += chunk.size - int(keep.sum()) + len(batch.rejected) - len(unread)
            yield (
                batch
                if keep.all() and len(unread) == len(batch.rejected)
                else replace(batch, chunk=rows_of(chunk, np.flatnonzero(keep)), rejected=unread)
            )

    def _chosen(self, size: int) -> Rows:
        """Read the source once, and return the sorted numbers of the rows that count."""
        tickets: Hashes = np.empty(0, np.uint64)
        rows: Rows = np.empty(0, np.int64)
        waiting: list[tuple[Hashes, Rows]] = []
        for batch in self._source.batches(size):
            if batch.chunk.tickets is not None:
                waiting.append((batch.chunk.tickets, batch.chunk.rows))
            waiting.append(
                (
                    hash_texts([one.name for one in batch.rejected]),
                    np.array([one.row for one in batch.rejected], np.int64),
                )
            )
            if sum(len(numbers) for numbers, _ in waiting) >= max(_PENDING, len(tickets) // 4):
                tickets, rows = self._one_each([(tickets, rows), *waiting])
                waiting = []
        _, rows = self._one_each([(tickets, rows), *waiting])
        return np.sort(rows)

    def _one_each(self, found: list[tuple[Hashes, Rows]]) -> tuple[Hashes, Rows]:
        tickets, rows = (np.concatenate(columns) for columns in zip(*found, strict=True))
        order = np.lexsort((rows, tickets))
        tickets, rows = tickets[order], rows[order]
        differs = tickets[1:] != tickets[:-1]
        keep = np.concatenate([differs, [True]] if self._which is Repeated.LAST else [[True], differs])[
            : len(tickets)
        ] & (tickets != 0)
        return tickets[keep], rows[keep]


def _in(rows: Rows, chosen: Rows) -> NDArray[np.bool_]:
    """Return for each row whether it is one of the chosen ones."""
    if not len(chosen):
        return np.zeros(len(rows), np.bool_)
    found: NDArray[np.bool_] = chosen.take(np.searchsorted(chosen, rows), mode="clip") == rows
    return found
