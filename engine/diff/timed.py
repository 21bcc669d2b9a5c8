"""What becomes of due times and rosters: how their time counts, what they go by, and on which calendars."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from engine.clock.calendar import HolidayList
from engine.diff.cells import Layer
from engine.diff.joint import JointFact
from engine.diff.nouns import Follows, OutcomeDiff
from engine.diff.outcome import compare_outcome
from engine.policy import Deadline, Policy, Roster
from engine.settle import flatten
from engine.timing import WrittenCalendar
from engine.version import Version


def compare_deadline(
    name: str, before: Version, after: Version, fact: Callable[[str], JointFact], outcome: Callable[[str], OutcomeDiff],
) -> OutcomeDiff:
    """Compare a deadline: its rules over what they read, the outcomes it goes by, and its calendars."""
    found = compare_outcome(name, _layer(name, before), _layer(name, after), fact)
    sides = [version.policy.deadlines[name] for version in (before, after) if name in version.policy.deadlines]
    inputs = dict.fromkeys(one for deadline in sides for one in deadline.goes_by if one not in before.policy.facts or one not in after.policy.facts)
    follows = tuple(Follows(one, outcome(one).changed) for one in inputs if outcome(one).changed)
    terms = tuple(_terms(sides[0], sides[1], before.policy, after.policy)) if len(sides) == 2 else ()
    return OutcomeDiff(name, found.cells, found.changed, found.changes, found.regions, found.gist, inputs=True, follows=follows, terms=terms)


def compare_roster(before: Roster | None, after: Roster | None) -> tuple[str, ...]:
    """Say what becomes of a roster; nothing if it is the same."""
    if before is None or after is None:
        return ("there was no such roster",) if before is None else ("there is no such roster any more",)
    found = [] if before.at == after.at else [f"it goes by `{after.at}` instead of `{before.at}`"]
    if (before.opens, before.closes) != (after.opens, after.closes):
        found.append("the hours of its places are others")
    if [(one.value, one.zone) for one in before.entries] != [(one.value, one.zone) for one in after.entries]:
        found.append("its places are others")
    return tuple(found)


def same_calendar(name: str, before: Policy, after: Policy) -> bool:
    """Tell whether a calendar counts the same time in both versions, in every region."""
    one, other = before.calendars.get(name), after.calendars.get(name)
    if one is None or other is None:
        return one is other
    if _kept(one) != _kept(other):
        return False
    if not one.by_region:
        return _same_list(before.holidays.get(one.holidays), after.holidays.get(other.holidays))
    return _regions(before) == _regions(after) and all(
        _same_list(before.holidays.get(region.holidays), after.holidays.get(region.holidays)) for region in before.regions.values()
    )


def _layer(name: str, version: Version) -> Layer | None:
    grid = version.timed.get(name)
    if grid is None:
        return None
    flat = flatten(grid, grid.axes, {}, version.policy, version.atoms)
    return Layer(flat, flat.codes[name])


def _terms(one: Deadline, other: Deadline, before: Policy, after: Policy) -> Iterator[str]:
    for what, was, now in (
        ("it runs from", one.starts, other.starts), ("it is met by", one.met, other.met),
        ("its amount is", one.amount, other.amount), ("its region is", one.region, other.region),
    ):
        if was != now:
            yield f"{what} `{now or 'nothing'}` instead of `{was or 'nothing'}`"
    if one.holds.extend != other.holds.extend:
        yield "a hold puts it off" if other.holds.extend else "a hold puts it off no more"
    if one.when_past is not other.when_past:
        yield f"over, it is {other.when_past} instead of {one.when_past}"
    if (one.at_risk and (one.at_risk.share, one.at_risk.minutes)) != (other.at_risk and (other.at_risk.share, other.at_risk.minutes)):
        yield "it is at risk from another time on"
    for calendar in sorted(one.calendars & other.calendars):
        if not same_calendar(calendar, before, after):
            yield f"the calendar `{calendar}` counts other time"


def _kept(calendar: WrittenCalendar) -> tuple[object, ...]:
    return (calendar.zone, calendar.holidays, calendar.always, calendar.week, dict(calendar.dates), dict(calendar.breaks))


def _regions(policy: Policy) -> Mapping[str, tuple[str, str]]:
    return {name: (region.zone, region.holidays) for name, region in policy.regions.items()}


def _same_list(before: HolidayList | None, after: HolidayList | None) -> bool:
    if before is None or after is None:
        return before is after
    return (before.first, before.last) == (after.first, after.last) and {day: one.status for day, one in before.days.items()} == {
        day: one.status for day, one in after.days.items()
    }
