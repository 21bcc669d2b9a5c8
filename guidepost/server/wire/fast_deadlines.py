"""Deadlines and duties as bytes: the same that ``times`` writes, with what instants do not change encoded once."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from engine.clock.localtime import local_text
from engine.clock.stretches import StretchKind
from engine.deadlines.due import in_units
from engine.model.answer import DeadlineState, Due, Duty, Shift, Standing
from engine.model.targets import Target
from guidepost.server.wire.fast_protobuf import duration, number, real, sized, tag, text, timestamp
from guidepost.server.wire.times import DAY_RULE, KIND, STATE, UNIT, uncertain

KEPT: Final = 4_096

STARTS, DUE, LOCAL_DUE, STRETCHES, ESTIMATED, HELD, STANDING, UNCERTAIN = (
    tag(field) for field in (2, 3, 9, 11, 12, 14, 15, 16)
)
EXTENDED: Final = {False: b"\x68\x00", True: b"\x68\x01", None: b""}
_KINDS: Final = {kind: number(3, KIND[kind]) for kind in StretchKind}
_STATES: Final = {state: number(1, STATE[state]) for state in DeadlineState}
ONE, TWO, THREE, FOUR, FIVE, SIX, SEVEN = (tag(field) for field in range(1, 8))

_recurring: Final = lru_cache(KEPT)(timestamp)
"""For an instant that many answers have in common, as all of a batch have the one they are decided at."""


@lru_cache(KEPT)
def _target(name: str, target: Target, calendar: str, zone: str, tzdb: str) -> tuple[bytes, bytes, bytes]:
    """Encode what a deadline says whatever its instants: the fields before, between and after them."""
    rule = number(5, UNIT[target.unit]) + number(6, DAY_RULE[target.rule])
    return text(1, name), real(4, target.amount) + rule + text(7, calendar) + text(8, zone), text(10, tzdb)


def deadline(due: Due) -> bytes:
    """Encode how a deadline came to its instant."""
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
        # They follow each other without a gap, from the start to the due time.
        last = len(due.stretches) - 1
        for at, stretch in enumerate(due.stretches):
            until = end if at == last else timestamp(stretch.end)
            parts.append(sized(STRETCHES, ONE + begin + TWO + until + _KINDS[stretch.kind] + text(4, stretch.name)))
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
    written = _STATES[state] + TWO + _recurring(at)
    for before, time in ((THREE, used), (FOUR, left), (FIVE, late)):
        if time is not None:
            written += _amount(before, time, target, total)
    written = written if at_risk_from is None else written + SIX + timestamp(at_risk_from)
    return written if at_least is None else written + _amount(SEVEN, at_least, target, total)


def _amount(before: bytes, time: timedelta, target: Target, total: timedelta) -> bytes:
    return sized(before, real(1, in_units(time, target, total)) + TWO + duration(time))


def duty(turn: Duty) -> bytes:
    """Encode who has the turn."""
    at = turn.at
    return (
        text(1, turn.outcome)
        + TWO
        + timestamp(at)
        + number(3, turn.daytime)
        + sized(FOUR, _shift(turn.now) + _local(turn.now, at))
        + sized(FIVE, _shift(turn.next) + _local(turn.next, at))
    )


@lru_cache(KEPT)
def _shift(shift: Shift) -> bytes:
    return (
        text(1, shift.value)
        + text(2, shift.name)
        + text(3, shift.zone)
        + FOUR
        + timestamp(shift.begins)
        + FIVE
        + timestamp(shift.ends)
    )


def _local(shift: Shift, at: datetime) -> bytes:
    return sized(SIX, local_text(at, shift.zone).encode())
