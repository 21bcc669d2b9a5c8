"""One side of a replay.

A side has the decisions of one version for a chunk as states and due times, and the atoms of its facts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from engine.clock.columns import NOWHERE
from engine.clock.zone import Column, to_datetime, to_micros
from engine.columns.decide import ColumnDecider, ColumnDecisions
from engine.columns.fact_columns import Instants, Mask, SentColumn, facts_of
from engine.columns.lookup import Scale
from engine.columns.read import Atomic, Block, Refused
from engine.decide.decider import Decider
from engine.diff.nouns import OutcomeState, StateKind
from engine.model.answer import WrongRequest
from engine.replay.nouns import Chunk, OutcomeColumn
from engine.replay.space import Read
from engine.request.moment import Moment
from engine.version.version import Version


@dataclass(frozen=True, slots=True)
class SideDues:
    """A deadline in every row: the due times, and the rows in which it is due."""

    micros: Column
    given: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class SideDecisions:
    """The decisions of a side for a chunk: outcomes, deadlines, the rejected values, and the rows that have one."""

    outcomes: Mapping[str, OutcomeColumn]
    dues: Mapping[str, SideDues]
    read: Read
    refused: tuple[Refused, ...]
    refuses: Mask | None


class Side:
    """Decides chunks by one version.

    Args:
        version: the version.
        wanted: the outcomes and deadlines to decide, if the version has them.
        watched: the facts whose atoms are needed.
    """

    def __init__(self, version: Version, wanted: Collection[str], watched: Collection[str]) -> None:
        self.version = version
        self.decisions = _covering(version, wanted)
        self._decider = Decider(version)
        self._columns = ColumnDecider(self._decider, self.decisions)
        self._wanted = frozenset(wanted)
        self._watched = tuple(fact for fact in watched if fact in version.atoms)
        self._extended = frozenset(name for name, one in version.policy.deadlines.items() if one.holds.extend)

    def make(self, chunk: Chunk, facts: Mapping[str, SentColumn]) -> SideDecisions:
        """Decide a chunk; ``facts`` are the facts for this side."""
        atoms: dict[str, Atomic] = {fact: np.zeros(chunk.size, np.intp) for fact in self._watched}

        def watch(rows: slice, block: Block) -> None:
            for fact, into in atoms.items():
                if fact in block.atoms:
                    into[rows] = block.atoms[fact]

        made = self._columns.decide(facts, chunk.now, size=chunk.size, watch=watch)
        self._hold(chunk, facts, made)
        refuses = None
        for one in made.refused:
            refuses = np.zeros(chunk.size, np.bool_) if refuses is None else refuses
            refuses[one.rows] = True
            if one.wrong.fact in atoms:
                atoms[one.wrong.fact][one.rows] = len(self.version.atoms[one.wrong.fact].samples) + 1
        outcomes = {
            name: OutcomeColumn(one.codes, _states(one.scale))
            for name, one in made.outcomes.items()
            if name in self._wanted
        }
        dues = {name: SideDues(one.due, one.due != NOWHERE) for name, one in made.due.items() if name in self._wanted}
        return SideDecisions(outcomes=outcomes, dues=dues, read=Read(atoms), refused=made.refused, refuses=refuses)

    def _hold(self, chunk: Chunk, facts: Mapping[str, SentColumn], made: ColumnDecisions) -> None:
        """Decide tickets with holds one by one; holds change only the due times that they extend."""
        if not self._extended & made.due.keys():
            return
        for row, holds in chunk.holds.items():
            sent, moment = (
                facts_of(facts, row),
                Moment(now_of(chunk, row), tuple(sorted(holds, key=lambda hold: hold[0]))),
            )
            for name in self.decisions:
                try:
                    answer = self._decider.decide(name, sent, moment)
                except WrongRequest:
                    break
                for one in answer.outcomes:
                    if one.name in made.due:
                        made.due[one.name].due[row] = (
                            to_micros(one.value) if isinstance(one.value, datetime) else NOWHERE
                        )


def _states(scale: Scale) -> tuple[OutcomeState, ...]:
    """Return the state of each code."""
    ends = (OutcomeState(kind) for kind in (StateKind.NOT_COVERED, StateKind.UNDECIDED, StateKind.REFUSED))
    return (*ends, *(OutcomeState(StateKind.DECIDED, value) for value in scale.domain))


def _covering(version: Version, wanted: Collection[str]) -> tuple[str, ...]:
    """Return decisions that together include every wanted outcome of the version; those of a triage first."""
    left, chosen = set(wanted), []
    for plan in (*version.triage, *version.plans.values()):
        if left & set(plan.decision.outcomes):
            chosen.append(plan.decision.name)
            left -= set(plan.decision.outcomes)
    return tuple(chosen)


def now_of(chunk: Chunk, row: int) -> datetime | None:
    """Return the instant of a row; None if there is none."""
    if not isinstance(chunk.now, Instants):
        return chunk.now
    if chunk.now.given is not None and not chunk.now.given[row]:
        return None
    return to_datetime(int(chunk.now.micros[row])).astimezone(UTC)


def sent_to(version: Version, facts: Mapping[str, SentColumn], others: Iterable[str]) -> dict[str, SentColumn]:
    """Drop the facts that a version does not have and another one (``others``: its facts) does."""
    spared = set(others) - set(version.policy.facts)
    return {name: column for name, column in facts.items() if name not in spared}


def outcomes_of(versions: Sequence[Version], decisions: Sequence[str] | None) -> tuple[str, ...]:
    """Return the outcomes of some decisions, or of those of a triage, in any of the versions."""
    plans = [
        plan
        for version in versions
        for plan in (
            version.triage
            if decisions is None
            else [version.plans[name] for name in decisions if name in version.plans]
        )
    ]
    return tuple(dict.fromkeys(name for plan in plans for name in plan.decision.outcomes))
