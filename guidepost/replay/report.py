"""The content of a report on a replay, which every format shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.diff import Change, Excess, OutcomeState, StateKind
from engine.diff.words import state_text, ticket_text
from engine.model.vocabulary import FactType
from engine.replay.in_force import IN_FORCE
from engine.replay.nouns import DeadlineReplay, Example, Group, OutcomeReplay, RejectedRow, Replay
from engine.version.version import Version

SHOWN: Final = 8
"""How many regions, groups and changes of an outcome a report shows by default."""

NOT_SENT: Final = "(not sent)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """A replay with everything that a report on it shows.

    Attributes:
        replay: the result.
        version: the version that was tried.
        source: the name of the past tickets, as the user wrote it.
        before, after: the names of the two sides, as the user wrote them; ``before`` is "" without a named version.
        first_rejected: the first rows that cannot be read.
        rejected_file: the file with all rejected rows, or "".
        excesses: the changes that exceed a limit.
        option: the option of the command line that names the version that was tried.
        notes: the notes of the source.
        doubts: in how many rows a word that may mark an empty cell is read as a value, by fact and word.
        tolerances: the tolerance of each recorded outcome or deadline, as the mapping writes it.
    """

    replay: Replay
    version: Version
    source: str
    before: str
    after: str
    first_rejected: tuple[RejectedRow, ...] = ()
    rejected_file: str = ""
    excesses: tuple[Excess, ...] = ()
    option: str = ""
    notes: tuple[str, ...] = ()
    doubts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    tolerances: Mapping[str, str] = field(default_factory=dict)

    @property
    def compared(self) -> bool:
        """Whether anything was compared: with another version, or with what the source recorded."""
        return bool(self.replay.compared)

    @property
    def unit(self) -> str:
        """The unit of the counts: "tickets", or "rows" if tickets have several."""
        return "rows" if self.replay.repeats else "tickets"

    @property
    def changed(self) -> tuple[OutcomeReplay, ...]:
        """The outcomes that change for some tickets only, or differently by ticket."""
        return tuple(one for one in self.replay.outcomes if one.changed and one.name not in self.replay.alike)

    @property
    def alike(self) -> tuple[OutcomeReplay, ...]:
        """The outcomes that change for every ticket in the same way: texts, and outcomes of one side only."""
        return tuple(one for one in self.replay.outcomes if one.changed and one.name in self.replay.alike)

    @property
    def detailed(self) -> tuple[OutcomeReplay, ...]:
        """The changed outcomes whose changes need more than one line."""
        return tuple(one for one in self.changed if len(outcome_changes(one)) > 1 or one.changed < one.tickets)

    @property
    def moved(self) -> tuple[DeadlineReplay, ...]:
        """The deadlines that change for some tickets."""
        return tuple(one for one in self.replay.deadlines if one.changed)

    @property
    def same(self) -> tuple[str, ...]:
        """The outcomes and deadlines that are the same for every ticket."""
        every: tuple[OutcomeReplay | DeadlineReplay, ...] = (*self.replay.outcomes, *self.replay.deadlines)
        return tuple(one.name for one in every if one.tickets and not one.changed)

    @property
    def groups(self) -> dict[str, tuple[Group, ...]]:
        """The tickets by fact, for facts that some ticket sends and, in a comparison, whose groups have changes."""
        return {
            fact: groups
            for fact, groups in self.replay.groups.items()
            if any(one.value for one in groups) and (not self.compared or any(one.changed for one in groups))
        }

    @property
    def answer_outcomes(self) -> tuple[OutcomeReplay, ...]:
        """The outcomes that answer a decision, for a report without a comparison."""
        answers = {name for decision in self.version.policy.decisions.values() for name in decision.answers}
        return tuple(one for one in self.replay.outcomes if one.name in answers and one.matrix)

    def command(self, outcome: str, example: Example) -> str:
        """Return the command that decides an example, with the facts that its decision reads."""
        decision = self._decision(outcome)
        facts, now = dict(example.facts), example.now
        if decision in self.version.plans:
            read, dated = self._read(decision)
            facts = {name: value for name, value in facts.items() if name in read}
            now = now if dated else ""
        as_of = f"--as-of {example.now}" if self.after == IN_FORCE and example.now else ""
        parts = [
            "guidepost eval",
            decision,
            ticket_text(facts) if facts else "",
            f"--now {now}" if now else "",
            as_of,
            self.option,
        ]
        return " ".join(part for part in parts if part)

    def _decision(self, outcome: str) -> str:
        decisions = self.version.policy.decisions.values()
        found = [one.name for one in decisions if outcome in one.answers] or [
            one.name for one in decisions if outcome in one.outcomes
        ]
        return found[0] if found else "triage"

    def _read(self, decision: str) -> tuple[set[str], bool]:
        """Return the facts that a decision reads, and whether it depends on the current time."""
        plan, policy = self.version.plans[decision], self.version.policy
        read = {*plan.facts, *plan.instants}
        follows = read & set(policy.elapsed)
        # A fact about elapsed time reads instants that no rule names.
        instants = {fact.name for fact in policy.facts.values() if fact.type is FactType.INSTANT} if follows else set()
        return read | instants, bool(follows or plan.instants or plan.deadlines)


@dataclass(frozen=True, slots=True)
class TransitionTable:
    """A from -> to table: the states of both sides in the order of the policy, and the tickets of each change."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: Mapping[tuple[str, str], int]

    @property
    def greatest(self) -> int:
        """The most tickets of any one change."""
        return max((number for (one, other), number in self.counts.items() if one != other), default=0)


