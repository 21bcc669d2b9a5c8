"""Drafts holiday lists with the ``holidays`` package: compares a list with a new draft, and applies the changes.

A person has the last word. A draft changes an entry only if it is estimated and its source is the package or that of
its list. Confirmed entries, entries with another source and days in ``not_holidays`` stay, and differences are
reported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib.metadata import version
from typing import Final

from engine.clock.calendar import Holiday, HolidayList, HolidayStatus
from engine.load.holidays import load_holidays, struck_out
from engine.load.node_readers import key_place, mapping, text, value_place
from engine.load.structure import structure_problems
from engine.load.yaml_tree import Mapping as Tree
from engine.load.yaml_tree import read
from engine.model.problems import Place, Problem

PACKAGE: Final = "holidays"

_ESTIMATED: Final = re.compile(r" \(estimated\)|, estimated(?=\))")
_PLAIN: Final = re.compile(r"[A-Za-z][\w.;'()&/-]*( [\w.;'()&/-]+)*")
"""Texts that need no quotes in YAML, even inside braces."""

_YEAR_ENDS: Final = ((1, 1), (12, 31))


class PackageMissing(Exception):
    """The package is not installed."""


class NoSuchCalendar(Exception):
    """The package does not know the country or its part."""


@dataclass(frozen=True, slots=True)
class Drafter:
    """The package: its version, and ``days``, which returns the names of holidays by date for a code and years.

    A code is ``SG`` or ``AU/NSW``.
    """

    version: str
    days: Callable[[str, range], Mapping[date, str]]

    @property
    def source(self) -> str:
        """The source of an entry from this package."""
        return f"{PACKAGE} {self.version}"


def installed_package() -> Drafter:
    """Return the ``holidays`` package, or raise PackageMissing. No other module imports it."""
    try:
        import holidays  # noqa: PLC0415 - an optional dependency, and slow: only who drafts pays for it
    except ImportError:
        raise PackageMissing from None

    def days(code: str, years: range) -> Mapping[date, str]:
        country, _, part = code.partition("/")
        try:
            languages = holidays.country_holidays(country).supported_languages
            english = next((language for language in (f"en_{country}", "en_US") if language in languages), None)
            # An observed day may belong to a holiday of the year beside.
            found = holidays.country_holidays(
                country, subdiv=part or None, years=range(years.start - 1, years.stop + 1), language=english
            )
        except NotImplementedError as error:
            raise NoSuchCalendar(code) from error
        return {day: _ESTIMATED.sub("", name) for day, name in found.items() if day.year in years}

    return Drafter(version(PACKAGE), days)


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayFile:
    """A holiday list with the text of its file."""

    list: HolidayList
    text: str
    tree: Tree
    code: str
    """The code of the region in the package; empty for a list that is maintained manually."""
    package: str
    about: str
    struck: Mapping[date, str]


def read_list(file: str, stem: str, written: str) -> tuple[HolidayFile | None, list[Problem]]:
    """Read a list from the text of its file; return the list, or None and the problems."""
    tree, problems = read(file, written)
    if tree is not None:
        problems += structure_problems("holidays", tree)
        found = load_holidays(stem, tree, problems)
        if not problems and isinstance(tree, Tree):
            draft = mapping(tree, "draft")
            return HolidayFile(
                list=found,
                text=written,
                tree=tree,
                code=text(draft, "code"),
                package=text(draft, "package"),
                about=text(tree, "about"),
                struck=struck_out(tree),
            ), []
    return None, problems


class DateChangeKind(StrEnum):
    """What a new draft does to a date."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    RENAMED = "renamed"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class DateChange:
    """One difference between a list and its new draft.

    Attributes:
        name: the new name of the date; the old one if it is removed.
        was: the old date of a holiday that moved, or the old name of one that is renamed.
        why: for a date that is kept against the package, the reason.
    """

    day: date
    kind: DateChangeKind
    name: str
    was: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class DraftComparison:
    """The comparison of a list with a new draft: the span it then covers, and the differences by date.

    Differences of the kind KEPT do not change the list.
    """

    first: date
    last: date
    changes: tuple[DateChange, ...]


