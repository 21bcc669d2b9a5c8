"""Stretches of time as a drawing and as a table.

A few hours are drawn as one row, a few days as a row for each day, and longer times as a row for each week. A row has
at most 48 cells; each shows the kind of most of its time, and can be read without colours.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from engine.clock.localtime import local_time
from engine.clock.stretches import Stretch, StretchKind
from engine.clock.zone import DAY_MICROS, EPOCH_DAY, SECOND, midnight, to_datetime, to_micros, zone
from guidepost.render.console import count, ruled_table
from guidepost.render.time_text import WEEKDAYS, clock_text, day_text, length_text, offset_text, short_text

CELLS: Final = 48
HOUR: Final = 3600 * SECOND
MINUTE: Final = 60 * SECOND

FEW_HOURS: Final = 12 * HOUR
"""Times up to this length are drawn as one row of hours."""
FEW_DAYS: Final = 10
"""Fewer dates than this are drawn as a row each."""
MOST_WEEKS: Final = (9, 3)
"""The most weeks that are drawn: how many of the first, and how many of the last."""
MOST_STRETCHES: Final = (14, 4)
"""The most stretches that are listed: how many of the first, and how many of the last."""

A_LINE: Final = 3
"""How many marks one line of the legend explains."""

KINDS: Final = {
    StretchKind.OPEN: ("█", "green"),
    StretchKind.CLOSED: ("·", "dim"),
    StretchKind.HOLIDAY: ("▒", "magenta"),
    StretchKind.BREAK: ("-", "yellow"),
    StretchKind.HOLD: ("=", "cyan"),
}
"""The sign and style of each kind of stretch."""

NOT_KNOWN: Final = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An instant that is marked in a drawing; of several marks in one cell, the last is drawn."""

    at: datetime
    symbol: str
    name: str
    style: str = "bold"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a drawing; ``edges`` are the instants between its cells, including both ends."""

    label: str
    edges: tuple[int, ...]
    days: tuple[date, ...] = ()


class Drawing:
    """A drawing of the time between two instants in a zone."""

    def __init__(
        self, name: str, stretches: Sequence[Stretch], marks: Sequence[Mark], known: tuple[date, date] | None = None
    ) -> None:
        self._zone, self._there = name, zone(name)
        self._stretches = stretches
        self._starts = [to_micros(stretch.start) for stretch in stretches]
        self._ends = [to_micros(stretch.end) for stretch in stretches]
        self._marks = marks
        self._known = known

    def parts(self, first: datetime, last: datetime) -> Iterator[RenderableType]:
        """Yield the drawing between two instants, with its scale and a legend."""
        heading, rows = self._rows(to_micros(first), to_micros(last))
        head, tail = MOST_WEEKS
        left_out = len(rows) - head - tail
        wide = max(len(row.label) for row in rows)
        lines = [Text.assemble(" " * (wide + 2), (heading.rstrip(), "dim"))]
        for number, row in enumerate(rows):
            if left_out <= 0 or not head <= number < len(rows) - tail:
                lines.append(
                    Text.assemble((row.label.ljust(wide), "cyan"), "  ", self._bar(row), "  ", self._note(row))
                )
            elif number == head:
                lines.append(Text.assemble(" " * (wide + 2), (f"... and {count(left_out, 'week')} more", "dim")))
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
            line.rstrip()
        yield Group(*lines)
        yield self._signs(rows)
        marks = [mark for mark in self._marks if any(self._cell(row, mark) >= 0 for row in rows)]
        for number in range(0, len(marks), A_LINE):
            yield Text("   ").join(
                Text.assemble((mark.symbol, mark.style), f" {mark.name} {self._when(mark)}")
                for mark in marks[number : number + A_LINE]
            )

    def _rows(self, first: int, last: int) -> tuple[str, list[Row]]:
        if last - first <= FEW_HOURS:
            return self._hours(first, last)
        begin, end = ((self._there.local(at) // DAY_MICROS + EPOCH_DAY) for at in (first, last))
        if end - begin < FEW_DAYS:
            step = DAY_MICROS // CELLS
            heading = "".join(f"{hour:02}".ljust(6) for hour in range(0, 24, 3))
            return heading, [
                Row(day_text(date.fromordinal(day)), self._edges(midnight(day), step), (date.fromordinal(day),))
                for day in range(begin, end + 1)
            ]
        monday, step = begin - (begin - 1) % 7, 4 * HOUR
        weeks = range(monday, end + 1, 7)
        return " ".join(day.ljust(6) for day in WEEKDAYS), [
            Row(
                date.fromordinal(day).isoformat(),
                self._edges(midnight(day), step, 42),
                tuple(date.fromordinal(day + more) for more in range(7)),
            )
            for day in weeks
        ]

    def _hours(self, first: int, last: int) -> tuple[str, list[Row]]:
        """Return a few hours as one row that begins at a full hour, and its scale."""
        begin = self._there.local(first) // HOUR * HOUR
        span = self._there.local(first) - begin + (last - first)
        minutes = next(size for size in (5, 10, 15, 20) if span < CELLS * size * MINUTE)
        cells = min(CELLS, (-(-(span + 1) // HOUR)) * 60 // minutes)
        every = 60 // minutes
        heading = "".join(f"{(begin // HOUR + hour) % 24:02}".ljust(every) for hour in range(-(-cells // every)))
        day = date.fromordinal(begin // DAY_MICROS + EPOCH_DAY)
        start = first - (self._there.local(first) - begin)
        return heading, [Row(day_text(day), tuple(start + number * minutes * MINUTE for number in range(cells + 1)))]

    def _edges(self, local: int, step: int, cells: int = CELLS) -> tuple[int, ...]:
        return tuple(self._there.resolve(local + number * step) for number in range(cells + 1))

    def _bar(self, row: Row) -> Text:
        bar = Text()
        marks = {self._cell(row, mark): mark for mark in self._marks}
        per_day = (len(row.edges) - 1) // len(row.days) if row.days else 0
        for number in range(len(row.edges) - 1):
            if len(row.days) > 1 and number and number % per_day == 0:
                bar.append(" ")
            if mark := marks.get(number):
                bar.append(mark.symbol, mark.style)
            elif self._known and row.days and not self._known[0] <= row.days[number // per_day] <= self._known[1]:
                bar.append(NOT_KNOWN, "dim")
            else:
                kind = self._kind(row.edges[number], row.edges[number + 1])
                bar.append(*KINDS[kind] if kind else " ")
        return bar

    @staticmethod
    def _cell(row: Row, mark: Mark) -> int:
        """Return the index of the cell of a mark, or -1."""
        at = to_micros(mark.at)
        return bisect_right(row.edges, at) - 1 if row.edges[0] <= at < row.edges[-1] else -1

    def _kind(self, begin: int, end: int) -> StretchKind | None:
        """Return the kind of most of a cell; of equally long kinds, the first."""
        lengths: dict[StretchKind, int] = {}
        for number in range(bisect_right(self._ends, begin), bisect_left(self._starts, end)):
            kind = self._stretches[number].kind
            lengths[kind] = lengths.get(kind, 0) + min(end, self._ends[number]) - max(begin, self._starts[number])
        return max(lengths, key=lambda kind: lengths[kind]) if lengths else None

    def _note(self, row: Row) -> Text:
        """Return the holidays and clock changes of a row."""
        notes: list[tuple[int, str]] = []
        several = len(row.days) > 1
        for at, name in _named(self._stretches, self._starts, row):
            notes.append(
                (at, f"{WEEKDAYS[local_time(to_datetime(at), self._zone).weekday()]} {name}" if several else name)
            )
        notes += [
            (at, f"clocks {text.partition(' to ')[0]}") for at, text in turns(self._zone, row.edges[0], row.edges[-1])
        ]
        return Text(", ".join(text for _, text in sorted(notes)))

    def _signs(self, rows: Sequence[Row]) -> Text:
        kinds = {stretch.kind for stretch in self._stretches}
        text = Text()
        for kind, (symbol, style) in KINDS.items():
            if kind in kinds:
                text.append(symbol, style).append(f" {kind.value}   ")
        if self._known and any(not self._known[0] <= day <= self._known[1] for row in rows for day in row.days):
            text.append(f"{NOT_KNOWN} not known   ")
        text.rstrip()
        return text

    def _when(self, mark: Mark) -> str:
        local = local_time(mark.at, self._zone)
        return f"{local:%a} {clock_text(local)}"


def _named(stretches: Sequence[Stretch], starts: Sequence[int], row: Row) -> Iterator[tuple[int, str]]:
    """Yield the start and name of each holiday in a row, once."""
    seen: set[str] = set()
    for number in range(bisect_left(starts, row.edges[0]), bisect_left(starts, row.edges[-1])):
        one = stretches[number]
        if one.kind is StretchKind.HOLIDAY and one.name not in seen:
            seen.add(one.name)
            yield starts[number], one.name


def turns(name: str, first: int, last: int) -> Iterator[tuple[int, str]]:
    """Yield the instants of clock changes between two instants, and their size and new offset.

    >>> first, last = (to_micros(datetime.fromisoformat(f"2026-{month}-01T00:00Z")) for month in (10, 11))
    >>> [text for _, text in turns("Australia/Sydney", first, last)]
    ['+1 h to +11:00']
    """
    there = zone(name)
    for at in range(bisect_left(there.transitions, first), bisect_left(there.transitions, last)):
        before, after = there.offsets[at], there.offsets[at + 1]
        length = timedelta(microseconds=abs(after - before))
        yield (
            there.transitions[at],
            f"{'+' if after > before else '-'}{length_text(length)} to {offset_text(local_time(to_datetime(there.transitions[at]), name))}",
        )


def stretch_table(stretches: Sequence[Stretch], name: str, estimated: Sequence[str] = ()) -> RenderableType:
    """Return a table of stretches in local time; of many, the first and the last."""
    years = {
        local_time(at, name).year
        for stretch in (*stretches[:1], *stretches[-1:])
        for at in (stretch.start, stretch.end)
    }
    head, tail = MOST_STRETCHES
    left_out = len(stretches) - head - tail
    rows: list[tuple[RenderableType, ...]] = []
    for number, one in enumerate(stretches):
        if left_out > 0 and head <= number < len(stretches) - tail:
            rows += [(Text(f"... and {left_out:,} more", "dim"), "", "", "")] if number == head else []
            continue
        begin, end = (short_text(at, name, year=len(years) > 1) for at in (one.start, one.end))
        unsure = f"{local_time(one.start, name).date().isoformat()} {one.name}" in estimated
        symbol, style = KINDS[one.kind]
        rows.append(
            (
                begin,
                end,
                Text(length_text(one.end - one.start), justify="right"),
                Text.assemble(
                    (symbol, style),
                    f" {one.kind.value}{f', {one.name}' if one.name else ''}{' (estimated)' if unsure else ''}",
                ),
            )
        )
    return ruled_table(("from", "to", "length", "kind"), rows)
