"""Whether a decision log can be written now, including a writer that hangs and so cannot report it.

A disk whose fsync does not return, a standby that PostgreSQL waits for, or a frozen server raise no error. So a
separate thread checks how long the present attempt has lasted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

log = logging.getLogger("guidepost.decision_log")

CHECKS: Final = 8
"""The number of checks during the time that an attempt may last."""


CAUSE_TIMEOUT: Final = 5.0
"""Seconds to find the cause; health has changed by then, and only the message waits."""


class Writability:
    """The state of one log. ``on_change`` is called, on any thread, when the log fails and when it recovers."""

    def __init__(self, name: str, limit: float, cause: Callable[[], str] = lambda: "") -> None:
        """Start the thread that checks the log.

        Args:
            name: the name of the log in messages.
            limit: the seconds after which an attempt to write counts as stuck.
            cause: returns why an attempt does not end, or "" if that is unknown; it may take long.
        """
        self.failure = ""
        """Why the log cannot be written; "" if it can."""
        self.on_change: Callable[[], None] = lambda: None
        self._name, self._limit, self._cause = name, limit, cause
        self._since, self._began, self._stuck = 0.0, 0.0, 0.0
        self._changing, self._closed = threading.Lock(), threading.Event()
        threading.Thread(target=self._run, name="decision log, on_change", daemon=True).start()

    @property
    def failing_for(self) -> float:
        """The seconds for which the log could not be written; 0 if it can be."""
        return time.monotonic() - self._since if self.failure else 0.0

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Time the block, which may hang; one thread makes one attempt at a time."""
        self._began = time.monotonic()
        try:
            yield
        finally:
            with self._changing:
                self._began = 0.0

    def failed(self, why: str) -> None:
        """Report that an attempt failed."""
        with self._changing:
            # If a log that hung now fails, its error is the cause that was unknown before.
            first, known = not self.failure, bool(self.failure) and not self._stuck
            self._since = self._since if self.failure else time.monotonic()
            self.failure, self._stuck = why, 0.0
        if not known:
            log.error("the decision log %s cannot be written: %s", self._name, why)
        if first:
            self.on_change()

    def recovered(self) -> None:
        """Report that an attempt succeeded."""
        with self._changing:
            if not self.failure:
                return
            self.failure, self._stuck = "", 0.0
        log.warning("the decision log %s can be written again", self._name)
        self.on_change()

    def close(self) -> None:
        """End the thread that checks."""
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.wait(self._limit / CHECKS):
            began = self._began
            if began and began != self._stuck and time.monotonic() - began > self._limit:
                self._report(began)

    def _report(self, began: float) -> None:
        """Report that an attempt hangs: first to health, then with its cause, which takes longer to find."""
        why = f"an attempt to write has not returned for {self._limit:.3g} s"
        with self._changing:
            if self._began != began:
                return
            first = not self.failure
            if first:
                self.failure, self._since, self._stuck = why, began, began
        if not first:
            return
        self.on_change()
        cause = self._find_cause()
        with self._changing:
            if self._stuck != began:
                return
            self.failure = f"{why}: {cause or 'its disk or its server does not respond'}"
            log.error("the decision log %s cannot be written: %s", self._name, self.failure)

    def _find_cause(self) -> str:
        """Return the cause, or "" after ``CAUSE_TIMEOUT`` seconds, since this may hang as well."""
        found: list[str] = []
        asking = threading.Thread(target=lambda: found.append(self._cause()), name="decision log, cause", daemon=True)
        asking.start()
        asking.join(CAUSE_TIMEOUT)
        return found[0] if found else ""
