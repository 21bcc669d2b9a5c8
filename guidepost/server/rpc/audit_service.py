"""AuditService, for auditors: past decisions, and whether the decision log is intact.

Reading the database takes place on a few threads of its own, so that decisions are served meanwhile.
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
from engine.model.answer import UnknownVersion
from engine.records.chain import Entry
from engine.records.filter import Filter
from engine.records.record import Record, instant
from engine.records.reproduce import reproduce
from guidepost.decision_log.call_metadata import read_call_metadata, recorded_caller
from guidepost.decision_log.certificate import certify
from guidepost.decision_log.export_jsonl import entry_line, note_line
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
"""Records of a page: the default, and the maximum."""

LINES: Final = 100
"""Lines of an export in one message."""

PROGRESS: Final = 1.0
"""Seconds between two progress messages of a verification."""

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
    """The call that started a verification has ended."""


class AuditService(AuditServiceServicer):  # type: ignore[misc]
    """Answers AuditService from the decision log of a server; ``access`` authorizes each action."""

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
        log_filter = wire.log_filter(request.filter)
        if not 0 <= request.page_size <= MAX_PAGE:
            raise InvalidField("page_size", f"expected 1 to {MAX_PAGE:,}, or 0 for {PAGE}, got {request.page_size:,}")
        try:
            return await self._read(lambda store: _page(store, log_filter, request))
        except InvalidPageToken as error:
            raise InvalidField("page_token", str(error)) from error

    @streaming
    async def ExportRecords(
        self,
        request: pb.ExportRecordsRequest,
        context: Context,  # noqa: ARG002
    ) -> AsyncIterator[pb.ExportRecordsResponse]:
        """Yield records as lines of JSON, some in each message; the next ones are read when these are sent."""
        self._access.require(Action.READ_LOG)
        log_filter = wire.log_filter(request.filter)
        lines = await self._read(lambda store: _lines(store, log_filter))
        while some := await self._read(lambda _: list(islice(lines, LINES))):
            yield pb.ExportRecordsResponse(lines=some)

    @streaming
    async def VerifyLog(self, request: pb.VerifyLogRequest, context: Context) -> AsyncIterator[pb.VerifyLogResponse]:  # noqa: ARG002
        """Verify the log; verifications run one after the other."""
        self._access.require(Action.READ_LOG)
        seen, stopped = [0], threading.Event()
        # The work ends with the call, however the call ends.
        context.add_done_callback(lambda _: stopped.set())  # type: ignore[arg-type]  # the stub lacks this signature

        def progress(entries: int) -> None:
            seen[0] = entries
            if stopped.is_set():
                raise _Stopped

        def work() -> VerificationReport | None:
            try:
                return None if stopped.is_set() else verify_store(self._opened(), self._trust(), progress=progress)
            except _Stopped:
                return None

        running = asyncio.get_running_loop().run_in_executor(self._works, work)
        while not (await asyncio.wait({running}, timeout=PROGRESS))[0]:
            yield pb.VerifyLogResponse(progress=seen[0])
        report = await running
        if report is not None:
            yield pb.VerifyLogResponse(result=wire.verification(report))

    @unary
    async def ExplainRecord(self, request: pb.ExplainRecordRequest, context: Context) -> pb.ExplainRecordResponse:  # noqa: ARG002
        """Decide a record again under its own version, and compare."""
        entry, record = await self._whole(request.id)
        return wire.explanation(entry, reproduce(record, self._decider(record)))

    @unary
    async def GetCertificate(self, request: pb.GetCertificateRequest, context: Context) -> pb.GetCertificateResponse:  # noqa: ARG002
        """Return the certificate of a record."""
        entry, _ = await self._whole(request.id)
        certificate = await self._read(lambda store: certify(store, entry))
        return pb.GetCertificateResponse(certificate=certificate.text, signed=certificate.head is not None)

    @unary
    async def PurgeRecords(self, request: pb.PurgeRecordsRequest, context: Context) -> pb.PurgeRecordsResponse:
        """Remove old records, or list those that would be removed."""
        self._access.require(Action.PURGE_LOG)
        self._settings()  # a server without a log reports that first
        now = self._clock()
        if not request.HasField("before"):
            raise InvalidField("before", "expected an instant; records that were received before it are removed")
        before = wire.required_instant("before", request.before)
        if before > now:
            raise InvalidField("before", "expected an instant in the past")
        name = (
            recorded_caller(caller_name(), request.by)
            if request.by
            else read_call_metadata(context.invocation_metadata() or (), caller_name()).caller or "unknown"
        )
        if len(name) > MAX_NAME or not name.isprintable():
            raise InvalidField("by", f"expected 1 to {MAX_NAME} printable characters")
        going = await self._read(lambda store: plan_purge(store, before))
        notes = (
            () if request.dry_run else await self._work(lambda: purge(self._opened(), before, now, name, key=self._key))
        )
        return pb.PurgeRecordsResponse(
            chains=[wire.purged_chain(one) for one in going], notes=[json.dumps(note.plain) for note in notes]
        )

    async def close(self) -> None:
        """Wait for the work under way, and close the log."""
        for pool in (self._reads, self._works):
            await asyncio.get_running_loop().run_in_executor(None, partial(pool.shutdown, cancel_futures=True))
        if self._store is not None:
            self._store.close()

    async def _entry(self, id_: str) -> Entry:
        self._access.require(Action.READ_LOG)
        if not wire.checked_text("id", id_):
            raise InvalidField("id", "expected the id of a record, got an empty text")
        entry = await self._read(lambda store: store.get(id_))
        if entry is None:
            raise UnknownRecord(f"unknown record `{id_}`")
        return entry

    async def _whole(self, id_: str) -> tuple[Entry, Record]:
        """Return an entry that was not altered, and its record."""
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
                f"record `{record.id}` was decided under version {record.version.version}, "
                "which this server does not have; "
                "name the version with `guidepost audit explain --with`"
            ) from None

    async def _read(self, read: Callable[[Store], Result]) -> Result:
        """Read the log on one of the threads for reading."""
        self._settings()
        return await asyncio.get_running_loop().run_in_executor(self._reads, lambda: read(self._opened()))

    async def _work(self, work: Callable[[], Result]) -> Result:
        """Do long work on its only thread."""
        return await asyncio.get_running_loop().run_in_executor(self._works, work)

    def _settings(self) -> LogSettings:
        if self._log is None:
            raise LogDisabled("this server keeps no decision log; start it with `--log-durability sync` or `bounded`")
        return self._log

    def _opened(self) -> Store:
        log = self._settings()
        with self._opening:
            if self._store is None:
                self._store = Store.open_existing(log.url)
            return self._store

    def _trust(self) -> Trust:
        if self._key is None:
            return Trust()
        public = self._key.public_key()
        return Trust((TrustedKey("this server's own", key_id(public), public),))


def _page(store: Store, log_filter: Filter, request: pb.QueryRecordsRequest) -> pb.QueryRecordsResponse:
    found = page(store, log_filter, request.page_size or PAGE, request.page_token)
    return pb.QueryRecordsResponse(
        entries=[wire.entry(entry) for entry, _ in found.records], next_page_token=found.next_token
    )


def _lines(store: Store, log_filter: Filter) -> Iterator[str]:
    if log_filter == Filter():
        return chain(map(note_line, store.purge_notes()), map(entry_line, store.entries()))
    return (entry_line(entry) for entry, _ in store.search(log_filter))
