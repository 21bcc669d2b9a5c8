"""``guidepost clock show`` and ``sun``: a month or week of a calendar, and whose turn it is."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from engine.clock.calendar import FIRST_YEAR, LAST_YEAR
from engine.clock.clock import Clock, Reached
from engine.clock.localtime import local_time
from engine.clock.stretches import stretches
from engine.clock.zone import TZDB, midnight, to_datetime
from engine.decide.answer_times_json import iso
from engine.model.policy import Policy
from guidepost.cli.options.clock import RegionOption, read_clock
from guidepost.cli.options.moment import NowOption, read_moment_options, read_time
from guidepost.cli.options.policies_folder import DigestOption, PoliciesOption, VersionOption, load
from guidepost.render.calendar_console import calendar_table, holiday_list_table, region_table
from guidepost.render.calendar_json import plain_calendar, plain_region, plain_span
from guidepost.render.console import JsonObject, TableOrJson, command_error, grid, results, show_json
from guidepost.render.month_console import Day, days_of, month_parts, plain_days, special_parts
from guidepost.render.roster_console import plain_sun, sun_parts
from guidepost.render.time_text import day_text, instant_text
from guidepost.render.timeline import Drawing, Mark

OutputOption = Annotated[TableOrJson, typer.Option("-o", "--output", help="The output format.")]

_DAY: Final = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The days of a calendar to draw, as a month or a week, and the present time."""

    clock: Clock
    days: tuple[Day, ...]
    week: bool
    now: datetime

    @property
    def title(self) -> str:
        """The heading."""
        first, last = self.days[0].day, self.days[-1].day
        return f"{day_text(first, year=True)} to {day_text(last, year=True)}" if self.week else f"{first:%B %Y}"


def show(
    calendar: Annotated[
        str,
        typer.Argument(
            metavar="CALENDAR", help="The calendar. Default: list all calendars, regions and holiday lists."
        ),
    ] = "",
    region: RegionOption = "",
    month: Annotated[
        str, typer.Option("--month", metavar="YYYY-MM", help="The month to draw. Default: the present month.")
    ] = "",
    week: Annotated[
        str, typer.Option("--week", metavar="YYYY-MM-DD", help="Draw the week of this day, hour by hour.")
    ] = "",
    now: NowOption = "",
    version: VersionOption = "",
    digest: DigestOption = "",
    output: OutputOption = TableOrJson.TABLE,
    policies: PoliciesOption = None,
) -> None:
    """Draw a month or a week of a calendar.

    Also shows its holidays, and when it opens and closes next.
    """
    loaded, problems = load(policies), list[str]()
    at = read_moment_options(now, [], loaded.now, problems).now or loaded.now
    policy = replace(loaded, now=at).select(version=version, digest=digest).policy
    if not calendar:
        if region or month or week:
            problems.append(f"`CALENDAR` is missing: {', '.join(policy.calendars) or 'this policy has no calendar'}")
        if problems:
            raise command_error(*problems)
        if output is TableOrJson.JSON:
            show_json(_plain_list(policy))
        else:
            results().show(*_list_parts(policy))
        return
    if month and week:
        problems.append("expected one of --month and --week, got both")
    day = _read_day(*(("--week", week) if week else ("--month", month)), problems)
    clock = read_clock(policy, calendar, region, problems, "CALENDAR")
    if clock is None or problems:
        raise command_error(*problems)
    view = _view(clock, day or local_time(at, clock.calendar.zone).date(), bool(week), at)
    if output is TableOrJson.JSON:
        show_json(_plain_view(view))
    else:
        results().show(*_view_parts(view))


def sun(
    instant: Annotated[
        str, typer.Argument(metavar="[INSTANT]", help="The instant, such as 2026-01-23T15:00+11:00. Default: now.")
    ] = "",
    now: NowOption = "",
    version: VersionOption = "",
    digest: DigestOption = "",
    output: OutputOption = TableOrJson.TABLE,
    policies: PoliciesOption = None,
) -> None:
    """Show whose daytime it is, until when, and who is next."""
    loaded, problems = load(policies), list[str]()
    clock = read_moment_options(now, [], loaded.now, problems).now or loaded.now
    at = read_time("INSTANT", instant, problems) if instant else clock
    if at is None or problems:
        raise command_error(*problems)
    policy = replace(loaded, now=clock).select(version=version, digest=digest).policy
    if output is TableOrJson.JSON:
        show_json({"at": iso(at), "rosters": [plain_sun(roster, at) for roster in policy.rosters.values()]})
        return
    parts: list[RenderableType] = [] if policy.rosters else ["this policy has no roster"]
    for roster in policy.rosters.values():
        parts += ["", *sun_parts(roster, at)]
    results().show(Text(instant_text(at, "UTC", named=True), "dim"), *parts)


