"""The decision log of a server: what was decided, why, and whether the log is whole.

``client.audit`` is an object of it.
"""

# ruff: noqa: ASYNC109 - a deadline travels with a gRPC call; the server would not know of a local timeout

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from guidepost.client.audit_requests import PAGE, READ_TIMEOUT, WORK_TIMEOUT, purge_request
from guidepost.client.calls import Connections
from guidepost.client.channels import Metadata
from guidepost.v1 import audit_service_pb2 as pb


class AsyncAudit:
    """Reads, verifies and purges the decision log of a server."""

    def __init__(self, connections: Connections, metadata: Metadata = ()) -> None:
        self._connections, self._metadata = connections, metadata

    @property
    def stub(self) -> Any:
        """The stub of AuditService on a connection that works."""
        return self._connections.stubs.audit

    async def record(self, id_: str, *, timeout: float = READ_TIMEOUT) -> pb.LogEntry:
        """Return the record with an id; raises grpc.RpcError with NOT_FOUND if there is none."""
        response: pb.GetRecordResponse = await self._connections.call(timeout).ask_async(
            "audit", "GetRecord", pb.GetRecordRequest(id=id_), self._metadata
        )
        return response.entry

    async def records(
        self, asked: pb.RecordFilter | None = None, *, timeout: float = READ_TIMEOUT
    ) -> AsyncIterator[pb.LogEntry]:
        """Yield the records that pass a filter of :func:`record_filter`, in the order of receipt.

        They are requested page by page; ``timeout`` is for each page.
        """
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
        """Yield lines of JSON as `guidepost audit export` writes them; without a filter, whole chains."""
        async for part in self.stub.ExportRecords(
            pb.ExportRecordsRequest(filter=asked), timeout=timeout, metadata=self._metadata
        ):
            for line in part.lines:
                yield line

    async def verify(self, *, timeout: float = WORK_TIMEOUT) -> pb.LogVerification:
        """Have the server verify its log, and return the result."""
        parts: list[pb.VerifyLogResponse] = [
            part async for part in self.stub.VerifyLog(pb.VerifyLogRequest(), timeout=timeout, metadata=self._metadata)
        ]
        return parts[-1].result

    async def explain(self, id_: str, *, timeout: float = READ_TIMEOUT) -> pb.ExplainRecordResponse:
        """Return a past decision with its reasons, decided again under its own version."""
        response: pb.ExplainRecordResponse = await self._connections.call(timeout).ask_async(
            "audit", "ExplainRecord", pb.ExplainRecordRequest(id=id_), self._metadata
        )
        return response

    async def certificate(self, id_: str, *, timeout: float = READ_TIMEOUT) -> pb.GetCertificateResponse:
        """Return the certificate of a record as the text of a file, and whether a signed head covers the record."""
        response: pb.GetCertificateResponse = await self._connections.call(timeout).ask_async(
            "audit", "GetCertificate", pb.GetCertificateRequest(id=id_), self._metadata
        )
        return response

    async def purge(
        self, before: datetime, *, by: str = "", dry_run: bool = False, timeout: float = WORK_TIMEOUT
    ) -> pb.PurgeRecordsResponse:
        """Remove the records that were received before an instant, or with ``dry_run`` report which would be removed.

        The server must allow it. ``by`` is recorded as the name of the person who removes them.
        """
        response: pb.PurgeRecordsResponse = await self.stub.PurgeRecords(
            purge_request(before, by, dry_run=dry_run), timeout=timeout, metadata=self._metadata
        )
        return response
