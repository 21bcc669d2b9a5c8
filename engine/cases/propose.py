"""Proposes cases for what is not covered.

There is one for each rule, each threshold and both of its sides, each deadline around its end, and each turn.

They expect what the version answers now, so a person must check whether that is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from engine.cases.case import Case
from engine.cases.cells import Cell
from engine.cases.coverage import AnswerTrace, Point, Tracer
from engine.cases.rule_tickets import Facts, RuleTickets, Witness
from engine.decide.answer_json import written
from engine.decide.answer_times_json import iso
from engine.decide.decider import NO_MOMENT
from engine.model.answer import Answer, DeadlineState, Outcome, Status
from engine.model.policy import Roster, Table
from engine.model.vocabulary import FactType, number_text
from engine.request.moment import Moment
from engine.tables.atoms import Atoms
from engine.version.version import Version

MAX_SHOWN: Final = 40
"""The longest value that appears in the name of a case."""

SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A proposed case: its request, and the parts of the answer that it pins."""

    name: str
    decision: str
    facts: Facts
    now: datetime | None
    answer: Answer
    outcomes: tuple[str, ...]
    rules: tuple[str, ...]
    states: Mapping[str, DeadlineState]


def propose(
    version: Version, cases: Iterable[Case], touched: Iterable[AnswerTrace], *, everything: bool = False
) -> tuple[Proposal, ...]:
    """Propose cases for what the cases of a version do not cover, or (``everything``) for all of it.

    ``touched`` is what the existing cases touch; ``cases`` are needed for their names.
    """
    return tuple(_Proposer(version, cases, () if everything else touched, everything=everything).proposals())