def _read_day(option: str, text: str, problems: list[str]) -> date | None:
    """Read a day, or a month as its first day."""
    if not text:
        return None
    found = _DAY.fullmatch(text)
    form = "2026-01-26" if option == "--week" else "2026-01"
    if found is None or (option == "--week" and not found[3]):
        problems.append(f"expected {option} like {form}, got `{text}`")
        return None
    try:
        day = date(int(found[1]), int(found[2]), int(found[3] or 1))
    except ValueError:
        problems.append(f"expected a day that exists for {option}, got `{text}`")
        return None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        problems.append(f"expected {option} in the years {FIRST_YEAR} to {LAST_YEAR}, got `{text}`")
        return None
    return day


def _view(clock: Clock, day: date, week: bool, now: datetime) -> View:
    first = day - timedelta(days=day.weekday()) if week else day.replace(day=1)
    last = first + timedelta(days=6) if week else day.replace(day=monthrange(day.year, day.month)[1])
    return View(clock=clock, days=days_of(clock.calendar, first, last), week=week, now=now)


def _view_parts(view: View) -> Iterator[RenderableType]:
    calendar = view.clock.calendar
    yield Text.assemble((f"{calendar.name}, {view.title}", "bold"), (f"  {calendar.zone}", "dim"))
    yield ""
    if view.week:
        yield from _week(view)
    else:
        yield from month_parts(view.clock, view.days, local_time(view.now, calendar.zone).date())
    yield from special_parts(view.clock, view.days)
    yield ""
    rows: list[tuple[RenderableType, ...]] = [("now", f"{instant_text(view.now, calendar.zone)}, {_state(view)}")]
    rows += [(label, _reached(reached, view)) for label, reached in _next(view)]
    listed = calendar.holidays
    rows.append(("holidays", f"{listed.name}, known from {listed.first} to {listed.last}" if listed else "none"))
    yield grid([*rows, ("tz database", TZDB)], "cyan")


def _week(view: View) -> Iterator[RenderableType]:
    zone, listed = view.clock.zone, view.clock.calendar.holidays
    first, last = (
        to_datetime(zone.resolve(midnight(number)))
        for number in (view.days[0].day.toordinal(), view.days[-1].day.toordinal() + 1)
    )
    marks = [Mark(at=view.now, symbol="▼", name="now", style="bold cyan")] if first <= view.now < last else []
    known = (listed.first, listed.last) if listed else None
    drawing = Drawing(view.clock.calendar.zone, stretches(view.clock, first, last), marks, known)
    yield from drawing.parts(first, last - timedelta(microseconds=1))


def _state(view: View) -> str:
    return {True: "open", False: "closed", None: "not known whether it is open"}[view.clock.is_open(view.now)]


def _next(view: View) -> list[tuple[str, Reached]]:
    opening = [] if view.clock.is_open(view.now) else [("opens", view.clock.next_opening(view.now))]
    return [*opening, ("closes", view.clock.next_closing(view.now))]


def _reached(reached: Reached, view: View) -> str:
    zone = view.clock.calendar.zone
    if reached.instant is not None:
        return instant_text(reached.instant, zone)
    if reached.sure:
        return "never"
    return (
        f"not before {instant_text(reached.not_before, zone)}: the holidays after that are not known"
        if reached.not_before
        else "not known"
    )


def _plain_view(view: View) -> JsonObject:
    calendar = view.clock.calendar
    opens, closes = view.clock.next_opening(view.now), view.clock.next_closing(view.now)
    return {
        "calendar": calendar.name,
        "zone": calendar.zone,
        "tzdb": TZDB,
        "now": {
            "at": iso(view.now),
            "open": view.clock.is_open(view.now),
            "opens": iso(opens.instant) if opens.instant else None,
            "closes": iso(closes.instant) if closes.instant else None,
        },
        **plain_days(view.clock, view.days),
    }


def _list_parts(policy: Policy) -> Iterator[RenderableType]:
    if not policy.calendars:
        yield "this policy has no calendar"
        return
    yield calendar_table(policy.calendars.values())
    if policy.regions:
        yield ""
        yield region_table(policy.regions.values())
    if policy.holidays:
        yield ""
        yield holiday_list_table(policy.holidays.values())
    yield ""
    by_region = next((one for one in policy.calendars.values() if one.by_region and not one.always), None)
    region = f" --region {next(iter(policy.regions))}" if by_region and policy.regions else ""
    yield Text.assemble(
        ("more: ", "cyan"),
        f"guidepost clock show {(by_region or next(iter(policy.calendars.values()))).name}{region}, with --month or --week",
    )


def _plain_list(policy: Policy) -> JsonObject:
    return {
        "calendars": [plain_calendar(calendar) for calendar in policy.calendars.values()],
        "regions": [plain_region(region) for region in policy.regions.values()],
        "holidays": [plain_span(listed) for listed in policy.holidays.values()],
    }
