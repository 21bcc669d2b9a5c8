"""Records in, committed in one transaction as the next entries of a chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from sqlalchemy import Engine

from engine.decision_log.chain import Head, beginning, following
from engine.decision_log.record import Record, Recordable, RecordKind
from guidepost.decision_log.bulk_insert import Values, insert_rows, parts
from guidepost.decision_log.tables import entries
from guidepost.decision_log.transaction import Transaction, transaction


class Appended(NamedTuple):
    """A record that is in the log, and whether it is the one that was given or one that had its request id before."""

    record: Recordable
    fresh: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What a commit did: each record as it is in the log, where the chain ended before and where it ends now, and the hashes in between."""

    kept: list[Appended]
    before: Head
    after: Head
    hashes: list[str]


def commit(
    engine: Engine, writer: str, records: Sequence[Recordable], *, retry: bool, last: Head | None = None
) -> Commit:
    """Commit records; see :meth:`~guidepost.decision_log.store.Store.append`. ``last`` is where the chain ended when it was last seen."""
    if last is not None and not retry and not any(record.request_id for record in records):
        made = _behind(engine, last, records)
        if made is not None:
            return made
    with transaction(engine) as under_way:
        found = under_way.query(f"SELECT sequence, hash FROM writers WHERE writer = ?{under_way.locking}", (writer,))  # noqa: S608 - no value stands in it
        before = Head(writer, *found[0]) if found else beginning(writer)
        kept, fresh = _told_apart(
            records, _there(under_way, records) if retry else set(), _requested(under_way, records)
        )
        rows, hashes, after = _linked(before, fresh)
        if rows:
            advance = (
                "UPDATE writers SET sequence = ?, hash = ? WHERE writer = ?"
                if found
                else "INSERT INTO writers (sequence, hash, writer) VALUES (?, ?, ?)"
            )
            under_way.execute(advance, (after.sequence, after.hash, writer))
            insert_rows(under_way, entries, rows)
    return Commit(kept=kept, before=before, after=after, hashes=hashes)


def _behind(engine: Engine, last: Head, records: Sequence[Recordable]) -> Commit | None:
    """Commit records of which each is new behind an end, if the chain still has this end; None if it has another one, and nothing is done.

    What takes long is done before the transaction, in which other servers have to wait.
    """
    rows, hashes, after = _linked(last, records)
    with transaction(engine) as under_way:
        advance = "UPDATE writers SET sequence = ?, hash = ? WHERE writer = ? AND sequence = ? AND hash = ?"
        if not under_way.execute(advance, (after.sequence, after.hash, last.writer, last.sequence, last.hash)):
            return None
        insert_rows(under_way, entries, rows)
    return Commit(kept=[Appended(record, True) for record in records], before=last, after=after, hashes=hashes)


def readable(body: str) -> Record | None:
    """Read a record; None if it was altered and is none any more."""
    try:
        return Record.read(body)
    except ValueError:
        return None


def _told_apart(
    records: Sequence[Recordable], there: set[str], before: dict[tuple[str, str], Recordable]
) -> tuple[list[Appended], list[Recordable]]:
    """Return which records were kept before, and which are to be written; ``before`` is what is in the log by caller and request id."""
    kept, fresh = [], []
    for record in records:
        key = (record.caller, record.request_id)
        earlier = before.get(key) if record.request_id else None
        if record.id not in there and earlier is None:
            fresh.append(record)
            if record.request_id:
                before[key] = record
        kept.append(Appended(record, True) if earlier is None or earlier.id == record.id else Appended(earlier, False))
    return kept, fresh


def _linked(before: Head, records: Sequence[Recordable]) -> tuple[list[Values], list[str], Head]:
    """Return the rows of records that follow a head, their values in the order of the table's columns; their hashes; and the head they make."""
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


def _there(under_way: Transaction, records: Sequence[Recordable]) -> set[str]:
    """Return the ids of those records that are in the log."""
    ids = [record.id for record in records]
    return {id_ for (id_,) in under_way.query(f"SELECT id FROM entries WHERE id IN ({_marks(ids)})", ids)}  # noqa: S608 - no value stands in it


def _requested(under_way: Transaction, records: Sequence[Recordable]) -> dict[tuple[str, str], Recordable]:
    """Return the records that are in the log under the request ids of these, by caller and request id."""
    asked = list({(record.caller, record.request_id) for record in records if record.request_id})
    found: dict[tuple[str, str], Recordable] = {}
    start = 0
    for count in parts(len(asked)):
        for id_, caller, request_id, body in under_way.query(
            _look_up(count), list(chain.from_iterable(asked[start : start + count]))
        ):
            found[caller, request_id] = readable(body) or _unreadable(id_, records[0])
        start += count
    return found


@lru_cache(1_000)
def _look_up(count: int) -> str:
    """Write a query for so many pairs of caller and request id.

    Each pair is a query of its own, in one statement, so that each is looked up in the index on both. With lists, PostgreSQL may
    go through all records of a caller instead, or through the whole log, depending on what it believes of how many there are.
    """
    return " UNION ALL ".join(
        ["SELECT id, caller, request_id, body FROM entries WHERE caller = ? AND request_id = ?"] * count
    )


def _unreadable(id_: str, like: Recordable) -> Record:
    """Stand for a record that was altered beyond reading: it is there, and is like no request."""
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
