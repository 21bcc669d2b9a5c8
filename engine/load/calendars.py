"""Reads the calendars and regions of a policy file."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import date
from typing import Final

from engine.clock.calendar import DAY, FIRST_YEAR, LAST_YEAR, HolidayList, Interval
from engine.clock.zone import zone_names
from engine.load.node_readers import Mapping, Node, Scalar, flag, items, key_place, mapping, pairs, text, value_place
from engine.model.did_you_mean import MEANT, nearest
from engine.model.problems import Place, Problem
from engine.model.targets import BY_REGION, Region, WrittenCalendar
from engine.model.vocabulary import boolean_word

LIST_MEANT: Final = 75.0
"""How alike (of 100) the name of a list must be: names are short, and a missing list is not a misspelt one."""

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NO_HOLIDAYS: Final = "none"
CLOSED: Final = "closed"

_HOURS: Final = re.compile(r"(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_BETWEEN_SPANS: Final = re.compile(r"\s*(?:[,;+&]|\band\b)\s*")
_ABOUT_HOURS: Final = re.compile(
    r"(\d{1,2})(?:[:.h](\d\d))?\s*([ap]m)?\s*(?:-|–|to)\s*(\d{1,2})(?:[:.h](\d\d))?\s*([ap]m)?",
    re.ASCII | re.IGNORECASE,
)
_RANGE: Final = re.compile(r"\d{4}-\d\d-\d\d\s*(?:\.{2,3}|-|–|/|to|until)\s*\S.*")
_NO_YEAR: Final = re.compile(r"-{0,2}\d\d-\d\d", re.ASCII)
_LAST_HOUR: Final = 24
_MONTHS: Final = 12
_OPEN_ALL_WEEK: Final = ((Interval(0, DAY),),) * 7
_FORM: Final = "write the opening and closing time, such as 09:00-17:00; 24:00 is the end of the day"


def _hours_help(written: str) -> str:
    """Return the help for wrong hours, with the corrected text if it can be guessed.

    >>> _hours_help("12:00-28:00"), _hours_help("9-17")
    ('hours after midnight belong to the day on which they begin: write `12:00-04:00`', 'write `09:00-17:00`')
    >>> _hours_help("09:00-12:00, 13:00-17:00")
    'write several spans of a day as a list: `["09:00-12:00", "13:00-17:00"]`'
    """
    spans = [span for span in _BETWEEN_SPANS.split(written) if span]
    if len(spans) > 1 and all(_HOURS.fullmatch(span) for span in spans):
        listed = ", ".join(f'"{span}"' for span in spans)
        return f"write several spans of a day as a list: `[{listed}]`"
    found = _ABOUT_HOURS.fullmatch(written)
    if found is None:
        return _FORM
    begin, end = _hour(found[1], found[3]), _hour(found[4], found[6])
    minutes = [found[2] or "00", found[5] or "00"]
    if begin >= _LAST_HOUR or end > 2 * _LAST_HOUR or max(minutes) > "59":
        return _FORM
    if end * 60 + int(minutes[1]) > DAY:
        return f"hours after midnight belong to the day on which they begin: write `{begin:02d}:{minutes[0]}-{end - _LAST_HOUR:02d}:{minutes[1]}`"
    return f"write `{begin:02d}:{minutes[0]}-{end:02d}:{minutes[1]}`"


def _hour(written: str, half: str | None) -> int:
    """Read an hour; after noon, `1pm` is 13."""
    return int(written) % 12 + 12 * half.lower().startswith("p") if half else int(written)


def _no_date(written: str) -> tuple[str, str]:
    """Return why a key is not a date, and what to write.

    >>> _no_date("2026-02-30")
    ('the date 2026-02-30 does not exist', 'the last day of that month is 2026-02-28')
    >>> _no_date("12-24")[1]
    'add the year, one line per year: 2026-12-24'
    """
    if _DATE.fullmatch(written):
        year, month, _ = map(int, written.split("-"))
        if FIRST_YEAR <= year <= LAST_YEAR:
            last = (
                f"the last day of that month is {year}-{month:02d}-{monthrange(year, month)[1]}"
                if 1 <= month <= _MONTHS
                else "write a month from 01 to 12"
            )
            return f"the date {written} does not exist", last
        return (
            f"expected a date from {FIRST_YEAR} to {LAST_YEAR}, got `{written}`",
            "write year, month and day, such as 2026-12-24",
        )
    message = f"expected a date such as 2026-12-24, got `{written}`"
    if written.partition("-")[0] in DAYS:
        return (
            message,
            'write what applies on each weekday under `hours`: two spans leave a break between them, `mon-fri: ["09:00-12:00", "13:00-17:00"]`',
        )
    if _RANGE.fullmatch(written):
        return message, "write one line per day"
    if _NO_YEAR.fullmatch(written):
        return message, f"add the year, one line per year: 2026-{written.strip('-')}"
    return message, "write year, month and day"


def zone_problem(zone: str, place: Place, *others: str) -> Problem | None:
    """Return the problem of an unknown time zone, or None; ``others`` are words that are allowed as well."""
    if zone in zone_names() or zone in others:
        return None
    near = nearest(zone, (*others, *zone_names()), 1, MEANT)
    return Problem(
        place=place,
        code="unknown-value",
        message=f"unknown time zone `{zone}`",
        help=f"did you mean `{near[0]}`?" if near else "write an IANA name, such as Australia/Melbourne",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarReader:
    """Reads the calendars and regions of one file; what is wrong is added to ``problems``."""

    holidays: MappingOf[str, HolidayList]
    source: str
    problems: list[Problem]
    whole: bool
    """Whether every file was read: only then is an unknown list a problem."""

    def region(self, name: str, node: Node, place: Place) -> Region:
        """Read one region."""
        zone, listed = text(node, "zone"), text(node, "holidays")
        self._zone(zone, node)
        self._list(listed, node, NO_HOLIDAYS)
        return Region(
            name=name,
            zone=zone,
            holidays="" if listed == NO_HOLIDAYS else listed,
            about=text(node, "about"),
            place=place,
        )

    def calendar(self, name: str, node: Node, place: Place) -> WrittenCalendar:
        """Read one calendar.

        If its hours cannot be read, it counts as open, so that no problem follows from the first.
        """
        before = len(self.problems)
        odd = boolean_word(text(node, "always", "no")) is None  # told by the shape of the file
        always, zone, listed = flag(node, "always"), text(node, "zone"), text(node, "holidays")
        self._zone(zone, node, BY_REGION)
        if always:
            for key in ("hours", "dates", "breaks", "holidays"):
                if isinstance(node, Mapping) and key in node.entries:
                    self._add(
                        key_place(node, key),
                        "unknown-key",
                        f"`{key}` is not allowed in the calendar `{name}`, which is always open",
                        "remove one of the two",
                    )
        elif not odd:
            for key, why in (
                ("hours", "when it is open on each weekday"),
                ("holidays", f"a list, {BY_REGION} or {NO_HOLIDAYS}"),
            ):
                if isinstance(node, Mapping) and key not in node.entries:
                    self._add(
                        place,
                        "missing-key",
                        f"`{key}` is missing in the calendar `{name}`",
                        f"write {why}; or `always: yes`",
                    )
        if not always:
            self._list(listed, node, BY_REGION, NO_HOLIDAYS)
        week, dates = self._week(mapping(node, "hours")), self._dates(mapping(node, "dates"))
        if len(self.problems) > before or odd:
            week = _OPEN_ALL_WEEK
        return WrittenCalendar(
            name=name,
            about=text(node, "about"),
            zone=zone,
            holidays="" if listed == NO_HOLIDAYS else listed,
            always=always,
            week=week,
            dates=dates,
            breaks=self._dates(mapping(node, "breaks"), overnight=False),
            source=text(node, "source") or self.source,
            assumption=text(node, "assumption"),
            place=place,
        )

    def _zone(self, zone: str, node: Node, *others: str) -> None:
        if zone:
            problem = zone_problem(zone, value_place(node, "zone"), *others)
            self.problems.extend([problem] if problem else [])

    def _list(self, listed: str, node: Node, *others: str) -> None:
        if self.whole and listed and listed not in others and listed not in self.holidays:
            near = nearest(listed, (*others, *self.holidays), 1, LIST_MEANT)
            self._add(
                value_place(node, "holidays"),
                "unknown-reference",
                f"unknown holiday list `{listed}`",
                f"did you mean `{near[0]}`?"
                if near
                else f"add the list as holidays/{listed}.yaml, or name {' or '.join(others)} here",
            )

    def _week(self, node: Mapping | None) -> tuple[tuple[Interval, ...], ...]:
        week: list[tuple[Interval, ...]] = [()] * 7
        places: dict[int, Place] = {}
        for key, hours in pairs(node):
            place = node.key_places[key] if node else hours.place
            days = self._days(key, place)
            again = [day for day in days if day in places]
            if again:
                self._add(place, "repeated-key", f"`{key}` repeats {DAYS[again[0]]}", "name each weekday once")
            read = self._intervals(hours)
            for day in days:
                week[day], places[day] = read, place
        self._into_next_day(tuple(week), places)
        return tuple(week)

    def _days(self, key: str, place: Place) -> tuple[int, ...]:
        """Read a weekday or a range of weekdays as numbers from Monday."""
        first, dash, last = key.partition("-")
        if first in DAYS and (last in DAYS or not dash):
            begin, end = DAYS.index(first), DAYS.index(last or first)
            if begin <= end:
                return tuple(range(begin, end + 1))
            parts = ("sun" if first == "sun" else f"{first}-sun", "mon" if last == "mon" else f"mon-{last}")
            self._add(
                place,
                "bad-format",
                f"the range `{key}` goes past the end of the week",
                f"write {' and '.join(parts)} separately; a week begins with mon",
            )
            return ()
        self._add(
            place,
            "bad-format",
            f"expected a weekday, got `{key}`",
            f"write {', '.join(DAYS)}, or a range such as mon-fri",
        )
        return ()

    def _into_next_day(self, week: tuple[tuple[Interval, ...], ...], places: MappingOf[int, Place]) -> None:
        """Report hours that end after those of the next day begin, once for all days that are written together."""
        told: set[Place] = set()
        for day, intervals in enumerate(week):
            after = week[(day + 1) % 7]
            if intervals and after and intervals[-1].closes - DAY > after[0].opens and places[day] not in told:
                told.add(places[day])
                self._add(
                    places[day],
                    "bad-format",
                    f"the hours of {DAYS[day]} overlap those of {DAYS[(day + 1) % 7]}",
                    "end one before the other begins",
                )

    def _dates(self, node: Mapping | None, *, overnight: bool = True) -> dict[date, tuple[Interval, ...]]:
        found = {}
        for key, hours in pairs(node):
            day = self._date(key, node.key_places[key] if node else hours.place)
            if day is not None:
                found[day] = self._intervals(hours, overnight=overnight)
        return found

    def _date(self, written: str, place: Place) -> date | None:
        try:
            day = date.fromisoformat(written) if _DATE.fullmatch(written) else None
        except ValueError:
            day = None
        if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
            self._add(place, "bad-format", *_no_date(written))
            return None
        return day

    def _intervals(self, node: Node, *, overnight: bool = True) -> tuple[Interval, ...]:
        """Read the hours of a day, one text or a list; ``closed`` means none, and is not allowed for a break."""
        if isinstance(node, Scalar) and node.text.strip() == CLOSED and overnight:
            return ()
        found: list[Interval] = []
        for item in (node,) if isinstance(node, Scalar) else items(node):
            interval = self._interval(item, overnight=overnight) if isinstance(item, Scalar) else None
            if interval is None:
                continue
            if found and interval.opens < found[-1].closes:
                self._add(
                    item.place,
                    "bad-format",
                    f"`{text(item)}` begins before the previous hours end",
                    "write the hours of a day in order and without overlaps",
                )
            found.append(interval)
        return tuple(sorted(found))

    def _interval(self, node: Scalar, *, overnight: bool) -> Interval | None:
        match = _HOURS.fullmatch(node.text.strip())
        opens, closes = (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])) if match else (0, 0)
        if match is None or max(int(match[2]), int(match[4])) > 59 or opens >= DAY or closes > DAY:
            self._add(
                node.place,
                "bad-format",
                f"expected the hours of a day, got `{node.text.strip()}`",
                f"write `{CLOSED}` alone, instead of hours"
                if node.text.strip() == CLOSED and overnight
                else _hours_help(node.text.strip()),
            )
            return None
        if opens == closes:
            self._add(
                node.place,
                "bad-format",
                f"`{node.text.strip()}` begins and ends at the same time",
                f"write 00:00-24:00 for a whole day, and `{CLOSED}` for none",
            )
            return None
        if closes < opens and not overnight:
            self._add(
                node.place,
                "bad-format",
                f"the break `{node.text.strip()}` ends before it begins",
                "a break ends on the day on which it begins; add another break to the next day",
            )
            return None
        return Interval(opens, closes if closes > opens else closes + DAY)

    def _add(self, place: Place, code: str, message: str, help_: str = "") -> None:
        self.problems.append(Problem(place=place, code=code, message=message, help=help_))
