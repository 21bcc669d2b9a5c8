"""Calendars, regions, holiday lists and rosters that nothing uses, and holidays whose dates nobody has confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from engine.analysis.finding import FINDINGS, Finding
from engine.analysis.vocabulary import shown_outcomes
from engine.clock.calendar import HolidayStatus
from engine.load import list_place
from engine.policy import Policy
from engine.problems import Place


def time_findings(policy: Policy) -> Iterator[Finding]:
    """Give what is to say of the times of a policy."""
    yield from _unused(policy)
    for name, listed in policy.holidays.items():
        guesses = sorted(day.day for day in listed.days.values() if day.status is HolidayStatus.ESTIMATED)
        if guesses:
            several = f"{len(guesses)} of the {len(listed.days)} holidays of `{name}` are estimated, from {guesses[0]} to {guesses[-1]}"
            message = several if len(guesses) > 1 else f"the holiday of `{name}` on {guesses[0]} is estimated"
            yield Finding(list_place(policy, name), "estimated-holidays", message, FINDINGS["estimated-holidays"].help)


def _unused(policy: Policy) -> Iterator[Finding]:
    calendars = {one.calendar for one in policy.elapsed.values()}.union(*(one.calendars for one in policy.deadlines.values()))
    for calendar in policy.calendars.values():
        if calendar.name not in calendars:
            yield _found("unused-calendar", calendar.place, f"no time counts by the calendar `{calendar.name}`")
    by = {one.region for one in policy.deadlines.values()} | {one.region for one in policy.elapsed.values()}
    inside = {value.value for name in by if name for value in policy.outcomes[name].values}
    for region in policy.regions.values():
        if region.name not in inside:
            yield _found("unused-region", region.place, f"no ticket can be in the region `{region.name}`: no outcome that gives a region has it")
    lists = {one.holidays for one in policy.calendars.values()} | {one.holidays for one in policy.regions.values()}
    for name in policy.holidays:
        if name not in lists:
            yield _found("unused-holidays", list_place(policy, name), f"no calendar and no region names the holiday list `{name}`")
    for roster in policy.rosters.values():
        if roster.produces not in shown_outcomes(policy):
            yield _found("unused-roster", roster.place, f"no decision shows `{roster.produces}`, which the roster `{roster.name}` gives")


def _found(code: str, place: Place, message: str) -> Finding:
    return Finding(place, code, message, FINDINGS[code].help)