def transition_table(shown: ReplayReport, one: OutcomeReplay) -> TransitionTable:
    """Return the changes of an outcome as a table."""
    order = _order(shown.version, one.name)
    counts: dict[tuple[str, str], int] = {}
    for change, number in one.matrix.items():
        cell = (state_text(change.before), state_text(change.after))
        counts[cell] = counts.get(cell, 0) + number
    return TransitionTable(
        _ordered((change.before for change in one.matrix), order),
        _ordered((change.after for change in one.matrix), order),
        counts,
    )


def only_one_side(one: OutcomeReplay) -> str | None:
    """Return "only before" or "only now" for an outcome of one side, or None."""
    found = outcome_changes(one)
    if found and all(change.after.kind is StateKind.ABSENT for change in found):
        return "only before"
    return "only now" if found and all(change.before.kind is StateKind.ABSENT for change in found) else None


def outcome_changes(one: OutcomeReplay) -> dict[Change, int]:
    """Return the changes of an outcome, the most frequent first."""
    # The sort is stable, so that equal counts keep the order of the replay.
    return dict(
        sorted(
            ((change, number) for change, number in one.matrix.items() if change.before != change.after),
            key=lambda item: -item[1],
        )
    )


def outcome_counts(one: OutcomeReplay) -> dict[OutcomeState, int]:
    """Return the states that are decided now with their tickets, the most frequent first."""
    found: dict[OutcomeState, int] = {}
    for change, number in one.matrix.items():
        found[change.after] = found.get(change.after, 0) + number
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _order(version: Version, name: str) -> tuple[str, ...]:
    outcome = version.policy.outcomes.get(name)
    return (
        ()
        if outcome is None
        else ("yes", "no")
        if outcome.type is FactType.BOOLEAN
        else tuple(value.value for value in outcome.values)
    )


def _ordered(states: Iterable[OutcomeState], order: tuple[str, ...]) -> tuple[str, ...]:
    """Return the texts of states: values in the order of the policy, numbers, texts, then states without a value."""

    def place(state: OutcomeState) -> tuple[int, float, str]:
        text = state_text(state)
        if state.kind.value != "decided":
            return 3, 0, text
        if text in order:
            return 0, order.index(text), text
        return (1, float(state.value), text) if isinstance(state.value, (int, float)) else (2, 0, text)

    return tuple(dict.fromkeys(state_text(state) for state in sorted(set(states), key=place)))
