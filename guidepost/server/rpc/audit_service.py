"""The service for auditors: what was decided, and is the log whole.

Whatever waits for the database does so on threads of its own, few of them, so that decisions are served meanwhile.
"""

# ruff: noqa: N802 - gRPC names methods as the proto files do

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from itertools import chain, islice
from typing import Final, TypeVar

from engine.decide.decider import Decider
from engine.decision_log.chain import Entry
from engine.decision_log.filter import Filter
from engine.decision_log.record import Record, instant
from engine.decision_log.reproduce import reproduce
from engine.model.answer import UnknownVersion
from guidepost.decision_log.call_metadata import read_call_metadata, recorded_caller
from guidepost.decision_log.certificate import certify
from guidepost.decision_log.export_jsonl import line, note_line
from guidepost.decision_log.paging import InvalidPageToken, page
from guidepost.decision_log.purge import plan_purge, purge
from guidepost.decision_log.settings import Durability, LogSettings
from guidepost.decision_log.store import Store
from guidepost.decision_log.verify import VerificationReport, verify_store
from guidepost.policies.sources.signatures import Trust, TrustedKey, key_id
from guidepost.server import wire
from guidepost.server.auth import Access, Action
from guidepost.server.auth.roles import caller_name
from guidepost.server.errors import CallError, InvalidField
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.server.rpc.status import Context, streaming, unary
from guidepost.v1 import audit_service_pb2 as pb
from guidepost.v1.audit_service_pb2_grpc import AuditServiceServicer

Result = TypeVar("Result")

PAGE, MAX_PAGE = 50, 1_000
"""How many records a page has, if it does not say, and at most."""

LINES: Final = 100
"""How many lines of an export travel together."""

PROGRESS: Final = 1.0
"""Seconds between two words on how far a verification has come."""

MAX_NAME: Final = 200


class LogDisabled(CallError):
    """The server keeps no decision log."""

    status = "FAILED_PRECONDITION"
    reason = "LOG_DISABLED"


class UnknownRecord(CallError, LookupError):
    """The decision log has no record with this id."""

    status = "NOT_FOUND"
    reason = "UNKNOWN_RECORD"


class RecordNotReproducible(CallError):
    """A record cannot be explained or certified: it was altered, or the server does not have its version."""

    status = "FAILED_PRECONDITION"
    reason = "RECORD_NOT_REPRODUCIBLE"


class _Stopped(Exception):
    """Nobody waits for a verification any more."""


