"""The circuit breaker of a client: while a service does not answer, calls fail at once instead of after their timeout.

    closed     calls are made; after `failures` in a row without an answer the circuit opens
    open       calls fail at once; in the background, probes ask whether the service is back
    half-open  a probe was answered; one call is made, and its end closes the circuit or opens it again

A pure state machine: it makes no calls, starts no threads, and reads the time from its clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import Final

FAILURES: Final = 3
"""The default number of calls in a row without an answer that open the circuit."""

PAUSE: Final = 1.0
"""The default minimum time for which an open circuit stays open, in seconds."""


class Circuit(str, Enum):  # noqa: UP042 - StrEnum came with Python 3.11, and the client is to run on 3.10
    """The states of a circuit breaker; each equals its text.

    >>> Circuit.OPEN == "open", f"{Circuit.HALF_OPEN}"
    (True, 'half-open')
    """

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"

    def __str__(self) -> str:
        return str(self.value)


class CircuitBreaker:
    """Decides whether a call may be made; used by one event loop, or by many threads.

    ``admit`` returns a ticket for each call that may be made. When the call has ended, pass it to exactly one of
    ``answered``, ``unanswered`` and ``withdrawn``.

    >>> breaker = CircuitBreaker(failures=1, pause=1, clock=lambda: 0)
    >>> breaker.unanswered(breaker.admit())
    >>> breaker.admit(), breaker.state.value
    (0, 'open')
    """

    def __init__(
        self, failures: int = FAILURES, pause: float = PAUSE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Create a closed circuit.

        Args:
            failures: calls in a row without an answer that open the circuit; 0 never opens it.
            pause: the minimum time for which it stays open, in seconds.
            clock: returns monotonic seconds.
        """
        if failures < 0:
            raise ValueError(f"expected 0 or more failures, got {failures}")
        if not pause >= 0:
            raise ValueError(f"expected a pause of 0 seconds or more, got {pause:g}")
        self._limit, self._pause, self._clock = failures, pause, clock
        self._state, self._failures, self._until = Circuit.CLOSED, 0, 0.0
        # Each change of state begins an epoch. Its number is the ticket of a call, so that calls of earlier epochs are
        # known.
        self._epoch, self._trial = 1, False
        self._reason = ""
        self._lock = threading.Lock()

    @property
    def state(self) -> Circuit:
        """The state of the circuit."""
        return self._state

    @property
    def failures(self) -> int:
        """The number of calls in a row without an answer."""
        return self._failures

    @property
    def reason(self) -> str:
        """Why the last call had no answer; "" once the service has answered a call."""
        return self._reason

    @property
    def left(self) -> float:
        """Seconds until the circuit may become half-open; 0 if it may at once, or if it is not open."""
        return max(0.0, self._until - self._clock()) if self._state is Circuit.OPEN else 0.0

    def admit(self) -> int:
        """Return a ticket for a call, or 0 if no call may be made now.

        In a half-open circuit, one call at a time may.
        """
        with self._lock:
            if self._state is Circuit.OPEN or self._trial:
                return 0
            self._trial = self._state is Circuit.HALF_OPEN
            return self._epoch

    def answered(self, ticket: int) -> None:  # noqa: ARG002 - an answer counts, however early the call began
        """End a call that the service answered, with a result or an error, and close the circuit."""
        if self._failures == 0 and self._state is Circuit.CLOSED:
            return  # the usual case, without the lock
        with self._lock:
            self._failures, self._reason = 0, ""
            if self._state is not Circuit.CLOSED:
                self._become(Circuit.CLOSED)

    def unanswered(self, ticket: int, wait: float = 0.0, reason: str = "") -> None:
        """End a call that had no answer, and may open the circuit.

        Args:
            ticket: from ``admit``.
            wait: the seconds for which the service asks not to be called.
            reason: why there was no answer.
        """
        with self._lock:
            if ticket != self._epoch:
                return  # it began before the state changed, and shows nothing new
            self._failures += 1
            self._reason = reason
            if self._state is Circuit.HALF_OPEN or 0 < self._limit <= self._failures:
                self._until = self._clock() + max(self._pause, wait)
                self._become(Circuit.OPEN)

    def withdrawn(self, ticket: int) -> None:
        """End a call that its caller cancelled, which shows nothing about the service."""
        with self._lock:
            if ticket == self._epoch:
                self._trial = False

    def back(self) -> None:
        """Record that a probe was answered: the circuit becomes half-open if its pause is over."""
        with self._lock:
            if self._state is Circuit.OPEN and self._clock() >= self._until:
                self._become(Circuit.HALF_OPEN)

    def _become(self, state: Circuit) -> None:
        self._state, self._trial = state, False
        self._epoch += 1
