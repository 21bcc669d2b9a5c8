"""Calendars, regions, holiday lists, deadlines and elapsed times for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.text import Text

from engine.clock.calendar import HolidayList, HolidayStatus
from engine.model.policy import AtRisk, Deadline, Elapsed, Policy
from engine.model.problems import Place
from engine.model.targets import BY_REGION, Measure, Region, Unit, WrittenCalendar
from engine.model.vocabulary import number_text
from guidepost.render.console import grid, indented, ruled_table
from guidepost.render.deadlines_console import DAY_RULES
from guidepost.render.time_text import NOUNS, amount_text, day_text, hours_text, week_text

COUNTING = {"full": "only full ones", "begun": "a started one counts", "exact": "to the second"}


def measure_text(measure: Measure) -> str:
    """Return how the time of a deadline counts.

    >>> measure_text(Measure(unit=Unit.HOURS, rule="", calendar="around_the_clock"))
    'hours by around_the_clock'
    >>> measure_text(Measure(unit=Unit.NOTHING))
    'nothing'
    >>> measure_text(Measure(unit=Unit.BUSINESS_DAYS, rule="roll_then_clock", calendar="weekdays", amount=3))
    '3 business days by weekdays, roll_then_clock'
    """
    if measure.unit is Unit.NOTHING:
        return "nothing"
    amount = NOUNS[measure.unit][1] if measure.amount is None else amount_text(measure.amount, measure.unit)
    return f"{amount} by {measure.calendar}{f', {measure.rule}' if measure.rule else ''}"


def heading_text(name: str, about: str, source: str, place: Place) -> Text:
    """Return the first line of a page: name, description, source and place."""
    description = f": {about}" if about else ""
    return Text.assemble(
        (name, "bold"), description, (f"  source {source}" if source else "", "dim"), (f"  {place}", "dim")
    )


def calendar_table(listed: Iterable[WrittenCalendar]) -> RenderableType:
    """Return a table of calendars."""
    rows = [
        (Text(one.name, "bold"), opening_text(one), by_region(one.zone), by_region(one.holidays) or "none", one.about)
        for one in listed
    ]
    return ruled_table(("calendar", "open", "zone", "holidays", "about"), rows)


def calendar_parts(one: WrittenCalendar) -> Iterator[RenderableType]:
    """Yield a calendar with its one-off dates and breaks."""
    yield heading_text(one.name, one.about, one.source, one.place)
    rows: list[tuple[RenderableType, ...]] = [
        ("open", opening_text(one)),
        ("zone", by_region(one.zone)),
        ("holidays", by_region(one.holidays) or "none"),
    ]
    for label, dates in (("one-off", one.dates), ("breaks", one.breaks)):
        rows += [
            (label if number == 0 else "", f"{day_text(day, year=True)}: {hours_text(hours)}")
            for number, (day, hours) in enumerate(sorted(dates.items()))
        ]
    rows += [("assumes", Text(one.assumption, "yellow"))] if one.assumption else []
    yield indented(grid(rows, "cyan"))
    yield indented(
        Text(
            f"guidepost clock show {one.name}{' --region REGION' if one.by_region and not one.always else ''} draws a month of it",
            "dim",
        )
    )


def opening_text(one: WrittenCalendar) -> str:
    """Return the opening hours of a calendar."""
    return "always" if one.always else week_text(one.week)


def by_region(text: str) -> str:
    """Return the zone or the holidays of a calendar; they may differ by region."""
    return "by region" if text == BY_REGION else text


def region_table(listed: Iterable[Region]) -> RenderableType:
    """Return a table of regions."""
    return ruled_table(
        ("region", "zone", "holidays", "about"),
        [(Text(one.name, "bold"), one.zone, one.holidays or "none", one.about) for one in listed],
    )


def holiday_list_table(listed: Iterable[HolidayList]) -> RenderableType:
    """Return a table of holiday lists, with the span that each covers."""
    rows = []
    for one in listed:
        estimated = sum(day.status is HolidayStatus.ESTIMATED for day in one.days.values())
        rows.append(
            (
                Text(one.name, "bold"),
                f"{one.first} to {one.last}",
                f"{len(one.days)}",
                Text(f"{estimated}", "yellow" if estimated else ""),
            )
        )
    return ruled_table(("holidays", "known from, to", "days", "estimated"), rows)


def holiday_parts(one: HolidayList) -> Iterator[RenderableType]:
    """Yield the days of a holiday list."""
    yield Text.assemble((one.name, "bold"), f": holidays known from {one.first} to {one.last}")
    rows = [
        (
            f"{day:%a} {day}",
            found.name,
            Text(found.status, "yellow" if found.status is HolidayStatus.ESTIMATED else ""),
            found.source,
        )
        for day, found in one.days.items()
    ]
    yield indented(ruled_table(("date", "holiday", "status", "source"), rows))


def region_parts(one: Region, policy: Policy) -> Iterator[RenderableType]:
    """Yield a region with its holidays."""
    yield heading_text(one.name, one.about, "", one.place)
    yield indented(grid([("zone", one.zone), ("holidays", one.holidays or "none")], "cyan"))
    if one.holidays:
        yield ""
        yield from holiday_parts(policy.holidays[one.holidays])


def deadline_table(listed: Iterable[Deadline]) -> RenderableType:
    """Return a table of deadlines."""
    return ruled_table(
        ("deadline", "from", "met by", "about"),
        [(Text(one.name, "bold"), one.starts, one.met or "-", one.about) for one in listed],
    )


def deadline_rows(one: Deadline) -> Iterator[tuple[RenderableType, RenderableType]]:
    """Yield the properties of a deadline besides its rules."""
    yield "from", one.starts
    if one.met:
        yield "met by", one.met
    if one.amount:
        yield "amount", one.amount
    if one.region:
        yield "region", one.region
    yield "when past", one.when_past.value
    if one.at_risk is not None:
        yield "at risk", Text.assemble(_risk_text(one.at_risk), _assumed(one.at_risk.assumption))
    yield (
        "holds",
        Text.assemble("extend it" if one.holds.extend else "do not extend it", _assumed(one.holds.assumption)),
    )


def _risk_text(risk: AtRisk) -> str:
    left = (
        f"{number_text(round(100 * risk.share, 2))}% of the time"
        if risk.share is not None
        else amount_text(risk.minutes or 0, Unit.MINUTES)
    )
    return f"{left} or less left"


def _assumed(assumption: str) -> tuple[str, str]:
    return (f"  assumes: {assumption}" if assumption else "", "yellow")


def elapsed_table(listed: Iterable[Elapsed]) -> RenderableType:
    """Return a table of the facts that follow from elapsed time."""
    rows = [(Text(one.fact, "bold"), elapsed_text(one), one.source, Text(str(one.place), "dim")) for one in listed]
    return ruled_table(("fact", "follows from", "source", "place"), rows)


def elapsed_text(one: Elapsed) -> str:
    """Return how a fact follows from an instant, such as "hours since received_at by weekdays"."""
    way = f", {DAY_RULES.get(one.rule, one.rule)}" if one.rule else ""
    return f"{NOUNS[one.unit][1]} since {one.since} by {one.calendar}{way}; {COUNTING[one.counting]}"