class AuditService(AuditServiceServicer):  # type: ignore[misc]
    """Answers AuditService from a server's decision log; ``access`` says what may be done, and the clock what time it is."""

    def __init__(
        self, live: LiveBundle, clock: Callable[[], datetime], log: LogSettings | None, access: Access
    ) -> None:
        self._live, self._clock, self._access = live, clock, access
        self._log = log if log is not None and log.durability is not Durability.OFF else None
        self._key = None if self._log is None else self._log.signing_key()
        self._reads, self._works = ThreadPoolExecutor(2, "audit"), ThreadPoolExecutor(1, "audit work")
        self._store: Store | None = None
        self._opening = threading.Lock()

    @unary
    async def GetRecord(self, request: pb.GetRecordRequest, context: Context) -> pb.GetRecordResponse:  # noqa: ARG002
        """Return one record."""
        return pb.GetRecordResponse(entry=wire.entry(await self._entry(request.id)))

    @unary
    async def QueryRecords(self, request: pb.QueryRecordsRequest, context: Context) -> pb.QueryRecordsResponse:  # noqa: ARG002
        """List records, page by page."""
        self._access.require(Action.READ_LOG)
        asked = wire.log_filter(request.filter)
        if not 0 <= request.page_size <= MAX_PAGE:
            raise InvalidField("page_size", f"is 1 to {MAX_PAGE:,}, or 0 for {PAGE}")
        try:
            return await self._read(lambda store: _page(store, asked, request))
        except InvalidPageToken as error:
            raise InvalidField("page_token", str(error)) from error

    @streaming
    async def ExportRecords(
        self,
        request: pb.ExportRecordsRequest,
        context: Context,  # noqa: ARG002
    ) -> AsyncIterator[pb.ExportRecordsResponse]:
        """Yield records as lines of JSON, some at a time: the next ones are read when these are on their way."""
        self._access.require(Action.READ_LOG)
        asked = wire.log_filter(request.filter)
        lines = await self._read(lambda store: _lines(store, asked))
        while some := await self._read(lambda _: list(islice(lines, LINES))):
            yield pb.ExportRecordsResponse(lines=some)

    @streaming
    async def VerifyLog(self, request: pb.VerifyLogRequest, context: Context) -> AsyncIterator[pb.VerifyLogResponse]:  # noqa: ARG002
        """Verify the log; one such work at a time."""
        self._access.require(Action.READ_LOG)
        seen, stopped = [0], threading.Event()
        # However the call ends, the work does, too.
        context.add_done_callback(lambda _: stopped.set())  # type: ignore[arg-type]  # its stub knows no function

        def told(entries: int) -> None:
            seen[0] = entries
            if stopped.is_set():
                raise _Stopped

        def work() -> VerificationReport | None:
            try:
                return None if stopped.is_set() else verify_store(self._opened(), self._trust(), progress=told)
            except _Stopped:
                return None

        found = asyncio.get_running_loop().run_in_executor(self._works, work)
        while not (await asyncio.wait({found}, timeout=PROGRESS))[0]:
            yield pb.VerifyLogResponse(progress=seen[0])
        report = await found
        if report is not None:
            yield pb.VerifyLogResponse(result=wire.verification(report))

    @unary
    async def ExplainRecord(self, request: pb.ExplainRecordRequest, context: Context) -> pb.ExplainRecordResponse:  # noqa: ARG002
        """Decide a record again under its own version."""
        entry, record = await self._whole(request.id)
        return wire.explanation(entry, reproduce(record, self._decider(record)))

    @unary
    async def GetCertificate(self, request: pb.GetCertificateRequest, context: Context) -> pb.GetCertificateResponse:  # noqa: ARG002
        """Return the certificate of a record."""
        entry, _ = await self._whole(request.id)
        made = await self._read(lambda store: certify(store, entry))
        return pb.GetCertificateResponse(certificate=made.text, signed=made.head is not None)

    @unary
    async def PurgeRecords(self, request: pb.PurgeRecordsRequest, context: Context) -> pb.PurgeRecordsResponse:
        """Remove old records, or say which would be removed."""
        self._access.require(Action.PURGE_LOG)
        self._settings()  # a server without a log reports that first
        now = self._clock()
        if not request.HasField("before"):
            raise InvalidField("before", "is missing: what was received before it goes")
        before = wire.asked_instant("before", request.before)
        if before > now:
            raise InvalidField("before", "lies in the future")
        name = (
            recorded_caller(caller_name(), request.by)
            if request.by
            else read_call_metadata(context.invocation_metadata() or (), caller_name()).caller or "unknown"
        )
        if len(name) > MAX_NAME or not name.isprintable():
            raise InvalidField("by", f"has 1 to {MAX_NAME} printable characters")
        going = await self._read(lambda store: plan_purge(store, before))
        notes = () if request.dry_run else await self._work(lambda: purge(self._opened(), before, now, name, self._key))
        return pb.PurgeRecordsResponse(
            chains=[wire.purged_chain(one) for one in going], notes=[json.dumps(note.plain) for note in notes]
        )

    async def close(self) -> None:
        """Let what is under way end, and close the log."""
        for pool in (self._reads, self._works):
            await asyncio.get_running_loop().run_in_executor(None, partial(pool.shutdown, cancel_futures=True))
        if self._store is not None:
            self._store.close()

    async def _entry(self, id_: str) -> Entry:
        self._access.require(Action.READ_LOG)
        if not wire.checked_text("id", id_):
            raise InvalidField("id", "is empty")
        entry = await self._read(lambda store: store.get(id_))
        if entry is None:
            raise UnknownRecord(f"no record `{id_}`")
        return entry

    async def _whole(self, id_: str) -> tuple[Entry, Record]:
        """Return an entry that is as it was written, and its record."""
        entry = await self._entry(id_)
        if not entry.holds:
            raise RecordNotReproducible(
                f"record `{id_}` was altered: entry {entry.sequence} of {entry.writer} does not have its hash"
            )
        return entry, Record.read(entry.body)

    def _decider(self, record: Record) -> Decider:
        try:
            return self._live.deciders.select(digest=record.version.digest, now=instant(record.now))
        except UnknownVersion:
            raise RecordNotReproducible(
                f"record `{record.id}` was decided under version {record.version.version}, which this server does not have; `guidepost audit explain --with` takes it from elsewhere"
            ) from None

    async def _read(self, read: Callable[[Store], Result]) -> Result:
        """Read the log on one of the threads for it."""
        self._settings()
        return await asyncio.get_running_loop().run_in_executor(self._reads, lambda: read(self._opened()))

    async def _work(self, work: Callable[[], Result]) -> Result:
        """Do on the one thread for it what takes long."""
        return await asyncio.get_running_loop().run_in_executor(self._works, work)

    def _settings(self) -> LogSettings:
        if self._log is None:
            raise LogDisabled(
                "this server keeps no decision log; `--log-durability` other than `off` makes it keep one"
            )
        return self._log

    def _opened(self) -> Store:
        log = self._settings()
        with self._opening:
            if self._store is None:
                self._store = Store.reading(log.url)
            return self._store

    def _trust(self) -> Trust:
        if self._key is None:
            return Trust()
        public = self._key.public_key()
        return Trust((TrustedKey("this server's own", key_id(public), public),))


def _page(store: Store, asked: Filter, request: pb.QueryRecordsRequest) -> pb.QueryRecordsResponse:
    found = page(store, asked, request.page_size or PAGE, request.page_token)
    return pb.QueryRecordsResponse(entries=[wire.entry(entry) for entry, _ in found.found], next_page_token=found.next)


def _lines(store: Store, asked: Filter) -> Iterator[str]:
    if asked == Filter():
        return chain(map(note_line, store.notes()), map(line, store.entries()))
    return (line(entry) for entry, _ in store.found(asked))
