"""Replays a source of past tickets batch by batch, and counts the rows that cannot be read."""

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
from guidepost.past_tickets import SIZE, Batch, TicketSource

FIRST: Final = 5
"""How many rejected rows a report shows."""

KINDS: Final = 100
"""How many messages of rejected rows are counted; the others are counted together."""

OTHER: Final = "something else"

USUAL_FACTS: Final = ("service", "channel", "country")
"""The facts by which tickets are grouped by default."""

OnProgress = Callable[[int, float | None], None]
"""Receives the number of rows replayed since the last call, and the share of the source read so far."""


@dataclass(slots=True, kw_only=True)
class RejectedRows:
    """The rows that cannot be read: counted by message, the first ones kept, all of them written.

    ``doubts`` counts the decided rows in which a word that may mark an empty cell is read as a value, by fact and word.
    """

    write: Callable[[Iterable[RejectedRow]], None]
    doubts: dict[tuple[str, str], int] = field(default_factory=dict)
    by: dict[str, int] = field(default_factory=dict)
    first: list[RejectedRow] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """The number of rejected rows."""
        return sum(self.by.values())

    def add(self, unread: Iterable[RejectedRow]) -> None:
        """Count and write rejected rows; raises OSError."""
        found = list(unread)
        for one in found:
            kind = one.message if one.message in self.by or len(self.by) < KINDS else OTHER
            self.by[kind] = self.by.get(kind, 0) + 1
        self.first = nsmallest(FIRST, (*self.first, *found), key=lambda one: one.row)
        self.write(found)

    def doubt(self, found: Mapping[tuple[str, str], int]) -> None:
        """Count words that may mark an empty cell."""
        for key, rows in found.items():
            self.doubts[key] = self.doubts.get(key, 0) + rows

    def counted(self) -> dict[str, int]:
        """Return the counts by message, the greatest first."""
        return dict(sorted(self.by.items(), key=lambda item: (item[0] == OTHER, -item[1], item[0])))


def replay_source(
    source: TicketSource,
    replayer: Replayer | InForceReplayer,
    rejected: RejectedRows,
    watch: OnProgress,
    limit: int | None = None,
) -> Replay:
    """Replay a source, or its first rows; raises TicketsError, and OSError if rejected rows cannot be written."""
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
    """Yield the batches of a source, or those of its first ``limit`` rows."""
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
    """Return the first rows of a batch, at most ``most``."""
    numbers = np.sort(np.concatenate([batch.chunk.rows, np.array([one.row for one in batch.rejected], np.int64)]))
    if len(numbers) <= most:
        return batch
    last = int(numbers[most - 1])
    rows = np.flatnonzero(batch.chunk.rows <= last)
    return replace(
        batch, chunk=rows_of(batch.chunk, rows), rejected=tuple(one for one in batch.rejected if one.row <= last)
    )


def usual_groups(version: Version) -> tuple[str, ...]:
    """Return the default facts for groups: the usual ones, or else the first choices of the version."""
    facts = version.policy.facts
    return (
        tuple(name for name in USUAL_FACTS if name in facts)
        or tuple(name for name, fact in facts.items() if fact.type is FactType.CHOICE)[: len(USUAL_FACTS)]
    )
