"""Time zones, from the pinned tz database: what the clock on the wall shows at an instant, and which instant it means.

Instants are whole microseconds since 1970-01-01T00:00Z, and local times are counted likewise, as if they were UTC. Zones
come from the ``tzdata`` package and never from the machine, so that the same policy gives the same answers everywhere.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache, partial
from importlib.resources import files
from io import BytesIO
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
_SCAN: Final = 14 * 24 * 3600
"""Rules for the years to come turn the clock twice a year: steps of two weeks miss none (tests compare with an hourly scan)."""


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
    """A time zone: the instants at which its clocks are turned, and how far they are ahead of UTC between those."""

    def __init__(self, name: str, transitions: list[int], offsets: list[int]) -> None:
        # The later offset counts from the local time on that both offsets can show: a time that is skipped is
        # still read with the earlier one, hence later by the gap, and a time that comes twice is the first.
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
        """Return the instant that a local time means: one that is skipped is later by the gap, one that comes twice is the first.

        >>> angeles = zone("America/Los_Angeles")
        >>> skipped = to_micros(datetime(2014, 3, 9, 2, 30, tzinfo=UTC))
        >>> to_datetime(angeles.local(angeles.resolve(skipped))).isoformat(" ")
        '2014-03-09 03:30:00+00:00'
        """
        return local - self.offsets[bisect_right(self._switch, local)]

    def local_column(self, instants: Column) -> Column:
        """Return the local times at instants."""
        transitions, _, offsets = self._columns
        return instants + offsets[np.searchsorted(transitions, instants, side="right")]

    def resolve_column(self, locals_: Column) -> Column:
        """Return the instants that local times mean, as ``resolve`` does."""
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
    """Return a time zone by its IANA name.

    >>> zone("Atlantis/Capital")
    Traceback (most recent call last):
    ...
    KeyError: 'no time zone Atlantis/Capital in tzdata'
    """
    if name not in zone_names():
        raise KeyError(f"no time zone {name} in tzdata")
    transitions: list[int] = []
    offsets: list[int] = []
    for second, offset in _turns(files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()):
        at, ahead = second * SECOND, offset * SECOND
        if at < BEGIN - _MARGIN or not offsets:
            offsets = [ahead]
        elif at < END + _MARGIN and ahead != offsets[-1]:
            transitions.append(at)
            offsets.append(ahead)
    return Zone(name, transitions, offsets)


def _turns(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the seconds from which each offset counts: those that the file (RFC 9636) lists, then those that its last line rules."""
    start = 44 + _length(data, 0, 4)
    *_, times, types, _letters = _counts(data, start)
    body = start + 44
    seconds = struct.unpack_from(f">{times}q", data, body)
    kinds = data[body + times * 8 : body + times * 9]
    ahead = [struct.unpack_from(">l", data, body + times * 9 + at * 6)[0] for at in range(types)]
    yield -1 << 62, ahead[0]
    for second, kind in zip(seconds, kinds, strict=True):
        yield second, ahead[kind]
    if "," in data[body + _length(data, start, 8) :].decode():
        yield from _ruled(ZoneInfo.from_file(BytesIO(data)), max(BEGIN // SECOND, *seconds))


def _counts(data: bytes, start: int) -> tuple[int, ...]:
    return struct.unpack_from(">6l", data, start + 20)


def _length(data: bytes, start: int, size: int) -> int:
    in_utc, standard, leaps, times, types, letters = _counts(data, start)
    return times * (size + 1) + types * 6 + letters + leaps * (size + 4) + standard + in_utc


def _ruled(rules: ZoneInfo, start: int) -> Iterator[tuple[int, int]]:
    """Find the turns of the clock after a second, to the second."""
    last = (END + _MARGIN) // SECOND
    before = _ahead(rules, start)
    for at in range(start, last, _SCAN):
        after = _ahead(rules, at + _SCAN)
        if after != before:
            changed = partial(_differs, rules, before)
            yield at + bisect_left(range(at, at + _SCAN), True, key=changed), after
            before = after


def _differs(rules: ZoneInfo, ahead: int, second: int) -> bool:
    return _ahead(rules, second) != ahead


def _ahead(rules: ZoneInfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, rules).utcoffset()
    return offset.days * 86_400 + offset.seconds if offset is not None else 0


def ordinal(there: Zone, instant: int) -> int:
    """Return the local date of an instant."""
    return there.local(instant) // DAY_MICROS + EPOCH_DAY
