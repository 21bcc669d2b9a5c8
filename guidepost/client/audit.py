"""Ask a server's decision log: what was decided, why, and is the log whole; synchronous and asyncio.

``client.audit`` is one of these. Reading takes the server longer than deciding, so these calls may take longer, too.
"""

# ruff: noqa: ASYNC109 - a deadline travels with a gRPC call; a local timeout would not tell the server

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any, Final

from guidepost.client.calls import Connections
from guidepost.client.channels import Metadata
from guidepost.v1 import audit_service_pb2 as pb

READ_TIMEOUT: Final = 30.0
"""Seconds that a look into the log may take, unless it is told otherwise."""

WORK_TIMEOUT: Final = 3_600.0
"""Seconds that a verification, an export or a purge may take."""

PAGE: Final = 200
"""How many records are asked for at once."""


def record_filter(
    ticket: str = "",
    request_id: str = "",
    caller: str = "",
    version: str = "",
    rule: str = "",
    outcome: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> pb.RecordFilter:
    """Return which records are asked for.

    >>> record_filter(ticket="INC-7", outcome="priority=P1").outcome
    'priority=P1'
    """
    made = pb.RecordFilter(
        ticket=ticket, request_id=request_id, caller=caller, version=version, rule=rule, outcome=outcome
    )
    for name, at in (("since", since), ("until", until)):
        if at is not None:
            if at.tzinfo is None:
                raise ValueError(f"`{name}` has no offset from UTC")
            getattr(made, name).FromDatetime(at)
    return made


def _purge(before: datetime, by: str, dry_run: bool) -> pb.PurgeRecordsRequest:
    if before.tzinfo is None:
        raise ValueError("`before` has no offset from UTC")
    request = pb.PurgeRecordsRequest(by=by, dry_run=dry_run)
    request.before.FromDatetime(before)
    return request


class Audit:
    """Asks AuditService; ``stub`` has the calls themselves."""

    def __init__(self, connections: Connections, metadata: Metadata = ()) -> None:
        self._connections, self._metadata = connections, metadata

    @property
    def stub(self) -> Any:
        """The stub of the audit service, over a connection that answers."""
        return self._connections.stubs.audit

    def record(self, id_: str, *, timeout: float = READ_TIMEOUT) -> pb.LogEntry:
        """Return one record, by its id."""
        entry: pb.LogEntry = (
            self._connections.call(timeout).ask("audit", "GetRecord", pb.GetRecordRequest(id=id_), self._metadata).entry
        )
        return entry

    def records(self, asked: pb.RecordFilter | None = None, *, timeout: float = READ_TIMEOUT) -> Iterator[pb.LogEntry]:
        """Yield all records that pass a filter of :func:`record_filter`, in the order of receipt, page by page; ``timeout`` is for each page."""
        token = ""
        while True:
            page: pb.QueryRecordsResponse = self._connections.call(timeout).ask(
                "audit",
                "QueryRecords",
                pb.QueryRecordsRequest(filter=asked, page_size=PAGE, page_token=token),
                self._metadata,
            )
            yield from page.entries
            token = page.next_page_token
            if not token:
                return

    def export(self, asked: pb.RecordFilter | None = None, *, timeout: float = WORK_TIMEOUT) -> Iterator[str]:
        """Yield lines of JSON as `guidepost audit export` writes them; without a filter, whole chains."""
        for part in self.stub.ExportRecords(
            pb.ExportRecordsRequest(filter=asked), timeout=timeout, metadata=self._metadata
        ):
            yield from part.lines

    def verify(self, *, timeout: float = WORK_TIMEOUT) -> pb.LogVerification:
        """Have the server verify its log; give what was found."""
        parts: list[pb.VerifyLogResponse] = list(
            self.stub.VerifyLog(pb.VerifyLogRequest(), timeout=timeout, metadata=self._metadata)
        )
        return parts[-1].result

    def explain(self, id_: str, *, timeout: float = READ_TIMEOUT) -> pb.ExplainRecordResponse:
        """Return a past decision in full, decided again under its own version."""
        explained: pb.ExplainRecordResponse = self._connections.call(timeout).ask(
            "audit", "ExplainRecord", pb.ExplainRecordRequest(id=id_), self._metadata
        )
        return explained

    def certificate(self, id_: str, *, timeout: float = READ_TIMEOUT) -> pb.GetCertificateResponse:
        """Return the certificate of a record, to be written to a file, and whether a signed head covers it."""
        made: pb.GetCertificateResponse = self._connections.call(timeout).ask(
            "audit", "GetCertificate", pb.GetCertificateRequest(id=id_), self._metadata
        )
        return made

    def purge(
        self, before: datetime, *, by: str = "", dry_run: bool = False, timeout: float = WORK_TIMEOUT
    ) -> pb.PurgeRecordsResponse:
        """Remove for good what was received before an instant, if the server was started to allow it; or only say what would go."""
        purged: pb.PurgeRecordsResponse = self.stub.PurgeRecords(
            _purge(before, by, dry_run), timeout=timeout, metadata=self._metadata
        )
        return purged


class AsyncAudit:
    """:class:`Audit` for asyncio: the same calls, awaited."""

    def __init__(self, connections: Connections, metadata: Metadata = ()) -> None:
        self._connections, self._metadata = connections, metadata

    @property
    def stub(self) -> Any:
        """The stub of the audit service, over a connection that answers."""
        return self._connections.stubs.audit

    async def record(self, id_: str, *, timeout: float = READ_TIMEOUT) -> pb.LogEntry:
        """Return one record, by its id."""
        entry: pb.LogEntry = (
            await self._connections.call(timeout).ask_async(
                "audit", "GetRecord", pb.GetRecordRequest(id=id_), self._metadata
            )
        ).entry
        return entry

    async def records(
        self, asked: pb.RecordFilter | None = None, *, timeout: float = READ_TIMEOUT
    ) -> AsyncIterator[pb.LogEntry]:
        """Yield all records that pass a filter, page by page."""
        token = ""
        while True:
            page: pb.QueryRecordsResponse = await self._connections.call(timeout).ask_async(
                "audit",
                "QueryRecords",
                pb.QueryRecordsRequest(filter=asked, page_size=PAGE, page_token=token),
                self._metadata,
            )
            for entry in page.entries:
                yield entry
            token = page.next_page_token
            if not token:
                return

    async def export(
        self, asked: pb.RecordFilter | None = None, *, timeout: float = WORK_TIMEOUT
    ) -> AsyncIterator[str]:
        """Yield lines of JSON as `guidepost audit export` writes them."""
        async for part in self.stub.ExportRecords(
            pb.ExportRecordsRequest(filter=asked), timeout=timeout, metadata=self._metadata
        ):
            for line in part.lines:
                yield line

    async def verify(self, *, timeout: float = WORK_TIMEOUT) -> pb.LogVerification:
        """Have the server verify its log; give what was found."""
        parts: list[pb.VerifyLogResponse] = [
            part async for part in self.stub.VerifyLog(pb.VerifyLogRequest(), timeout=timeout, metadata=self._metadata)
        ]
        return parts[-1].result

    async def explain(self, id_: str, *, timeout: float = READ_TIMEOUT) -> pb.ExplainRecordResponse:
        """Return a past decision in full."""
        explained: pb.ExplainRecordResponse = await self._connections.call(timeout).ask_async(
            "audit", "ExplainRecord", pb.ExplainRecordRequest(id=id_), self._metadata
        )
        return explained

    async def certificate(self, id_: str, *, timeout: float = READ_TIMEOUT) -> pb.GetCertificateResponse:
        """Return the certificate of a record."""
        made: pb.GetCertificateResponse = await self._connections.call(timeout).ask_async(
            "audit", "GetCertificate", pb.GetCertificateRequest(id=id_), self._metadata
        )
        return made

    async def purge(
        self, before: datetime, *, by: str = "", dry_run: bool = False, timeout: float = WORK_TIMEOUT
    ) -> pb.PurgeRecordsResponse:
        """Remove for good what was received before an instant, or only say what would go."""
        purged: pb.PurgeRecordsResponse = await self.stub.PurgeRecords(
            _purge(before, by, dry_run), timeout=timeout, metadata=self._metadata
        )
        return purged
