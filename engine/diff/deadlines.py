"""Differences of due times and rosters: how their time counts, what they depend on, and by which calendars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from engine.diff.joint_facts import JointFact
from engine.diff.joint_space import JointSpace, side_of
from engine.diff.nouns import Follows, OutcomeDiff
from engine.diff.outcome import compare_outcome
from engine.model.policy import Deadline, Elapsed, Policy, Roster
from engine.model.targets import WrittenCalendar, calendar_in
from engine.version.version import Version

_DAYS: Final = 4
"""The most holidays that are named."""


def compare_deadline(
    name: str,
    before: Version,
    after: Version,
    fact: Callable[[str], JointFact],
    outcome: Callable[[str], OutcomeDiff],
) -> OutcomeDiff:
    """Compare a deadline: its rules, the outcomes that it depends on, and its calendars."""
    found = compare_outcome(name, JointSpace(side_of(before, name), side_of(after, name), fact))
    sides = [version.policy.deadlines[name] for version in (before, after) if name in version.policy.deadlines]
    inputs = dict.fromkeys(
        one
        for deadline in sides
        for one in deadline.goes_by
        if one not in before.policy.facts or one not in after.policy.facts
    )
    follows = tuple(Follows(one, outcome(one).changed) for one in inputs if outcome(one).changed)
    terms = tuple(_terms(sides[0], sides[1], before.policy, after.policy)) if len(sides) == 2 else ()
    return replace(found, inputs=True, follows=follows, terms=terms)


def compare_roster(before: Roster | None, after: Roster | None) -> tuple[str, ...]:
    """Return the difference of a roster; None if it is the same."""
    if before is None or after is None:
        return ("the roster was added",) if before is None else ("the roster was removed",)
    found = [] if before.at == after.at else [f"it depends on `{after.at}` instead of `{before.at}`"]
    if (before.opens, before.closes) != (after.opens, after.closes):
        found.append("the hours of its places differ")
    if [(one.value, one.zone) for one in before.entries] != [(one.value, one.zone) for one in after.entries]:
        found.append("its places differ")
    return tuple(found)


def elapsed_changes(before: Version, after: Version, outcome: Callable[[str], OutcomeDiff]) -> dict[str, str]:
    """Describe the changes of each elapsed time that both versions have."""
    found = {}
    for name, one in before.policy.elapsed.items():
        other = after.policy.elapsed.get(name)
        if other is not None and (said := "; ".join(_elapsed_terms(one, other, before.policy, after.policy, outcome))):
            found[name] = said
    return found


def _elapsed_terms(
    one: Elapsed, other: Elapsed, before: Policy, after: Policy, outcome: Callable[[str], OutcomeDiff]
) -> Iterator[str]:
    if counted(one) != counted(other):
        yield f"{counted(other)} instead of {counted(one)}"
    if one.calendar == other.calendar and (said := calendar_change(one.calendar, before, after)):
        yield said
    if one.region == other.region and one.region and outcome(one.region).changed:
        yield f"its region `{one.region}` changes in {outcome(one.region).changed:,} situations"


def counted(one: Elapsed) -> str:
    """Return what an elapsed time counts."""
    return " ".join(
        filter(
            None,
            (
                str(one.counting),
                one.unit.replace("_", " "),
                f"since {one.since} by {one.calendar}",
                one.rule,
                one.region,
            ),
        )
    )


def calendar_change(name: str, before: Policy, after: Policy) -> str:
    """Describe how a calendar of both versions counts time differently, and in which regions; "" if it does not."""
    one, other = before.calendars[name], after.calendars[name]
    regions = (
        [region for region in before.regions if region in after.regions] if one.by_region or other.by_region else [""]
    )
    changed = {region: (_counts(one, region, before), _counts(other, region, after)) for region in regions}
    changed = {region: sides for region, sides in changed.items() if sides[0] != sides[1]}
    if not changed:
        return ""
    where = f" in {', '.join(filter(None, changed))}" if any(changed) else ""
    days = sorted({day for was, now in changed.values() for day in was.holidays ^ now.holidays})
    named = (
        f": {', '.join(map(str, days[:_DAYS]))}{f' and {len(days) - _DAYS} days more' if len(days) > _DAYS else ''}"
        if days
        else ""
    )
    return f"the calendar `{name}` counts time differently{where}{named}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """Everything that the time of a calendar depends on, without holidays on which it is closed anyway."""

    zone: str
    always: bool
    week: object
    dates: object
    breaks: object
    span: tuple[date, date] | None
    holidays: frozenset[date]


def _counts(written: WrittenCalendar, region: str, policy: Policy) -> _Counts:
    calendar = calendar_in(written, policy.regions.get(region), policy.holidays)
    if calendar.always:
        return _Counts(zone=calendar.zone, always=True, week=(), dates=(), breaks=(), span=None, holidays=frozenset())
    listed = calendar.holidays
    closed = (
        frozenset(day for day in listed.days if day not in calendar.dates and calendar.week[day.weekday()])
        if listed
        else frozenset()
    )
    return _Counts(
        zone=calendar.zone,
        always=False,
        week=calendar.week,
        dates=dict(calendar.dates),
        breaks=dict(calendar.breaks),
        span=(listed.first, listed.last) if listed else None,
        holidays=closed,
    )


def _terms(one: Deadline, other: Deadline, before: Policy, after: Policy) -> Iterator[str]:
    for what, was, now in (
        ("it runs from", one.starts, other.starts),
        ("it is met by", one.met, other.met),
        ("its amount is", one.amount, other.amount),
        ("its region is", one.region, other.region),
    ):
        if was != now:
            yield f"{what} `{now or 'nothing'}` instead of `{was or 'nothing'}`"
    if one.holds.extend != other.holds.extend:
        yield "a hold extends it" if other.holds.extend else "a hold no longer extends it"
    if one.when_past is not other.when_past:
        yield f"once it has passed, it is {other.when_past} instead of {one.when_past}"
    if (one.at_risk and (one.at_risk.share, one.at_risk.minutes)) != (
        other.at_risk and (other.at_risk.share, other.at_risk.minutes)
    ):
        yield "it becomes at risk at another time"
    for calendar in sorted(one.calendars & other.calendars):
        if said := calendar_change(calendar, before, after):
            yield said
