"""The time between two instants, in stretches that counted and stretches that did not: why something is due when it is.

>>> from datetime import timezone
>>> from engine.clock.calendar import Calendar, Interval
>>> desk = Clock(Calendar(name="desk", zone="UTC", week=((Interval(540, 1020),),) * 5 + ((), ())))
>>> for part in stretches(
...     desk, datetime(2026, 1, 9, 16, tzinfo=timezone.utc), datetime(2026, 1, 12, 10, tzinfo=timezone.utc)
... ):
...     print(f"{part.start:%a %H:%M} to {part.end:%a %H:%M}: {part.kind}")
Fri 16:00 to Fri 17:00: open
Fri 17:00 to Mon 09:00: closed
Mon 09:00 to Mon 10:00: open
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from engine.clock.clock import Clock, Holds
from engine.clock.opening_times import Span, hours, spans
from engine.clock.zone import DAY_MICROS, midnight, ordinal, to_datetime, to_micros


class StretchKind(StrEnum):
    """Why a stretch counted or not."""

    OPEN = "open"
    CLOSED = "closed"
    HOLIDAY = "holiday"
    """Hours of the weekday, on a holiday."""
    BREAK = "break"
    HOLD = "hold"
    """Open, but the ticket was on hold."""


class Stretch(NamedTuple):
    """A stretch of time of one kind; ``name`` is the name of a holiday, or empty."""

    start: datetime
    end: datetime
    kind: StretchKind
    name: str


class _Part(NamedTuple):
    start: int
    end: int
    kind: StretchKind
    name: str = ""


BLOCK: Final = 64 * DAY_MICROS
"""The length of a cached block: tickets of the same weeks have the same nights, weekends and holidays."""


def stretches(clock: Clock, start: datetime, end: datetime, holds: Holds = ()) -> tuple[Stretch, ...]:
    """Return the time between two instants in stretches, in order and without gaps; the open ones are what counted."""
    first, last = to_micros(start), to_micros(end)
    if last <= first:
        return ()
    parts: Iterable[_Part] = _between(clock, first, last)
    if holds:
        opened = [(part.start, part.end) for part in parts if part.kind is StretchKind.OPEN]
        on_hold = sorted((to_micros(begin), to_micros(until)) for begin, until in holds)
        parts = _merged(
            _overlaid(
                parts, _disjoint((_Part(*span, StretchKind.HOLD) for span in _common(opened, on_hold)), first, last)
            )
        )
    return tuple([Stretch(to_datetime(part.start), to_datetime(part.end), part.kind, part.name) for part in parts])


def _between(clock: Clock, first: int, last: int) -> list[_Part]:
    """Return the parts between two instants, without holds."""
    found: list[_Part] = []
    for number in range(first // BLOCK, (last - 1) // BLOCK + 1):
        block = clock.blocks.get(number)
        if block is None:
            block = clock.blocks.put(number, _without_holds(clock, number * BLOCK, (number + 1) * BLOCK))
        ends, parts = block
        of_block = parts[bisect_right(ends, first) : bisect_left(ends, last) + 1]
        if found and of_block and found[-1][2:] == of_block[0][2:]:
            found[-1] = found[-1]._replace(end=of_block[0].end)
            of_block = of_block[1:]
        found += of_block
    opening = found[0]
    found[0] = _Part(first, opening.end, opening.kind, opening.name)
    closing = found[-1]
    found[-1] = _Part(closing.start, last, closing.kind, closing.name)
    return found


def _without_holds(clock: Clock, first: int, last: int) -> tuple[list[int], list[_Part]]:
    """Return the ends and the parts of a block: hours over breaks over holidays over closed time."""
    parts: Iterable[_Part] = [_Part(first, last, StretchKind.CLOSED)]
    for layer in (
        _holidays(clock, first, last),
        _breaks(clock, first, last),
        (_Part(*span, StretchKind.OPEN) for span in clock.hours.between(first, last)),
    ):
        parts = _overlaid(parts, _disjoint(layer, first, last))
    joined = _merged(parts)
    return [part.end for part in joined], joined


def _days(clock: Clock, first: int, last: int) -> Iterator[date]:
    """Yield the dates whose intervals can overlap a block, with two days before it for nights and clock changes."""
    for number in range(ordinal(clock.zone, first) - 2, ordinal(clock.zone, last) + 2):
        yield date.fromordinal(number)


def _holidays(clock: Clock, first: int, last: int) -> Iterator[_Part]:
    """Yield the hours that holidays close: those of the weekday, as far as they lie on the date itself."""
    if clock.calendar.holidays is None:
        return
    for day in _days(clock, first, last):
        if (holiday := clock.calendar.holidays.days.get(day)) and day not in clock.calendar.dates:
            for opens, closes in spans(clock.zone, day, clock.calendar.week[day.weekday()]):
                yield _Part(
                    opens,
                    min(closes, clock.zone.resolve(midnight(day.toordinal() + 1))),
                    StretchKind.HOLIDAY,
                    holiday.name,
                )


def _breaks(clock: Clock, first: int, last: int) -> Iterator[_Part]:
    """Yield the breaks, as far as the place would otherwise be open."""
    for day in _days(clock, first, last) if clock.calendar.breaks else ():
        if day in clock.calendar.breaks:
            near = [day + timedelta(days) for days in (-2, -1, 0, 1)]
            usual = [span for other in near for span in spans(clock.zone, other, hours(clock.calendar, other))]
            yield from (
                _Part(*span, StretchKind.BREAK)
                for span in _common(usual, list(spans(clock.zone, day, clock.calendar.breaks[day])))
            )


def _common(some: Iterable[Span], others: list[Span]) -> Iterator[Span]:
    """Yield the overlaps of two lists of spans."""
    for start, end in some:
        for begin, until in others:
            if start < until and begin < end:
                yield max(start, begin), min(end, until)


def _disjoint(layer: Iterable[_Part], first: int, last: int) -> Iterator[_Part]:
    """Yield the parts of a layer in order, disjoint, and cut to lie between two instants."""
    for part in sorted(layer):
        cut = part._replace(start=max(part.start, first), end=min(part.end, last))
        if cut.start < cut.end:
            yield cut
            first = cut.end


def _overlaid(parts: Iterable[_Part], layer: Iterator[_Part]) -> Iterator[_Part]:
    """Yield parts with a layer over them."""
    top = next(layer, None)
    for part in parts:
        at = part.start
        while top is not None and top.start < part.end:
            if at < top.start:
                yield part._replace(start=at, end=top.start)
            if top.end >= part.end:
                yield top._replace(start=max(top.start, part.start), end=part.end)
                at = part.end
                break
            yield top._replace(start=max(top.start, part.start))
            at = top.end
            top = next(layer, None)
        if at < part.end:
            yield part._replace(start=at)
        while top is not None and top.end <= part.end:
            top = next(layer, None)


def _merged(parts: Iterable[_Part]) -> list[_Part]:
    """Return parts, with neighbours of one kind and name merged."""
    joined: list[_Part] = []
    for part in parts:
        if joined and joined[-1][2:] == part[2:]:
            joined[-1] = joined[-1]._replace(end=part.end)
        else:
            joined.append(part)
    return joined
