"""What the business clock means, minute by minute, in plain loops: slow, obvious, and without any of its code.

It knows whole minutes between two dates; what lies behind the last of them is None.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

from engine.clock.calendar import Calendar, DayRule, Interval

Pair = tuple[datetime, datetime]

MINUTE = timedelta(minutes=1)


def zone_of(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, name)


class Oracle:
    """Every open minute between two dates, with the date that it belongs to."""

    def __init__(self, calendar: Calendar, first: date, last: date) -> None:
        self.calendar = calendar
        self.zone = zone_of(calendar.zone)
        self.horizon = self.meant(last, 0)
        self.owner = self._always(first) if calendar.always else self._open(first, last + timedelta(days=7))
        self.days = sorted(set(self.owner.values()))

    def meant(self, day: date, minutes: int) -> datetime:
        """Return the instant of a local time; one in a gap moves by the gap, an ambiguous one is the first."""
        local = datetime.combine(day, time()) + minutes * MINUTE
        return local.replace(tzinfo=self.zone, fold=0).astimezone(UTC)

    def wall(self, instant: datetime) -> datetime:
        return instant.astimezone(self.zone).replace(tzinfo=None)

    def skipped(self, day: date, minutes: int) -> bool:
        return self.wall(self.meant(day, minutes)) != datetime.combine(day, time()) + minutes * MINUTE

    def is_open(self, instant: datetime) -> bool:
        return instant in self.owner

    def next_opening(self, instant: datetime) -> datetime | None:
        while not self.is_open(instant):
            if instant >= self.horizon:
                return None
            instant += MINUTE
        return self.known(instant)

    def next_closing(self, instant: datetime) -> datetime | None:
        found = self.next_opening(instant)
        while found is not None and self.is_open(found):
            found = self.known(found + MINUTE)
        return found

    def add(
        self, start: datetime, minutes: int, holds: tuple[Pair, ...] = (), met: datetime | None = None
    ) -> datetime | None:
        """Walk until so many open minutes without a hold have passed; holds after the deadline is met do not count."""
        if minutes == 0:
            return self.next_opening(start)
        at = start
        while minutes and at < self.horizon:
            on_hold = (met is None or at < met) and any(begin <= at < end for begin, end in holds)
            minutes -= self.is_open(at) and not on_hold
            at += MINUTE
        return None if minutes else self.known(at)

    def count(self, start: datetime, end: datetime) -> int:
        minutes, at = 0, start
        while at < end:
            minutes += self.is_open(at)
            at += MINUTE
        return minutes

    def add_days(self, start: datetime, days: int, rule: DayRule) -> datetime | None:
        rolled = self.next_opening(start)
        if rolled is None:
            return None
        day = self.owner[rolled]
        if self.calendar.always:
            target: date | None = day + timedelta(days=days)
        else:
            target = next(iter([other for other in self.days if other >= day][days:]), None)
        if target is None:
            return None
        of_target = [instant for instant, other in self.owner.items() if other == target]
        if rule is DayRule.ROLL_THEN_CLOSE:
            return self.known(self.meant(target, 24 * 60) if self.calendar.always else max(of_target) + MINUTE)
        if days == 0:
            return rolled
        clock = self.wall(rolled) - datetime.combine(day, time())
        same = self.meant(target, clock // MINUTE)
        return self.next_opening(same if self.calendar.always else max(same, min(of_target)))

    def known(self, instant: datetime) -> datetime | None:
        return instant if instant < self.horizon else None

    def _always(self, first: date) -> dict[datetime, date]:
        owner, at = {}, self.meant(first, 0)
        while at < self.horizon:
            owner[at] = self.wall(at).date()
            at += MINUTE
        return owner

    def _open(self, first: date, last: date) -> dict[datetime, date]:
        days = [first + timedelta(days=number) for number in range((last - first).days)]
        opened = sorted((*span, day) for day in days for span in self._spans(day, self._hours(day)))
        owner: dict[datetime, date] = {}
        for start, end, day in opened:
            at = start
            while at < end:
                owner.setdefault(at, day)
                at += MINUTE
        latest = first
        for at in sorted(owner):
            latest = owner[at] = max(latest, owner[at])
        for day in days:
            for start, end in self._spans(day, self.calendar.breaks.get(day, ())):
                at = start
                while at < end:
                    owner.pop(at, None)
                    at += MINUTE
        return owner

    def _hours(self, day: date) -> tuple[Interval, ...]:
        if day in self.calendar.dates:
            return self.calendar.dates[day]
        if self.calendar.holidays is not None and day in self.calendar.holidays.days:
            return ()
        return self.calendar.week[day.weekday()]

    def _spans(self, day: date, intervals: tuple[Interval, ...]) -> list[Pair]:
        return [
            (self.meant(day, opens), self.meant(day, closes))
            for opens, closes in intervals
            if not (self.skipped(day, opens) and self.skipped(day, closes))
        ]
