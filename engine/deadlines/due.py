"""A target and an instant -> a due time, its state, and the stretches of time that counted or did not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from engine.clock.calendar import Calendar, DayRule, HolidayStatus
from engine.clock.clock import Clock, Holds, Reached
from engine.clock.localtime import local_time
from engine.clock.stretches import Stretch, StretchKind, stretches
from engine.clock.zone import TZDB
from engine.deadlines.clocks import Clocks
from engine.model.answer import DeadlineState, Due, Standing, Uncertain
from engine.model.policy import AtRisk, Deadline, WhenPast
from engine.model.targets import BY_DAY, Target, Unit
from engine.request.moment import Moment

ZERO: Final = timedelta()
RULES: Final = {rule.value: rule for rule in DayRule}
UNITS: Final = {Unit.MINUTES: timedelta(minutes=1), Unit.HOURS: timedelta(hours=1)}


def reach(clock: Clock, target: Target, starts: datetime, holds: Holds = ()) -> Reached:
    """Return the instant at which the time of a target is over, extended by holds (in order and disjoint)."""
    days = target.unit in BY_DAY
    reached = (
        clock.add_days(starts, int(target.amount), RULES[target.rule])
        if days
        else clock.add(starts, target.amount * UNITS[target.unit])
    )
    return clock.add_with_holds(starts, reached, holds) if holds else reached


def due_on_clock(name: str, clock: Clock, target: Target, starts: datetime, holds: Holds = ()) -> Due:
    """Return when a target is due on a clock, and which stretches counted; every hold extends it.

    Args:
        name: the name of the due time.
        clock: the clock of the target's calendar in its region.
        target: how much time there is.
        starts: when the time starts to count.
        holds: when time does not count, in order and disjoint.
    """
    return _due(
        name,
        clock,
        target,
        starts=starts,
        holds=holds,
        reached=reach(clock, target, starts, holds),
        extended=True if holds else None,
        standing=None,
    )


def counted_holds(deadline: Deadline, met: datetime | None, moment: Moment) -> Holds:
    """Return the holds that extend a deadline, in order and disjoint; none if its policy ignores holds."""
    return moment.ended_holds(met) if moment.holds and deadline.holds.extend else ()


def due(
    deadline: Deadline, target: Target, clocks: Clocks, *, starts: datetime, met: datetime | None, moment: Moment
) -> Due:
    """Return when a deadline of a ticket is due, and its state.

    Args:
        deadline: the deadline.
        target: how much time the ticket has, and by which calendar.
        clocks: the clocks of the policy.
        starts: when the time starts to count.
        met: when the deadline was met, if it was. Its time ends then, so later holds do not extend it.
        moment: ``now``, which the state is for, and the holds on the ticket.
    """
    clock = clocks.of(target.calendar, target.region)
    holds = counted_holds(deadline, met, moment)
    reached = reach(clock, target, starts, holds)
    at = met if met is not None else moment.now
    extended = deadline.holds.extend if moment.holds else None
    standing = (
        None
        if at is None or reached.instant is None
        else _standing(deadline, clock, starts=starts, end=reached.instant, at=at, met=met is not None, holds=holds)
    )
    return _due(
        deadline.name,
        clock,
        target,
        starts=starts,
        holds=holds,
        reached=reached,
        extended=extended,
        standing=standing,
    )


def _due(
    name: str,
    clock: Clock,
    target: Target,
    *,
    starts: datetime,
    holds: Holds,
    reached: Reached,
    extended: bool | None,
    standing: Standing | None,
) -> Due:
    """Return a due time with the stretches that led to it."""
    way = stretches(clock, starts, reached.instant, holds) if reached.instant is not None else ()
    return Due(
        name=name,
        starts=starts,
        due=reached.instant,
        target=target,
        calendar=clock.calendar.name,
        zone=clock.calendar.zone,
        tzdb=TZDB,
        stretches=way,
        estimated=_estimated(clock, way),
        extended=extended,
        held=_length(way, StretchKind.HOLD) if holds else ZERO,
        standing=standing,
        uncertain=None if reached.sure else uncertain(clock.calendar, reached.not_before),
    )


def uncertain(calendar: Calendar, not_before: datetime | None = None) -> Uncertain | None:
    """Return the list of holidays that does not reach far enough, if the calendar has one."""
    listed = calendar.holidays
    return (
        Uncertain(holidays=listed.name, first=listed.first, last=listed.last, not_before=not_before) if listed else None
    )


def in_units(amount: timedelta, target: Target, total: timedelta) -> float:
    """Return business time in the unit of a target; business days in proportion to the ``total`` time.

    >>> day = Target(amount=2, unit=Unit.BUSINESS_DAYS, rule="roll_then_clock", calendar="weekdays", region="")
    >>> in_units(timedelta(hours=6), day, timedelta(hours=24))
    0.5
    """
    if target.unit in BY_DAY:
        return target.amount * (amount / total) if total else 0.0
    return amount / UNITS[target.unit]


def _length(way: tuple[Stretch, ...], kind: StretchKind) -> timedelta:
    return sum((stretch.end - stretch.start for stretch in way if stretch.kind is kind), ZERO)


def _estimated(clock: Clock, way: tuple[Stretch, ...]) -> tuple[str, ...]:
    """Return the holidays among the stretches whose dates are estimated."""
    listed = clock.calendar.holidays
    if listed is None or not listed.estimates:
        return ()
    found = []
    for stretch in way:
        if stretch.kind is StretchKind.HOLIDAY:
            holiday = listed.days.get(local_time(stretch.start, clock.calendar.zone).date())
            if holiday is not None and holiday.status is HolidayStatus.ESTIMATED:
                found.append(f"{holiday.day.isoformat()} {holiday.name}")
    return tuple(dict.fromkeys(found))


def _standing(
    deadline: Deadline, clock: Clock, *, starts: datetime, end: datetime, at: datetime, met: bool, holds: Holds
) -> Standing:
    """Return the state of a deadline at an instant: when it was ``met``, or now."""
    total = _worked(clock, starts, end, holds)
    past = at > end
    if past:
        late = _late(clock, end, at, holds)
        used, left = None if late is None else total + late, ZERO
        at_least = _worked(clock, end, clock.known_until, holds) if late is None else None
    else:
        used, late, at_least = _worked(clock, starts, at, holds), ZERO, None
        left = total - used
    threshold = left_at_risk(deadline.at_risk, total)
    if past:
        state = DeadlineState.BREACHED if deadline.when_past is WhenPast.BREACHED else DeadlineState.PASSED
    elif met:
        state = DeadlineState.MET
    else:
        state = DeadlineState.AT_RISK if threshold is not None and left <= threshold else DeadlineState.RUNNING
    return Standing(
        state=state,
        at=at,
        used=used,
        left=left,
        late=late,
        total=total,
        at_risk_from=_at_risk_from(clock, starts, total, threshold, holds),
        late_at_least=at_least,
    )


def _late(clock: Clock, end: datetime, at: datetime, holds: Holds) -> timedelta | None:
    """Return the business time since a due time; None if the list of holidays does not reach far enough."""
    counted = clock.count(end, at)
    if not counted.sure:
        return None
    return _worked(clock, end, at, holds) if holds else counted.amount


def _worked(clock: Clock, start: datetime, end: datetime, holds: Holds) -> timedelta:
    """Return the business time between two instants, without holds."""
    if not holds:
        return clock.worked(start, end)
    return _length(stretches(clock, start, end, holds), StretchKind.OPEN) if end > start else ZERO


def left_at_risk(at_risk: AtRisk | None, total: timedelta) -> timedelta | None:
    """Return how much time is left when a deadline comes to be at risk; None if it never does."""
    if at_risk is None:
        return None
    return total * at_risk.share if at_risk.share is not None else timedelta(minutes=at_risk.minutes or 0)


def _at_risk_from(
    clock: Clock, starts: datetime, total: timedelta, threshold: timedelta | None, holds: Holds
) -> datetime | None:
    """Return the instant from which no more time than the threshold is left."""
    if threshold is None:
        return None
    safe = total - threshold
    if safe <= ZERO:
        return starts
    reached = clock.add(starts, safe)
    return clock.add_with_holds(starts, reached, holds).instant if holds else reached.instant