class _Proposer:
    def __init__(
        self, version: Version, cases: Iterable[Case], touched: Iterable[AnswerTrace], *, everything: bool
    ) -> None:
        self.version, self.everything = version, everything
        self.tracer, self.witnesses = Tracer(version), RuleTickets(version)
        self.decider = self.witnesses.decider
        self._names = {case.name for case in cases}
        self._asked: set[tuple[str, tuple[tuple[str, str], ...], datetime | None]] = set()
        self._rules: set[str] = set()
        self._points: dict[tuple[str, Cell, str], set[float]] = {}
        self._states: set[tuple[str, DeadlineState, bool]] = set()
        self._turns: set[tuple[str, str]] = set()
        for one in touched:
            self._cover(one)

    def _cover(self, touched: AnswerTrace) -> None:
        self._rules |= touched.rules
        for table, cell, fact, number in touched.points:
            self._points.setdefault((table, cell, fact), set()).add(number)
        self._states |= touched.states
        self._turns |= touched.turns

    def proposals(self) -> Iterator[Proposal]:
        for table in self._tables():
            for at in range(len(table.all_rules)):
                yield from self._rule(table, at)
        for table in self._tables():
            for at in range(len(table.rules)):
                yield from self._thresholds(table, at)
        for name in self.version.policy.deadlines:
            yield from self._about_the_end(name)
        for roster in self.version.policy.rosters.values():
            for entry in roster.entries:
                yield from self._turn(roster, entry.value)

    def _tables(self) -> list[Table]:
        """Return the tables behind decisions, in the order of the files."""
        policy = self.version.policy
        behind = {name for plan in self.version.plans.values() for name in self.tracer.tables_of(plan)}
        asked = {one.deadline.name for plan in self.version.plans.values() for one in plan.deadlines}
        found = [policy.tables[name] for name in behind] + [policy.deadlines[name].table for name in asked]
        return sorted(found, key=lambda table: (table.place, table.name))

    def _rule(self, table: Table, at: int) -> Iterator[Proposal]:
        rule = table.all_rules[at]
        if rule.id in self._rules and not self.everything:
            return
        witness = self.witnesses.rule(table.name, at)
        if witness is None:
            return
        answer = self.decider.decide(witness.decision, witness.facts)
        given = [one for one in answer.outcomes if any(fired.id == rule.id for fired in one.rules)]
        own = [one for one in given if one.name in table.produces] or given
        yield from self._made(
            f"Rule {rule.id} gives {_said(own[0])}",
            witness,
            answer,
            outcomes=[one.name for one in given],
            rules=(rule.id,),
        )

    def _thresholds(self, table: Table, at: int) -> Iterator[Proposal]:
        """Yield the cases just below, on and just above each number that a rule names, all else equal."""
        rule = table.rules[at]
        facts = self.version.policy.facts
        ends = [
            (one.fact, end)
            for one in rule.when
            if one.fact in facts and facts[one.fact].numeric
            for interval in one.intervals
            for end in (interval.low, interval.high)
            if end in self.version.atoms[one.fact].cuts
        ]
        witness = self.witnesses.rule(table.name, at) if ends else None
        for fact, end in dict.fromkeys(ends):
            for where, value in _sides(self.version.atoms[fact], end):
                if witness is not None:
                    yield from self._side(
                        table, witness, fact, (end, value), f"{where} the {number_text(end)} of {rule.id}"
                    )

    def _side(
        self, table: Table, witness: Witness, fact: str, side: tuple[float, float], where: str
    ) -> Iterator[Proposal]:
        end, value = side
        sent = {**witness.facts, fact: number_text(value)}
        ordered = {name: sent[name] for name in self.version.policy.facts if name in sent}
        answer = self.decider.decide(witness.decision, ordered)
        touched = self.tracer.touched(witness.decision, ordered, NO_MOMENT, answer)
        if not self.everything and all(
            self._near(point, end) for point in touched.points if point[0] == table.name and point[2] == fact
        ):
            return
        rules = [rule.id for rule in answer.rules if rule.table == table.name]
        outcomes = [one.name for one in answer.outcomes if any(fired.id in rules for fired in one.rules)]
        first = next((one for one in answer.outcomes if one.name in outcomes), answer.outcomes[0])
        yield from self._made(
            f"With {fact} {number_text(value)}, {where}, {_verdict(first)}",
            Witness(witness.decision, ordered),
            answer,
            outcomes=outcomes,
            rules=rules,
        )

    def _near(self, point: Point, end: float) -> bool:
        """Return whether a case touches the same cell with a number as near to the threshold, on the same side."""
        table, cell, fact, number = point
        sent = self._points.get((table, cell, fact), ())
        return any((one - end) * (number - end) >= 0 and abs(one - end) <= abs(number - end) for one in sent)

    def _about_the_end(self, name: str) -> Iterator[Proposal]:
        """Yield the cases a second before, at and a second after the instant at which something is due."""
        table = self.version.policy.deadlines[name].table
        for at in range(len(table.rules)):
            witness = self.witnesses.rule(name, at)
            answer = self.decider.decide(witness.decision, witness.facts) if witness else None
            due = next((one.due for one in answer.dues if one.name == name), None) if answer else None
            if witness is None or due is None:
                continue
            for when, now in (("a second before", due - SECOND), ("at", due), ("a second after", due + SECOND)):
                moment = Moment(now.astimezone(UTC))
                then = self.decider.decide(witness.decision, witness.facts, moment)
                state = next((one.standing.state for one in then.dues if one.name == name and one.standing), None)
                if state is not None and (self.everything or (name, state, when == "at") not in self._states):
                    said = f"{name} by {table.rules[at].id} is {state.value} {when} its end"
                    yield from self._made(
                        said,
                        witness,
                        then,
                        outcomes=[name],
                        rules=(table.rules[at].id,),
                        now=moment.now,
                        states={name: state},
                    )
            return

    def _turn(self, roster: Roster, entry: str) -> Iterator[Proposal]:
        if (roster.produces, entry) in self._turns:
            return
        witness = self.witnesses.turn(roster, entry)
        if witness is not None:
            answer = self.decider.decide(witness.decision, witness.facts)
            yield from self._made(
                f"{entry} has the turn at {witness.facts[roster.at]}",
                witness,
                answer,
                outcomes=[roster.produces],
                rules=[roster.name],
            )

    def _made(
        self,
        name: str,
        witness: Witness,
        answer: Answer,
        *,
        outcomes: Iterable[str],
        rules: Iterable[str],
        now: datetime | None = None,
        states: Mapping[str, DeadlineState] | None = None,
    ) -> Iterator[Proposal]:
        """Make a proposal, unless the same ticket was proposed already."""
        asked = (witness.decision, tuple(witness.facts.items()), now)
        if asked in self._asked:
            return
        self._asked.add(asked)
        self._cover(self.tracer.touched(witness.decision, witness.facts, Moment(now), answer))
        answering = [one.name for one in answer.outcomes[: answer.answers]]
        shown = {*outcomes, *answering}
        ordered = tuple(one.name for one in answer.outcomes if one.name in shown)
        yield Proposal(
            name=self._unique(name),
            decision=witness.decision,
            facts=witness.facts,
            now=now,
            answer=answer,
            outcomes=ordered,
            rules=tuple(rules),
            states=states or {},
        )

    def _unique(self, name: str) -> str:
        found, number = name, 1
        while found in self._names:
            number += 1
            found = f"{name} ({number})"
        self._names.add(found)
        return found


