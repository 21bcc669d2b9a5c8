"""The circuit breaker of a client: once a service has stopped answering, callers no longer wait for it.

    closed     calls go through; after `failures` in a row without an answer it opens
    open       no call goes through; the client asks in the background whether the service is back
    half-open  the service answered that question; one call goes through, and its end closes or opens the circuit

A pure state machine: it makes no calls, starts no threads, and reads the time from the clock it is given.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import Final

FAILURES: Final = 3
"""Calls in a row without an answer after which the circuit opens."""

PAUSE: Final = 1.0
"""Seconds for which an open circuit stays open at least."""


class Circuit(str, Enum):  # noqa: UP042 - StrEnum came with Python 3.11, and the client is to run on 3.10
    """The states of a circuit breaker; each equals its word.

    >>> Circuit.OPEN == "open", f"{Circuit.HALF_OPEN}"
    (True, 'half-open')
    """

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"

    def __str__(self) -> str:
        return str(self.value)


class CircuitBreaker:
    """Decides whether a call may go through; for one event loop, or many threads.

    ``admit`` returns a ticket for each call that may go through, which is handed back with how the call ended, by exactly
    one of ``answered``, ``unanswered`` and ``withdrawn``.

    >>> breaker = CircuitBreaker(failures=1, pause=1, clock=lambda: 0)
    >>> breaker.unanswered(breaker.admit())
    >>> breaker.admit(), breaker.state.value
    (0, 'open')
    """

    def __init__(
        self, failures: int = FAILURES, pause: float = PAUSE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start closed.

        Args:
            failures: calls in a row without an answer that open the circuit; 0 keeps it closed for good.
            pause: seconds for which it stays open at least.
            clock: returns seconds that never run backwards.
        """
        if failures < 0:
            raise ValueError(f"expected 0 or more failures, got {failures}")
        if not pause >= 0:
            raise ValueError(f"expected a pause of 0 seconds or more, got {pause:g}")
        self._limit, self._pause, self._clock = failures, pause, clock
        self._state, self._failures, self._until = Circuit.CLOSED, 0, 0.0
        # Each change of state begins an epoch, by whose number a call that began in an earlier one is known.
        self._epoch, self._trial = 1, False
        self._reason = ""
        self._lock = threading.Lock()

    @property
    def state(self) -> Circuit:
        """Whether the circuit is closed, open or half-open."""
        return self._state

    @property
    def failures(self) -> int:
        """How many calls in a row have had no answer."""
        return self._failures

    @property
    def reason(self) -> str:
        """Why the last call had no answer; empty once the service has answered one."""
        return self._reason

    @property
    def left(self) -> float:
        """Seconds until the circuit may become half-open; 0 if it may at once, or is not open."""
        return max(0.0, self._until - self._clock()) if self._state is Circuit.OPEN else 0.0

    def admit(self) -> int:
        """Return the ticket of a call that may go through now, and 0 if it may not. In a half-open circuit one may, until it has ended."""
        with self._lock:
            if self._state is Circuit.OPEN or self._trial:
                return 0
            self._trial = self._state is Circuit.HALF_OPEN
            return self._epoch

    def answered(self, ticket: int) -> None:  # noqa: ARG002 - an answer counts whenever the call began
        """End a call that the service answered, be it with an error: the service is there, and the circuit closes."""
        if self._failures == 0 and self._state is Circuit.CLOSED:
            return  # the common case, without the lock
        with self._lock:
            self._failures, self._reason = 0, ""
            if self._state is not Circuit.CLOSED:
                self._become(Circuit.CLOSED)

    def unanswered(self, ticket: int, wait: float = 0.0, reason: str = "") -> None:
        """End a call that had no answer, for a reason. ``wait`` is for how many seconds the service asked to be left alone."""
        with self._lock:
            if ticket != self._epoch:
                return  # it began before the state changed, and says nothing new
            self._failures += 1
            self._reason = reason
            if self._state is Circuit.HALF_OPEN or 0 < self._limit <= self._failures:
                self._until = self._clock() + max(self._pause, wait)
                self._become(Circuit.OPEN)

    def withdrawn(self, ticket: int) -> None:
        """End a call that its caller gave up, which says nothing about the service."""
        with self._lock:
            if ticket == self._epoch:
                self._trial = False

    def back(self) -> None:
        """Take note that the service answered a question asked in the background; once the pause is over, a call may try."""
        with self._lock:
            if self._state is Circuit.OPEN and self._clock() >= self._until:
                self._become(Circuit.HALF_OPEN)

    def _become(self, state: Circuit) -> None:
        self._state, self._trial = state, False
        self._epoch += 1
