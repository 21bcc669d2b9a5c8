"""The beginning of chains removed, as far back as somebody says, with a note behind which what is left can be verified.

A chain loses its entries up to the last one before the first that was received at or after an instant. They go some
thousands at a time, each time with a note in the same transaction: whatever stops the work leaves a chain that is whole.
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
from engine.decision_log.chain import Entry, Head, Purge, beginning
from engine.decision_log.identity import RANDOM, uuid7
from guidepost.decision_log.database import SQLITE
from guidepost.decision_log.signed_heads import PURGE_FORMAT, PurgeNote, sign_purge
from guidepost.decision_log.store import Store, entry_of
from guidepost.decision_log.tables import entries, purges, writers

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

STEP: Final = 5_000
"""How many entries are removed at once: a server that writes meanwhile waits for no more than these."""

PAGES: Final = 2_000
"""How many free pages SQLite gives back at once."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PurgeError(Exception):
    """Nothing more is removed: why, and a help."""

    def __init__(self, message: str, help_: str) -> None:
        self.message, self.help = message, help_
        super().__init__(f"{message}; {help_}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgePlan:
    """What a purge removes of a chain: how many entries, up to which number, and when the first and the last of them were received."""

    writer: str
    entries: int
    last: int
    received: tuple[str, str]


def plan_purge(store: Store, before: datetime) -> tuple[PurgePlan, ...]:
    """Return what a purge would remove, chain by chain; chains that lose nothing are left out."""
    with store.engine.connect() as connection, connection.begin():
        ends = connection.execute(select(writers.c.writer, writers.c.sequence).order_by(writers.c.writer)).all()
        found = [_doomed(connection, end.writer, end.sequence, before) for end in ends]
    return tuple(one for one in found if one is not None)


def purge(
    store: Store,
    before: datetime,
    at: datetime,
    by: str,
    key: Ed25519PrivateKey | None = None,
    progress: Callable[[int], None] = lambda _: None,
    step: int = STEP,
) -> tuple[PurgeNote, ...]:
    """Remove what was received before an instant; give the notes that are left.

    Args:
        store: the log; servers may write to it meanwhile.
        before: the instant.
        at: the present instant.
        by: who does it, as they call themselves.
        key: signs the notes; without one, a verification with trusted keys will doubt them.
        progress: is progress after each step how many entries are gone.
        step: how many entries go at once.

    Raises:
        PurgeError: what would go is not as it was written. What went before stays gone.
    """
    made: list[PurgeNote] = []
    gone = 0
    for one in plan_purge(store, before):
        note: PurgeNote | None = None
        while note is None or note.purge.sequence < one.last:
            note, removed = _removed(store, one, (iso(before), iso(at), by), key, note, step)
            gone += removed
            progress(gone)
        made.append(note)
    if made:
        _give_back(store.engine)
    return tuple(made)


def _doomed(connection: Connection, writer: str, end: int, before: datetime) -> PurgePlan | None:
    mine = entries.c.writer == writer
    # An id begins with the millisecond of receipt. One in the very millisecond stays.
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


def _removed(
    store: Store,
    one: PurgePlan,
    said: tuple[str, str, str],
    key: Ed25519PrivateKey | None,
    earlier: PurgeNote | None,
    step: int,
) -> tuple[PurgeNote, int]:
    """Remove one step's entries, and put its note in the place of the last step's."""
    mine = entries.c.writer == one.writer
    with store.write_connection() as connection, connection.begin():
        if store.engine.dialect.name == SQLITE:
            # What is removed for its privacy is not to be found in free pages either.
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        connection.execute(select(writers.c.writer).where(writers.c.writer == one.writer).with_for_update()).all()
        rows = connection.execute(
            select(entries).where(mine, entries.c.sequence <= one.last).order_by(entries.c.sequence).limit(step)
        ).all()
        last = _chained(_begun(connection, one.writer), [entry_of(row) for row in rows])
        made = Purge(
            writer=one.writer, sequence=last.sequence, hash=last.hash, before=said[0], purged=said[1], by=said[2]
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


def _begun(connection: Connection, writer: str) -> Head:
    """Return behind what a chain begins: its beginning, or what was purged of it."""
    asked = (
        select(purges.c.sequence, purges.c.hash)
        .where(purges.c.writer == writer)
        .order_by(purges.c.sequence.desc())
        .limit(1)
    )
    row = connection.execute(asked).one_or_none()
    return beginning(writer) if row is None else Head(writer, row.sequence, row.hash)


def _chained(head: Head, going: Sequence[Entry]) -> Head:
    """See that entries are as they were written, for nobody can once they are gone; give the last one's head."""
    if not going:
        raise PurgeError("the entries were purged by somebody else meanwhile", "look again")
    for entry in going:
        if not entry.holds or (entry.sequence, entry.previous) != (head.sequence + 1, head.hash):
            raise PurgeError(
                f"entry {entry.sequence} of {entry.writer} is not as it was written, or what stood before it is gone: a purge would hide that",
                "`guidepost audit verify` names what is wrong; keep an export, and purge what comes before",
            )
        head = Head(entry.writer, entry.sequence, entry.hash)
    return head


def _give_back(engine: Engine) -> None:
    """Have SQLite give free space back, a little at a time; PostgreSQL does it by itself. What cannot be given back now is used again."""
    if engine.dialect.name != SQLITE:
        return
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        with suppress(sqlite3.Error):
            free = _pragma(cursor, "freelist_count")
            while free:
                # The driver's `execute` would give back one page and stop.
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
