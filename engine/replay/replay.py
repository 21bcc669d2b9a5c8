"""A version and chunks of past tickets -> tallies: every ticket is decided again, compared and counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from engine.clock.zone import Column
from engine.columns.fact_columns import Instants, Mask, facts_of
from engine.columns.read import Refused
from engine.decide.answer_json import written
from engine.decide.answer_times_json import iso
from engine.diff.nouns import OutcomeState
from engine.model.answer import UnknownDecision
from engine.model.did_you_mean import did_you_mean
from engine.replay.constant_texts import texts_for_all
from engine.replay.count import Situations, any_of, count_due, count_outcome
from engine.replay.distinct_tickets import DistinctTickets
from engine.replay.groups import Grouping, count_group
from engine.replay.nouns import Chunk, Example, OutcomeColumn, RecordedDecisions, RejectedRow, Replay
from engine.replay.pairs import ABSENT, Pairs
from engine.replay.side import Side, SideDecisions, SideDues, now_of, outcomes_of, sent_to
from engine.replay.space import Space
from engine.replay.spaces import Spaces
from engine.replay.summary import summarize
from engine.replay.tally import DueTally, OutcomeTally, Tally
from engine.replay.tolerance import near_dues, near_states
from engine.version.version import Version

_MOST_PAIRS: Final = 256
"""For how many outcomes the pairs of states are kept; those of a list change with the lists that are met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """The two sides: the version under trial, and the one before, if any; with the groupings of tickets."""

    wanted: frozenset[str]
    after: Side
    before: Side | None
    groupings: tuple[Grouping, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """A chunk decided on both sides. ``before`` is empty without an earlier side.

    ``kept`` are the rows that count (None: all).
    """

    made: SideDecisions
    before: Mapping[str, tuple[OutcomeColumn, Column | None]]
    before_due: Mapping[str, tuple[SideDues, Column | None]]
    before_made: SideDecisions | None
    kept: Column | None
    otherwise: Mask | None
    """The rows that one side rejects."""
    near: Mapping[str, int] = field(default_factory=dict)
    """By outcome or deadline, the rows that differ by less than the tolerance."""


class Replayer:
    """Replays chunks of past tickets against a version. Its caches affect only the time.

    A chunk is compared with the decisions of ``before``, or with its recorded decisions; without either, the present
    decisions are counted.

    Args:
        after: the version under trial.
        before: the version to compare with.
        by: facts by whose values tickets are also counted.
        decisions: which decisions; without, the recorded ones, or those of a triage in either version.

    Raises:
        UnknownDecision: no version makes one of the decisions.
        ValueError: no version has a fact of ``by``.
    """

    def __init__(
        self,
        after: Version,
        before: Version | None = None,
        by: Sequence[str] = (),
        decisions: Sequence[str] | None = None,
    ) -> None:
        self.after, self.before = after, before
        versions = [version for version in (after, before) if version is not None]
        self._outcomes = outcomes_of(versions, decisions)
        self._chosen = decisions is not None
        self._by = tuple(dict.fromkeys(by))
        for name in decisions or ():
            if not any(name in version.plans for version in versions):
                raise UnknownDecision(name, tuple(sorted({one for version in versions for one in version.plans})))
        facts = {fact for version in versions for fact in version.policy.facts}
        for name in self._by:
            if name not in facts:
                raise ValueError(f"unknown fact `{name}`; {did_you_mean(name, sorted(facts))}")
        self._spaces = Spaces(after, before)
        self.texts = frozenset(name for name in texts_for_all(after) if before is None or name in texts_for_all(before))
        self._sides: dict[tuple[str, ...], _Sides] = {}
        self._pairs: dict[tuple[tuple[OutcomeState, ...], tuple[OutcomeState, ...]], Pairs] = {}

    def replay(self, chunk: Chunk) -> tuple[Tally, tuple[RejectedRow, ...]]:
        """Decide a chunk, compare, and count.

        Outcomes without a record are not compared. A value that only one side rejects is a change to (or from)
        ``refused``; a row that no side can read is returned as rejected, and counts nowhere else.
        """
        sides = self._of(self._wanted(chunk.recorded))
        compared, unread = self._compare(sides, chunk)
        return _Count(self, sides, chunk, compared).tally(), unread

    def summary(self, tally: Tally, unread: Mapping[str, int], rows: int) -> Replay:
        """Return the replay of a tally.

        Args:
            tally: of all chunks.
            unread: how many rows could not be read, by error.
            rows: how many rows the source has.
        """
        return summarize(
            self._spaces, tally, unread, rows, recorded=self.before is None and bool(tally.recorded), texts=self.texts
        )

    def space(self, outcome: str) -> Space:
        """Return the situations of an outcome."""
        return self._spaces.of(outcome)

    def pairs(self, before: tuple[OutcomeState, ...], after: tuple[OutcomeState, ...]) -> Pairs:
        """Return the pairs of these states."""
        key = (before, after)
        if key not in self._pairs:
            if len(self._pairs) > _MOST_PAIRS:
                self._pairs.clear()
            self._pairs[key] = Pairs(before, after)
        return self._pairs[key]

    def _wanted(self, recorded: RecordedDecisions | None) -> tuple[str, ...]:
        """Return the outcomes and deadlines to decide for a chunk."""
        if self.before is not None or recorded is None:
            return self._outcomes
        found = dict.fromkeys((*recorded.outcomes, *recorded.due))
        return tuple(name for name in found if not self._chosen or name in self._outcomes)

    def _of(self, wanted: tuple[str, ...]) -> _Sides:
        if wanted not in self._sides:
            watched = {*self._by, *(axis.fact.name for name in wanted for axis in self._spaces.of(name).axes)}
            before = None if self.before is None else Side(self.before, wanted, watched)
            groupings = tuple(Grouping(fact, self.after, self.before) for fact in self._by)
            self._sides[wanted] = _Sides(
                wanted=frozenset(wanted), after=Side(self.after, wanted, watched), before=before, groupings=groupings
            )
        return self._sides[wanted]

    def _compare(self, sides: _Sides, chunk: Chunk) -> tuple[_Compared, tuple[RejectedRow, ...]]:
        recorded = chunk.recorded if self.before is None else None
        elsewhere = recorded is not None and recorded.digest not in ("", self.after.digest)
        others = self.before.policy.facts if self.before is not None else chunk.facts if elsewhere else ()
        made = sides.after.make(chunk, sent_to(self.after, chunk.facts, others))
        if sides.before is not None:
            earlier = sides.before.make(chunk, sent_to(sides.before.version, chunk.facts, self.after.policy.facts))
            lost = None if made.refuses is None or earlier.refuses is None else made.refuses & earlier.refuses
            kept = _kept(lost)
            outcomes = {name: (one, kept) for name, one in earlier.outcomes.items()}
            dues = {name: (one, kept) for name, one in earlier.dues.items()}
            return _Compared(
                made=made,
                before=outcomes,
                before_due=dues,
                before_made=earlier,
                kept=kept,
                otherwise=_either(made.refuses, earlier.refuses),
            ), _unread(chunk, made.refused, lost)
        if recorded is None:
            kept = _kept(made.refuses)
            return _Compared(made=made, before={}, before_due={}, before_made=None, kept=kept, otherwise=None), _unread(
                chunk, made.refused, made.refuses
            )
        lost = None if recorded.digest else made.refuses
        live = np.ones(chunk.size, np.bool_) if lost is None else ~lost
        names = sides.wanted - set(self.after.policy.deadlines)
        near: dict[str, int] = {}
        said = {name: (one, _rows(live & (one.codes >= 0))) for name, one in recorded.outcomes.items() if name in names}
        due = {
            name: (_dues(one), _rows(live & recorded.dated.get(name, live)))
            for name, one in recorded.due.items()
            if name in sides.wanted
        }
        for name, most in recorded.within.items():
            if name in said and name in made.outcomes:
                states, close = near_states(said[name][0], made.outcomes[name], most)
                said[name], near[name] = (states, said[name][1]), _among(close, said[name][1])
            if name in due and name in made.dues:
                placed, close = near_dues(due[name][0], made.dues[name], most)
                due[name], near[name] = (placed, due[name][1]), _among(close, due[name][1])
        return _Compared(
            made=made,
            before=said,
            before_due=due,
            before_made=None,
            kept=_kept(lost),
            otherwise=made.refuses if lost is None else None,
            near=near,
        ), _unread(chunk, made.refused, lost)


class _Count:
    """Counts one chunk."""

    def __init__(self, replayer: Replayer, sides: _Sides, chunk: Chunk, compared: _Compared) -> None:
        self._replayer, self._sides, self._chunk, self._compared = replayer, sides, chunk, compared
        self._shown: dict[int, Example] = {}
        self._at: dict[int, Situations] = {}
        self._changed: dict[str, Column] = {}
        self._one_sided: set[str] = set()
        self._absent = OutcomeColumn(np.zeros(chunk.size, np.uint8), (ABSENT,))
        self._never = SideDues(np.zeros(chunk.size, np.int64), np.zeros(chunk.size, np.bool_))

    def tally(self) -> Tally:
        compared, chunk = self._compared, self._chunk
        outcomes, deadlines = dict(self._outcomes()), dict(self._deadlines())
        texts = self._replayer.texts - self._one_sided
        marks = any_of(
            chunk.size,
            [rows for name, rows in self._changed.items() if name not in texts and name not in self._one_sided],
        )
        if compared.otherwise is not None:
            marks |= compared.otherwise
        worded = any_of(chunk.size, [rows for name, rows in self._changed.items() if name in texts]) & ~marks
        if compared.kept is not None:
            kept = any_of(chunk.size, [compared.kept])
            marks, worded = marks & kept, worded & kept
        tickets = chunk.size if compared.kept is None else len(compared.kept)
        atoms = (None if compared.before_made is None else compared.before_made.read, compared.made.read)
        groups = {
            one.fact: count_group(one, atoms, compared.kept, (marks, worded), self._changed)
            for one in self._sides.groupings
        }
        recorded = chunk.recorded is not None and self._replayer.before is None
        digest = (
            self._replayer.before.digest
            if self._replayer.before is not None
            else chunk.recorded.digest
            if chunk.recorded is not None
            else ""
        )
        return Tally(
            tickets=tickets,
            changed=int(marks.sum()),
            versions={digest: tickets} if digest and tickets else {},
            outcomes=outcomes,
            deadlines=deadlines,
            groups=groups,
            recorded=tickets if recorded else 0,
            compared=self._both(tickets),
            texts=int(worded.sum()),
            near={name: rows for name, rows in compared.near.items() if rows},
            seen=self._seen(),
        )

    def _seen(self) -> DistinctTickets:
        """Count the tickets of the rows that are decided."""
        tickets, kept = self._chunk.tickets, self._compared.kept
        if tickets is None:
            return DistinctTickets()
        return (
            DistinctTickets.of(tickets, self._ticket)
            if kept is None
            else DistinctTickets.of(tickets[kept], lambda row: self._ticket(int(kept[row])))
        )

    def _both(self, tickets: int) -> int:
        """Count the rows that both sides decide."""
        sides = [rows for _, rows in (*self._compared.before.values(), *self._compared.before_due.values())]
        if any(rows is None for rows in sides):
            return tickets
        return int(any_of(self._chunk.size, [rows for rows in sides if rows is not None]).sum())

    def _ticket(self, row: int) -> str:
        names = self._chunk.ticket_names
        return self._name(row) if names is None else str(names.sent(row) or "")

    def _name(self, row: int) -> str:
        return "" if self._chunk.names is None else str(self._chunk.names.sent(row) or "")

    def _outcomes(self) -> Iterable[tuple[str, OutcomeTally]]:
        made, before = self._compared.made.outcomes, self._compared.before
        compares = self._sides.before is not None or self._chunk.recorded is not None
        for name in dict.fromkeys((*before, *made)):
            if name in before:
                one, rows = before[name]
            elif compares and self._sides.before is None:
                continue
            else:
                one, rows = self._absent if compares else made[name], self._compared.kept
            other = made.get(name, self._absent)
            if one is self._absent or other is self._absent:
                self._one_sided.add(name)
            if rows is not None and not len(rows):
                continue
            pairs = self._replayer.pairs(one.states, other.states)
            found, changed = count_outcome(
                pairs, one.codes, other.codes, rows=rows, at=self._situations(name), shown=self._example
            )
            self._changed[name] = changed
            yield name, found

    def _deadlines(self) -> Iterable[tuple[str, DueTally]]:
        made, before = self._compared.made.dues, self._compared.before_due
        compares = self._sides.before is not None or self._chunk.recorded is not None
        for name in dict.fromkeys((*before, *made)):
            if name in before:
                one, rows = before[name]
            elif compares and self._sides.before is None:
                continue
            else:
                one, rows = self._never if compares else made[name], self._compared.kept
            if rows is not None and not len(rows):
                continue
            found, changed = count_due(one, made.get(name, self._never), rows, self._chunk.rows, self._example)
            self._changed[name] = changed
            yield name, found

    def _situations(self, outcome: str) -> Situations:
        space = self._replayer.space(outcome)
        if id(space) not in self._at:
            before = self._compared.before_made
            kept = np.ones(self._chunk.size, np.bool_)
            if self._compared.kept is not None:
                kept = any_of(self._chunk.size, [self._compared.kept])
            numbers = space.numbers(None if before is None else before.read, self._compared.made.read, kept)
            self._at[id(space)] = Situations.of(space, numbers)
        return self._at[id(space)]

    def _example(self, row: int) -> Example:
        if row not in self._shown:
            chunk, now = self._chunk, now_of(self._chunk, row)
            facts = {
                name: value if isinstance(value, str) else written(value)  # type: ignore[arg-type]
                for name, value in facts_of(chunk.facts, row).items()
            }
            self._shown[row] = Example(
                row=int(chunk.rows[row]), name=self._name(row), facts=facts, now="" if now is None else iso(now)
            )
        return self._shown[row]


def _unread(chunk: Chunk, refused: Iterable[Refused], lost: Mask | None) -> tuple[RejectedRow, ...]:
    """Return the rejected rows, each with its first error."""
    if lost is None or not lost.any():
        return ()
    found: dict[int, RejectedRow] = {}
    for one in refused:
        for row in one.rows[lost[one.rows]].tolist():
            if row not in found:
                name = "" if chunk.names is None else str(chunk.names.sent(row) or "")
                found[row] = RejectedRow(
                    row=int(chunk.rows[row]), name=name, field=one.wrong.fact, message=one.wrong.message
                )
    return tuple(found[row] for row in sorted(found))


def _kept(lost: Mask | None) -> Column | None:
    return None if lost is None or not lost.any() else np.flatnonzero(~lost)


def _rows(mask: Mask) -> Column | None:
    return None if mask.all() else np.flatnonzero(mask)


def _among(close: Mask, rows: Column | None) -> int:
    return int(close.sum() if rows is None else close[rows].sum())


def _either(one: Mask | None, other: Mask | None) -> Mask | None:
    if one is None or other is None:
        return one if other is None else other
    return one ^ other


def _dues(one: Instants) -> SideDues:
    return SideDues(one.micros, np.ones(len(one), np.bool_) if one.given is None else one.given)
