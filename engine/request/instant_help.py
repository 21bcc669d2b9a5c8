"""Why a text is not an instant, and what to write instead.

The functions take a text that is not RFC 3339. They return a reason and a help, or None if the text does not look like
a day and a time. They do not guess: if a text can mean two days, or lacks an offset, the help lists what it can mean.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from engine.clock.calendar import FIRST_YEAR, LAST_YEAR
from engine.clock.zone import to_micros, zone, zone_names

_DAY: Final = r"""
    (?:(?P<weekday>[^\W\d]{2,9})\.?,?\s+)?
    (?: (?P<year>\d{4})(?P<by>[-/.])(?P<month>\d{1,2})(?P=by)(?P<day>\d{1,2})
      | (?P<first>\d{1,2})(?P<between>[-/.])(?P<second>\d{1,2})(?P=between)(?P<last>\d{4})
      | (?P<named_day>\d{1,2})[\s.-]{1,2}(?P<name>[^\W\d]{3,9})\.?[\s-]+(?P<named_year>\d{4})
      | (?P<name_first>[^\W\d]{3,9})\.?\s+(?P<day_second>\d{1,2}),?\s+(?P<year_third>\d{4})
    )"""
_TIME: Final = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<whole>\d{2})(?P<fraction>[.,]\d+)?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
)
_TEXT: Final = re.compile(
    rf"{_DAY}(?:(?P<apart>\s*[Tt]\s*|,?\s+(?:at\s+)?|,)(?:{_TIME})\s*(?P<rest>.*))?", re.VERBOSE | re.ASCII
)
_OFFSET: Final = re.compile(r"(?:UTC|GMT|Z)?\s*([+-])(\d{1,2})(?::?(\d{2}))?", re.ASCII | re.IGNORECASE)
_TWO_DIGITS: Final = re.compile(r"\d{1,2}([-/.])\d{1,2}\1\d{2}(?!\d)", re.ASCII)
_SECONDS: Final = re.compile(r"\d{10}(\d{3})?", re.ASCII)
_UTC: Final = frozenset({"Z", "UTC", "GMT", "UT", "ZULU"})
_MONTHS: Final = {
    name.casefold(): number
    for names in (calendar.month_name, calendar.month_abbr)
    for number, name in enumerate(names)
    if name
}

_LONGEST: Final = 80
"""Longer texts are not examined: no notation of an instant is longer."""

_EXAMPLE: Final = "+10:00"


class InstantHelp(NamedTuple):
    """Why a text is not an instant, and what to write."""

    reason: str
    help: str


_SHORT_YEAR: Final = InstantHelp("expected four digits for the year", "write year, month and day, as in 2026-01-31")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """A day that a text can mean, and the reading of the text that leads to it."""

    year: int
    month: int
    day: int
    reading: str = ""

    def wrong(self) -> str:
        """Return why the day does not exist, or "" if it does."""
        if not 1 <= self.month <= 12:
            return f"expected a month from 1 to 12, got {self.month}"
        last = calendar.monthrange(self.year or 4, self.month)[1]
        if not 1 <= self.day <= last:
            return f"expected a day from 1 to {last} in {calendar.month_name[self.month]} {self.year}, got {self.day}"
        return ""


def instant_help(text: str) -> InstantHelp | None:
    """Return why a text cannot be read as an instant; None if it does not look like one.

    >>> instant_help("2026-03-02 10:00:00 UTC")
    InstantHelp(reason='expected an offset from UTC, got the name `UTC`', help='write 2026-03-02T10:00:00Z')
    >>> instant_help("2026-02-30T10:00:00Z")
    InstantHelp(reason='expected a day from 1 to 28 in February 2026, got 30', help='')
    >>> instant_help("half past nine") is None
    True
    """
    text = text.strip()
    if _SECONDS.fullmatch(text):
        seconds = int(text[:10])
        return InstantHelp(
            "expected an instant, got a number of seconds",
            f"write {_iso(datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None))}Z, if it counts from 1970",
        )
    found = _TEXT.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return _SHORT_YEAR if _TWO_DIGITS.match(text) else None
    part = found.groupdict()
    days = _days(part)
    if not days:
        return InstantHelp(
            f"unknown month `{part['name'] or part['name_first']}`",
            "write the month as a number, as in 2026-01-31",
        )
    possible = [day for day in days if not day.wrong()]
    if not possible:
        return InstantHelp(days[0].wrong(), _exchanged(days[0]))
    if not all(FIRST_YEAR <= day.year <= LAST_YEAR for day in possible):
        return None
    order = _order(part)
    if part["hour"] is None:
        reason = order or "the time is missing"
        return InstantHelp(
            reason,
            f"add a time and an offset, as in {date(possible[0].year, possible[0].month, possible[0].day)}T09:00:00{_EXAMPLE}",
        )
    return _with_time(part, possible, order)


def unreadable(text: str) -> str:
    """Return why a text in the form of an instant is not one."""
    found = instant_help(text)
    return found.reason if found is not None else "this day, time or offset does not exist"


def _with_time(part: dict[str, str | None], days: list[_Day], order: str) -> InstantHelp | None:
    """Return the help for a text with a valid day and a time."""
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "whole"))
    half, wrong_time = (part["half"] or "").replace(".", "").upper(), ""
    next_day = (hour, minute, second, half) == (24, 0, 0, "")
    if half:
        wrong_time = "" if 1 <= hour <= 12 else f"the time {hour} {half} does not exist"
        hour = hour % 12 + 12 * (half == "PM")
    if wrong_time or not (next_day or hour < 24) or minute > 59 or second > 59:
        sent = f"{part['hour']}:{part['minute']}" + (f":{part['whole']}" if part["whole"] else "")
        return InstantHelp(
            wrong_time or f"the time {sent} does not exist", "hours go from 00 to 23, minutes and seconds from 00 to 59"
        )
    reason, offsets, advice = _offset(part["rest"] or "", days, timedelta(hours=hour, minutes=minute, seconds=second))
    if advice:
        return InstantHelp(reason, advice)
    written = []
    for day, offset in zip(days, offsets, strict=True):
        local = datetime(day.year, day.month, day.day) + timedelta(hours=hour, minutes=minute, seconds=second)  # noqa: DTZ001 - the offset is written behind it
        fraction = (part["fraction"] or "").replace(",", ".")
        written.append(f"{_iso(local)}{fraction}{offset}{f' {day.reading}' if len(days) > 1 else ''}")
    first = order or (
        "`24:00` is `00:00` of the next day" if next_day else f"unexpected `{part['half']}`" if half else reason
    )
    return InstantHelp(
        first or _form(part),
        f"write {', or '.join(written)}"
        + (", with the right offset instead of Z if it is not UTC" if not part["rest"] else ""),
    )


def _days(part: dict[str, str | None]) -> list[_Day]:
    """Return the days that a text can mean; none if the name of its month is unknown."""
    if part["year"]:
        return [_Day(year=int(part["year"]), month=int(part["month"] or 0), day=int(part["day"] or 0))]
    if part["last"]:
        year, first, second = int(part["last"]), int(part["first"] or 0), int(part["second"] or 0)
        days = [_Day(year=year, month=second, day=first, reading=f"if {part['first']} is the day")]
        if part["between"] != "." and first != second:
            days.append(_Day(year=year, month=first, day=second, reading=f"if {part['first']} is the month"))
        return days
    name, day, year_ = (
        (part["name"], part["named_day"], part["named_year"])
        if part["name"]
        else (part["name_first"], part["day_second"], part["year_third"])
    )
    month = _MONTHS.get((name or "").casefold())
    return [] if month is None else [_Day(year=int(year_ or 0), month=month, day=int(day or 0))]


def _order(part: dict[str, str | None]) -> str:
    """Describe what is wrong with how a day is written, or ""."""
    if part["name"] or part["name_first"]:
        return f"expected the month as a number, got `{part['name'] or part['name_first']}`"
    if part["last"]:
        return "expected the year first"
    if part["by"] != "-":
        return f"expected `-` between year, month and day, got `{part['by']}`"
    if len(part["month"] or "") < 2 or len(part["day"] or "") < 2:
        return "expected two digits for month and day"
    return f"unexpected `{part['weekday']}`" if part["weekday"] else ""


def _exchanged(day: _Day) -> str:
    """Return a help with month and day exchanged, if that day exists."""
    other = _Day(year=day.year, month=day.day, day=day.month)
    return (
        f"the month comes before the day: {date(other.year, other.month, other.day)}"
        if day.month > 12 and not other.wrong()
        else ""
    )


def _offset(rest: str, days: list[_Day], time: timedelta) -> tuple[str, list[str], str]:
    """Return what is wrong with the text after the time, the offset on each day, and a help if there is no offset."""
    # A name in brackets repeats the offset before it, as in 2026-03-02T10:00+01:00[Europe/Paris].
    bare = re.sub(r"(?<=\S)\s*[\[(].*[\])]$", "", rest)
    plain = bare.strip("[]()").replace("\N{MINUS SIGN}", "-")
    unread = f"unexpected `{rest.removeprefix(bare).strip() or rest}`"
    if not plain:
        return "the offset from UTC is missing", ["Z"] * len(days), ""
    if plain.upper() in _UTC:
        return (
            "" if rest == "Z" else unread if plain == "Z" else f"expected an offset from UTC, got the name `{rest}`",
            ["Z"] * len(days),
            "",
        )
    if found := _OFFSET.fullmatch(plain):
        sign, hours, minutes = found[1], int(found[2]), int(found[3] or 0)
        if hours > 23 or minutes > 59:
            return f"the offset {plain} does not exist", [], "write an offset from -23:59 to +23:59"
        return unread, [f"{sign}{hours:02}:{minutes:02}"] * len(days), ""
    if plain in zone_names() and "/" in plain:
        at = [datetime(day.year, day.month, day.day, tzinfo=UTC) + time for day in days]
        return (
            f"expected an offset from UTC, got the time zone `{plain}`",
            [_ahead(plain, to_micros(local)) for local in at],
            "",
        )
    return f"expected an offset from UTC, got `{rest}`", [], f"write Z for UTC, or an offset such as {_EXAMPLE}"


def _ahead(name: str, local: int) -> str:
    """Return the offset of a zone at a local time, as text."""
    minutes = round((local - zone(name).resolve(local)) / 60_000_000)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _form(part: dict[str, str | None]) -> str:
    """Return what remains wrong: the digits of the hour, or the spaces."""
    return (
        "expected two digits for the hour"
        if len(part["hour"] or "") < 2
        else "expected one space, between day and time"
    )


def _iso(local: datetime) -> str:
    return local.isoformat(timespec="seconds")
