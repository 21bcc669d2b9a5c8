"""Records answers: a handler awaits ``append`` before its answer leaves, as the durability of the settings demands."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import heappop, heappush
from itertools import count, groupby
from typing import Final, cast

from engine.decide.answer_times_json import iso
from engine.decide.reschedule import Rescheduled
from engine.model.answer import Answer, VersionRef
from engine.model.policy import Policy
from engine.records.canonical_json import CanonicalWriter
from engine.records.identity import RANDOM, beginning, uuid7_from
from engine.records.masking import unmaskable
from engine.records.record import (
    Record,
    Recordable,
    RecordedChange,
    RecordedDecision,
    RecordKind,
    plain_pauses,
    recorded_change,
    recorded_decision,
)
from engine.request.moment import Moment
from engine.version.version import Version
from guidepost.decision_log.append import Appended
from guidepost.decision_log.call_metadata import CallMetadata
from guidepost.decision_log.commit_thread import MAX_BATCH, LogUnavailable, Writer
from guidepost.decision_log.events import Events, Refusal
from guidepost.decision_log.log_error import LogError
from guidepost.decision_log.settings import Durability, LogSettings
from guidepost.decision_log.signed_heads import sign_head
from guidepost.decision_log.store import Store
from guidepost.decision_log.time_limits import TimeLimits

GATHER: Final = 0.02
"""Seconds for which records gather under ``bounded``, since no call waits for them: fewer commits cost less."""

CLOSING: Final = 10.0
"""Seconds for which a server that stops tries to write waiting records."""

Answers = tuple[Answer, ...] | Rescheduled
"""The answers to a call."""


class RequestIdReused(Exception):
    """A request id was used before for another request."""


class ReplayMismatch(Exception):
    """A call was repeated, and this server cannot reproduce the recorded answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRequest:
    """The parts of a request that are recorded.

    ``before`` contains the facts that were different before the change, of a call to reschedule; None if not known.
    """

    call: CallMetadata
    kind: RecordKind
    facts: Mapping[str, object]
    moment: Moment
    before: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class _ReceivedAt:
    """An instant of receipt, its text in records, and the beginning of the ids of its records."""

    at: datetime
    text: str
    id: str


@dataclass(frozen=True, slots=True)
class _AheadOfLog:
    """Answers that left ahead of their records.

    ``at_risk`` has when each left; a committed record removes the first.
    """

    at_risk: deque[float]
    number: int

    def done(self) -> bool:
        return False

    def set_result(self, _: Sequence[Appended]) -> None:
        for _one in range(self.number):
            self.at_risk.popleft()

    def set_exception(self, _: Exception) -> None:
        self.set_result(())


@dataclass(order=True, frozen=True, slots=True, kw_only=True)
class _WaitingCall:
    """A call that waits ``seconds`` for its record, until ``end`` by the clock of the loop.

    ``number`` orders equal ends.
    """

    end: float
    number: int
    seconds: float = field(compare=False)
    future: asyncio.Future[Sequence[Appended]] = field(compare=False)


