"""Requests to the decision log of a server: filters, purges and timeouts. A server reads longer than it decides."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from guidepost.client.requests import timestamp
from guidepost.v1 import audit_service_pb2 as pb

READ_TIMEOUT: Final = 30.0
"""The default timeout of a call that reads records, in seconds."""

WORK_TIMEOUT: Final = 3_600.0
"""The default timeout of a verification, an export or a purge, in seconds."""

PAGE: Final = 200
"""The number of records in one call."""


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
    """Return a filter for records; a record passes if it matches every field that is set.

    >>> record_filter(ticket="INC-7", outcome="priority=P1").outcome
    'priority=P1'
    """
    return pb.RecordFilter(
        ticket=ticket,
        request_id=request_id,
        caller=caller,
        version=version,
        rule=rule,
        outcome=outcome,
        since=None if since is None else timestamp("since", since),
        until=None if until is None else timestamp("until", until),
    )


def purge_request(before: datetime, by: str, *, dry_run: bool) -> pb.PurgeRecordsRequest:
    """Return the request to remove the records that were received before an instant."""
    return pb.PurgeRecordsRequest(before=timestamp("before", before), by=by, dry_run=dry_run)
