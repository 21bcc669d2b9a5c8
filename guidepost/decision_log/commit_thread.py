"""A thread that commits records, many at once: those that arrive during a commit go into the next one.

If the store fails, the commit is retried with the same records until it succeeds or no call waits for them.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from engine.records.record import Recordable
from guidepost.decision_log.append import Appended
from guidepost.decision_log.database import database_message
from guidepost.decision_log.events import Events, Refusal
from guidepost.decision_log.store import Signer, Store
from guidepost.decision_log.time_limits import TimeLimits
from guidepost.decision_log.writability import Writability

log = logging.getLogger("guidepost.decision_log")

MAX_BATCH: Final = 500
"""The most records in one commit."""

CAPACITY: Final = 10_000
"""The most records that may wait; further ones are rejected."""

SIGN_EVERY: Final = 60.0
"""Seconds between two signed heads, if records were written."""

READ: Final = 2_000
"""The most entries that are read between two commits for a head that covers entries of an earlier run."""

FIRST_PAUSE, LAST_PAUSE = 0.05, 1.0
"""Seconds between attempts on a store that fails: the first pause, and the longest."""

GATHER_EACH, GATHER_MOST = 0.0003, 0.005
"""Seconds for which a commit waits for more calls by default: for each further call of the last commit, and at most."""


class LogUnavailable(Exception):
    """A decision cannot be recorded now, so the call is rejected; the message contains the cause."""

    def __init__(self, message: str, why: Refusal) -> None:
        self.why = why
        super().__init__(message)


class Waiter(Protocol):
    """Receives the result of a commit: a future, or an object like one."""

    def done(self) -> bool:
        """Return whether the result is no longer needed."""

    def set_result(self, result: Sequence[Appended], /) -> object:
        """Receive the records as they are in the log."""

    def set_exception(self, exception: Exception, /) -> object:
        """Receive the error: the records are not in the log."""


@dataclass(slots=True, eq=False)
class Pending:
    """Records to write, for ``waiter`` on ``loop``.

    They are not written if the waiter is done before, since it gave up.
    """

    records: Sequence[Recordable]
    waiter: Waiter
    loop: asyncio.AbstractEventLoop


class Writer:
    """Writes one chain. Call ``submit`` on an event loop; it never blocks. ``writability`` is the state of the store.

    ``gather`` is the number of seconds that a commit waits for more records. With 0, it depends on the number of calls
    of the last commit, so that a single caller does not wait. An attempt that exceeds ``limits`` counts as stuck.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        *,
        capacity: int = CAPACITY,
        signer: Signer | None = None,
        sign_every: float = SIGN_EVERY,
        gather: float = 0.0,
        events: Events | None = None,
        limits: TimeLimits = TimeLimits(),  # noqa: B008 - it is frozen
    ) -> None:
        self._events = events or Events()
        self.writability = Writability(store.name, limits.attempt, store.blocked_by)
        self._store, self._name, self._capacity, self._signer, self._sign_every, self._gather = (
            store,
            name,
            capacity,
            signer,
            sign_every,
            gather,
        )
        self._waiting: deque[Pending] = deque()
        self._batch: list[Pending] = []
        # Each of these is changed by one thread only.
        self._submitted = self._settled = self._last = 0
        self._wake, self._give_up_at = threading.Event(), float("inf")
        self._closing = threading.Event()
        self._sign_at, self._behind = 0.0, False
        # Signs what an earlier run left unsigned before any call waits: for a long chain, this takes seconds.
        self._sign(now=True)
        # Signs the first records of this run as soon as they are committed, so that their certificates have a head.
        self._sign_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="decision log", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """The number of records that are not in the log yet."""
        return self._submitted - self._settled

    @property
    def room(self) -> int:
        """The number of records that can be submitted now."""
        return 0 if self._closing.is_set() else max(0, self._capacity - self.waiting)

    def refusal(self) -> LogUnavailable:
        """Return the error if there is no room: too many records wait, or the log is closed."""
        if self._closing.is_set():
            return LogUnavailable("the server is stopping", Refusal.STOPPING)
        why = f": {self.writability.failure}" if self.writability.failure else ""
        return LogUnavailable(
            f"{self._capacity:,} decisions wait to be recorded{why}",
            Refusal.FULL,
        )

    def submit(self, records: Sequence[Recordable]) -> asyncio.Future[Sequence[Appended]]:
        """Submit records for one commit, and return a future; raises LogUnavailable if there is no room for them."""
        future: asyncio.Future[Sequence[Appended]] = asyncio.get_running_loop().create_future()
        self.submit_for(future, records)
        return future

    def submit_for(self, waiter: Waiter, records: Sequence[Recordable]) -> None:
        """Submit records for one commit, whose result the waiter receives on this event loop; raises LogUnavailable."""
        if len(records) > self.room:
            raise self.refusal()
        self._submitted += len(records)
        self._waiting.append(Pending(records, waiter, asyncio.get_running_loop()))
        if not self._wake.is_set():
            self._wake.set()

    def close(self, grace: float) -> None:
        """Write waiting records for at most ``grace`` seconds, sign the head, and end the thread."""
        self._give_up_at = time.monotonic() + grace
        self._closing.set()
        self._wake.set()
        self._thread.join(grace + LAST_PAUSE + 30)
        self.writability.close()
        self._store.close()

    def _run(self) -> None:
        while not self._closing.is_set() or self._waiting:
            self._wake.wait(0.0 if self._behind else min(self._sign_every, 5.0))
            self._wake.clear()
            while self._waiting:
                if gather := self._gather or min(max(self._last - 1, 0) * GATHER_EACH, GATHER_MOST):
                    self._closing.wait(gather)
                self._batch = self._next_batch()
                self._commit()
                self._sign(now=False)
            self._sign(now=self._closing.is_set())
            if self.writability.failure:
                # Signing a head hung: only an attempt shows whether records can be written.
                self._commit()

    def _next_batch(self) -> list[Pending]:
        """Remove the records for one commit from those that wait."""
        taken: list[Pending] = []
        number = 0
        while self._waiting and (not taken or number + len(self._waiting[0].records) <= MAX_BATCH):
            taken.append(self._waiting.popleft())
            number += len(taken[-1].records)
        return taken

    def _without_abandoned(self) -> list[Pending]:
        """Return the batch without records for which no call waits any more: those calls were rejected."""
        left = [one for one in self._batch if not one.waiter.done()]
        self._settled += _count(self._batch) - _count(left)
        return left

    def _commit(self) -> None:
        """Write the batch; retries until it succeeds, or until the writer must stop."""
        pause, retry = FIRST_PAUSE, False
        while True:
            self._batch = batch = self._without_abandoned()
            start = time.monotonic()
            try:
                with self.writability.attempt():
                    appended = self._write(batch, retry=retry)
            except Exception as error:
                # For any error: if this thread ended, every call would wait in vain.
                if not isinstance(error, (SQLAlchemyError, OSError)):
                    log.exception("an internal error keeps the decision log %s from being written", self._store.name)
                self._events.failed()
                self.writability.failed(database_message(error))
                if time.monotonic() > self._give_up_at:
                    self._abandon()
                    return
                self._closing.wait(pause) if not self._closing.is_set() else time.sleep(pause)
                pause, retry = min(pause * 2, LAST_PAUSE), True
            else:
                self.writability.recovered()
                self._batch, self._last = [], len(batch)
                self._settled += len(appended)
                if fresh := sum(one.fresh for one in appended):
                    self._events.committed(fresh, time.monotonic() - start)
                _deliver(batch, appended)
                return

    def _write(self, batch: Sequence[Pending], *, retry: bool) -> list[Appended]:
        """Write a batch; without one, test whether the log can be written."""
        if batch:
            return self._store.append(self._name, [record for one in batch for record in one.records], retry=retry)
        self._store.probe(self._name)
        return []

    def _abandon(self) -> None:
        left = [*self._batch, *self._waiting]
        self._batch = []
        self._waiting.clear()
        self._settled = self._submitted
        log.error(
            "%d records were not written to %s before the server stopped: %s",
            _count(left),
            self._store.name,
            self.writability.failure,
        )
        for one in left:
            with suppress(RuntimeError):
                one.loop.call_soon_threadsafe(_fail, one, LogUnavailable(self.writability.failure, Refusal.STOPPING))

    def _sign(self, *, now: bool) -> None:
        """Sign the end of the chain if it is time and there are new entries; a failure is retried next time."""
        if self._signer is None or not (now or time.monotonic() >= self._sign_at or self._behind):
            return
        self._sign_at = time.monotonic() + self._sign_every
        try:
            with self.writability.attempt():
                # Calls wait for one part of a long chain at most.
                signed = self._store.sign(self._name, self._signer, None if now else READ)
            self._behind = self._store.has_backlog(self._name)
            if signed is not None:
                self._events.signed(signed.head.sequence)
        except (SQLAlchemyError, OSError) as error:
            self._behind = False
            log.warning("the head of the decision log was not signed: %s", database_message(error))


def _deliver(batch: Sequence[Pending], appended: Sequence[Appended]) -> None:
    """Deliver the results to all waiters, with one call for each event loop."""
    found = iter(appended)
    results = [(one, tuple(islice(found, len(one.records)))) for one in batch]
    for loop in {one.loop for one in batch}:
        mine = [(one.waiter, what) for one, what in results if one.loop is loop]
        # A closed loop has no waiters.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_set, mine)


def _count(batch: Sequence[Pending]) -> int:
    return sum(len(one.records) for one in batch)


def _set(pairs: Sequence[tuple[Waiter, Sequence[Appended]]]) -> None:
    for waiter, appended in pairs:
        if not waiter.done():
            waiter.set_result(appended)


def _fail(one: Pending, error: Exception) -> None:
    if not one.waiter.done():
        one.waiter.set_exception(error)
