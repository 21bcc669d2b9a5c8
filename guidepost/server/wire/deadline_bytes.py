"""Deadlines and duties in, bytes out: the messages of ``times``, with the parts that recur encoded once."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from engine.clock.localtime import local_text
from engine.clock.stretches import StretchKind
from engine.deadlines.due import in_units
from engine.model.answer import DeadlineState, Due, Duty, Shift, Standing
from engine.model.targets import Target
from guidepost.server.wire.protobuf_bytes import (
    duration,
    field_numbers,
    flag,
    number,
    real,
    sized,
    tag,
    text,
    timestamp,
)
from guidepost.server.wire.times import DAY_RULE, KIND, STATE, UNIT, uncertain
from guidepost.v1 import deadline_pb2 as pb

CACHE_SIZE: Final = 4_096

_DEADLINE: Final = field_numbers(pb.Deadline)
_STRETCH: Final = field_numbers(pb.Stretch)
_STANDING: Final = field_numbers(pb.Standing)
_BUSINESS_TIME: Final = field_numbers(pb.BusinessTime)
_DUTY: Final = field_numbers(pb.Duty)
_SHIFT: Final = field_numbers(pb.Shift)

# Tags and constant fields are encoded once, since deadlines are encoded for nearly every answer.
STARTS, DUE, LOCAL_DUE, STRETCHES, ESTIMATED, HELD, STANDING, UNCERTAIN = (
    tag(_DEADLINE[name])
    for name in ("starts", "due", "local_due", "stretches", "estimated_holidays", "held", "standing", "uncertain")
)
EXTENDED: Final = {
    False: flag(_DEADLINE["extended"], False),
    True: flag(_DEADLINE["extended"], True),
    None: b"",
}
START, END, STRETCH_NAME = tag(_STRETCH["start"]), tag(_STRETCH["end"]), _STRETCH["name"]
KINDS: Final = {kind: number(_STRETCH["kind"], KIND[kind]) for kind in StretchKind}
STATES: Final = {state: number(_STANDING["state"], STATE[state]) for state in DeadlineState}
AT, USED, LEFT, LATE, AT_RISK_FROM, LATE_AT_LEAST = (
    tag(_STANDING[name]) for name in ("at", "used", "left", "late", "at_risk_from", "late_at_least")
)
AMOUNT, TIME = _BUSINESS_TIME["amount"], tag(_BUSINESS_TIME["time"])
DUTY_AT, ON_DUTY, NEXT = (tag(_DUTY[name]) for name in ("at", "on_duty", "next"))
BEGINS, ENDS, LOCAL_TIME = (tag(_SHIFT[name]) for name in ("begins", "ends", "local_time"))

_recurring: Final = lru_cache(CACHE_SIZE)(timestamp)
"""Encodes an instant that many answers share, such as the instant at which a batch is decided."""


@lru_cache(CACHE_SIZE)
def _target(name: str, target: Target, calendar: str, zone: str, tzdb: str) -> tuple[bytes, bytes, bytes]:
    """Encode the fields of a deadline that do not depend on its instants: those before, between and after them."""
    rule = number(_DEADLINE["unit"], UNIT[target.unit]) + number(_DEADLINE["day_rule"], DAY_RULE[target.rule])
    return (
        text(_DEADLINE["name"], name),
        real(_DEADLINE["amount"], target.amount)
        + rule
        + text(_DEADLINE["calendar"], calendar)
        + text(_DEADLINE["zone"], zone),
        text(_DEADLINE["tzdb"], tzdb),
    )


def deadline(due: Due) -> bytes:
    """Encode a deadline."""
    name, between, after = _target(due.name, due.target, due.calendar, due.zone, due.tzdb)
    begin = timestamp(due.starts)
    if due.due is None:
        parts = [name, STARTS, begin, between, after]
    else:
        end = timestamp(due.due)
        parts = [
            name,
            STARTS,
            begin,
            DUE,
            end,
            between,
            sized(LOCAL_DUE, local_text(due.due, due.zone).encode()),
            after,
        ]
        # Stretches follow each other without a gap, from the start to the due time.
        last = len(due.stretches) - 1
        for at, stretch in enumerate(due.stretches):
            until = end if at == last else timestamp(stretch.end)
            content = START + begin + END + until + KINDS[stretch.kind] + text(STRETCH_NAME, stretch.name)
            parts.append(sized(STRETCHES, content))
            begin = until
    parts += [sized(ESTIMATED, one.encode()) for one in due.estimated]
    parts.append(EXTENDED[due.extended])
    if due.held:
        parts.append(HELD + duration(due.held))
    if due.standing is not None:
        parts.append(sized(STANDING, _standing(due.standing, due.target)))
    if due.uncertain is not None:
        parts.append(sized(UNCERTAIN, uncertain(due.uncertain).SerializeToString()))
    return b"".join(parts)


def _standing(standing: Standing, target: Target) -> bytes:
    state, at, used, left, late, total, at_risk_from, at_least = standing
    encoded = STATES[state] + AT + _recurring(at)
    for before, time in ((USED, used), (LEFT, left), (LATE, late)):
        if time is not None:
            encoded += _business_time(before, time, target, total)
    encoded = encoded if at_risk_from is None else encoded + AT_RISK_FROM + timestamp(at_risk_from)
    return encoded if at_least is None else encoded + _business_time(LATE_AT_LEAST, at_least, target, total)


def _business_time(before: bytes, time: timedelta, target: Target, total: timedelta) -> bytes:
    return sized(before, real(AMOUNT, in_units(time, target, total)) + TIME + duration(time))


def duty(turn: Duty) -> bytes:
    """Encode a duty."""
    at = turn.at
    return (
        text(_DUTY["name"], turn.outcome)
        + DUTY_AT
        + timestamp(at)
        + number(_DUTY["daytime"], turn.daytime)
        + sized(ON_DUTY, _shift(turn.now) + _local(turn.now, at))
        + sized(NEXT, _shift(turn.next) + _local(turn.next, at))
    )


@lru_cache(CACHE_SIZE)
def _shift(shift: Shift) -> bytes:
    return (
        text(_SHIFT["value"], shift.value)
        + text(_SHIFT["name"], shift.name)
        + text(_SHIFT["zone"], shift.zone)
        + BEGINS
        + timestamp(shift.begins)
        + ENDS
        + timestamp(shift.ends)
    )


def _local(shift: Shift, at: datetime) -> bytes:
    return sized(LOCAL_TIME, local_text(at, shift.zone).encode())