def compare_list(
    file: HolidayFile, drafter: Drafter, first_year: int | None = None, last_year: int | None = None
) -> DraftComparison:
    """Compare a list with a new draft of these years, by default of all years that it covers.

    Years outside the list widen it, and the years in between are drafted too.
    """
    known = file.list
    low = min(first_year or known.first.year, known.last.year + 1)
    high = max(last_year or known.last.year, known.first.year - 1)
    first = date(low, *_YEAR_ENDS[0]) if low < known.first.year else known.first
    last = date(high, *_YEAR_ENDS[1]) if high > known.last.year else known.last
    years = range(low, high + 1)
    drafted = {day: name for day, name in drafter.days(file.code, years).items() if first <= day <= last}
    listed = {day: entry for day, entry in known.days.items() if day.year in years}
    changes = [
        change
        for day in sorted({*drafted, *listed})
        if (change := _change(day, known.days.get(day), drafted.get(day, ""), file))
    ]
    return DraftComparison(first, last, tuple(_join_moves(changes)))


def _change(day: date, entry: Holiday | None, name: str, file: HolidayFile) -> DateChange | None:
    if entry is None:
        if day in file.struck:
            return DateChange(
                day=day, kind=DateChangeKind.KEPT, name=name, why=f"left out by a person: {file.struck[day]}"
            )
        return DateChange(day=day, kind=DateChangeKind.ADDED, name=name)
    if not name:
        if why := _reason_to_keep(entry, file):
            return DateChange(
                day=day, kind=DateChangeKind.KEPT, name=entry.name, why=f"kept: {why}, the package has no holiday here"
            )
        return DateChange(day=day, kind=DateChangeKind.REMOVED, name=entry.name)
    if name != entry.name and not _reason_to_keep(entry, file):
        return DateChange(day=day, kind=DateChangeKind.RENAMED, name=name, was=entry.name)
    return None


def _reason_to_keep(entry: Holiday, file: HolidayFile) -> str:
    """Return why an entry belongs to a person, or "" if the package may change it."""
    if entry.status is HolidayStatus.CONFIRMED:
        return "confirmed by a person"
    if entry.source == text(file.tree, "source") or entry.source.startswith(f"{PACKAGE} "):
        return ""
    return "looked up by a person"


def _join_moves(changes: list[DateChange]) -> Iterable[DateChange]:
    """Join the removal and the addition of a holiday with the same name in the same year into a move."""
    by_name: dict[tuple[int, str], list[DateChange]] = {}
    for change in changes:
        if change.kind in (DateChangeKind.ADDED, DateChangeKind.REMOVED):
            by_name.setdefault((change.day.year, change.name), []).append(change)
    pairs = [
        pair
        for pair in by_name.values()
        if sorted(change.kind for change in pair) == [DateChangeKind.ADDED, DateChangeKind.REMOVED]
    ]
    came = {
        change.day: next(other.day for other in pair if other.kind is DateChangeKind.REMOVED)
        for pair in pairs
        for change in pair
        if change.kind is DateChangeKind.ADDED
    }
    for change in changes:
        if change.day in came and change.kind is DateChangeKind.ADDED:
            yield DateChange(
                day=change.day, kind=DateChangeKind.MOVED, name=change.name, was=came[change.day].isoformat()
            )
        elif change.kind is not DateChangeKind.REMOVED or change.day not in came.values():
            yield change


# ---- The text