class Recorder:
    """The decision log of a server, for one event loop. ``clock`` returns the instant for signatures of heads."""

    def __init__(self, settings: LogSettings, clock: Callable[[], datetime], events: Events | None = None) -> None:
        """Open the log; raises LogError if it cannot be opened, SourceError if its signing key cannot be read."""
        self.settings, self._events, self._masking = settings, events or Events(), settings.masking()
        key = settings.signing_key()
        signer = None if key is None else lambda head, covered: sign_head(head, iso(clock()), key, covered)
        self._limits = TimeLimits(settings.timeout)
        self._store = Store.open(settings.url, self._limits)
        gather = GATHER if settings.durability is Durability.BOUNDED else 0.0
        self._writer = Writer(
            self._store, settings.writer, signer=signer, gather=gather, events=self._events, limits=self._limits
        )
        self._at_risk: deque[float] = deque()
        self._waiting: list[_WaitingCall] = []
        self._numbers = count()
        # The end of the timer is a field of its own, since a timer of uvloop that is due at once does not report it.
        self._timer, self._timer_end = cast("asyncio.Handle | None", None), 0.0
        self._chances, self._last = _chances(), cast("_ReceivedAt | None", None)
        self._hidden: dict[VersionRef, frozenset[str]] = {}
        self._texts = CanonicalWriter(self._masking.more)

    @property
    def name(self) -> str:
        """The URL of the log without its password."""
        return self._store.name

    @property
    def failure(self) -> str:
        """Why the log cannot be written now; "" if it can."""
        return self._writer.writability.failure

    @property
    def waiting(self) -> int:
        """The number of records that are not in the log yet."""
        return self._writer.waiting

    @property
    def at_risk(self) -> int:
        """The number of answers that left and whose records are not in the log yet."""
        return len(self._at_risk)

    def watch(self, on_change: Callable[[], None]) -> None:
        """Call a function, on another thread, when the log fails and when it recovers; at once if it fails already."""
        self._writer.writability.on_change = on_change
        if self.failure:
            on_change()

    def record(self, received: datetime, request: RecordRequest, version: Version, answers: Answers) -> Recordable:
        """Return the record of a call and its answers."""
        came = self._received(received)
        id_, call, moment = uuid7_from(came.id, next(self._chances)), request.call, request.moment
        now = came.text if moment.now is None or moment.now is received else iso(moment.now)
        pauses = plain_pauses(moment.holds) if moment.holds else ()
        if isinstance(answers, Rescheduled):
            return Record(
                id=id_,
                received=came.text,
                caller=call.caller,
                request_id=call.request_id,
                ticket=call.ticket,
                kind=request.kind,
                facts=self._facts(request.facts, version),
                now=now,
                pauses=pauses,
                version=version.ref,
                decisions=(),
                change=recorded_change(answers, self._facts(request.before or {}, version)),
            )
        masked = self._masking.masked(request.facts, version.policy.facts, self._hidden_of(version))
        facts = {**request.facts, **masked} if masked else request.facts
        return self._texts.record(
            record_id=id_,
            received=came.text,
            caller=call.caller,
            request_id=call.request_id,
            ticket=call.ticket,
            kind=request.kind,
            facts=facts,
            now=now,
            pauses=pauses,
            version=version.ref,
            answers=answers,
        )

    def recorded(
        self, request: RecordRequest, version: Version, answers: Answers
    ) -> tuple[tuple[RecordedDecision, ...], RecordedChange | None]:
        """Return the decisions and the change that a record has for answers."""
        if isinstance(answers, Rescheduled):
            return (), recorded_change(answers, self._facts(request.before or {}, version))
        return tuple(recorded_decision(answer, self._masking.more) for answer in answers), None

    def same_request(self, first: Record, request: RecordRequest, version: Version, decision: str) -> bool:
        """Return whether a record is of an equal request.

        ``version`` is that of the record, by which facts are masked.
        """
        if not {*request.facts, *(request.before or ())} <= version.policy.facts.keys():
            return False
        call = request.call
        ours = replace(
            first,
            caller=call.caller,
            request_id=call.request_id,
            ticket=call.ticket,
            kind=request.kind,
            facts=self._facts(request.facts, version),
            pauses=plain_pauses(request.moment.holds),
        )
        before = None if first.change is None else first.change.facts
        return (
            ours == first
            and before == (None if request.before is None else self._facts(request.before, version))
            and (request.kind is not RecordKind.DECIDE or [one.decision for one in first.decisions] == [decision])
        )

    def _received(self, at: datetime) -> _ReceivedAt:
        """Return the texts of an instant of receipt, computed once for all tickets of a call."""
        if self._last is None or self._last.at is not at:
            self._last = _ReceivedAt(at, iso(at), beginning(at))
        return self._last

    def _facts(self, sent: Mapping[str, object], version: Version) -> dict[str, object]:
        """Return masked facts; those that are None stay None."""
        masked = self._masking.facts(sent, version.policy.facts, self._hidden_of(version))
        return masked if len(masked) == len(sent) else {**dict.fromkeys(sent), **masked}

    def _hidden_of(self, version: Version) -> frozenset[str]:
        hidden = self._hidden.get(version.ref)
        if hidden is None:
            hidden = self._hidden[version.ref] = self._masking.hidden(version.policy.facts)
        return hidden

    async def append(self, record: Recordable, left: float | None = None) -> Appended:
        """Return when the answer may leave; raises LogUnavailable if it may not within ``left`` seconds.

        A call with a request id always waits for its record, which shows whether it is the first with this id.
        """
        try:
            if not record.request_id and self._may_leave():
                self._leave((record,))
                return Appended(record, True)
            (appended,) = await self._written((record,), left)
        except LogUnavailable as error:
            self._events.refused(error.why)
            raise
        if not appended.fresh:
            self._events.repeated()
        return appended

    def _written(self, records: Sequence[Recordable], left: float | None) -> asyncio.Future[Sequence[Appended]]:
        """Submit records for which a call waits, and return a future; raises LogUnavailable if waiting is pointless.

        After the log could not be written for longer than a call waits, one call at a time waits for it. If all of them
        waited, they would pile up and be rejected for that.
        """
        if self._writer.writability.failing_for > self._limits.seconds and not all(
            one.future.done() for one in self._waiting
        ):
            raise LogUnavailable(f"the decision log cannot be written: {self.failure}", Refusal.LATE)
        future = self._writer.submit(records)
        self._wait_for(future, self._limits.within(left))
        return future

    def _wait_for(self, future: asyncio.Future[Sequence[Appended]], seconds: float) -> None:
        """Limit how long a future is awaited. One timer serves all; a timer each would be the largest cost here."""
        waiting, loop = self._waiting, asyncio.get_running_loop()
        while waiting and waiting[0].future.done():
            heappop(waiting)
        heappush(
            waiting, _WaitingCall(end=loop.time() + seconds, number=next(self._numbers), seconds=seconds, future=future)
        )
        self._set_timer(loop)

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the timer to the earliest end of those that wait."""
        end = self._waiting[0].end
        if self._timer is not None and self._timer_end <= end:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_end = loop.call_at(end, self._give_up, loop), end

    def _give_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Reject what has waited for too long; unless its commit has begun, it is not recorded."""
        waiting, self._timer = self._waiting, None
        while waiting and (waiting[0].future.done() or waiting[0].end <= loop.time()):
            one = heappop(waiting)
            if not one.future.done():
                why = f": {self.failure}" if self.failure else ""
                one.future.set_exception(
                    LogUnavailable(f"the decision could not be recorded in {one.seconds:.3g} s{why}", Refusal.LATE)
                )
        if waiting:
            self._set_timer(loop)

    async def append_all(
        self, records: Sequence[Recordable], left: float | None = None
    ) -> list[Appended | LogUnavailable]:
        """Return when all of these answers may leave: for each its record in the log, or why it may not leave."""
        submitted = list(self._submitted(records, left))
        waiting = [one for _, one in submitted if isinstance(one, asyncio.Future)]
        if waiting:
            await asyncio.wait(waiting)
        return [self._counted(one) for part, found in submitted for one in _outcomes(part, found)]

    def _submitted(
        self, records: Sequence[Recordable], time_left: float | None
    ) -> Iterator[tuple[Sequence[Recordable], asyncio.Future[Sequence[Appended]] | LogUnavailable | None]]:
        """Submit records in their order, in as few parts as possible.

        Yields each part with its future, with the error why it was rejected, or with None if its answers may leave.
        """
        may_leave = self._may_leave()

        def leaves(record: Recordable) -> bool:
            nonlocal may_leave
            at_once = may_leave > 0 and not record.request_id
            may_leave -= at_once
            return at_once

        for at_once, run in groupby(records, leaves):
            left = tuple(run)
            while left:
                part = left[: min(self._writer.room, MAX_BATCH)] or left
                left = left[len(part) :]
                yield part, self._submit(part, time_left, at_once=at_once)

    def _submit(
        self, part: Sequence[Recordable], left: float | None, *, at_once: bool
    ) -> asyncio.Future[Sequence[Appended]] | LogUnavailable | None:
        try:
            if at_once:
                self._leave(part)
                return None
            return self._written(part, left)
        except LogUnavailable as error:
            return error

    def _counted(self, found: Appended | LogUnavailable) -> Appended | LogUnavailable:
        if isinstance(found, LogUnavailable):
            self._events.refused(found.why)
        elif not found.fresh:
            self._events.repeated()
        return found

    def _leave(self, records: Sequence[Recordable]) -> None:
        """Submit records whose answers leave ahead of them, and count these as at risk."""
        self._writer.submit_for(_AheadOfLog(self._at_risk, len(records)), records)
        self._at_risk.extend([time.monotonic()] * len(records))

    def _may_leave(self) -> int:
        """Return the number of answers that may leave now ahead of their records."""
        risked = self._at_risk
        if self.settings.durability is not Durability.BOUNDED or (
            risked and (time.monotonic() - risked[0]) * 1000 >= self.settings.milliseconds
        ):
            return 0
        return max(0, self.settings.records - len(risked))

    async def close(self) -> None:
        """Write waiting records, and close the log."""
        await asyncio.get_running_loop().run_in_executor(None, self._writer.close, CLOSING)


