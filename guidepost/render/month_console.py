"""A month of a calendar as a grid of days, and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from engine.clock.calendar import DAY, Calendar, Holiday, HolidayStatus, Interval
from engine.clock.clock import Clock
from engine.clock.localtime import local_time
from engine.clock.opening_times import hours
from engine.clock.zone import midnight, to_datetime
from engine.decide.answer_times_json import iso
from guidepost.render.calendar_json import plain_span
from guidepost.render.console import JsonObject, grid
from guidepost.render.time_text import WEEKDAYS, day_text, hours_text, minutes_text, offset_text, short_text
from guidepost.render.timeline import turns

WIDTH: Final = 10
"""The columns of a day: seven days and their borders fit 80 columns."""

ONE_OFF: Final = "*"
ESTIMATED: Final = "~"
BREAK: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of a calendar: its hours, and how it differs from its weekday.

    ``known`` is whether the holiday list covers the day.
    """

    day: date
    known: bool
    hours: tuple[Interval, ...]
    holiday: Holiday | None
    one_off: bool
    breaks: tuple[Interval, ...]


def days_of(calendar: Calendar, first: date, last: date) -> tuple[Day, ...]:
    """Return the days from the first date to the last, both included."""
    listed = calendar.holidays
    found = []
    for number in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(number)
        holiday = listed.days.get(day) if listed else None
        known = listed is None or listed.first <= day <= listed.last
        intervals = (Interval(0, DAY),) if calendar.always else hours(calendar, day)
        found.append(
            Day(
                day=day,
                known=known,
                hours=intervals,
                holiday=holiday,
                one_off=day in calendar.dates,
                breaks=tuple(calendar.breaks.get(day, ())),
            )
        )
    return tuple(found)


def month_parts(clock: Clock, days: Sequence[Day], today: date) -> Iterator[RenderableType]:
    """Yield a grid of weeks, and the signs that it uses."""
    table = Table(box=box.SQUARE, show_lines=True, padding=(0, 0), header_style="bold", border_style="dim")
    for name in WEEKDAYS:
        table.add_column(name, width=WIDTH)
    turned = {local_time(to_datetime(at), clock.calendar.zone).date(): text for at, text in _turns(clock, days)}
    cells = [Text()] * days[0].day.weekday() + [_cell(day, day.day == today, turned.get(day.day, "")) for day in days]
    cells += [Text()] * (-len(cells) % 7)
    for start in range(0, len(cells), 7):
        table.add_row(*cells[start : start + 7])
    yield table
    signs = {
        f"{ONE_OFF} one-off hours": any(day.one_off for day in days),
        f"{BREAK} break": any(day.breaks for day in days),
        f"{ESTIMATED} estimated, not confirmed": any(
            day.holiday and day.holiday.status is HolidayStatus.ESTIMATED for day in days
        ),
        "? holidays not known": not all(day.known for day in days),
        "< today": any(day.day == today for day in days),
    }
    if legend := [text for text, there in signs.items() if there]:
        yield Text("   ".join(legend), "dim")


def _cell(day: Day, today: bool, turned: str) -> Text:
    cell = Text.assemble(
        (f"{day.day.day}", "bold reverse" if today else "bold"),
        " <" if today else "",
        f" {ONE_OFF}" if day.one_off else "",
    )
    if not day.known:
        return cell.append("\n?", "dim")
    if day.holiday is not None:
        unsure = day.holiday.status is HolidayStatus.ESTIMATED
        cell.append(f" {ESTIMATED}" if unsure else "", "yellow").append(f"\n{_short(day.holiday.name)}", "magenta")
    if day.hours:
        cell.append("\n" + "\n".join(map(_interval, day.hours)), "green")
    elif day.holiday is None:
        cell.append("\nclosed", "dim")
    for one in day.breaks:
        cell.append(f"\n{BREAK}{_interval(one)}", "yellow")
    if turned:
        cell.append(f"\nclock{turned.partition(' to ')[0].replace(' ', '')}", "cyan")
    return cell


def _short(name: str) -> str:
    r"""Shorten a name to two lines of a cell.

    >>> _short("Auckland Anniversary Day")
    'Auckland\nAnnivers…'
    """
    lines: list[str] = []
    for word in name.split():
        if lines and len(lines[-1]) + len(word) < WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(word if len(word) <= WIDTH else f"{word[: WIDTH - 2]}…")
    return "\n".join(lines if len(lines) <= 2 else [lines[0], f"{lines[1].rstrip('…')[: WIDTH - 1]}…"])


def _interval(interval: Interval) -> str:
    """Return an interval in few columns.

    >>> _interval(Interval(420, 1140)), _interval(Interval(450, 1140)), _interval(Interval(0, 1440))
    ('07-19', '07:30-19', 'all day')
    """
    if interval == (0, DAY):
        return "all day"
    return "-".join(
        f"{minute % DAY // 60 or (24 if minute == DAY else 0):02}{f':{minute % 60:02}' if minute % 60 else ''}"
        for minute in interval
    )


def _turns(clock: Clock, days: Sequence[Day]) -> list[tuple[int, str]]:
    first, last = (
        clock.zone.resolve(midnight(number)) for number in (days[0].day.toordinal(), days[-1].day.toordinal() + 1)
    )
    return list(turns(clock.calendar.zone, first, last))


def special_parts(clock: Clock, days: Sequence[Day]) -> Iterator[RenderableType]:
    """Yield a table of holidays with status and source, one-off hours, breaks and clock changes."""
    rows: list[tuple[RenderableType, ...]] = []
    for day in days:
        name = day_text(day.day)
        if day.holiday is not None and day.known:
            unsure = day.holiday.status is HolidayStatus.ESTIMATED
            rows.append(
                (
                    name,
                    Text(day.holiday.name, "magenta"),
                    Text(day.holiday.status.value, "yellow" if unsure else ""),
                    Text(day.holiday.source, "dim"),
                )
            )
        if day.one_off:
            rows.append((name, f"one-off hours: {hours_text(day.hours)}", "", ""))
        rows += [(name, f"break {minutes_text(opens)}-{minutes_text(closes)}", "", "") for opens, closes in day.breaks]
    for at, text in _turns(clock, days):
        rows.append(
            (
                short_text(to_datetime(at), clock.calendar.zone).rpartition(" ")[0],
                f"clocks change by {text} at {at_text(at, clock)}",
                "",
                "",
            )
        )
    if rows:
        yield ""
        yield grid(rows, "bold")


def at_text(micros: int, clock: Clock) -> str:
    """Return the local time of a clock change, by the offset before it."""
    before = local_time(to_datetime(micros - 1), clock.calendar.zone) + timedelta(microseconds=1)
    return f"{before:%H:%M} {offset_text(before)}"


def plain_days(clock: Clock, days: Sequence[Day]) -> JsonObject:
    """Return days as data; hours are local minutes of the day, or null if the holidays are not known."""
    listed = clock.calendar.holidays
    return {
        "holidays": plain_span(listed) if listed else None,
        "days": [
            {
                "date": day.day.isoformat(),
                "open": [[*one] for one in day.hours] if day.known else None,
                "holiday": {"name": day.holiday.name, "status": day.holiday.status.value, "source": day.holiday.source}
                if day.holiday
                else None,
                "one_off": day.one_off,
                "breaks": [[*one] for one in day.breaks],
            }
            for day in days
        ],
        "turns": [{"at": iso(to_datetime(at)), "change": text} for at, text in _turns(clock, days)],
    }