def revise_list(file: HolidayFile, drafter: Drafter, made: DraftComparison) -> str:
    """Return the text of a list with the changes; all other lines and comments stay as they are."""
    gone = {date.fromisoformat(change.was) for change in made.changes if change.kind is DateChangeKind.MOVED}
    gone |= {change.day for change in made.changes if change.kind in (DateChangeKind.REMOVED, DateChangeKind.RENAMED)}
    new = {
        change.day: entry_line(change.day, change.name, HolidayStatus.ESTIMATED, drafter.source)
        for change in made.changes
        if change.kind in (DateChangeKind.ADDED, DateChangeKind.MOVED, DateChangeKind.RENAMED)
    }
    if not gone and not new and (made.first, made.last) == (file.list.first, file.list.last):
        return file.text
    lines = file.text.splitlines()
    covers, draft = mapping(file.tree, "covers"), mapping(file.tree, "draft")
    for section, key, value in (
        (covers, "from", made.first.isoformat()),
        (covers, "to", made.last.isoformat()),
        (draft, "version", drafter.version),
    ):
        if section is not None:
            _replace(lines, value_place(section, key), text(section, key), value)
    return "\n".join(_with_days(lines, file, gone, new)) + "\n"


def _replace(lines: list[str], place: Place, old: str, new: str) -> None:
    head, tail = lines[place.line - 1][: place.column - 1], lines[place.line - 1][place.column - 1 :]
    lines[place.line - 1] = head + tail.replace(old, new, 1)


def _with_days(lines: list[str], file: HolidayFile, gone: set[date], new: Mapping[date, str]) -> list[str]:
    start = key_place(file.tree, "days").line
    days = mapping(file.tree, "days")
    end = min((place.line for place in file.tree.key_places.values() if place.line > start), default=len(lines) + 1) - 1
    places = {date.fromisoformat(day): place.line for day, place in days.key_places.items()} if days else {}
    if not places or start in places.values():
        # There are no days, or all are on one line: write them again.
        kept = {
            day: entry_line(day, entry.name, entry.status, _own_source(file, day))
            for day, entry in file.list.days.items()
            if day not in gone
        }
        return [*lines[: start - 1], "days:", *(line for _, line in sorted({**kept, **new}.items())), *lines[end:]]
    written = list(lines[start : min(places.values()) - 1])
    waiting = sorted(new)
    bounds = sorted(places.items(), key=lambda item: item[1])
    for (day, line), after in zip(bounds, [*(line for _, line in bounds[1:]), end + 1], strict=True):
        while waiting and waiting[0] <= day:
            written.append(new[waiting.pop(0)])
        entry, remarks = _entry_and_remarks(lines[line - 1 : after - 1])
        written += remarks if day in gone else [*entry, *remarks]
    return [*lines[:start], *written, *(new[day] for day in waiting), *lines[end:]]


def _entry_and_remarks(lines: list[str]) -> tuple[list[str], list[str]]:
    """Separate the lines of an entry from the comments and empty lines after it."""
    size = len(lines)
    while size > 1 and lines[size - 1].lstrip()[:1] in ("", "#"):
        size -= 1
    return lines[:size], lines[size:]


def _own_source(file: HolidayFile, day: date) -> str:
    return text(mapping(mapping(file.tree, "days"), day.isoformat()), "source")


def entry_line(day: date, name: str, status: HolidayStatus, source: str = "") -> str:
    """Return the line of an entry.

    >>> entry_line(date(2027, 1, 1), "New Year's Day", HolidayStatus.CONFIRMED)
    "  2027-01-01: {name: New Year's Day, status: confirmed}"
    """
    own = f", source: {yaml_text(source)}" if source else ""
    return f"  {day}: {{name: {yaml_text(name)}, status: {status}{own}}}"


def yaml_text(words: str) -> str:
    """Return a text as YAML, in quotes if it needs them.

    >>> yaml_text("Eid al-Fitr (observed); Vesak Day"), yaml_text("Chinese New Year: day 2"), yaml_text("no")
    ('Eid al-Fitr (observed); Vesak Day', '"Chinese New Year: day 2"', '"no"')
    """
    plain = _PLAIN.fullmatch(words) and words.lower() not in ("yes", "no", "true", "false", "null", "on", "off")
    return words if plain else json.dumps(words, ensure_ascii=False)
