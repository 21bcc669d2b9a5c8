"""The time limits of a decision log: each ends before the one that would hide its reason.

For a timeout of 1.5 seconds::

    0.90 s   a wait for a lock in the database               the database reports the cause
    1.05 s   one statement in PostgreSQL                     the database reports the cause
    1.20 s   an attempt to write that neither ends nor fails the server reports it, and health changes
    1.50 s   a call that waits for its record                the call is rejected, with the reason
    2.00 s   the Python client                               DEADLINE_EXCEEDED, without a reason

A call whose own deadline is nearer is rejected earlier, so that the caller gets the reason before the deadline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DEFAULT_TIMEOUT: Final = 1.5
"""Seconds that a call waits for its record: less than the 2 seconds that the Python client waits for an answer."""

MARGIN: Final = 0.2
"""Seconds before the deadline of a call at which it is rejected, so that the response arrives in time."""

RETRY_AFTER: Final = 1.0
"""Seconds after which a client should retry a call that could not be recorded."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """The time limits that follow from the seconds that a call waits for its record."""

    seconds: float = DEFAULT_TIMEOUT

    @property
    def lock(self) -> float:
        """Seconds that the database waits for a lock."""
        return self.seconds * 0.6

    @property
    def statement(self) -> float:
        """Seconds that PostgreSQL executes a statement. This does not limit a commit, which must not be cancelled."""
        return self.seconds * 0.7

    @property
    def attempt(self) -> float:
        """Seconds after which an attempt to write counts as stuck."""
        return self.seconds * 0.8

    def within(self, left: float | None) -> float:
        """Return the seconds that a call waits which has ``left`` seconds until its deadline; None for no deadline.

        >>> [round(TimeLimits().within(left), 2) for left in (None, 10, 2, 1, 0.2, 0)]
        [1.5, 1.5, 1.5, 0.8, 0.1, 0.0]
        """
        return self.seconds if left is None else min(self.seconds, before(left))


def before(deadline: float) -> float:
    """Return the seconds after which a call must be rejected so that the response arrives before its deadline.

    >>> [round(before(left), 2) for left in (30, 1, 0.2, 0)]
    [29.8, 0.8, 0.1, 0.0]
    """
    return max(deadline - MARGIN, deadline / 2)


def pushback(left: float | None) -> int:
    """Return the milliseconds after which a client may retry, with ``left`` seconds until the deadline; -1 for never.

    A client that retries shortly before its deadline reports DEADLINE_EXCEEDED, which hides the reason.

    >>> pushback(None), pushback(5), pushback(1.2)
    (1000, 1000, -1)
    """
    return int(RETRY_AFTER * 1000) if left is None or left >= RETRY_AFTER + 2 * MARGIN else -1
