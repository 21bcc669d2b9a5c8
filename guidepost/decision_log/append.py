"""Commits records in one transaction as the next entries of a chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from sqlalchemy import Engine

from engine.records.chain import Head, beginning, following
from engine.records.record import Record, Recordable, RecordKind
from guidepost.decision_log.bulk_insert import Values, insert_rows, parts
from guidepost.decision_log.database_tables import entries
from guidepost.decision_log.transaction import Transaction, transaction


class Appended(NamedTuple):
    """A record in the log. It is ``fresh`` unless it is an earlier one with the same request id."""

    record: Recordable
    fresh: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit: the records as they are in the log, the ends of the chain, and the hashes between them."""

    appended: list[Appended]
    before: Head
    after: Head
    hashes: list[str]


def append_records(
    engine: Engine, writer: str, records: Sequence[Recordable], *, retry: bool, last: Head | None = None
) -> Commit:
    """Commit records as :meth:`~guidepost.decision_log.store.Store.append` describes.

    ``last`` is the known end of the chain.
    """
    if last is not None and not retry and not any(record.request_id for record in records):
        made = _append_to(engine, last, records)
        if made is not None:
            return made
    with transaction(engine) as under_way:
        query = f"SELECT sequence, hash FROM writers WHERE writer = ?{under_way.locking}"  # noqa: S608 - no value in it
        found = under_way.query(query, (writer,))
        before = Head(writer, *found[0]) if found else beginning(writer)
        appended, fresh = _split(
            records, _existing_ids(under_way, records) if retry else set(), _earlier_records(under_way, records)
        )
        rows, hashes, after = _chain_rows(before, fresh)
        if rows:
            advance = (
                "UPDATE writers SET sequence = ?, hash = ? WHERE writer = ?"
                if found
                else "INSERT INTO writers (sequence, hash, writer) VALUES (?, ?, ?)"
            )
            under_way.execute(advance, (after.sequence, after.hash, writer))
            insert_rows(under_way, entries, rows)
    return Commit(appended=appended, before=before, after=after, hashes=hashes)


def _append_to(engine: Engine, last: Head, records: Sequence[Recordable]) -> Commit | None:
    """Commit new records if the chain still ends at ``last``; if not, do nothing and return None.

    Slow work is done before the transaction, since other servers wait for its end.
    """
    rows, hashes, after = _chain_rows(last, records)
    with transaction(engine) as under_way:
        advance = "UPDATE writers SET sequence = ?, hash = ? WHERE writer = ? AND sequence = ? AND hash = ?"
        if not under_way.execute(advance, (after.sequence, after.hash, last.writer, last.sequence, last.hash)):
            return None
        insert_rows(under_way, entries, rows)
    return Commit(appended=[Appended(record, True) for record in records], before=last, after=after, hashes=hashes)


def read_record(body: str) -> Record | None:
    """Return the record of a body; None if it was altered and cannot be read."""
    try:
        return Record.read(body)
    except ValueError:
        return None


def _split(
    records: Sequence[Recordable], there: set[str], before: dict[tuple[str, str], Recordable]
) -> tuple[list[Appended], list[Recordable]]:
    """Return all records as they will be in the log, and those to write.

    ``there`` has the ids of records in the log, ``before`` the records in the log by caller and request id.
    """
    appended, fresh = [], []
    for record in records:
        key = (record.caller, record.request_id)
        earlier = before.get(key) if record.request_id else None
        if record.id not in there and earlier is None:
            fresh.append(record)
            if record.request_id:
                before[key] = record
        appended.append(
            Appended(record, True) if earlier is None or earlier.id == record.id else Appended(earlier, False)
        )
    return appended, fresh


def _chain_rows(before: Head, records: Sequence[Recordable]) -> tuple[list[Values], list[str], Head]:
    """Return the rows of records after a head, values in the order of the columns; their hashes; and the new head."""
    bodies = [record.text for record in records]
    hashes = list(following(before, bodies))
    rows: list[Values] = [
        (
            one.id,
            before.writer,
            sequence,
            previous,
            hash_,
            one.received,
            one.caller,
            one.request_id or None,
            one.ticket,
            one.version.version,
            one.version.digest,
            body,
        )
        for sequence, (one, previous, hash_, body) in enumerate(
            zip(records, [before.hash, *hashes], hashes, bodies, strict=False), before.sequence + 1
        )
    ]
    return rows, hashes, Head(before.writer, before.sequence + len(rows), hashes[-1]) if rows else before


def _existing_ids(under_way: Transaction, records: Sequence[Recordable]) -> set[str]:
    """Return the ids of the records that are in the log already."""
    ids = [record.id for record in records]
    query = f"SELECT id FROM entries WHERE id IN ({_marks(ids)})"  # noqa: S608 - no value in it
    return {id_ for (id_,) in under_way.query(query, ids)}


def _earlier_records(under_way: Transaction, records: Sequence[Recordable]) -> dict[tuple[str, str], Recordable]:
    """Return the records in the log that have the request ids of these, by caller and request id."""
    asked = list({(record.caller, record.request_id) for record in records if record.request_id})
    found: dict[tuple[str, str], Recordable] = {}
    start = 0
    for count in parts(len(asked)):
        for id_, caller, request_id, body in under_way.query(
            _look_up(count), list(chain.from_iterable(asked[start : start + count]))
        ):
            found[caller, request_id] = read_record(body) or _unreadable(id_, records[0])
        start += count
    return found


@lru_cache(1_000)
def _look_up(count: int) -> str:
    """Return the query for a number of pairs of caller and request id.

    Each pair is a query of its own in one statement, so that each uses the index on both columns. With lists,
    PostgreSQL may scan all records of a caller or the whole log instead, depending on its statistics.
    """
    return " UNION ALL ".join(
        ["SELECT id, caller, request_id, body FROM entries WHERE caller = ? AND request_id = ?"] * count
    )


def _unreadable(id_: str, like: Recordable) -> Record:
    """Return a record that equals no request, in place of one that was altered and cannot be read."""
    return Record(
        id=id_,
        received=like.received,
        caller=like.caller,
        request_id=like.request_id,
        ticket=like.ticket,
        kind=RecordKind.DECIDE,
        facts={"": "altered"},
        now=like.received,
        pauses=(),
        version=like.version,
        decisions=(),
    )


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
