"""Instants as callers send them, and the moment of a request: its `now`, and the holds on its ticket."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from engine.clock.calendar import FIRST_YEAR, LAST_YEAR
from engine.clock.zone import EPOCH
from engine.model.answer import WrongFact, WrongRequest
from engine.model.quoting import describe_value, value_as_text
from engine.request.instant_help import instant_help, unreadable

RFC_3339: Final = "RFC 3339, such as 2026-01-31T09:00:00+10:00"
EMPTY: Final = "expected a value, got an empty text"
LEAVE_OUT: Final = "leave the fact out if it is not known"
ZERO: Final = "1970-01-01T00:00:00Z, a zero timestamp: was it set?"
"""Added to the message for exactly this instant: on the wire, an empty ``Timestamp`` looks the same."""
MAX_HOLDS: Final = 1_000
"""The most holds that a ticket may have."""

_DAY_AND_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d([Tt ]|$)", re.ASCII)
_DAY_ALONE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EARLIEST: Final = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)

Hold = tuple[datetime, datetime | None]
"""The start and the end of a time for which a ticket is on hold; the end is None if it is still on hold."""


class NotAnInstant(Exception):
    """A sent value is not an instant: ``message`` is why, ``allowed`` what is expected, ``help`` how to fix it."""

    def __init__(self, message: str, allowed: tuple[str, ...] = (RFC_3339,), help_: str = "") -> None:
        self.message, self.allowed, self.help = message, allowed, help_
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Moment:
    """The instant of a request, if known, and the holds on its ticket, in order of their start."""

    now: datetime | None = None
    holds: tuple[Hold, ...] = ()

    def ended_holds(self, met: datetime | None = None) -> tuple[tuple[datetime, datetime], ...]:
        """Return the holds merged where they overlap, each with an end.

        A hold without an end counts up to ``now``. No hold counts after the deadline is ``met``.

        >>> nine, ten, noon = (datetime(2026, 1, 5, hour, tzinfo=UTC) for hour in (9, 10, 12))
        >>> Moment(noon, ((nine, noon), (ten, None))).ended_holds() == ((nine, noon),)
        True
        >>> Moment(noon, ((nine, None),)).ended_holds(met=ten) == ((nine, ten),)
        True
        """
        apart: list[tuple[datetime, datetime]] = []
        for start, end in self.holds:
            last = end or self.now or met or start
            if met is not None:
                last = min(last, met)
            if last <= start:
                continue
            if apart and start <= apart[-1][1]:
                apart[-1] = (apart[-1][0], max(apart[-1][1], last))
            else:
                apart.append((start, last))
        return tuple(apart)


def read_instant(name: str, sent: object) -> datetime:
    """Return a sent instant in UTC.

    Raises NotAnInstant if it lacks an offset, lies outside the years of calendars, or is exactly 1970-01-01T00:00:00Z,
    which is what an unset value usually contains.

    >>> read_instant("received_at", "2026-01-23T15:00:00+11:00").isoformat()
    '2026-01-23T04:00:00+00:00'
    """
    instant = sent
    if isinstance(sent, str):
        try:
            instant = datetime.fromisoformat(sent)
        except ValueError:
            instant = _spaced(sent)
    if not isinstance(instant, datetime):
        helped = instant_help(str(sent)) if isinstance(sent, (str, int)) else None
        if helped is not None:
            raise NotAnInstant(f"{helped.reason}: `{value_as_text(sent)}`", help_=helped.help)
        if isinstance(sent, str) and _DAY_AND_TIME.match(sent.strip()):
            raise NotAnInstant(f"{unreadable(sent)}: `{value_as_text(sent)}`")
        raise NotAnInstant(f"expected an instant for `{name}`, got {describe_value(sent)}")
    if instant.tzinfo is None:
        if isinstance(sent, str) and _DAY_ALONE.fullmatch(sent.strip()):
            raise NotAnInstant(
                f"expected a time and an offset from UTC for `{name}`, got `{value_as_text(sent)}`",
                help_=f"for 9 o'clock in a zone 10 hours ahead of UTC, write {sent.strip()}T09:00:00+10:00",
            )
        raise NotAnInstant(
            f"expected an offset from UTC for `{name}`, got `{value_as_text(sent)}`",
            help_="add Z or an offset such as +10:00",
        )
    if not _EARLIEST <= instant < _LATEST:
        raise NotAnInstant(
            f"`{value_as_text(sent)}` is out of range for `{name}`", (f"years {FIRST_YEAR} to {LAST_YEAR}",)
        )
    if instant == EPOCH:
        raise NotAnInstant(f"`{name}` is {ZERO}", help_=f"send the time itself, or {LEAVE_OUT}")
    return instant.astimezone(UTC)


def read_moment(now: object = None, pauses: Iterable[tuple[object, object]] = ()) -> Moment:
    """Read ``now`` and the holds of a request: pairs of start and end, None for a hold without an end.

    Raises WrongRequest with everything that is wrong: ``now``, and each hold as ``pauses[0]``.
    """
    wrong: list[WrongFact] = []
    at = _read("now", now, wrong) if now is not None else None
    holds: list[Hold] = []
    for number, (begin, end) in enumerate(pauses):
        path = f"pauses[{number}]"
        start = _read(f"{path}.from", begin, wrong) if begin is not None else None
        stop = _read(f"{path}.to", end, wrong) if end is not None else None
        if begin is None:
            wrong.append(
                WrongFact(
                    fact=f"{path}.from", sent="", message="the beginning of the hold is missing", allowed=(RFC_3339,)
                )
            )
        elif end is None and now is None:
            wrong.append(
                WrongFact(
                    fact=f"{path}.to",
                    sent="",
                    message="an open hold needs `now`",
                    help="send `now`, or the end of the hold",
                )
            )
        elif start is not None and stop is not None and stop < start:
            wrong.append(WrongFact(fact=f"{path}.to", sent=value_as_text(end), message="a hold ends before it begins"))
        elif start is not None:
            holds.append((start, stop))
    if len(holds) > MAX_HOLDS:
        wrong.append(
            WrongFact(fact="pauses", sent="", message=f"expected at most {MAX_HOLDS:,} holds, got {len(holds):,}")
        )
    if wrong:
        raise WrongRequest(tuple(wrong))
    return Moment(at, tuple(sorted(holds, key=lambda hold: hold[0])))


def _read(name: str, sent: object, wrong: list[WrongFact]) -> datetime | None:
    try:
        return read_instant(name, sent)
    except NotAnInstant as error:
        wrong.append(
            WrongFact(
                fact=name,
                sent=value_as_text(sent),
                message=error.message,
                allowed=error.allowed,
                help=error.help.replace(LEAVE_OUT, "leave it out"),
            )
        )
        return None


def _spaced(sent: str) -> datetime | None:
    if not sent.strip():
        raise NotAnInstant(EMPTY, help_=LEAVE_OUT)
    try:
        return datetime.fromisoformat(sent.strip().upper())
    except ValueError:
        return None
