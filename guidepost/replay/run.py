"""A source of past tickets and a replayer in, a replay out: batch by batch, with every row counted that cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from heapq import nsmallest
from typing import Final

import numpy as np

from engine.model.vocabulary import FactType
from engine.replay.in_force import InForceReplayer
from engine.replay.nouns import RejectedRow, Replay
from engine.replay.replay import Replayer
from engine.replay.rows import rows_of
from engine.replay.tally import Tally
from engine.version.version import Version
from guidepost.tickets import SIZE, Batch, TicketSource

FIRST: Final = 5
"""How many rows that cannot be read are shown."""

KINDS: Final = 100
"""How many different things may be wrong with rows before the rest is put together."""

OTHER: Final = "something else"

USUAL_FACTS: Final = ("service", "channel", "country")
"""The facts by which tickets are counted unless others are named."""

OnProgress = Callable[[int, float | None], None]
"""Is told how many rows were replayed since it was last told, and how far through the source they lead."""


@dataclass(slots=True, kw_only=True)
class RejectedRows:
    """Rows that could not be read: counted by what was wrong, the first of them kept, all of them written.

    ``doubts`` are rows that were decided, with a word that may stand for an empty cell, by the fact and the word.
    """

    write: Callable[[Iterable[RejectedRow]], None]
    doubts: dict[tuple[str, str], int] = field(default_factory=dict)
    by: dict[str, int] = field(default_factory=dict)
    first: list[RejectedRow] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many."""
        return sum(self.by.values())

    def add(self, unread: Iterable[RejectedRow]) -> None:
        """Take some in; raises OSError."""
        found = list(unread)
        for one in found:
            kind = one.message if one.message in self.by or len(self.by) < KINDS else OTHER
            self.by[kind] = self.by.get(kind, 0) + 1
        self.first = nsmallest(FIRST, (*self.first, *found), key=lambda one: one.row)
        self.write(found)

    def doubt(self, found: Mapping[tuple[str, str], int]) -> None:
        """Count words that may stand for an empty cell."""
        for key, rows in found.items():
            self.doubts[key] = self.doubts.get(key, 0) + rows

    def counted(self) -> dict[str, int]:
        """Return the counts, the greatest first."""
        return dict(sorted(self.by.items(), key=lambda item: (item[0] == OTHER, -item[1], item[0])))


def replay_source(
    source: TicketSource,
    replayer: Replayer | InForceReplayer,
    rejected: RejectedRows,
    watch: OnProgress,
    limit: int | None = None,
) -> Replay:
    """Replay a source, or its first rows; raises TicketsError, and OSError if what is rejected cannot be written."""
    tally, rows = Tally(), 0
    for batch in limit_batches(source, limit):
        found, refused = replayer.replay(batch.chunk) if batch.chunk.size else (Tally(), ())
        rejected.doubt(batch.doubts(refused))
        rejected.add(batch.all_rejected(refused))
        tally = tally.merge(found)
        rows += batch.chunk.size + len(batch.rejected)
        watch(batch.chunk.size + len(batch.rejected), batch.share)
    return replayer.summary(tally, rejected.counted(), rows)


def limit_batches(source: TicketSource, limit: int | None) -> Iterator[Batch]:
    """Yield the batches of a source, or of its first rows."""
    if limit is None:
        yield from source.batches()
        return
    left = limit
    for batch in source.batches(min(SIZE, limit)):
        cut = _first(batch, left)
        left -= cut.chunk.size + len(cut.rejected)
        yield replace(cut, share=None if batch.share is None else max(batch.share, 1 - left / limit))
        if not left:
            return


def _first(batch: Batch, most: int) -> Batch:
    """Return the rows of a batch that come first in its source, at most so many."""
    numbers = np.sort(np.concatenate([batch.chunk.rows, np.array([one.row for one in batch.rejected], np.int64)]))
    if len(numbers) <= most:
        return batch
    last = int(numbers[most - 1])
    rows = np.flatnonzero(batch.chunk.rows <= last)
    return replace(
        batch, chunk=rows_of(batch.chunk, rows), rejected=tuple(one for one in batch.rejected if one.row <= last)
    )


def usual_groups(version: Version) -> tuple[str, ...]:
    """Return the facts by which tickets are counted if nobody says: the usual ones, else the first choices of the version."""
    facts = version.policy.facts
    return (
        tuple(name for name in USUAL_FACTS if name in facts)
        or tuple(name for name, fact in facts.items() if fact.type is FactType.CHOICE)[: len(USUAL_FACTS)]
    )
