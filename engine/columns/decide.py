"""Columns of facts -> columns of outcomes, with the answers that ``Decider.decide`` has for each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from engine.clock.columns import NOWHERE
from engine.clock.zone import Column, to_micros
from engine.columns.due import NO_STATE, DueColumn, OptionalInstants
from engine.columns.elapsed import ElapsedColumn
from engine.columns.fact_columns import Instants, SentColumn
from engine.columns.lookup import NOT_COVERED, REFUSED, BlockOutcomes, Coded, Level, Scale, Tables, levels_of
from engine.columns.read import Block, ColumnReader, Refused
from engine.columns.roster import RosterColumn
from engine.decide.decider import Decider
from engine.model.answer import UnknownDecision
from engine.model.policy import Literal, Roster
from engine.request.moment import ZERO
from engine.version.version import DecisionPlan, Version

BLOCK: Final = 1 << 15
"""How many rows are decided at once: few enough to fit the caches of a processor."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """An outcome in every row, as codes of a scale."""

    scale: Scale
    codes: Coded

    @property
    def levels(self) -> Level:
        """The level of each row: NOT_COVERED, DECIDED, UNDECIDED or REFUSED."""
        return levels_of(self.codes)

    def value(self, row: int) -> Literal | None:
        """Return the value of a row; None if it is not decided."""
        return self.scale.value(int(self.codes[row]))


@dataclass(frozen=True, slots=True)
class DueTimes:
    """A deadline in every row.

    Attributes:
        levels: NOT_COVERED, DECIDED, UNDECIDED or REFUSED.
        due: when it is due, in microseconds since 1970, or NOWHERE.
        states: positions in STATES, or NO_STATE.
    """

    levels: Level
    due: Column
    states: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDecisions:
    """The outcomes of columns of tickets.

    Attributes:
        decisions: the level of each decision in every row.
        outcomes: the outcomes of tables and rosters, by name.
        due: the deadlines, by name.
        refused: the values that cannot be read, with their rows. These rows are not decided.
    """

    decisions: Mapping[str, Level]
    outcomes: Mapping[str, Outcomes]
    due: Mapping[str, DueTimes]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """Decisions in the making: the scale of a list is known when all rows are decided."""

    decisions: Mapping[str, Level]
    codes: Mapping[str, Coded]
    due: Mapping[str, DueTimes]


class ColumnDecider:
    """Decides columns of tickets by one version. Its caches change nothing but the time of later calls.

    Args:
        decider: answers by the policy version.
        decisions: names of decisions; by default, those that a new ticket needs.

    Raises UnknownDecision if the version lacks one of them.
    """

    def __init__(self, decider: Decider, decisions: Sequence[str] | None = None) -> None:
        self.version = version = decider.version
        self._plans = version.triage if decisions is None else tuple(_plan(version, name) for name in decisions)
        deadlines = {one.deadline.name: one for plan in self._plans for one in plan.deadlines}
        tabled = [name for plan in self._plans for name in plan.decision.outcomes if name in version.producer]
        self._names = tuple(dict.fromkeys(tabled))
        self._tables = Tables(version.diagrams, [*self._names, *deadlines])
        self._dues = {
            name: DueColumn(one.deadline, one.drawn.domain, decider.clocks) for name, one in deadlines.items()
        }
        rosters: dict[str, Roster] = {roster.produces: roster for plan in self._plans for roster in plan.rosters}
        self._rosters = {name: RosterColumn(roster) for name, roster in rosters.items()}
        self._elapsed = tuple(ElapsedColumn(one, version.diagrams) for one in decider.elapsed)

    def decide(
        self,
        columns: Mapping[str, SentColumn],
        now: datetime | Instants | None = None,
        *,
        size: int | None = None,
        watch: Callable[[slice, Block], None] | None = None,
    ) -> ColumnDecisions:
        """Decide every row.

        Args:
            columns: fact name to column, all of one length.
            now: the present instant, for all rows or for each. Without it, there are no elapsed times, and only
                deadlines that were met have a state.
            size: the number of rows, if there may be no columns.
            watch: called with each block once it is read, and the slice of its rows.

        Raises:
            ValueError: the columns differ in length, or ``now`` is 1970-01-01T00:00:00Z, which is what an unset value
                usually contains.
        """
        lengths = {len(column) for column in (*columns.values(), *([now] if isinstance(now, Instants) else []))} | (
            {size} if size is not None else set()
        )
        if len(lengths) > 1:
            raise ValueError(f"expected columns of one length, got lengths {', '.join(map(str, sorted(lengths)))}")
        size = lengths.pop() if lengths else 0
        self._tables.begin()
        reader = ColumnReader(self.version.reader, self.version.atoms, columns)
        made = self._empty(size)
        for start in range(0, size, BLOCK):
            rows = slice(start, min(start + BLOCK, size))
            block = reader.block(rows)
            self._block(block, rows, _now(now, rows), made)
            if watch is not None:
                watch(rows, block)
        scales = {name: self._tables.scale(name) for name in self._names} | {
            name: roster.scale for name, roster in self._rosters.items()
        }
        return ColumnDecisions(
            decisions=made.decisions,
            outcomes={name: Outcomes(scales[name], codes) for name, codes in made.codes.items()},
            due=made.due,
            refused=reader.refused,
        )

    def _empty(self, size: int) -> _Made:
        dtypes = {name: self._tables.dtype(name) for name in self._names} | {
            name: roster.scale.dtype for name, roster in self._rosters.items()
        }
        return _Made(
            decisions={plan.decision.name: np.empty(size, np.uint8) for plan in self._plans},
            codes={name: np.empty(size, dtype) for name, dtype in dtypes.items()},
            due={
                name: DueTimes(np.empty(size, np.uint8), np.empty(size, np.int64), np.empty(size, np.uint8))
                for name in self._dues
            },
        )

    def _block(self, block: Block, rows: slice, now: OptionalInstants | None, made: _Made) -> None:
        """Decide the rows of a block, and write the outcomes into ``made``."""
        for fact in self._elapsed if now is not None else ():
            fact.fill(block, now)  # type: ignore[arg-type]
        found = self._tables.on(block)
        for name in self._names:
            made.codes[name][rows] = found.codes(name)
        for name, roster in self._rosters.items():
            made.codes[name][rows] = _turns(roster, block)
        for name, due in self._dues.items():
            of = made.due[name]
            of.levels[rows], of.due[rows], of.states[rows] = due.of(found, now)
        for plan in self._plans:
            made.decisions[plan.decision.name][rows] = self._level(plan, found, rows, made)
        if block.refused is not None:
            _refuse(made, np.flatnonzero(block.refused) + rows.start)

    def _level(self, plan: DecisionPlan, found: BlockOutcomes, rows: slice, made: _Made) -> Level:
        """Return the level of a decision: undecided if an answering outcome is, or else decided if one is."""
        level = np.full(found.block.size, NOT_COVERED, np.uint8)
        for name in plan.decision.answers:
            own = made.due[name].levels[rows] if name in made.due else levels_of(made.codes[name][rows])
            np.maximum(level, own, out=level)
        return level


def _plan(version: Version, name: str) -> DecisionPlan:
    if name not in version.plans:
        raise UnknownDecision(name, tuple(sorted(version.plans)))
    return version.plans[name]


def _now(now: datetime | Instants | None, rows: slice) -> OptionalInstants | None:
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
    """Return who is on duty in each row of a block; undecided without an instant."""
    dated = block.instants.get(roster.roster.at)
    codes: Coded = np.full(block.size, Scale.UNDECIDED, roster.scale.dtype)
    if dated is not None:
        rows = np.flatnonzero(dated[1])
        codes[rows] = roster.at(dated[0].take(rows))
    return codes


def _refuse(made: _Made, rows: Column) -> None:
    for level in made.decisions.values():
        level[rows] = REFUSED
    for codes in made.codes.values():
        codes[rows] = Scale.REFUSED
    for due in made.due.values():
        due.levels[rows], due.due[rows], due.states[rows] = REFUSED, NOWHERE, NO_STATE
