"""Time zones: the local time at an instant, and the instant that a local time means.

Instants are whole microseconds since 1970-01-01T00:00Z. Local times are counted the same way, as if they were UTC.
Zones come from the pinned ``tzdata`` package, never from the machine, so that a policy gives the same answers
everywhere.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache, partial
from importlib.resources import files
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import tzdata
from numpy.typing import NDArray

from engine.clock.calendar import FIRST_YEAR, LAST_YEAR

TZDB: Final[str] = tzdata.IANA_VERSION
"""The version of the tz database."""

SECOND: Final = 1_000_000
DAY_MICROS: Final = 24 * 3600 * SECOND

MICRO: Final = timedelta(microseconds=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY: Final = EPOCH.toordinal()

Column = NDArray[np.int64]

_MARGIN: Final = 3 * DAY_MICROS
_SCAN: Final = 6 * 24 * 3600
"""The seconds between two looks at an offset: no zone turns its clocks twice within six days."""


def to_micros(instant: datetime) -> int:
    """Return an instant in microseconds since 1970.

    >>> to_micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    since = instant - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def to_datetime(micros: int) -> datetime:
    """Return the instant, in UTC, that is so many microseconds after 1970.

    >>> to_datetime(1_000_000).isoformat()
    '1970-01-01T00:00:01+00:00'
    """
    return EPOCH + timedelta(0, 0, micros)


def midnight(ordinal: int) -> int:
    """Return the local time at which a date begins.

    >>> midnight(date(1970, 1, 2).toordinal()) == DAY_MICROS
    True
    """
    return (ordinal - EPOCH_DAY) * DAY_MICROS


BEGIN: Final = midnight(date(FIRST_YEAR, 1, 1).toordinal())
END: Final = midnight(date(LAST_YEAR + 1, 1, 1).toordinal())
NEVER: Final = 2**63 - 1


class Zone:
    """A time zone: the instants at which its offset from UTC changes, and the offsets between them, in microseconds."""

    def __init__(self, name: str, transitions: list[int], offsets: list[int]) -> None:
        # A local time is read with the later offset from the first time that only the later offset shows. So a skipped
        # time is read with the earlier offset, which makes it later by the gap, and a repeated time means the first.
        switch = [at + max(around) for at, around in zip(transitions, pairwise(offsets), strict=True)]
        self.name = name
        self.offsets = array("q", offsets)
        self.transitions = array("q", transitions)
        self._switch = array("q", switch)
        self._columns = tuple(np.array(values, np.int64) for values in (transitions, switch, offsets))

    def __repr__(self) -> str:
        return f"zone({self.name!r})"

    def local(self, instant: int) -> int:
        """Return the local time at an instant."""
        return instant + self.offsets[bisect_right(self.transitions, instant)]

    def resolve(self, local: int) -> int:
        """Return the instant that a local time means: a skipped time is later by the gap, a repeated time is the first.

        >>> los_angeles = zone("America/Los_Angeles")
        >>> skipped = to_micros(datetime(2014, 3, 9, 2, 30, tzinfo=UTC))
        >>> to_datetime(los_angeles.local(los_angeles.resolve(skipped))).isoformat(" ")
        '2014-03-09 03:30:00+00:00'
        """
        return local - self.offsets[bisect_right(self._switch, local)]

    def local_column(self, instants: Column) -> Column:
        """Return the local times at instants."""
        transitions, _, offsets = self._columns
        return instants + offsets[np.searchsorted(transitions, instants, side="right")]

    def resolve_column(self, locals_: Column) -> Column:
        """Return the instants that local times mean, by the rules of ``resolve``."""
        _, switch, offsets = self._columns
        return locals_ - offsets[np.searchsorted(switch, locals_, side="right")]


@cache
def zone_names() -> frozenset[str]:
    """Return the names of all zones.

    >>> "Australia/Sydney" in zone_names()
    True
    """
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


@lru_cache(1_000)
def zone(name: str) -> Zone:
    """Return a time zone by its IANA name; raises KeyError if the package has no such zone.

    >>> zone("Atlantis/Capital")
    Traceback (most recent call last):
    ...
    KeyError: 'no time zone `Atlantis/Capital` in tzdata'
    """
    if name not in zone_names():
        raise KeyError(f"no time zone `{name}` in tzdata")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        rules = ZoneInfo.from_file(file, key=name)
    first, last = (BEGIN - _MARGIN) // SECOND, (END + _MARGIN) // SECOND
    transitions: list[int] = []
    offsets = [_offset(rules, first)]
    for second in range(first, last, _SCAN):
        after = _offset(rules, second + _SCAN)
        if after != offsets[-1]:
            changed = partial(_differs, rules, offsets[-1])
            at = second + bisect_left(range(second, second + _SCAN), True, key=changed)
            transitions.append(at * SECOND)
            offsets.append(after)
    return Zone(name, transitions, [offset * SECOND for offset in offsets])


def _differs(rules: ZoneInfo, offset: int, second: int) -> bool:
    return _offset(rules, second) != offset


def _offset(rules: ZoneInfo, second: int) -> int:
    """Return the offset from UTC in seconds, at a second since 1970."""
    offset = datetime.fromtimestamp(second, rules).utcoffset()
    return offset.days * 86_400 + offset.seconds if offset is not None else 0


def ordinal(there: Zone, instant: int) -> int:
    """Return the local date of an instant."""
    return there.local(instant) // DAY_MICROS + EPOCH_DAY
