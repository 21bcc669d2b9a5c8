"""Verifies that the records of a log match the policies: every record is decided again under its own version."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.diff.words import change_text
from engine.model.answer import VersionRef
from engine.replay.nouns import Chunk, DeadlineReplay, RejectedRow, Replay
from engine.replay.replay import Replayer
from engine.replay.rows import rows_of
from engine.version.version import Version
from guidepost.past_tickets import TicketSource
from guidepost.replay.report import outcome_changes
from guidepost.replay.run import OnProgress, RejectedRows, limit_batches
from guidepost.replay.text import moved_text

MAX_LISTED: Final = 100
"""How many records that differ are listed by default; the others are counted."""

FindVersion = Callable[[str], Version | None]
"""Returns the version with a digest, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A record that is decided differently under its own version; ``outcomes`` has the changes as texts."""

    row: int
    record: str
    digest: str
    outcomes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionVerification:
    """The records of one version, and how many of them differ; ``version`` is None if it is not available."""

    digest: str
    version: VersionRef | None
    records: int
    differing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogVerification:
    """The result of verifying a log.

    Attributes:
        source: the name of the log.
        versions: the versions in the order of their first record.
        mismatches: the records that differ, or the first of them.
        rejected: how many records cannot be read, by message.
        first_rejected: the first of these records.
        rejected_file: the file with all of them, or "".
        notes: the notes of the log, such as records that are not replayed.
    """

    source: str
    versions: tuple[VersionVerification, ...]
    mismatches: tuple[Mismatch, ...]
    rejected: Mapping[str, int]
    first_rejected: tuple[RejectedRow, ...] = ()
    rejected_file: str = ""
    notes: tuple[str, ...] = ()

    @property
    def records(self) -> int:
        """The number of records that can be read."""
        return sum(one.records for one in self.versions)

    @property
    def missing(self) -> tuple[VersionVerification, ...]:
        """The versions that are not available."""
        return tuple(one for one in self.versions if one.version is None)

    @property
    def differing(self) -> int:
        """The number of records that differ."""
        return sum(one.differing for one in self.versions)

    @property
    def ok(self) -> bool:
        """Whether there are records, and every one was decided again as recorded."""
        return bool(self.records) and not (self.missing or self.differing or self.rejected)


@dataclass(slots=True)
class _Count:
    replayer: Replayer | None
    records: int = 0
    differing: int = 0


def verify_log(
    source: TicketSource,
    find: FindVersion,
    rejected: RejectedRows,
    watch: OnProgress,
    *,
    limit: int | None = None,
    most: int | None = MAX_LISTED,
) -> LogVerification:
    """Decide the records of a log again; raises TicketsError, and OSError if rejected rows cannot be written."""
    counts: dict[str, _Count] = {}
    found: list[Mismatch] = []
    for batch in limit_batches(source, limit):
        rejected.add(batch.rejected)
        chunk = batch.chunk
        if chunk.size and chunk.recorded is not None:
            digest = chunk.recorded.digest
            if digest not in counts:
                version = find(digest)
                counts[digest] = _Count(None if version is None else Replayer(version))
            count = counts[digest]
            count.records += chunk.size
            if count.replayer is not None:
                changed = count.replayer.replay(chunk)[0].changed
                count.differing += changed
                left = changed if most is None else min(changed, most - len(found))
                found += list(_mismatches(count.replayer, chunk, digest, left))
        watch(chunk.size + len(batch.rejected), batch.share)
    versions = tuple(
        VersionVerification(
            digest=digest,
            version=count.replayer.after.ref if count.replayer else None,
            records=count.records,
            differing=count.differing,
        )
        for digest, count in counts.items()
    )
    return LogVerification(
        source=source.name,
        versions=versions,
        mismatches=tuple(sorted(found, key=lambda one: one.row)),
        rejected=rejected.counted(),
        first_rejected=tuple(rejected.first),
        notes=tuple(source.notes),
    )


def _mismatches(replayer: Replayer, chunk: Chunk, digest: str, most: int) -> Iterator[Mismatch]:
    """Yield the first records of a chunk that differ, found by bisection."""
    halves = [np.arange(chunk.size)] if most else []
    while halves and most:
        rows = halves.pop()
        part = rows_of(chunk, rows)
        tally, _ = replayer.replay(part)
        if not tally.changed:
            continue
        if len(rows) > 1:
            middle = len(rows) // 2
            halves += [rows[middle:], rows[:middle]]
            continue
        most -= 1
        yield Mismatch(
            row=int(part.rows[0]),
            record="" if part.names is None else str(part.names.sent(0) or ""),
            digest=digest,
            outcomes=_outcome_texts(replayer.summary(tally, {}, 1)),
        )


def _outcome_texts(one: Replay) -> dict[str, str]:
    """Return the change of each outcome of one record as text."""
    said = {
        outcome.name: change_text(next(iter(outcome_changes(outcome)))) for outcome in one.outcomes if outcome.changed
    }
    return said | {moves.name: _moved(moves) for moves in one.deadlines if moves.changed}


def _moved(one: DeadlineReplay) -> str:
    if one.appear:
        return "due only now"
    return "no longer due" if one.vanish else f"due {moved_text(one.mean)}" if one.mean else "due at another time"
