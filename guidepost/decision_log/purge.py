"""Purges: remove the entries of a chain before the first that was received at or after an instant, and leave a note.

The note makes the rest of the chain verifiable. Some thousand entries are removed at a time, each time with a note in
the same transaction, so that an interrupted purge leaves whole chains.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, delete, func, insert, select

from engine.decide.answer_times_json import iso
from engine.records.chain import Entry, Head, Purge, beginning
from engine.records.identity import RANDOM, uuid7
from guidepost.decision_log.database import SQLITE
from guidepost.decision_log.database_tables import entries, purges, writers
from guidepost.decision_log.signed_heads import PURGE_FORMAT, PurgeNote, sign_purge
from guidepost.decision_log.store import Store, entry_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

STEP: Final = 5_000
"""The number of entries that one transaction removes, for which a server that writes waits."""

PAGES: Final = 2_000
"""The number of free pages that SQLite returns to the disk at once."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PurgeError(Exception):
    """A purge stopped; has a message and a help."""

    def __init__(self, message: str, help_: str) -> None:
        self.message, self.help = message, help_
        super().__init__(f"{message}; {help_}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgePlan:
    """The entries that a purge removes from a chain: how many, up to which, and when first and last were received."""

    writer: str
    entries: int
    last: int
    received: tuple[str, str]


def plan_purge(store: Store, before: datetime) -> tuple[PurgePlan, ...]:
    """Return what a purge would remove from each chain; chains that lose nothing are left out."""
    with store.engine.connect() as connection, connection.begin():
        ends = connection.execute(select(writers.c.writer, writers.c.sequence).order_by(writers.c.writer)).all()
        found = [_plan(connection, end.writer, end.sequence, before) for end in ends]
    return tuple(one for one in found if one is not None)


def purge(
    store: Store,
    before: datetime,
    at: datetime,
    by: str,
    *,
    key: Ed25519PrivateKey | None = None,
    progress: Callable[[int], None] = lambda _: None,
    step: int = STEP,
) -> tuple[PurgeNote, ...]:
    """Remove what was received before an instant, and return the notes.

    Args:
        store: the log; servers may write to it meanwhile.
        before: the instant.
        at: the present instant.
        by: the name of the person who purges.
        key: signs the notes; without it, a verification with trusted keys doubts them.
        progress: is called after each step with the number of removed entries.
        step: the number of entries of a step.

    Raises:
        PurgeError: an entry was altered. The steps before it stay removed.
    """
    made: list[PurgeNote] = []
    gone = 0
    for one in plan_purge(store, before):
        note: PurgeNote | None = None
        while note is None or note.purge.sequence < one.last:
            note, removed = _remove_step(store, one, facts=(iso(before), iso(at), by), key=key, earlier=note, step=step)
            gone += removed
            progress(gone)
        made.append(note)
    if made:
        _free_space(store.engine)
    return tuple(made)


def _plan(connection: Connection, writer: str, end: int, before: datetime) -> PurgePlan | None:
    mine = entries.c.writer == writer
    # An id begins with the millisecond of receipt. A record of the same millisecond stays.
    first_kept = connection.scalar(
        select(func.min(entries.c.sequence)).where(mine, entries.c.id >= uuid7(max(before, _EPOCH), bytes(RANDOM)))
    )
    last = end if first_kept is None else first_kept - 1
    found = connection.execute(
        select(func.count(), func.min(entries.c.sequence), func.max(entries.c.sequence)).where(
            mine, entries.c.sequence <= last
        )
    ).one()
    number, *places = found
    if not number:
        return None
    received = [
        connection.scalar(select(entries.c.received).where(mine, entries.c.sequence == place)) or "" for place in places
    ]
    return PurgePlan(writer=writer, entries=number, last=places[1], received=(received[0], received[1]))


def _remove_step(
    store: Store,
    one: PurgePlan,
    *,
    facts: tuple[str, str, str],
    key: Ed25519PrivateKey | None,
    earlier: PurgeNote | None,
    step: int,
) -> tuple[PurgeNote, int]:
    """Remove the entries of one step, and replace the note of the step before."""
    mine = entries.c.writer == one.writer
    with store.write_connection() as connection, connection.begin():
        if store.engine.dialect.name == SQLITE:
            # Overwrites what is removed, so that personal data is not left in free pages.
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        connection.execute(select(writers.c.writer).where(writers.c.writer == one.writer).with_for_update()).all()
        rows = connection.execute(
            select(entries).where(mine, entries.c.sequence <= one.last).order_by(entries.c.sequence).limit(step)
        ).all()
        last = _verified_head(_beginning_of(connection, one.writer), [entry_of(row) for row in rows])
        made = Purge(
            writer=one.writer, sequence=last.sequence, hash=last.hash, before=facts[0], purged=facts[1], by=facts[2]
        )
        note = sign_purge(made, key) if key else PurgeNote(made)
        connection.execute(delete(entries).where(mine, entries.c.sequence <= last.sequence))
        if earlier is not None:
            connection.execute(
                delete(purges).where(purges.c.writer == one.writer, purges.c.sequence == earlier.purge.sequence)
            )
        connection.execute(
            insert(purges).values(
                writer=one.writer,
                sequence=last.sequence,
                hash=last.hash,
                before=made.before,
                purged=made.purged,
                by=made.by,
                key=note.key,
                signature=note.signature,
                format=PURGE_FORMAT,
            )
        )
    return note, len(rows)


def _beginning_of(connection: Connection, writer: str) -> Head:
    """Return the head after which a chain begins: its beginning, or that of the last purge."""
    asked = (
        select(purges.c.sequence, purges.c.hash)
        .where(purges.c.writer == writer)
        .order_by(purges.c.sequence.desc())
        .limit(1)
    )
    row = connection.execute(asked).one_or_none()
    return beginning(writer) if row is None else Head(writer, row.sequence, row.hash)


def _verified_head(head: Head, going: Sequence[Entry]) -> Head:
    """Return the head of the last of these entries; raises PurgeError if one was altered, which a purge would hide."""
    if not going:
        raise PurgeError("another purge removed the entries meanwhile", "run the command again")
    for entry in going:
        if not entry.holds or (entry.sequence, entry.previous) != (head.sequence + 1, head.hash):
            raise PurgeError(
                f"entry {entry.sequence} of {entry.writer} is not as it was written, or the entry before it"
                " is missing: a purge would hide that",
                "`guidepost audit verify` lists what is wrong; keep an export, and purge up to an earlier instant",
            )
        head = Head(entry.writer, entry.sequence, entry.hash)
    return head


def _free_space(engine: Engine) -> None:
    """Have SQLite return free pages to the disk in small steps; PostgreSQL does this itself.

    Pages that cannot be returned now are used for new entries.
    """
    if engine.dialect.name != SQLITE:
        return
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        with suppress(sqlite3.Error):
            free = _pragma(cursor, "freelist_count")
            while free:
                # The driver's `execute` would return one page only.
                cursor.executescript(f"PRAGMA incremental_vacuum({PAGES})")
                free, before = _pragma(cursor, "freelist_count"), free
                if free >= before:
                    break
            _pragma(cursor, "wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _pragma(cursor: Any, words: str) -> int:
    cursor.execute(f"PRAGMA {words}")
    rows = cursor.fetchall()
    return int(rows[0][0]) if rows else 0
