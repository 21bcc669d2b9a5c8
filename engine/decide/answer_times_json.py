"""The instants of an answer as plain data: deadlines, duties and elapsed times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from engine.clock.localtime import local_text
from engine.deadlines.due import in_units
from engine.model.answer import Due, Duty, Passed, Shift, Standing, Uncertain
from engine.model.targets import Target


def iso(at: datetime) -> str:
    """Return an instant as RFC 3339 text in UTC.

    >>> iso(datetime(2026, 1, 27, 4, 0, tzinfo=UTC))
    '2026-01-27T04:00:00Z'
    """
    if at.tzinfo is UTC:
        # The same text, without computing the offset: of all parts of a record, instants take longest to write.
        return f"{at.date().isoformat()}T{at.time().isoformat()}Z"
    return at.isoformat().replace("+00:00", "Z")


def plain_due(due: Due) -> dict[str, Any]:
    """Return a deadline: its due time, its stretches and its state."""
    target, why = due.target, due.uncertain
    found: dict[str, Any] = {
        "name": due.name,
        "starts": iso(due.starts),
        "due": iso(due.due) if due.due else None,
        "local_due": local_text(due.due, due.zone) if due.due else None,
        "amount": target.amount,
        "unit": target.unit.value,
        "rule": target.rule,
        "calendar": due.calendar,
        "zone": due.zone,
        "tzdb": due.tzdb,
        "stretches": [
            {"start": iso(one.start), "end": iso(one.end), "kind": one.kind.value, "name": one.name}
            for one in due.stretches
        ],
    }
    if due.estimated:
        found["estimated_holidays"] = list(due.estimated)
    if due.extended is not None:
        found["extended"], found["held"] = due.extended, _seconds(due.held)
    if due.standing is not None:
        found["standing"] = _standing(due.standing, target)
    return found | _uncertain(why)


def plain_duty(duty: Duty) -> dict[str, Any]:
    """Return who is on duty."""
    return {
        "name": duty.outcome,
        "at": iso(duty.at),
        "daytime": duty.daytime,
        "on_duty": _shift(duty.now, duty.at),
        "next": _shift(duty.next, duty.at),
    }


def plain_passed(passed: Passed) -> dict[str, Any]:
    """Return an elapsed time."""
    found = {
        "fact": passed.fact,
        "value": passed.value,
        "since": passed.since,
        "until": iso(passed.until),
        "calendar": passed.calendar,
    }
    return found | _uncertain(passed.uncertain)


def _uncertain(why: Uncertain | None) -> dict[str, Any]:
    """Return which holidays are not known, or an empty mapping."""
    if why is None:
        return {}
    not_before = iso(why.not_before) if why.not_before else None
    return {
        "uncertain": {
            "holidays": why.holidays,
            "first": why.first.isoformat(),
            "last": why.last.isoformat(),
            "not_before": not_before,
        }
    }


def _shift(shift: Shift, at: datetime) -> dict[str, Any]:
    return {
        "value": shift.value,
        "name": shift.name,
        "zone": shift.zone,
        "begins": iso(shift.begins),
        "ends": iso(shift.ends),
        "local_time": local_text(at, shift.zone),
    }


def _standing(standing: Standing, target: Target) -> dict[str, Any]:
    def amount(time: timedelta | None) -> dict[str, Any] | None:
        return None if time is None else {"amount": in_units(time, target, standing.total), "seconds": _seconds(time)}

    found = {
        "state": standing.state.value,
        "at": iso(standing.at),
        "used": amount(standing.used),
        "left": amount(standing.left),
        "late": amount(standing.late),
        "at_risk_from": iso(standing.at_risk_from) if standing.at_risk_from else None,
    }
    return found if standing.late_at_least is None else found | {"late_at_least": amount(standing.late_at_least)}


def _seconds(time: timedelta) -> float:
    return time.total_seconds()
