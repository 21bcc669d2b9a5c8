"""Whether a log and the policies belong together: every record is decided again under its own version, and must come out equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.diff.words import change_text
from engine.model.answer import VersionRef
from engine.replay.nouns import Chunk, Moves, RejectedRow, Replay
from engine.replay.replay import Replayer
from engine.replay.rows import rows_of
from engine.version.version import Version
from guidepost.replay.report import outcome_changes
from guidepost.replay.run import OnProgress, RejectedRows, limit_batches
from guidepost.replay.text import moved_text
from guidepost.tickets import TicketSource

MAX_LISTED: Final = 100
"""How many records that come out otherwise are listed unless all are asked for; the others are counted."""

FindVersion = Callable[[str], Version | None]
"""Gives the version with a digest, if it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A record that comes out otherwise under its own version: its number and id, and what each outcome was and is."""

    row: int
    record: str
    digest: str
    outcomes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionVerification:
    """The records under one version: how many there are, and how many come out otherwise. ``version`` is None if it is not known."""

    digest: str
    version: VersionRef | None
    records: int
    differing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogVerification:
    """What came of deciding a log again.

    Attributes:
        source: the log.
        versions: the versions in the order in which the log has them.
        mismatches: the records that come out otherwise, the first of them at least.
        rejected: how many records could not be read, by what was wrong; ``first_rejected`` are the first of these.
        notes: what the log has besides, such as records that are not replayed.
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
        """How many records there are that can be read."""
        return sum(one.records for one in self.versions)

    @property
    def missing(self) -> tuple[VersionVerification, ...]:
        """The versions that are not known."""
        return tuple(one for one in self.versions if one.version is None)

    @property
    def differing(self) -> int:
        """How many records come out otherwise."""
        return sum(one.differing for one in self.versions)

    @property
    def ok(self) -> bool:
        """Whether every record was decided again, and came out equal."""
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
    """Decide the records of a log again; raises TicketsError, and OSError if what cannot be read cannot be written."""
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
    """Yield the first records of a chunk that come out otherwise: halves in which nothing does are passed over."""
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
    """Describe of one record what each outcome was, and is."""
    said = {
        outcome.name: change_text(next(iter(outcome_changes(outcome)))) for outcome in one.outcomes if outcome.changed
    }
    return said | {moves.name: _moved(moves) for moves in one.deadlines if moves.changed}


def _moved(one: Moves) -> str:
    if one.appear:
        return "due only now"
    return "no longer due" if one.vanish else f"due {moved_text(one.mean)}" if one.mean else "due at another time"
