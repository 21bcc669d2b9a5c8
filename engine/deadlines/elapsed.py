"""Time that has passed, as a fact: worked out from an instant of the ticket and `now`, where the caller did not send it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.clock.calendar import DayRule
from engine.deadlines.clocks import Clocks
from engine.deadlines.due import uncertain
from engine.model.answer import Fired, Passed, Status
from engine.model.policy import Elapsed
from engine.model.targets import BY_DAY, Counting, Unit
from engine.model.vocabulary import FactType
from engine.request.lookup import OutcomeLookup
from engine.request.ticket import Ticket
from engine.tables.classes import Atoms
from engine.tables.explain import Explainer


@dataclass(frozen=True, slots=True, kw_only=True)
class ElapsedFact:
    """How one fact follows from an instant: ``slot`` is its place in a ticket, ``region`` where its region stands."""

    elapsed: Elapsed
    slot: int
    atoms: Atoms
    region: OutcomeLookup | None
    explainer: Explainer
    clocks: Clocks

    def fill(self, ticket: Ticket, now: datetime) -> Passed | None:
        """Put the fact into a ticket that does not have it, if it can be worked out; give what it is."""
        since = ticket.instants.get(self.elapsed.since)
        if since is None or ticket.atoms[self.slot]:
            return None
        where = self._region(ticket)
        if where is None:
            return None
        region, rules = where
        value, fact = self._value(region, since, now), self.atoms.fact
        if value is not None:
            value = max(value, fact.minimum) if fact.minimum is not None else value
            value = min(value, fact.maximum) if fact.maximum is not None else value
            ticket.atoms[self.slot] = self.atoms.of(value)
        one, written = self.elapsed, self.clocks.policy.calendars[self.elapsed.calendar]
        calendar = self.clocks.of(one.calendar, region).calendar
        own = Fired(id=one.fact, table=one.fact, place=one.place, source=one.source, assumption=one.assumption)
        kept = Fired(
            id=written.name,
            table=written.name,
            place=written.place,
            source=written.source,
            assumption=written.assumption,
        )
        why = uncertain(calendar) if value is None else None
        return Passed(
            fact=one.fact,
            value=value,
            unit=one.unit.value,
            since=one.since,
            until=now,
            calendar=calendar.name,
            rules=(own, kept, *rules),
            uncertain=why,
        )

    def _region(self, ticket: Ticket) -> tuple[str, tuple[Fired, ...]] | None:
        """Return the region, "" where none is needed, and the rules behind it; None if it is not decided."""
        if self.region is None or not self.clocks.policy.calendars[self.elapsed.calendar].needs_region(
            self.elapsed.unit
        ):
            return "", ()
        outcome = self.explainer.outcome(self.region.outcome, self.region.cell(ticket.atoms))
        return (
            (outcome.value, outcome.rules)
            if outcome.status is Status.DECIDED and isinstance(outcome.value, str)
            else None
        )

    def _value(self, region: str, since: datetime, now: datetime) -> float | None:
        """Return the number of units; None where the holidays are not known far enough."""
        one, clock = self.elapsed, self.clocks.of(self.elapsed.calendar, region)
        if one.unit in BY_DAY:
            return clock.count_days(since, now, DayRule(one.rule), begun=one.counting is Counting.BEGUN)
        counted = clock.count(since, now)
        if not counted.sure:
            return None
        seconds = counted.amount.total_seconds()
        per_unit = 60 if one.unit is Unit.MINUTES else 3600
        if one.counting is Counting.EXACT and self.atoms.fact.type is not FactType.INTEGER:
            return seconds / per_unit
        return float(-(-seconds // per_unit) if one.counting is Counting.BEGUN else seconds // per_unit)
