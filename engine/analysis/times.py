"""Unused calendars, regions, holiday lists and rosters, lost minutes, and holidays that are not confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from engine.analysis.vocabulary import shown_outcomes
from engine.clock.calendar import DAY, HolidayStatus, Interval
from engine.load import list_place
from engine.load.calendars import DAYS
from engine.model.policy import Policy
from engine.model.problem_codes import CODES
from engine.model.problems import Place, Problem

HOUR: Final = 60
MOST_NAMED: Final = 7
"""The most days that one finding names."""


def time_findings(policy: Policy) -> Iterator[Problem]:
    """Yield the findings about calendars, regions, holidays and rosters."""
    yield from _unused(policy)
    yield from _lost_minutes(policy)
    for name, listed in policy.holidays.items():
        guesses = sorted(day.day for day in listed.days.values() if day.status is HolidayStatus.ESTIMATED)
        if guesses:
            several = f"{len(guesses)} of the {len(listed.days)} holidays of `{name}` are estimated, from {guesses[0]} to {guesses[-1]}"
            message = several if len(guesses) > 1 else f"the holiday of `{name}` on {guesses[0]} is estimated"
            yield Problem(
                place=list_place(policy, name),
                code="estimated-holidays",
                message=message,
                help=CODES["estimated-holidays"].help,
            )


def _unused(policy: Policy) -> Iterator[Problem]:
    calendars = {one.calendar for one in policy.elapsed.values()}.union(
        *(one.calendars for one in policy.deadlines.values())
    )
    for calendar in policy.calendars.values():
        if calendar.name not in calendars:
            yield _found("unused-calendar", calendar.place, f"nothing uses the calendar `{calendar.name}`")
    by = {one.region for one in policy.deadlines.values()} | {one.region for one in policy.elapsed.values()}
    inside = {value.value for name in by if name for value in policy.outcomes[name].values}
    for region in policy.regions.values():
        if region.name not in inside:
            yield _found(
                "unused-region",
                region.place,
                f"no ticket can be in the region `{region.name}`: no outcome that selects a region has this value",
            )
    lists = {one.holidays for one in policy.calendars.values()} | {one.holidays for one in policy.regions.values()}
    for name in policy.holidays:
        if name not in lists:
            yield _found(
                "unused-holidays",
                list_place(policy, name),
                f"no calendar and no region names the holiday list `{name}`",
            )
    for roster in policy.rosters.values():
        if roster.produces not in shown_outcomes(policy):
            yield _found(
                "unused-roster",
                roster.place,
                f"no decision lists `{roster.produces}`, the outcome of the roster `{roster.name}`",
            )


def _lost_minutes(policy: Policy) -> Iterator[Problem]:
    """Yield hours that lose a minute.

    They end at the last minute of an hour, begin at 00:01, or end a minute before others begin.
    """
    for calendar in policy.calendars.values():
        days = [
            *zip(DAYS, calendar.week, strict=True),
            *((day.isoformat(), hours) for day, hours in calendar.dates.items()),
        ]
        for closes, named in _one_short(days).items():
            yield _found(
                "lost-minute",
                calendar.place,
                f"the calendar `{calendar.name}` closes at {_clock(closes)} on {_listed(named)}: the minute up to {_clock(closes + 1)} does not count",
            )
        late = [name for name, hours in days if any(one.opens == 1 for one in hours)]
        if late:
            yield _found(
                "lost-minute",
                calendar.place,
                f"the calendar `{calendar.name}` opens at 00:01 on {_listed(late)}: the minute from 00:00 does not count",
            )
        for closes, named in _one_short([(day.isoformat(), hours) for day, hours in calendar.breaks.items()]).items():
            yield _found(
                "lost-minute",
                calendar.place,
                f"a break of the calendar `{calendar.name}` ends at {_clock(closes)} on {_listed(named)}: the minute up to {_clock(closes + 1)} counts",
            )
    for roster in policy.rosters.values():
        closes = roster.closes
        if closes % HOUR == HOUR - 1:
            yield _found(
                "lost-minute",
                roster.place,
                f"the roster `{roster.name}` closes at {_clock(closes)}: the minute up to {_clock(closes + 1)} has no place that is open",
            )


def _one_short(days: Iterable[tuple[str, tuple[Interval, ...]]]) -> dict[int, list[str]]:
    """Return the closing times that leave out a minute, each with the days that have it."""
    found: dict[int, list[str]] = {}
    for name, hours in days:
        opens = {one.opens for one in hours}
        for one in hours:
            if one.closes % HOUR == HOUR - 1 or one.closes + 1 in opens:
                found.setdefault(one.closes, []).append(name)
    return found


def _listed(names: list[str]) -> str:
    """Return weekdays as text, consecutive ones as a range, as policies write them."""
    numbers = [DAYS.index(name) for name in names if name in DAYS]
    run = len(numbers) == len(names) > 2 and numbers == [*range(numbers[0], numbers[-1] + 1)]
    return (
        f"{names[0]}-{names[-1]}"
        if run
        else ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    )


def _clock(minute: int) -> str:
    """Return a minute of a day as text; minutes after midnight belong to the next day.

    >>> _clock(1439), _clock(1440), _clock(1739)
    ('23:59', '24:00', '04:59')
    """
    within = minute if minute <= DAY else minute - DAY
    return f"{within // HOUR:02}:{within % HOUR:02}"


def _found(code: str, place: Place, message: str) -> Problem:
    return Problem(place=place, code=code, message=message, help=CODES[code].help)
