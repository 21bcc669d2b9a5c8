"""What the handlers call: an answer's record in, and back when the answer may leave, as the chosen durability promises."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from engine.answer import Answer, VersionRef
from engine.decisionlog.identity import RANDOM, uuid7
from engine.decisionlog.masking import unmaskable
from engine.decisionlog.record import Decided, Kind, Record, decided, plain_pauses
from engine.moment import Moment
from engine.policy import Policy
from engine.record_times import iso
from service.log.calls import Call
from service.log.database import LogRefused
from service.log.heads import sign_head
from service.log.settings import Durability, LogSettings
from service.log.store import Kept, Store
from service.log.writer import LogUnavailable, Writer

GATHER: Final = 0.02
"""Seconds for which records gather under ``bounded``, where nobody waits for them: fewer commits leave more time to answer."""

CLOSING: Final = 10.0
"""Seconds for which a server that stops tries to write what is waiting."""


MAX_SEEN: Final = 10_000
"""How many recorded forms of answers are kept: making one anew takes longer than deciding."""


class RequestIdUsed(Exception):
    """A request id was used before, for another request."""


class RecordedOtherwise(Exception):
    """A call was answered before, and this server cannot give that answer again."""


class Keeper:
    """The decision log of a server, for one event loop. ``clock`` says when a head is signed."""

    def __init__(self, settings: LogSettings, clock: Callable[[], datetime]) -> None:
        """Open the log; raises LogRefused if that cannot be done."""
        self.settings = settings
        key = settings.key
        signer = None if key is None else lambda head: sign_head(head, iso(clock()), key)
        self._store = Store.open(settings.url)
        self._writer = Writer(self._store, settings.writer, signer=signer, gather=GATHER if settings.durability is Durability.BOUNDED else 0.0)
        self._at_risk: deque[float] = deque()
        self._seen: dict[str, Decided] = {}

    @property
    def name(self) -> str:
        """Where the log is, without a password."""
        return self._store.name

    @property
    def failure(self) -> str:
        """Why the log cannot be written now; "" if it can."""
        return self._writer.failure

    def watch(self, told: Callable[[], None]) -> None:
        """Have somebody told, on another thread, when the log fails and when it recovers."""
        self._writer.watch = told

    def record(
        self, received: datetime, call: Call, kind: Kind, facts: dict[str, object], moment: Moment, policy: Policy, version: VersionRef, answers: Iterable[Answer],
    ) -> Record:
        """Give the record of a call that is answered."""
        masking = self.settings.masking
        return Record(
            uuid7(received, secrets.token_bytes(RANDOM)), iso(received), call.caller, call.request_id, call.ticket, kind,
            masking.facts(facts, policy.facts), iso(moment.now or received), plain_pauses(moment.holds), version,
            tuple([self._decided(answer) for answer in answers]),
        )

    def _decided(self, answer: Answer) -> Decided:
        """Give what is recorded of an answer; one without instants and words of the caller is seldom new, and kept."""
        found = self._seen.get(answer.id)
        if found is None:
            found = decided(answer, self.settings.masking.more)
            if answer.undated is None and not answer.unlisted:
                if len(self._seen) >= MAX_SEEN:
                    self._seen.clear()
                self._seen[answer.id] = found
        return found

    async def keep(self, record: Record) -> Kept:
        """Come back when the answer may leave; raises LogUnavailable if it may not.

        A call with a request id always waits for its record: only then is it known whether it is the first with this id.
        """
        future = self._writer.submit(record)
        if self.settings.durability is Durability.BOUNDED and not record.request_id and self._may_risk():
            self._at_risk.append(time.monotonic())
            future.add_done_callback(lambda _: self._at_risk.popleft())
            return Kept(record, True)
        try:
            return await asyncio.wait_for(future, self.settings.patience)
        except TimeoutError:
            raise LogUnavailable(f"the decision could not be recorded in {self.settings.patience:g} s{f': {self.failure}' if self.failure else ''}") from None

    def _may_risk(self) -> bool:
        """Tell whether one more answer may leave before its record is committed."""
        risked = self._at_risk
        return len(risked) < self.settings.records and (not risked or (time.monotonic() - risked[0]) * 1000 < self.settings.milliseconds)

    async def close(self) -> None:
        """Write what is waiting, and close the log."""
        await asyncio.get_running_loop().run_in_executor(None, self._writer.close, CLOSING)


def open_keeper(settings: LogSettings, clock: Callable[[], datetime], policies: Iterable[Policy]) -> Keeper | None:
    """Open the log of a server; None if it keeps none. Raises LogRefused."""
    if settings.durability is Durability.OFF:
        return None
    policies = tuple(policies)
    wrong = unmaskable(settings.masking.more, policies)
    if wrong:
        raise LogRefused(f"cannot be masked: {', '.join(wrong)}", "only texts and the unlisted values of open lists can, so that a replay decides the same")
    known = {name for policy in policies for name in policy.facts}
    if unknown := sorted(settings.masking.clear - known):
        raise LogRefused(f"no such fact to keep in clear: {', '.join(unknown)}")
    return Keeper(settings, clock)


def same_request(first: Record, second: Record) -> bool:
    """Tell whether two records are of the same request: what was asked, whatever version and instant answered it."""
    return replace(first, id="", received="", now="", version=second.version, decisions=()) == replace(second, id="", received="", now="", decisions=()) and (
        [one.decision for one in first.decisions] == [one.decision for one in second.decisions] or first.kind is Kind.TRIAGE
    )