def _sides(atoms: Atoms, end: float) -> Iterator[tuple[str, float]]:
    """Yield a number just below a threshold, the threshold, and a number just above it, if the fact allows them.

    >>> from engine.model.vocabulary import Fact
    >>> list(
    ...     _sides(
    ...         Atoms(
    ...             fact=Fact(name="share", type=FactType.NUMBER, minimum=0, maximum=100),
    ...             samples=(0.0, 0.25, 0.5, 75.0, 100.0),
    ...             cuts=(0.0, 0.5, 100.0),
    ...         ),
    ...         0.5,
    ...     )
    ... )
    [('just below', 0.25), ('on', 0.5), ('just above', 1.5)]
    """
    fact, at = atoms.fact, atoms.cuts.index(end)
    for where, step, neighbours in (
        ("just below", -1.0, atoms.cuts[:at][-1:]),
        ("on", 0.0, ()),
        ("just above", 1.0, atoms.cuts[at + 1 :][:1]),
    ):
        room = abs(neighbours[0] - end) if neighbours else 2.0
        value = end + step * (1.0 if room > 1 or fact.type is FactType.INTEGER else room / 2)
        below = fact.minimum is not None and value < fact.minimum
        above = fact.maximum is not None and value > fact.maximum
        if not (below or above or (fact.type is FactType.INTEGER and value != int(value))):
            yield where, value


def _said(outcome: Outcome) -> str:
    """Return an outcome as text for the name of a case."""
    value = _short(outcome)
    return f"{outcome.name} {value}" if value else outcome.name


def _verdict(outcome: Outcome) -> str:
    return f"{outcome.name} is {_short(outcome) or 'as expected here'}"


def _short(outcome: Outcome) -> str:
    """Return the value or status of an outcome as text; "" if it is too long for a name."""
    value = written(outcome.value) if outcome.status is Status.DECIDED else outcome.status.value.replace("_", " ")
    return value if len(value) <= MAX_SHOWN else ""


def plain(proposal: Proposal) -> dict[str, object]:
    """Return a proposal as a case is written: keys and plain values."""
    answer = proposal.answer
    made: dict[str, object] = {"name": proposal.name, "decision": proposal.decision, "facts": dict(proposal.facts)}
    if proposal.now is not None:
        made["now"] = iso(proposal.now)
    if answer.status is not Status.DECIDED:
        made["status"] = answer.status.value
    made["expect"] = {name: _expected(answer[name]) for name in proposal.outcomes}
    if answer.missing and not proposal.rules:
        made["missing"] = list(answer.missing)
    if proposal.rules:
        made["rules"] = list(proposal.rules)
    if proposal.states:
        made["states"] = {name: state.value for name, state in proposal.states.items()}
    return made


def _expected(outcome: Outcome) -> object:
    if outcome.status is not Status.DECIDED:
        return outcome.status.value
    return list(outcome.value) if isinstance(outcome.value, tuple) else written(outcome.value)
