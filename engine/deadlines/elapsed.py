"""Elapsed time as a fact: computed from an instant of the ticket and `now`, unless the caller sends the fact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.clock.calendar import DayRule
from engine.deadlines.clocks import Clocks
from engine.deadlines.due import uncertain
from engine.model.answer import FiredRule, Passed, Status
from engine.model.policy import Elapsed
from engine.model.targets import BY_DAY, Counting, Unit, WrittenCalendar
from engine.model.vocabulary import FactType
from engine.request.ticket import Ticket
from engine.tables.atoms import Atoms
from engine.tables.explain import Explainer


@dataclass(frozen=True, slots=True, kw_only=True)
class ElapsedPlan:
    """How a fact follows from an instant.

    Attributes:
        slot: the slot of the fact in a ticket.
        atoms: the atoms of the fact.
        region: the outcome with the region whose calendar counts; "" if the policy names no region.
    """

    elapsed: Elapsed
    slot: int
    atoms: Atoms
    region: str


class ElapsedFact:
    """Computes one elapsed time for tickets."""

    def __init__(self, plan: ElapsedPlan, explainer: Explainer, clocks: Clocks) -> None:
        self.plan, self.explainer, self.clocks = plan, explainer, clocks

    @property
    def needs_region(self) -> bool:
        """Whether the time depends on the region of the ticket."""
        elapsed = self.plan.elapsed
        return bool(self.plan.region) and self.clocks.policy.calendars[elapsed.calendar].needs_region(elapsed.unit)

    def add_to(self, ticket: Ticket, now: datetime) -> tuple[Ticket, Passed | None]:
        """Return a ticket with the fact, and how it was computed.

        The ticket is returned as it is, with None, if it has the fact, lacks the instant, or its region is not decided.
        """
        elapsed = self.plan.elapsed
        since = ticket.instants.get(elapsed.since)
        if since is None or ticket.atoms[self.plan.slot]:
            return ticket, None
        where = self._region(ticket)
        if where is None:
            return ticket, None
        region, rules = where
        value, fact = self._value(region, since, now), self.plan.atoms.fact
        if value is not None:
            value = max(value, fact.minimum) if fact.minimum is not None else value
            value = min(value, fact.maximum) if fact.maximum is not None else value
            atoms = list(ticket.atoms)
            atoms[self.plan.slot] = self.plan.atoms.of(value)
            ticket = ticket._replace(atoms=atoms)
        written = self.clocks.policy.calendars[elapsed.calendar]
        calendar = self.clocks.of(elapsed.calendar, region).calendar
        passed = Passed(
            fact=elapsed.fact,
            value=value,
            unit=elapsed.unit.value,
            since=elapsed.since,
            until=now,
            calendar=calendar.name,
            rules=(_fired(elapsed.fact, elapsed), _fired(written.name, written), *rules),
            uncertain=uncertain(calendar) if value is None else None,
        )
        return ticket, passed

    def _region(self, ticket: Ticket) -> tuple[str, tuple[FiredRule, ...]] | None:
        """Return the region ("" if none is needed) and the rules behind it; None if it is not decided."""
        if not self.needs_region:
            return "", ()
        outcome = self.explainer.outcome(self.plan.region, ticket.atoms)
        return (
            (outcome.value, outcome.rules)
            if outcome.status is Status.DECIDED and isinstance(outcome.value, str)
            else None
        )

    def _value(self, region: str, since: datetime, now: datetime) -> float | None:
        """Return the number of units; None where the holidays are not known far enough."""
        one = self.plan.elapsed
        clock = self.clocks.of(one.calendar, region)
        if one.unit in BY_DAY:
            return clock.count_days(since, now, DayRule(one.rule), begun=one.counting is Counting.BEGUN)
        counted = clock.count(since, now)
        if not counted.sure:
            return None
        seconds = counted.amount.total_seconds()
        per_unit = 60 if one.unit is Unit.MINUTES else 3600
        if one.counting is Counting.EXACT and self.plan.atoms.fact.type is not FactType.INTEGER:
            return seconds / per_unit
        return float(-(-seconds // per_unit) if one.counting is Counting.BEGUN else seconds // per_unit)


def _fired(name: str, source: Elapsed | WrittenCalendar) -> FiredRule:
    return FiredRule(id=name, table=name, place=source.place, source=source.source, assumption=source.assumption)