def _chances() -> Iterator[bytes]:
    """Yield random bytes for ids, drawn many at once: during a system call, another thread would take over."""
    while True:
        drawn = secrets.token_bytes(400 * RANDOM)
        yield from (drawn[start : start + RANDOM] for start in range(0, len(drawn), RANDOM))


def _outcomes(
    part: Sequence[Recordable], found: asyncio.Future[Sequence[Appended]] | LogUnavailable | None
) -> Sequence[Appended | LogUnavailable]:
    """Return the result of each record of a part."""
    if found is None:
        return [Appended(record, True) for record in part]
    error = found.exception() if isinstance(found, asyncio.Future) else found
    if isinstance(error, LogUnavailable):
        return [error] * len(part)
    return cast("asyncio.Future[Sequence[Appended]]", found).result()


def open_recorder(
    settings: LogSettings, clock: Callable[[], datetime], policies: Iterable[Policy], events: Events | None = None
) -> Recorder | None:
    """Open the log of a server; None if it records nothing. Raises LogError or SourceError."""
    if settings.durability is Durability.OFF:
        return None
    policies = tuple(policies)
    wrong = unmaskable(frozenset(settings.mask), policies)
    if wrong:
        raise LogError(
            f"these facts cannot be masked: {', '.join(wrong)}",
            "only texts and unlisted values of open lists can be masked, so that a replay decides the same",
        )
    known = {name for policy in policies for name in policy.facts}
    if unknown := sorted({*settings.clear} - known):
        raise LogError(f"expected names of facts to record in clear, got {', '.join(unknown)}")
    return Recorder(settings, clock, events)
