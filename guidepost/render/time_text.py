"""Instants, lengths and amounts of time in words, the same on every machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final, TypeVar

from engine.clock.calendar import DAY, Interval
from engine.clock.localtime import local_time
from engine.deadlines.due import in_units
from engine.model.targets import BY_DAY, Target, Unit
from engine.model.vocabulary import number_text

NOUNS: Final = {
    Unit.MINUTES: ("minute", "minutes"),
    Unit.HOURS: ("hour", "hours"),
    Unit.BUSINESS_DAYS: ("business day", "business days"),
    Unit.DAYS: ("day", "days"),
}
"""The singular and plural of each unit."""

T = TypeVar("T")

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def instant_text(at: datetime, zone: str, *, named: bool = False) -> str:
    """Return an instant in full, in local time.

    >>> from datetime import UTC
    >>> instant_text(datetime(2026, 1, 27, 4, tzinfo=UTC), "Australia/Sydney", named=True)
    'Tue 2026-01-27 15:00 +11:00 Australia/Sydney'
    """
    local = local_time(at, zone)
    return (
        f"{local:%a} {local.date().isoformat()} {clock_text(local)} {offset_text(local)}{f' {zone}' if named else ''}"
    )


def short_text(at: datetime, zone: str, *, year: bool = False) -> str:
    """Return an instant without its offset, for use among others of the same zone.

    >>> from datetime import UTC
    >>> short_text(datetime(2026, 1, 27, 4, tzinfo=UTC), "Australia/Sydney")
    'Tue 27 Jan 15:00'
    """
    local = local_time(at, zone)
    return f"{day_text(local.date(), year=year)} {clock_text(local)}"


def day_text(day: date, *, year: bool = False) -> str:
    """Return a date with its weekday.

    >>> day_text(date(2026, 1, 5)), day_text(date(2026, 1, 5), year=True)
    ('Mon 5 Jan', 'Mon 5 Jan 2026')
    """
    return f"{day:%a} {day.day} {day:%b}{f' {day.year}' if year else ''}"


def clock_text(local: datetime) -> str:
    """Return the time of day, to the minute, second or fraction as needed.

    >>> [clock_text(datetime(2026, 1, 5, 9, 30, *more)) for more in ((), (1,), (1, 500000))]
    ['09:30', '09:30:01', '09:30:01.5']
    """
    if local.microsecond:
        return f"{local:%H:%M:%S.%f}".rstrip("0")
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def offset_text(local: datetime) -> str:
    """Return the offset of a local time from UTC."""
    text = f"{local:%z}"
    return f"{text[:3]}:{text[3:5]}"


def length_text(length: timedelta) -> str:
    """Return a length of time in hours, minutes and seconds; days are not used, as they may have 23 or 25 hours.

    >>> length_text(timedelta(days=2)), length_text(timedelta(minutes=90))
    ('48 h', '1 h 30 min')
    >>> length_text(timedelta(seconds=20)), length_text(timedelta())
    ('20 s', '0 min')
    """
    minutes, seconds = divmod(length.total_seconds(), 60)
    parts = [f"{number:,} {unit}" for number, unit in ((int(minutes) // 60, "h"), (int(minutes) % 60, "min")) if number]
    parts += [f"{round(seconds, 3):g} s"] if seconds else []
    return " ".join(parts) or "0 min"


def amount_text(amount: float, unit: Unit) -> str:
    """Return a number with its unit.

    >>> amount_text(1, Unit.BUSINESS_DAYS), amount_text(2.5, Unit.HOURS)
    ('1 business day', '2.5 hours')
    """
    one, many = NOUNS[unit]
    return f"{number_text(amount)} {one if amount == 1 else many}"


def worked_text(time: timedelta, target: Target, total: timedelta) -> str:
    """Return business time in the unit of a target if it is a multiple of a half, else in hours and minutes.

    >>> hours = Target(amount=4, unit=Unit.HOURS, rule="", calendar="weekdays", region="")
    >>> [worked_text(timedelta(minutes=minutes), hours, timedelta(hours=4)) for minutes in (150, 151)]
    ['2.5 hours', '2 h 31 min']
    """
    amount = in_units(time, target, total)
    if (2 * amount).is_integer() and (amount != 0.5 or target.unit in BY_DAY):
        return amount_text(amount, target.unit)
    if target.unit in BY_DAY and total:
        return f"{amount_text(round(amount, 2), target.unit)} ({length_text(time)})"
    return length_text(time)


def minutes_text(minute: int) -> str:
    """Return a minute of a local day; minutes after its end belong to the next day.

    >>> minutes_text(540), minutes_text(1440), minutes_text(1500)
    ('09:00', '24:00', '01:00 next day')
    """
    return f"{minute // 60:02}:{minute % 60:02}" if minute <= DAY else f"{minutes_text(minute - DAY)} next day"


def hours_text(intervals: Sequence[Interval]) -> str:
    """Return the opening hours of a day.

    >>> hours_text((Interval(540, 720), Interval(780, 1020))), hours_text((Interval(0, 1440),)), hours_text(())
    ('09:00-12:00, 13:00-17:00', 'all day', 'closed')
    """
    if tuple(intervals) == (Interval(0, DAY),):
        return "all day"
    return ", ".join(f"{minutes_text(opens)}-{minutes_text(closes)}" for opens, closes in intervals) or "closed"


def week_text(week: Sequence[tuple[Interval, ...]]) -> str:
    """Return the opening hours of a week; equal neighbours are joined, and closed days left out.

    >>> week_text(((Interval(540, 1020),),) * 5 + ((), ()))
    'Mon-Fri 09:00-17:00'
    """
    parts = []
    for first, last in runs([*range(7)], lambda one, other: week[one] == week[other]):
        if week[first]:
            parts.append(f"{WEEKDAYS[first]}{f'-{WEEKDAYS[last]}' if last > first else ''} {hours_text(week[first])}")
    return "; ".join(parts) or "closed"


def days_text(days: Sequence[date], *, year: bool = False) -> list[str]:
    """Return dates in order, with consecutive ones joined.

    >>> days_text([date(2026, 1, 24), date(2026, 1, 25), date(2026, 1, 31)])
    ['Sat 24-Sun 25 Jan', 'Sat 31 Jan']
    """
    parts = []
    for first, last in runs(list(days), lambda one, other: (other - one).days == 1):
        begin = (
            f"{first:%a} {first.day}"
            if (first.year, first.month) == (last.year, last.month)
            else day_text(first, year=year and first.year != last.year)
        )
        parts.append(day_text(first, year=year) if first == last else f"{begin}-{day_text(last, year=year)}")
    return parts


def runs(items: Sequence[T], together: Callable[[T, T], bool]) -> list[tuple[T, T]]:
    """Return the first and last item of each run of items whose neighbours belong together.

    >>> runs([1, 2, 3, 7, 9, 10], lambda one, other: other - one == 1)
    [(1, 3), (7, 7), (9, 10)]
    """
    if not items:
        return []
    breaks = [at for at, (one, other) in enumerate(pairwise(items), start=1) if not together(one, other)]
    return [(items[begin], items[end - 1]) for begin, end in pairwise((0, *breaks, len(items)))]
