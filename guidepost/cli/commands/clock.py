"""``guidepost clock add`` and ``count``: business time without a ticket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from engine.clock.calendar import DayRule
from engine.clock.clock import Clock
from engine.clock.stretches import Stretch, StretchKind, stretches
from engine.clock.zone import TZDB
from engine.deadlines.clocks import Clocks
from engine.deadlines.due import due_on_clock
from engine.decide.answer_times_json import iso, plain_due
from engine.model.answer import Due
from engine.model.policy import Policy
from engine.model.targets import Target, Unit, unit_by
from guidepost.cli.command_group import command_group
from guidepost.cli.commands.clock_show import show, sun
from guidepost.cli.options.clock import CalendarOption, RegionOption, RuleOption, read_amount, read_clock, read_rule
from guidepost.cli.options.moment import NowOption, PauseOption, read_moment_options, read_time
from guidepost.cli.options.policies_folder import DigestOption, PoliciesOption, VersionOption, load
from guidepost.render.console import JsonObject, TableOrJson, command_error, grid, indented, results, show_json
from guidepost.render.deadlines_console import DAY_RULES, drawing_parts, due_text, why_text
from guidepost.render.time_text import NOUNS, instant_text, length_text
from guidepost.render.timeline import Drawing, Mark, stretch_table

clock: Final = command_group("Add and count business time, draw a calendar, follow the sun.")
OutputOption = Annotated[TableOrJson, typer.Option("-o", "--output", help="The output format.")]


@clock.command("add")
def add(
    start: Annotated[
        str, typer.Argument(metavar="START", help="An instant with an offset, such as 2026-01-23T15:00+11:00.")
    ],
    amount: Annotated[
        list[str],
        typer.Argument(metavar="AMOUNT", help='The amount, such as "1 business day", "4 hours" or "90 minutes".'),
    ],
    calendar: CalendarOption = "",
    region: RegionOption = "",
    rule: RuleOption = None,
    pause: PauseOption = None,
    now: NowOption = "",
    version: VersionOption = "",
    digest: DigestOption = "",
    output: OutputOption = TableOrJson.TABLE,
    policies: PoliciesOption = None,
) -> None:
    """Add business time to an instant and draw the way to the result.

    Business days need --rule: the deadlines of a policy state how they count, and this command assumes nothing.
    """
    loaded, problems = load(policies), list[str]()
    moment = read_moment_options(now, pause or [], loaded.now, problems)
    policy = replace(loaded, now=moment.now or loaded.now).select(version=version, digest=digest).policy
    begin = read_time("START", start, problems)
    much = read_amount(" ".join(amount), problems)
    way = read_rule(much, rule, problems)
    if (
        read_clock(policy, calendar, region, problems, unit=much.unit if much else Unit.HOURS) is None
        or begin is None
        or much is None
        or problems
    ):
        raise command_error(*problems)
    made = due_on_clock(
        "",
        Clocks(policy).of(calendar, region),
        Target(
            amount=much.number,
            unit=unit_by(much.unit, always=policy.calendars[calendar].always),
            rule=way,
            calendar=calendar,
            region=region,
        ),
        begin,
        moment.ended_holds(),
    )
    if output is TableOrJson.JSON:
        show_json({name: value for name, value in plain_due(made).items() if name not in ("name", "standing")})
    else:
        results().show(*_added(made, policy))


def _added(made: Due, policy: Policy) -> Iterator[RenderableType]:
    rows: list[tuple[RenderableType, ...]] = [("due", due_text(made, None))]
    rows += [("in UTC", iso(made.due))] if made.due else []
    yield grid([*rows, ("why", Text(why_text(made, policy)))], "cyan")
    yield from drawing_parts(made, None)


@clock.command("count")
def count(
    start: Annotated[
        str, typer.Argument(metavar="START", help="An instant with an offset, such as 2026-01-23T15:00+11:00.")
    ],
    end: Annotated[str, typer.Argument(metavar="END", help="An instant with an offset.")],
    calendar: CalendarOption = "",
    region: RegionOption = "",
    rule: RuleOption = None,
    pause: PauseOption = None,
    now: NowOption = "",
    version: VersionOption = "",
    digest: DigestOption = "",
    output: OutputOption = TableOrJson.TABLE,
    policies: PoliciesOption = None,
) -> None:
    """Count the business time between two instants.

    With --rule, also counts business days: the full ones, and those that have begun.
    """
    loaded, problems = load(policies), list[str]()
    moment = read_moment_options(now, pause or [], loaded.now, problems)
    policy = replace(loaded, now=moment.now or loaded.now).select(version=version, digest=digest).policy
    first, last = read_time("START", start, problems), read_time("END", end, problems)
    if first is not None and last is not None and last < first:
        problems.append(f"END {end} is before START {start}")
    if rule is not None and pause:
        problems.append("business days do not count pauses: leave out --rule or --pause")
    kept = read_clock(policy, calendar, region, problems, unit=Unit.BUSINESS_DAYS if rule else Unit.HOURS)
    if kept is None or first is None or last is None or problems:
        raise command_error(*problems)
    counted = TimeBetween(kept, first, last, stretches(kept, first, last, moment.ended_holds()), rule)
    if output is TableOrJson.JSON:
        show_json(counted.plain())
    else:
        results().show(*counted.parts())


class TimeBetween:
    """The business time between two instants by a clock."""

    def __init__(
        self, kept: Clock, start: datetime, end: datetime, way: tuple[Stretch, ...], rule: DayRule | None
    ) -> None:
        self._clock, self._start, self._end, self._way, self._rule = kept, start, end, way, rule
        self._open = sum((one.end - one.start for one in way if one.kind is StretchKind.OPEN), timedelta())
        self._sure = kept.count(start, end).sure
        self._unit = unit_by(Unit.BUSINESS_DAYS, always=kept.calendar.always)

    def _days(self, *, begun: bool) -> int | None:
        return self._clock.count_days(self._start, self._end, self._rule, begun) if self._rule else None

    def plain(self) -> JsonObject:
        """Return the counts as data."""
        days: JsonObject | None = (
            {"rule": self._rule.value, "full": self._days(begun=False), "begun": self._days(begun=True)}
            if self._rule
            else None
        )
        if days is not None and self._unit is Unit.DAYS:
            days["unit"] = self._unit.value
        return {
            "start": iso(self._start),
            "end": iso(self._end),
            "seconds": self._open.total_seconds(),
            "sure": self._sure,
            "business_days": days,
            "calendar": self._clock.calendar.name,
            "zone": self._clock.calendar.zone,
            "tzdb": TZDB,
            "stretches": [
                {"start": iso(one.start), "end": iso(one.end), "kind": one.kind.value, "name": one.name}
                for one in self._way
            ],
        }

    def parts(self) -> Iterator[RenderableType]:
        """Yield the counts and a drawing for the terminal."""
        zone, listed = self._clock.calendar.zone, self._clock.calendar.holidays
        counted = Text(length_text(self._open), "bold")
        if not self._sure and listed is not None:
            counted.append(
                f" or less: the holidays {listed.name} are known only from {listed.first} to {listed.last}", "yellow"
            )
        rows: list[tuple[RenderableType, ...]] = [("business time", counted)]
        if self._rule is not None:
            full, begun = self._days(begun=False), self._days(begun=True)
            days_text = (
                "not known"
                if full is None or begun is None
                else f"{full:,} full, {begun:,} including the one that has begun"
            )
            rows.append((NOUNS[self._unit][1], f"{days_text} ({DAY_RULES[self._rule]}, {self._rule})"))
        rows += [("from", instant_text(self._start, zone)), ("to", instant_text(self._end, zone))]
        rows += [("calendar", f"{self._clock.calendar.name}, {zone}"), ("tz database", TZDB)]
        yield grid(rows, "cyan")
        if self._way:
            yield ""
            marks = [
                Mark(at=self._start, symbol="►", name="start"),
                Mark(at=self._end, symbol="◆", name="end", style="bold red"),
            ]
            known = (listed.first, listed.last) if listed else None
            for part in (
                *Drawing(zone, self._way, marks, known).parts(self._start, self._end),
                "",
                stretch_table(self._way, zone),
            ):
                yield indented(part)


clock.command("show")(show)
clock.command("sun")(sun)
