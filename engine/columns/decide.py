"""A version and columns of facts in, columns of outcomes out: the same as :func:`engine.decide.decider.Decider.decide` says row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from engine.clock.columns import NOWHERE
from engine.clock.zone import Column, to_micros
from engine.columns.due import NO_STATE, Dated, DueColumn
from engine.columns.follow import FollowColumn
from engine.columns.lookup import NOT_COVERED, REFUSED, Coded, Found, Level, Scale, Tables
from engine.columns.read import Block, ColumnReader, Refused
from engine.columns.roster import RosterColumn
from engine.columns.schedule import AimColumn
from engine.columns.sent import Instants, SentColumn
from engine.decide.decider import Decider
from engine.model.answer import UnknownDecision
from engine.model.policy import Literal, Roster
from engine.request.moment import ZERO
from engine.version.version import DecisionPlan, Version

BLOCK: Final = 1 << 15
"""How many rows are worked on at once: few enough to stay near the processor."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """An outcome in every row: codes on a scale."""

    scale: Scale
    codes: Coded

    @property
    def levels(self) -> Level:
        """How far each row is answered: NOT_COVERED, DECIDED, UNDECIDED or REFUSED."""
        return self.scale.levels.take(self.codes)

    def value(self, row: int) -> Literal | None:
        """Return the value of a row; None where it is not decided."""
        code = int(self.codes[row])
        return self.scale.domain[code] if code < len(self.scale.domain) else None


@dataclass(frozen=True, slots=True)
class DueTimes:
    """A deadline in every row: how far it is decided, when it is due (microseconds, or NOWHERE), and its state (in STATES, or NO_STATE)."""

    levels: Level
    due: Column
    states: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a version decides for columns of tickets.

    Attributes:
        decisions: how far each decision is answered in every row.
        outcomes: the outcomes of tables and rosters, by name.
        due: the deadlines, by name.
        refused: the values that cannot be read, with their rows, which are not decided.
    """

    decisions: Mapping[str, Level]
    outcomes: Mapping[str, Outcomes]
    due: Mapping[str, DueTimes]
    refused: tuple[Refused, ...]


