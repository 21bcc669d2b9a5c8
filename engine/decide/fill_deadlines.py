"""The instants of a ticket: who has the turn, what is due when. Filled into the answer that is kept for its other facts."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from engine.clock.clock import Holds
from engine.clock.zone import to_micros
from engine.deadlines.due import counted_holds, due, reach
from engine.deadlines.roster import duty
from engine.deadlines.schedule import Schedule, Scheduler
from engine.decide.assemble import assemble, ordered
from engine.model.answer import Answer, DeadlineState, Due, Duty, Fired, Outcome, Passed, Status
from engine.model.policy import Deadline, Literal, Roster
from engine.model.targets import Target
from engine.request.moment import Moment
from engine.request.ticket import Ticket
from engine.version.version import DecisionPlan, Version


def from_roster(roster: Roster, duty: Duty | None) -> Outcome:
    """Return the outcome of a roster; undecided without an instant."""
    if duty is None:
        possible = tuple(entry.value for entry in roster.entries)
        return Outcome(
            name=roster.produces,
            status=Status.UNDECIDED,
            value=None,
            text="",
            possible=possible,
            missing=(roster.at,),
            rules=(),
        )
    fired = Fired(
        id=roster.name, table=roster.name, place=roster.place, source=roster.source, assumption=roster.assumption
    )
    return Outcome(
        name=roster.produces,
        status=Status.DECIDED,
        value=duty.now.value,
        text=duty.now.name,
        possible=(),
        missing=(),
        rules=(fired,),
    )


def from_schedule(scheduler: Scheduler, ticket: Ticket) -> Outcome:
    """Return the outcome of a deadline as far as it is known without its instant, which is filled in later."""
    deadline, schedule = scheduler.deadline, scheduler.schedule(ticket.atoms)
    if schedule.status is Status.NOT_COVERED:
        return Outcome(
            name=deadline.name,
            status=Status.NOT_COVERED,
            value=None,
            text="",
            possible=(),
            missing=(),
            rules=schedule.rules,
        )
    missing = () if deadline.starts in ticket.instants else (deadline.starts,)
    if missing or schedule.status is Status.UNDECIDED:
        return Outcome(
            name=deadline.name,
            status=Status.UNDECIDED,
            value=None,
            text="",
            possible=(),
            missing=tuple(sorted({*schedule.missing, *missing})),
            rules=(),
        )
    return Outcome(
        name=deadline.name, status=Status.DECIDED, value=None, text="", possible=(), missing=(), rules=schedule.rules
    )


def turn(version: Version, roster: Roster, instant: datetime) -> Duty:
    """Return who is on duty at an instant; kept by the minute, since zones and hours change on whole minutes."""
    key = (roster.name, instant.timestamp() // 60)
    found = version.duty.get(key)
    if found is None:
        found = version.duty.keep(key, duty(roster, instant))
    return Duty(found.outcome, instant, found.daytime, found.now, found.next)


def fill(
    version: Version,
    plan: DecisionPlan,
    kept: Answer,
    ticket: Ticket,
    moment: Moment,
    duties: tuple[Duty, ...],
    passed: tuple[Passed, ...],
) -> Answer:
    """Fill the instants of a ticket into the answer that is kept for its other facts."""
    dues: list[Due] = []
    outcomes = list(kept.outcomes)
    answering = undecided = False
    more = tuple([rule for one in passed if one.value is not None for rule in one.rules])
    same_rules = not more
    for scheduler in plan.schedulers:
        deadline = scheduler.deadline
        starts = ticket.instants.get(deadline.starts)
        if starts is None:
            continue
        schedule, place = scheduler.schedule(ticket.atoms), plan.places[deadline.name]
        if schedule.target is not None:
            made = due(deadline, schedule.target, version.clocks, starts, ticket.instants.get(deadline.met), moment)
            dues.append(made)
            found = _from_due(made, outcomes[place], deadline)
            same_rules = same_rules and found.rules is outcomes[place].rules
        elif schedule.status is Status.UNDECIDED:
            met = ticket.instants.get(deadline.met)
            possible, unsure = _possible(version, schedule, starts, counted_holds(deadline, met, moment))
            dues += [due(deadline, unsure, version.clocks, starts, met, moment)] if unsure else []
            found = replace(outcomes[place], possible=possible)
        else:
            continue
        outcomes[place] = found
        answering = answering or place < kept.answers
        undecided = undecided or found.status is not Status.DECIDED
    identity = _identity(plan, kept, ticket, moment)
    if answering:
        return replace(
            assemble(version, plan, ticket, identity, tuple(outcomes), more),
            dues=tuple(dues),
            duties=duties,
            passed=passed,
            undated="",
        )
    rules = kept.rules if same_rules else ordered(tuple(outcomes), more)
    undated = kept.id if same_rules and not undecided else ""
    return Answer(
        id=identity,
        decision=kept.decision,
        status=kept.status,
        outcomes=tuple(outcomes),
        answers=kept.answers,
        missing=kept.missing,
        possible=kept.possible,
        ask_next=kept.ask_next,
        rules=rules,
        assumptions=kept.assumptions if same_rules else tuple([rule for rule in rules if rule.assumption]),
        unlisted=kept.unlisted,
        version=kept.version,
        dues=tuple(dues),
        duties=duties,
        passed=passed,
        undated=undated,
    )


def _identity(plan: DecisionPlan, kept: Answer, ticket: Ticket, moment: Moment) -> str:
    """The same answer at the same instants has the same id."""
    asked, now = ticket.instants, moment.now
    instants = [to_micros(asked[name]) if name in asked else None for name in plan.instants]
    content = f"({kept.id!r}, {[*instants, None if now is None else to_micros(now)]}, {moment.holds!r})"
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _from_due(made: Due, dated: Outcome, deadline: Deadline) -> Outcome:
    """Return the outcome of a deadline: the instant; undecided where the holidays are not known so far."""
    rules = dated.rules
    if made.extended is not None and deadline.holds.assumption:
        rules += (
            Fired(
                id=f"{deadline.name}.holds",
                table=deadline.name,
                place=deadline.place,
                source=deadline.table.source,
                assumption=deadline.holds.assumption,
            ),
        )
    if (
        made.standing is not None
        and made.standing.state is DeadlineState.AT_RISK
        and deadline.at_risk is not None
        and deadline.at_risk.assumption
    ):
        rules += (
            Fired(
                id=f"{deadline.name}.at_risk",
                table=deadline.name,
                place=deadline.place,
                source=deadline.table.source,
                assumption=deadline.at_risk.assumption,
            ),
        )
    if made.due is None:
        return Outcome(
            name=dated.name,
            status=Status.UNDECIDED if made.uncertain else Status.NOT_COVERED,
            value=None,
            text="",
            possible=(),
            missing=(),
            rules=rules,
        )
    return Outcome(
        name=dated.name, status=Status.DECIDED, value=made.due, text="", possible=(), missing=(), rules=rules
    )


def _possible(
    version: Version, schedule: Schedule, starts: datetime, holds: Holds
) -> tuple[tuple[Literal | None, ...], Target | None]:
    """Return the instants that are still possible, the earliest first; None is that nothing is due.

    Where the holidays of one of the targets are not known far enough, there is no such list, but that target.
    """
    found = set()
    for target in schedule.possible:
        if target is not None:
            reached = reach(version.clocks.of(target.calendar, target.region), target, starts, holds)
            if not reached.sure:
                return (), target
            found.add(reached.instant)
    instants: list[Literal | None] = [*sorted(instant for instant in found if instant is not None)]
    return ((*instants, None) if None in schedule.possible else tuple(instants)), None
