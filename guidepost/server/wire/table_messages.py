"""Tables, deadlines, rosters and calendars of a version in, messages out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from engine.clock.calendar import HolidayList, HolidayStatus, Interval
from engine.model.conditions import Condition
from engine.model.policy import Deadline, Elapsed, HitPolicy, Literal, Roster, Rule, SameAs, Table
from engine.model.targets import Measure, Region, Unit, WrittenCalendar
from guidepost.server.wire.answer_message import place, value
from guidepost.server.wire.times import DAY_RULE, UNIT
from guidepost.v1 import deadline_pb2, policy_pb2

HIT: Final = {hit: getattr(policy_pb2, f"HIT_POLICY_{hit.name}") for hit in HitPolicy}


def table(one: Table) -> policy_pb2.DecisionTable:
    """Return the message of a decision table."""
    written = policy_pb2.DecisionTable(
        name=one.name,
        about=one.about,
        hit=HIT[one.hit],
        produces=one.produces,
        reads=one.reads,
        rules=[_rule(rule) for rule in one.rules],
        source=one.source,
        place=place(one.place),
    )
    if one.otherwise is not None:
        written.otherwise.CopyFrom(_rule(one.otherwise))
    if one.matrix is not None:
        written.matrix.CopyFrom(
            policy_pb2.MatrixLayout(
                down=one.matrix.down, across=one.matrix.across, rows=one.matrix.rows, columns=one.matrix.columns
            )
        )
    return written


def _rule(rule: Rule) -> policy_pb2.PolicyRule:
    return policy_pb2.PolicyRule(
        id=rule.id,
        when=[_condition(condition) for condition in rule.when],
        then=[_rule_outcome(name, outcome) for name, outcome in rule.then.items()],
        source=rule.source,
        assumption=rule.assumption,
        about=rule.about,
        place=place(rule.place),
    )


def _condition(condition: Condition) -> policy_pb2.RuleCondition:
    return policy_pb2.RuleCondition(fact=condition.fact, text=condition.text)


def _rule_outcome(name: str, outcome: Literal | SameAs | Measure) -> policy_pb2.RuleOutcome:
    if isinstance(outcome, SameAs):
        return policy_pb2.RuleOutcome(name=name, same_as=outcome.fact)
    if isinstance(outcome, Measure):
        return policy_pb2.RuleOutcome(name=name, measure=measure(outcome))
    return policy_pb2.RuleOutcome(name=name, value=value(outcome))


def measure(one: Measure) -> policy_pb2.TimeMeasure:
    """Return the message of how the time of a deadline counts."""
    unit = deadline_pb2.TIME_UNIT_UNSPECIFIED if one.unit is Unit.NOTHING else UNIT[one.unit.value]
    return policy_pb2.TimeMeasure(unit=unit, rule=DAY_RULE[one.rule], calendar=one.calendar, amount=one.amount)


def roster(one: Roster) -> policy_pb2.RosterDefinition:
    """Return the message of a roster."""
    return policy_pb2.RosterDefinition(
        name=one.name,
        about=one.about,
        at=one.at,
        opens=one.opens,
        closes=one.closes,
        places=[policy_pb2.RosterPlace(value=entry.value, zone=entry.zone, name=entry.name) for entry in one.entries],
        produces=one.produces,
        source=one.source,
        assumption=one.assumption,
        place=place(one.place),
    )


def deadline(one: Deadline) -> policy_pb2.DeadlineDefinition:
    """Return the message of a deadline."""
    written = policy_pb2.DeadlineDefinition(
        name=one.name,
        about=one.about,
        met=one.met,
        amount=one.amount,
        region=one.region,
        holds_extend=one.holds.extend,
        rules=[_rule(rule) for rule in one.table.rules],
        source=one.table.source,
        place=place(one.place),
    )
    setattr(written, "from", one.starts)
    return written


def elapsed(one: Elapsed) -> policy_pb2.ElapsedDefinition:
    """Return the message of a fact that follows from elapsed time."""
    written = policy_pb2.ElapsedDefinition(
        fact=one.fact,
        unit=UNIT[one.unit.value],
        counting=one.counting.value,
        rule=DAY_RULE[one.rule],
        calendar=one.calendar,
        region=one.region,
        source=one.source,
        assumption=one.assumption,
        place=place(one.place),
    )
    setattr(written, "from", one.since)
    return written


def calendar(one: WrittenCalendar) -> policy_pb2.CalendarDefinition:
    """Return the message of a calendar."""
    return policy_pb2.CalendarDefinition(
        name=one.name,
        about=one.about,
        zone=one.zone,
        holidays=one.holidays,
        always=one.always,
        week=[_hours(day) for day in one.week],
        dates=_dates(one.dates),
        breaks=_dates(one.breaks),
        source=one.source,
        assumption=one.assumption,
        place=place(one.place),
    )


def _dates(dates: Mapping[date, tuple[Interval, ...]]) -> dict[str, policy_pb2.DayHours]:
    return {day.isoformat(): _hours(intervals) for day, intervals in dates.items()}


def _hours(intervals: tuple[Interval, ...]) -> policy_pb2.DayHours:
    return policy_pb2.DayHours(hours=[policy_pb2.Hours(opens=one.opens, closes=one.closes) for one in intervals])


def region(one: Region) -> policy_pb2.RegionDefinition:
    """Return the message of a region."""
    return policy_pb2.RegionDefinition(
        name=one.name, about=one.about, zone=one.zone, holidays=one.holidays, place=place(one.place)
    )


def holidays(one: HolidayList) -> policy_pb2.HolidayListDefinition:
    """Return the message of a list of holidays."""
    days = [
        policy_pb2.HolidayDefinition(
            date=day.isoformat(),
            name=there.name,
            estimated=there.status is HolidayStatus.ESTIMATED,
            source=there.source,
        )
        for day, there in sorted(one.days.items())
    ]
    return policy_pb2.HolidayListDefinition(
        name=one.name, first=one.first.isoformat(), last=one.last.isoformat(), days=days
    )
