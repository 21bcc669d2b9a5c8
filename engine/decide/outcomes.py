"""The outcomes of rosters and deadlines, as far as they do not depend on the exact instant of a ticket."""

from __future__ import annotations

from engine.deadlines.schedule import Scheduler
from engine.model.answer import Duty, FiredRule, Outcome, Status
from engine.model.policy import Roster
from engine.request.ticket import Ticket


def roster_outcome(roster: Roster, duty: Duty | None) -> Outcome:
    """Return the outcome of a roster; undecided if the ticket lacks its instant."""
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
    rule = FiredRule(
        id=roster.name, table=roster.name, place=roster.place, source=roster.source, assumption=roster.assumption
    )
    return Outcome(
        name=roster.produces,
        status=Status.DECIDED,
        value=duty.now.value,
        text=duty.now.name,
        possible=(),
        missing=(),
        rules=(rule,),
    )


def deadline_outcome(scheduler: Scheduler, ticket: Ticket) -> Outcome:
    """Return the outcome of a deadline without its instant, which ``fill_deadlines`` adds for each ticket."""
    deadline, schedule = scheduler.plan.deadline, scheduler.schedule(ticket.atoms)
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
