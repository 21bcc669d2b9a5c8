"""The deadlines and duties of a ticket, added to the cached answer for its other facts."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from engine.clock.clock import Holds
from engine.clock.zone import to_micros
from engine.deadlines.clocks import Clocks
from engine.deadlines.due import counted_holds, due, reach
from engine.deadlines.schedule import Schedule
from engine.decide.assemble import assemble, ordered
from engine.decide.live_decision import LiveDecision
from engine.model.answer import Answer, DeadlineState, Due, Duty, FiredRule, Outcome, Passed, Status
from engine.model.policy import Deadline, Literal
from engine.model.targets import Target
from engine.request.moment import Moment
from engine.request.ticket import Ticket
from engine.version.version import DecisionPlan


def fill_deadlines(
    live: LiveDecision,
    undated: Answer,
    ticket: Ticket,
    moment: Moment,
    *,
    duties: tuple[Duty, ...],
    passed: tuple[Passed, ...],
) -> Answer:
    """Return an answer with the instants of a ticket: its deadlines, duties and elapsed times.

    Args:
        live: the decision.
        undated: the cached answer for the other facts of the ticket.
        ticket: the facts, as read.
        moment: ``now`` and the holds on the ticket.
        duties: who is on duty, for each roster whose instant the ticket has.
        passed: the facts that were computed from instants.
    """
    plan, clocks = live.plan, live.clocks
    dues: list[Due] = []
    outcomes = list(undated.outcomes)
    answering = undecided = False
    more = tuple([rule for one in passed if one.value is not None for rule in one.rules])
    same_rules = not more
    for scheduler in live.schedulers:
        deadline = scheduler.plan.deadline
        starts = ticket.instants.get(deadline.starts)
        if starts is None:
            continue
        schedule, at = scheduler.schedule(ticket.atoms), plan.index[deadline.name]
        if schedule.target is not None:
            made = due(
                deadline, schedule.target, clocks, starts=starts, met=ticket.instants.get(deadline.met), moment=moment
            )
            dues.append(made)
            found = _due_outcome(made, outcomes[at], deadline)
            same_rules = same_rules and found.rules is outcomes[at].rules
        elif schedule.status is Status.UNDECIDED:
            met = ticket.instants.get(deadline.met)
            possible, unsure = _possible(clocks, schedule, starts, counted_holds(deadline, met, moment))
            dues += [due(deadline, unsure, clocks, starts=starts, met=met, moment=moment)] if unsure else []
            found = replace(outcomes[at], possible=possible)
        else:
            continue
        outcomes[at] = found
        answering = answering or at < undated.answers
        undecided = undecided or found.status is not Status.DECIDED
    identity = _identity(plan, undated, ticket, moment)
    if answering:
        return replace(
            assemble(live, ticket, identity, tuple(outcomes), more),
            dues=tuple(dues),
            duties=duties,
            passed=passed,
            has_instants=True,
        )
    rules = undated.rules if same_rules else ordered(tuple(outcomes), more)
    return Answer(
        id=identity,
        decision=undated.decision,
        status=undated.status,
        outcomes=tuple(outcomes),
        answers=undated.answers,
        missing=undated.missing,
        possible=undated.possible,
        ask_next=undated.ask_next,
        rules=rules,
        assumptions=undated.assumptions if same_rules else tuple([rule for rule in rules if rule.assumption]),
        unlisted=undated.unlisted,
        version=undated.version,
        dues=tuple(dues),
        duties=duties,
        passed=passed,
        has_instants=True,
        undated_id=undated.id if same_rules and not undecided else None,
    )


def _identity(plan: DecisionPlan, undated: Answer, ticket: Ticket, moment: Moment) -> str:
    """Return an id that is the same for the same answer at the same instants."""
    sent, now = ticket.instants, moment.now
    instants = [to_micros(sent[name]) if name in sent else None for name in plan.instants]
    content = f"({undated.id!r}, {[*instants, None if now is None else to_micros(now)]}, {moment.holds!r})"
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _due_outcome(made: Due, undated: Outcome, deadline: Deadline) -> Outcome:
    """Return the outcome of a deadline with its instant; undecided if holidays are unknown."""
    rules = undated.rules
    if made.extended is not None and deadline.holds.assumption:
        rules += (
            FiredRule(
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
            FiredRule(
                id=f"{deadline.name}.at_risk",
                table=deadline.name,
                place=deadline.place,
                source=deadline.table.source,
                assumption=deadline.at_risk.assumption,
            ),
        )
    if made.due is None:
        return Outcome(
            name=undated.name,
            status=Status.UNDECIDED if made.uncertain else Status.NOT_COVERED,
            value=None,
            text="",
            possible=(),
            missing=(),
            rules=rules,
        )
    return Outcome(
        name=undated.name, status=Status.DECIDED, value=made.due, text="", possible=(), missing=(), rules=rules
    )


def _possible(
    clocks: Clocks, schedule: Schedule, starts: datetime, holds: Holds
) -> tuple[tuple[Literal | None, ...], Target | None]:
    """Return the instants that are still possible, the earliest first (None: nothing is due), and no target.

    If the list of holidays does not reach far enough for one of the targets, return no instants, and that target.
    """
    found = set()
    for target in schedule.possible:
        if target is not None:
            reached = reach(clocks.of(target.calendar, target.region), target, starts, holds)
            if not reached.sure:
                return (), target
            found.add(reached.instant)
    instants: list[Literal | None] = [*sorted(instant for instant in found if instant is not None)]
    return ((*instants, None) if None in schedule.possible else tuple(instants)), None
