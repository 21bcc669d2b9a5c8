"""Instants, deadlines, duties and elapsed time, in both directions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from engine.clock.localtime import local_text
from engine.clock.stretches import StretchKind
from engine.clock.zone import EPOCH
from engine.deadlines.due import in_units
from engine.model.answer import DeadlineState, Due, Duty, Passed, Shift, Standing, Uncertain
from engine.model.targets import Target
from engine.request.moment import ZERO
from guidepost.v1 import deadline_pb2 as pb

UNIT: Final = {
    "minutes": pb.TIME_UNIT_MINUTES,
    "hours": pb.TIME_UNIT_HOURS,
    "business_days": pb.TIME_UNIT_BUSINESS_DAYS,
    "days": pb.TIME_UNIT_DAYS,
}
DAY_RULE: Final = {
    "": pb.DAY_RULE_UNSPECIFIED,
    "roll_then_clock": pb.DAY_RULE_ROLL_THEN_CLOCK,
    "roll_then_close": pb.DAY_RULE_ROLL_THEN_CLOSE,
}

KIND: Final = {kind: getattr(pb, f"STRETCH_KIND_{kind.name}") for kind in StretchKind}
STATE: Final = {state: getattr(pb, f"DEADLINE_STATE_{state.name}") for state in DeadlineState}


def instant(timestamp: Timestamp) -> datetime:
    """Return the instant of a timestamp, to the microsecond; raises ValueError if it is out of range."""
    try:
        return timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"expected an instant, got {timestamp.seconds} seconds and {timestamp.nanos} nanoseconds"
        ) from error


def required_instant(timestamp: Timestamp) -> datetime:
    """Return the instant of a timestamp that a caller has to set.

    Raises ValueError if it is not set or out of range.
    """
    at = instant(timestamp)
    if at == EPOCH:
        raise ValueError(f"is {ZERO} Leave the field out, or send the time itself")
    return at


def timestamp(at: datetime) -> Timestamp:
    """Return the timestamp of an instant."""
    written = Timestamp()
    written.FromDatetime(at)
    return written


def deadline(due: Due) -> pb.Deadline:
    """Return the message of a deadline."""
    written = pb.Deadline()
    write_deadline(written, due)
    return written


def write_deadline(written: pb.Deadline, due: Due) -> None:
    """Fill the message of a deadline."""
    target = due.target
    written.name, written.calendar, written.zone, written.tzdb = due.name, due.calendar, due.zone, due.tzdb
    written.amount, written.unit, written.day_rule = target.amount, UNIT[target.unit], DAY_RULE[target.rule]
    written.starts.FromDatetime(due.starts)
    if due.due is not None:
        written.due.FromDatetime(due.due)
        written.local_due = local_text(due.due, due.zone)
    for stretch in due.stretches:
        one = written.stretches.add(kind=KIND[stretch.kind], name=stretch.name)
        one.start.FromDatetime(stretch.start)
        one.end.FromDatetime(stretch.end)
    written.estimated_holidays.extend(due.estimated)
    if due.extended is not None:
        written.extended = due.extended
    if due.held:
        written.held.FromTimedelta(due.held)
    if due.standing is not None:
        _write_standing(written.standing, due.standing, target)
    if due.uncertain is not None:
        written.uncertain.CopyFrom(uncertain(due.uncertain))


def duty(turn: Duty) -> pb.Duty:
    """Return the message of a duty."""
    return pb.Duty(
        name=turn.outcome,
        at=timestamp(turn.at),
        daytime=turn.daytime,
        on_duty=_shift(turn.now, turn.at),
        next=_shift(turn.next, turn.at),
    )


def elapsed(passed: Passed) -> pb.ElapsedFact:
    """Return the message of a fact that follows from elapsed time."""
    written = pb.ElapsedFact(
        fact=passed.fact, since=passed.since, until=timestamp(passed.until), calendar=passed.calendar
    )
    if passed.value is not None:
        written.value = passed.value
    if passed.uncertain is not None:
        written.uncertain.CopyFrom(uncertain(passed.uncertain))
    return written


def _write_standing(written: pb.Standing, standing: Standing, target: Target) -> None:
    written.state = STATE[standing.state]
    written.at.FromDatetime(standing.at)
    amounts = (
        (written.used, standing.used),
        (written.left, standing.left),
        (written.late, standing.late),
        (written.late_at_least, standing.late_at_least),
    )
    for message, time in amounts:
        if time is None:
            continue
        message.amount = in_units(time, target, standing.total)
        message.time.FromTimedelta(time)
    if standing.at_risk_from is not None:
        written.at_risk_from.FromDatetime(standing.at_risk_from)


def uncertain(why: Uncertain) -> pb.Uncertain:
    """Return the message of why a deadline has no instant."""
    not_before = None if why.not_before is None else timestamp(why.not_before)
    return pb.Uncertain(
        holidays=why.holidays, first=why.first.isoformat(), last=why.last.isoformat(), not_before=not_before
    )


def _shift(shift: Shift, at: datetime) -> pb.Shift:
    return pb.Shift(
        value=shift.value,
        name=shift.name,
        zone=shift.zone,
        begins=timestamp(shift.begins),
        ends=timestamp(shift.ends),
        local_time=local_text(at, shift.zone),
    )