class ColumnDecider:
    """Decides columns of tickets by one version. What it keeps from one call to the next changes nothing but the time it takes.

    Args:
        decider: answers by the policy version.
        decisions: names of decisions; by default, those that a new ticket needs.

    Raises UnknownDecision for one that the version does not make.
    """

    def __init__(self, decider: Decider, decisions: Sequence[str] | None = None) -> None:
        self.version = version = decider.version
        self._plans = version.triage if decisions is None else tuple(_plan(version, name) for name in decisions)
        deadlines = {one.deadline.name: one for plan in self._plans for one in plan.deadlines}
        names = [lookup.outcome for plan in self._plans for lookup in plan.lookups]
        self._names = tuple(dict.fromkeys(names))
        self._tables = Tables(
            version.partial_tables,
            version.producer,
            [*names, *(name for one in deadlines.values() for name in one.lookups)],
        )
        self._dues = {
            name: DueColumn(
                one.deadline,
                AimColumn(decider.scheduler(name), self._tables, version.reader.slots),
                decider.clocks,
            )
            for name, one in deadlines.items()
        }
        rosters: dict[str, Roster] = {roster.produces: roster for plan in self._plans for roster in plan.rosters}
        self._rosters = {name: RosterColumn(roster) for name, roster in rosters.items()}
        self._scales = {name: self._tables.scales[name] for name in self._names} | {
            name: roster.scale for name, roster in self._rosters.items()
        }
        self._follow = tuple(FollowColumn(one) for one in decider.elapsed)

    def decide(
        self,
        columns: Mapping[str, SentColumn],
        now: datetime | Instants | None = None,
        *,
        size: int | None = None,
        watch: Callable[[slice, Block], None] | None = None,
    ) -> Decided:
        """Decide every row.

        Args:
            columns: fact name to column, all of one length.
            now: what time it is, for all rows or for each; without it, no fact follows, and only a deadline that was met has a state.
            size: how many rows there are, where there may be no column that tells.
            watch: is shown each block once it is read, with where its rows are.

        Raises:
            ValueError: the columns are not of one length, or ``now`` is 1970-01-01T00:00:00Z, which is what a default value comes to.
        """
        lengths = {len(column) for column in (*columns.values(), *([now] if isinstance(now, Instants) else []))} | (
            {size} if size is not None else set()
        )
        if len(lengths) > 1:
            raise ValueError(f"columns of one length are needed, not of {', '.join(map(str, sorted(lengths)))}")
        size = lengths.pop() if lengths else 0
        reader = ColumnReader(self.version.reader, self.version.atoms, columns)
        made = self._empty(size)
        for start in range(0, size, BLOCK):
            rows = slice(start, min(start + BLOCK, size))
            block = reader.block(rows)
            self._block(block, rows, _now(now, rows), made)
            if watch is not None:
                watch(rows, block)
        return Decided(decisions=made.decisions, outcomes=made.outcomes, due=made.due, refused=reader.refused)

    def _empty(self, size: int) -> Decided:
        return Decided(
            decisions={plan.decision.name: np.empty(size, np.uint8) for plan in self._plans},
            outcomes={name: Outcomes(scale, np.empty(size, scale.dtype)) for name, scale in self._scales.items()},
            due={
                name: DueTimes(np.empty(size, np.uint8), np.empty(size, np.int64), np.empty(size, np.uint8))
                for name in self._dues
            },
            refused=(),
        )

    def _block(self, block: Block, rows: slice, now: Dated | None, made: Decided) -> None:
        """Decide some rows, and put what is decided in its place."""
        for fact in self._follow if now is not None else ():
            fact.fill(block, now)  # type: ignore[arg-type]
        found = self._tables.on(block)
        for name in self._names:
            made.outcomes[name].codes[rows] = found.codes(name)
        for name, roster in self._rosters.items():
            made.outcomes[name].codes[rows] = _turns(roster, block)
        for name, due in self._dues.items():
            of = made.due[name]
            of.levels[rows], of.due[rows], of.states[rows] = due.of(found, now)
        for plan in self._plans:
            made.decisions[plan.decision.name][rows] = self._level(plan, found, rows, made)
        if block.refused is not None:
            _refuse(made, np.flatnonzero(block.refused) + rows.start)

    def _level(self, plan: DecisionPlan, found: Found, rows: slice, made: Decided) -> Level:
        """Return how far a decision is answered: undecided if an answering outcome is, else decided if one is."""
        level = np.full(found.block.size, NOT_COVERED, np.uint8)
        for name in plan.decision.answers:
            scale = self._scales.get(name)
            own = made.due[name].levels[rows] if scale is None else scale.levels.take(made.outcomes[name].codes[rows])
            np.maximum(level, own, out=level)
        return level


def _plan(version: Version, name: str) -> DecisionPlan:
    if name not in version.plans:
        raise UnknownDecision(name, tuple(sorted(version.plans)))
    return version.plans[name]


def _now(now: datetime | Instants | None, rows: slice) -> Dated | None:
    if now is None:
        return None
    size = rows.stop - rows.start
    if isinstance(now, Instants):
        micros, given = now.micros[rows], np.ones(size, np.bool_) if now.given is None else now.given[rows]
    else:
        micros, given = np.full(size, to_micros(now)), np.ones(size, np.bool_)
    if (given & (micros == 0)).any():
        raise ValueError(f"`now` is {ZERO}")
    return micros, given


def _turns(roster: RosterColumn, block: Block) -> Coded:
    """Return who has the turn in each row of a block; undecided without an instant."""
    undecided = roster.scale.undecided
    dated = block.instants.get(roster.roster.at)
    codes: Coded = np.full(block.size, undecided, roster.scale.dtype)
    if dated is not None:
        rows = np.flatnonzero(dated[1])
        codes[rows] = roster.at(dated[0].take(rows))
    return codes


def _refuse(made: Decided, rows: Column) -> None:
    for level in made.decisions.values():
        level[rows] = REFUSED
    for outcome in made.outcomes.values():
        outcome.codes[rows] = outcome.scale.refused
    for due in made.due.values():
        due.levels[rows], due.due[rows], due.states[rows] = REFUSED, NOWHERE, NO_STATE
