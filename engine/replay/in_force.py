"""Replays each ticket by the version in force at its instant: one replayer per version, and their sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Final

import numpy as np

from engine.clock.zone import Column, to_micros
from engine.columns.fact_columns import Instants
from engine.decide.answer_times_json import iso
from engine.model.answer import UnknownDecision, VersionRef
from engine.model.did_you_mean import did_you_mean
from engine.replay.join import join_replays
from engine.replay.nouns import Chunk, RejectedRow, Replay
from engine.replay.replay import Replayer
from engine.replay.rows import rows_of
from engine.replay.tally import Tally
from engine.version.version import Version

IN_FORCE: Final = "in-force"

NO_INSTANT: Final = "no instant, so the version in force is unknown"


class InForceReplayer:
    """Replays chunks of past tickets, each row by the version that was in force at its instant.

    Args:
        versions: all versions, in the order in which they come into effect.
        after: the version under trial; None means the one in force.
        before: the version to compare with; None means the one in force with ``from_in_force``, or the recorded
            decisions.
        by, decisions: as for a :class:`Replayer`; a version leaves out what it does not have.

    Raises:
        UnknownDecision: no version makes one of the decisions.
        ValueError: no version has a fact of ``by``.
    """

    def __init__(
        self,
        versions: Sequence[Version],
        after: Version | None,
        before: Version | None,
        *,
        from_in_force: bool = False,
        by: Sequence[str] = (),
        decisions: Sequence[str] | None = None,
    ) -> None:
        self._versions = tuple(versions)
        self._starts = np.array([to_micros(one.policy.manifest.effective_from) for one in versions], np.int64)
        pairs = [(after or one, one if from_in_force else before) for one in versions]
        every = [version for pair in pairs for version in pair if version is not None]
        facts = {fact for version in every for fact in version.policy.facts}
        plans = sorted({name for version in every for name in version.plans})
        for name in by:
            if name not in facts:
                raise ValueError(f"unknown fact `{name}`; {did_you_mean(name, sorted(facts))}")
        for name in decisions or ():
            if name not in plans:
                raise UnknownDecision(name, tuple(plans))
        self._facts = facts
        self._replayers = {
            one.ref.version: _replayer(*pair, by, decisions) for one, pair in zip(versions, pairs, strict=True)
        }
        newest = self._versions[-1].ref
        self._after = after.ref if after is not None else VersionRef(newest.name, IN_FORCE, "")

    def replay(self, chunk: Chunk) -> tuple[Tally, tuple[RejectedRow, ...]]:
        """Decide a chunk; rows without an instant, and those before the first version, are rejected."""
        at = self._at(chunk)
        unread = [
            RejectedRow(row=int(chunk.rows[row]), name=_name(chunk, row), field="", message=self._why(int(at[row])))
            for row in np.flatnonzero(at < 0).tolist()
        ]
        parts: dict[str, Tally] = {}
        for number, version in enumerate(self._versions):
            rows = np.flatnonzero(at == number)
            if len(rows):
                part = self._part(
                    rows_of(chunk, rows) if len(rows) < chunk.size else chunk, self._replayers[version.ref.version]
                )
                parts[version.ref.version], refused = self._replayers[version.ref.version].replay(part)
                unread += refused
        return Tally(parts=parts), tuple(sorted(unread, key=lambda one: one.row))

    def summary(self, tally: Tally, unread: Mapping[str, int], rows: int) -> Replay:
        """Return the replay of a tally."""
        tallies = {
            one.ref.version: tally.parts[one.ref.version] for one in self._versions if one.ref.version in tally.parts
        }
        parts = {version: self._replayers[version].summary(one, {}, one.tickets) for version, one in tallies.items()}
        seen = reduce(lambda one, other: one.merge(other), (one.seen for one in tallies.values()), Tally().seen)
        due = reduce(
            lambda one, other: one.merge(other), (Tally(deadlines=one.deadlines) for one in tallies.values()), Tally()
        )
        whole = join_replays(parts, due.deadlines, self._after)
        return replace(
            whole,
            rows=rows,
            unread=dict(sorted(unread.items(), key=lambda pair: (-pair[1], pair[0]))),
            decided={version: one.tickets for version, one in tallies.items()},
            repeats=seen.repeats(),
        )

    def _at(self, chunk: Chunk) -> Column:
        """Return the index of the version in force in each row: -1 for none yet, -2 for unknown."""
        if chunk.now is None:
            return np.full(chunk.size, -2, np.int64)
        if not isinstance(chunk.now, Instants):
            return np.full(chunk.size, self._number(np.array([to_micros(chunk.now)]))[0], np.int64)
        found = self._number(chunk.now.micros)
        return found if chunk.now.given is None else np.where(chunk.now.given, found, -2)

    def _number(self, micros: Column) -> Column:
        found: Column = np.searchsorted(self._starts, micros, side="right").astype(np.int64) - 1
        return found

    def _why(self, at: int) -> str:
        return NO_INSTANT if at == -2 else self.too_early

    @property
    def first(self) -> str:
        """The number of the version that came into force first."""
        return self._versions[0].ref.version

    @property
    def too_early(self) -> str:
        """The reason why a ticket older than every version is rejected."""
        return f"before {iso(self._versions[0].policy.manifest.effective_from)}, when the first version, {self.first}, came into force"

    def _part(self, chunk: Chunk, replayer: Replayer) -> Chunk:
        """Drop the facts that only versions of other rows have."""
        known = {
            fact
            for version in (replayer.after, replayer.before)
            if version is not None
            for fact in version.policy.facts
        }
        return replace(
            chunk,
            facts={name: column for name, column in chunk.facts.items() if name in known or name not in self._facts},
        )


def _replayer(after: Version, before: Version | None, by: Sequence[str], decisions: Sequence[str] | None) -> Replayer:
    versions = [version for version in (after, before) if version is not None]
    facts = [name for name in by if any(name in version.policy.facts for version in versions)]
    if decisions is not None:
        return Replayer(
            after, before, facts, [name for name in decisions if any(name in version.plans for version in versions)]
        )
    return Replayer(after, before, facts, None if before is None else shared(after, before) or None)


def shared(after: Version, before: Version) -> tuple[str, ...]:
    """Return the decisions that a new ticket needs in either version and that both make."""
    needed = dict.fromkeys((*after.policy.manifest.triage, *before.policy.manifest.triage))
    return tuple(name for name in needed if name in after.plans and name in before.plans)


def _name(chunk: Chunk, row: int) -> str:
    return "" if chunk.names is None else str(chunk.names.sent(row) or "")
