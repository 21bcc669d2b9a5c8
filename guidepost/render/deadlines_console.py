"""Deadlines, turns and elapsed times for the terminal: texts, and the drawing of a deadline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from engine.clock.calendar import LAST_YEAR, Calendar
from engine.clock.localtime import local_time
from engine.clock.opening_times import hours
from engine.clock.stretches import StretchKind
from engine.model.answer import DeadlineState, Due, Duty, Passed, Shift, Standing, Uncertain
from engine.model.policy import Policy
from engine.model.targets import BY_DAY, BY_REGION, calendar_in
from engine.model.vocabulary import number_text
from guidepost.render.console import count, grid, indented
from guidepost.render.time_text import (
    amount_text,
    clock_text,
    day_text,
    days_text,
    instant_text,
    length_text,
    offset_text,
    short_text,
    worked_text,
)
from guidepost.render.timeline import Drawing, Mark, stretch_table

STATES: Final = {
    DeadlineState.MET: "bold green",
    DeadlineState.RUNNING: "green",
    DeadlineState.AT_RISK: "bold yellow",
    DeadlineState.BREACHED: "bold red",
    DeadlineState.PASSED: "magenta",
}

DAY_RULES: Final = {"roll_then_clock": "to the same time of day", "roll_then_close": "to the close of the day"}
"""The rules for business days in words."""

NEVER: Final = f"never, or after {LAST_YEAR}, where the calendars end"

NOTED: Final = 4
"""How many holidays, or stretches of closed days, one line lists."""

LATER: Final = timedelta(days=3)
"""A drawing extends to `now` if it is at most this long after the deadline."""


def standing_text(due: Due, standing: Standing, now: datetime | None) -> Text:
    """Return the state of a deadline, and the business time that is left or that it is late."""
    over = standing.state in (DeadlineState.BREACHED, DeadlineState.PASSED)
    amount = (
        _counted_text(due, standing, standing.late, standing.late_at_least)
        if over
        else worked_text(standing.left, due.target, standing.total)
    )
    answered = now is not None and standing.at != now
    state_text = {
        DeadlineState.MET: f"met, {amount} before",
        DeadlineState.RUNNING: f"running: {amount} left",
        DeadlineState.AT_RISK: f"at risk: {amount} left",
        DeadlineState.BREACHED: f"breached: {'met ' if answered else ''}{amount} late",
        DeadlineState.PASSED: f"passed {amount} {'before' if answered else 'ago'}",
    }[standing.state]
    return Text(state_text, STATES[standing.state])


def _counted_text(due: Due, standing: Standing, time: timedelta | None, at_least: timedelta | None) -> str:
    """Return an amount of business time, or its least value if the holidays are not known that far."""
    if time is None:
        return f"at least {worked_text(at_least or timedelta(), due.target, standing.total)}"
    return worked_text(time, due.target, standing.total)


def due_text(due: Due, now: datetime | None) -> Text:
    """Return the due time and its state, or why it is not known."""
    if due.due is None:
        return uncertain_text(due.uncertain, due.zone) if due.uncertain else Text(NEVER)
    text = Text(instant_text(due.due, due.zone, named=True), "bold")
    return Text.assemble(text, "  (", standing_text(due, due.standing, now), ")") if due.standing else text


def uncertain_text(why: Uncertain, zone: str) -> Text:
    """Return which holiday list ends when, and the earliest possible due time."""
    text = Text.assemble(
        ("undecided", "yellow"), f": the holidays {why.holidays} are known from {why.first} to {why.last} only"
    )
    return text.append(f"; not before {instant_text(why.not_before, zone, named=True)}") if why.not_before else text


def why_text(due: Due, policy: Policy) -> str:
    """Return the computation of a due time in one line: amount, calendar, what counted, what was skipped."""
    target, calendar = due.target, _calendar(due, policy)
    parts = [f"{amount_text(target.amount, target.unit)} by {due.calendar} from {instant_text(due.starts, due.zone)}"]
    opened = [one for one in due.stretches if one.kind is StretchKind.OPEN]
    begun = next((one.start for one in due.stretches if one.kind in (StretchKind.OPEN, StretchKind.HOLD)), due.due)
    if begun is not None and begun > due.starts:
        parts.append(f"counted from {short_text(begun, due.zone)}")
    if target.unit not in BY_DAY and not calendar.always:
        by_day: dict[date, timedelta] = {}
        for one in opened:
            day = local_time(one.start, due.zone).date()
            by_day[day] = by_day.get(day, timedelta()) + (one.end - one.start)
        if 1 < len(by_day) <= NOTED:
            parts.append(", ".join(f"{length_text(length)} on {day_text(day)}" for day, length in by_day.items()))
    if skipped := list(_skipped(due, calendar)):
        parts.append(f"skipped {', '.join(skipped)}")
    if due.extended is not None and due.due is not None:
        parts.append(_held_text(due, f"{length_text(due.held)} on hold", "holds do not extend it"))
    if due.estimated:
        parts.append(f"estimated, not confirmed: {', '.join(_estimated(due))}")
    return "; ".join(parts)


def _held_text(due: Due, counted: str, left_out: str) -> str:
    """Return the effect of holds: ``counted`` if they extend the deadline, ``left_out`` if its policy excludes it."""
    if not due.extended:
        return left_out
    if due.held:
        return counted
    ended = "met" if due.standing is not None and due.standing.state is DeadlineState.MET else "due"
    return f"no hold counts: none is in business time before it was {ended}"


def _calendar(due: Due, policy: Policy) -> Calendar:
    return calendar_in(policy.calendars[due.target.calendar], policy.regions.get(due.target.region), policy.holidays)


def _estimated(due: Due) -> Iterator[str]:
    for named in dict.fromkeys(due.estimated):
        day, _, name = named.partition(" ")
        yield f"{day_text(date.fromisoformat(day))} {name}"


def _skipped(due: Due, calendar: Calendar) -> Iterator[str]:
    """Yield what did not count: closed days, holidays, breaks."""
    if due.due is None or calendar.always:
        return
    first, last = (local_time(at, due.zone) for at in (due.starts, due.due))
    days = [
        date.fromordinal(day)
        for day in range(first.toordinal(), last.toordinal() + (last.time().isoformat() != "00:00:00"))
    ]
    shut = [day for day in days if not hours(calendar, day)]
    listed = calendar.holidays.days if calendar.holidays else {}
    holidays = [day for day in shut if day in listed and day not in calendar.dates and calendar.week[day.weekday()]]
    closed = days_text([day for day in shut if day not in holidays])
    yield from closed if len(closed) <= NOTED else [count(len(shut) - len(holidays), "closed day")]
    yield from (f"{day_text(day)} {listed[day].name}" for day in holidays[:NOTED])
    if len(holidays) > NOTED:
        yield f"and {count(len(holidays) - NOTED, 'more holiday')}"
    breaks = [one for one in due.stretches if one.kind is StretchKind.BREAK]
    for one in breaks[:NOTED]:
        yield f"a break on {short_text(one.start, due.zone)}-{clock_text(local_time(one.end, due.zone))}"
    if len(breaks) > NOTED:
        yield f"and {count(len(breaks) - NOTED, 'more break')}"


def timeline_parts(due: Due, now: datetime | None) -> Iterator[RenderableType]:
    """Yield a deadline with the drawing of its computation."""
    yield Text.assemble((due.name, "bold"), ": ", due_text(due, now))
    yield from drawing_parts(due, now)


def drawing_parts(due: Due, now: datetime | None) -> Iterator[RenderableType]:
    """Yield a drawing from the start of a deadline to its due time, its stretches and its details."""
    if due.due is not None:
        risk = due.standing.at_risk_from if due.standing else None
        marks = [
            Mark(at=due.starts, symbol="►", name="start"),
            *([Mark(at=risk, symbol="!", name="at risk from", style="bold yellow")] if risk else []),
        ]
        marks += [Mark(at=now, symbol="▼", name="now", style="bold cyan")] if now else []
        marks += (
            [Mark(at=due.standing.at, symbol="✓", name="met", style="bold green")]
            if due.standing and now and due.standing.at != now
            else []
        )
        marks += [Mark(at=due.due, symbol="◆", name="due", style="bold red")]
        last = now if now and due.due < now <= due.due + LATER else due.due
        yield ""
        for part in Drawing(due.zone, due.stretches, marks).parts(due.starts, last):
            yield indented(part)
        if due.stretches:
            yield ""
            yield indented(stretch_table(due.stretches, due.zone, due.estimated))
        yield ""
    yield indented(grid([*_details(due, now)], "cyan"))


def _details(due: Due, now: datetime | None) -> Iterator[tuple[RenderableType, RenderableType]]:
    target, standing = due.target, due.standing
    way = f", {DAY_RULES[target.rule]} ({target.rule})" if target.rule else ""
    yield "counts", f"{amount_text(target.amount, target.unit)}{way}, from {instant_text(due.starts, due.zone)}"
    if standing is not None and due.due is not None:
        met = now is not None and standing.at != now
        yield "met" if met else "now", instant_text(standing.at, due.zone)
        at_least = standing.late_at_least
        known = "" if at_least is None else "; the rest cannot be counted, because the holidays are not known"
        yield (
            "used",
            _counted_text(due, standing, standing.used, None if at_least is None else standing.total + at_least)
            + known,
        )
        late = _counted_text(due, standing, standing.late, at_least) + known
        yield (
            ("late", late)
            if standing.late is None or standing.late
            else ("left", worked_text(standing.left, target, standing.total))
        )
        if standing.at_risk_from:
            yield "at risk from", instant_text(standing.at_risk_from, due.zone)
    if due.extended is not None and due.due is not None:
        yield (
            "on hold",
            _held_text(
                due,
                f"{length_text(due.held)} of business time, which extends it",
                "holds were sent, but do not extend it",
            ),
        )
    if due.estimated:
        yield "estimated", f"not confirmed: {', '.join(_estimated(due))}"
    yield "calendar", f"{due.calendar}, {due.zone}"
    yield "tz database", due.tzdb


def duty_text(duty: Duty) -> str:
    """Return the local time of the entry that has the turn, the end of its daytime, and who is next."""
    now, after = duty.now, duty.next
    local = local_time(duty.at, now.zone)
    there = f"local time {local:%a} {clock_text(local)} {_zoned(local, now)}"
    next_from = local_time(max(now.ends, after.begins), after.zone)
    then = f"next is {after.name or after.value} from {next_from:%a} {clock_text(next_from)} {_zoned(next_from, after)}"
    if duty.daytime:
        ends = local_time(now.ends, now.zone)
        return f"{there}, daytime until {clock_text(ends)}; {then}"
    begins = local_time(now.begins, now.zone)
    return f"{there}; it is daytime nowhere, and begins here first, {begins:%a} {clock_text(begins)}; {then}"


def _zoned(local: datetime, shift: Shift) -> str:
    return f"{offset_text(local)} ({shift.zone})"


def passed_text(passed: Passed) -> Text:
    """Return a fact that follows from an instant, and which one."""
    if passed.value is None:
        return uncertain_text(passed.uncertain, "UTC") if passed.uncertain else Text("undecided", "yellow")
    return Text.assemble(
        (number_text(passed.value), "bold"), (f"  follows from {passed.since}, by {passed.calendar}", "dim")
    )


def zone_of(policy: Policy, outcomes: Mapping[str, object], name: str) -> str:
    """Return the zone for a deadline that is not decided: that of its region or calendars if it is one, else UTC."""
    deadline = policy.deadlines[name]
    region = policy.regions.get(str(outcomes.get(deadline.region)))
    zones = {policy.calendars[name].zone for name in deadline.calendars}
    zones = {region.zone if region and zone == BY_REGION else zone for zone in zones}
    return zones.pop() if len(zones) == 1 and BY_REGION not in zones else "UTC"
