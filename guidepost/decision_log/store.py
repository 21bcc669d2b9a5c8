"""Reads and writes the log of one database.

The transaction that commits an entry locks the writer's row, and checks that it is unchanged, before it assigns number
and previous hash. So neither a crash nor a second server leaves a chain that cannot be verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, and_, cast, false, func, insert, null, select, update
from sqlalchemy.exc import IntegrityError

from engine.records.chain import Entry, Head, Purge, beginning
from engine.records.filter import Filter
from engine.records.merkle import CoveredRange, Tree
from engine.records.record import Record, Recordable
from guidepost.decision_log.append import Appended, Commit, append_records, read_record
from guidepost.decision_log.database import WRITES, blocked_by, check_readable, connect, display_url, migrate
from guidepost.decision_log.database_tables import entries, heads, purges, writers
from guidepost.decision_log.signed_heads import FORMAT, PurgeNote, SignedHead
from guidepost.decision_log.sql_filter import filtered_entries
from guidepost.decision_log.time_limits import TimeLimits

PAGE: Final = 500
"""The number of entries that one query reads."""

HASHES: Final = 10_000
"""The number of hashes that one query reads."""

_NO_ENTRIES: Final = insert(entries).from_select(
    [one.name for one in entries.c], select(*(cast(null(), one.type) for one in entries.c)).where(false())
)
"""Adds no entry, and needs all that adding one needs: the lock and the right."""


Signer = Callable[[Head, CoveredRange | None], SignedHead]
"""Signs a head and the entries that it covers."""


@dataclass(slots=True, kw_only=True)
class _GrowingTree:
    """The tree over the entries after number ``since`` up to ``head``; it grows as entries are written.

    While entries of an earlier run are still to be read, ``head`` has the number of the last one read, and no hash.
    ``purged`` is the last number that was purged when the tree was begun: entries of a tree that a later purge cuts are
    covered anew.
    """

    since: int
    purged: int
    head: Head
    tree: Tree = field(default_factory=Tree)


class Store:
    """The log of one database. Its methods block; one thread may write, all may read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._growing: dict[str, _GrowingTree] = {}
        self._ended: dict[str, Head] = {}

    @classmethod
    def open(cls, url: str, limits: TimeLimits | None = None) -> Store:
        """Open a log to write it, and update its tables; raises LogError.

        ``limits`` bounds how long a server waits.
        """
        engine = connect(url)
        migrate(engine)
        if limits is None:
            return cls(engine)
        # The limits come after the update of the tables, which may take long.
        engine.dispose()
        return cls(connect(url, limits))

    @classmethod
    def open_existing(cls, url: str) -> Store:
        """Open an existing log to read it; raises LogError if there is none."""
        engine = connect(url)
        check_readable(engine)
        return cls(engine)

    @property
    def engine(self) -> Engine:
        """The engine of its database."""
        return self._engine

    @property
    def name(self) -> str:
        """The URL without its password."""
        return display_url(self._engine)

    def append(self, writer: str, records: Sequence[Recordable], *, retry: bool = False) -> list[Appended]:
        """Commit records in one transaction, and return each as it is in the log.

        If its caller already used its request id, a record is not written, and the earlier one is returned. With
        ``retry``, an earlier attempt may have succeeded unnoticed: its records are found, and not written twice.
        """
        made = append_records(self._engine, writer, records, retry=retry, last=self._ended.get(writer))
        self._ended[writer] = made.after
        self._grow(writer, made)
        return made.appended

    def _grow(self, writer: str, made: Commit) -> None:
        growing = self._growing.get(writer)
        if growing is None or not growing.head.hash:
            return
        if growing.head != made.before:
            # Another server writes this chain, too, or an earlier commit succeeded unnoticed.
            del self._growing[writer]
            return
        for one in made.hashes:
            growing.tree.add(one)
        growing.head = made.after

    def probe(self, writer: str) -> None:
        """Test that the log can be written, without changing it; raises the database's error.

        It takes what an append takes, in both tables: a lock on one of them alone hinders appends as well.
        """
        with self.write_connection() as connection, connection.begin():
            connection.execute(_NO_ENTRIES)
            connection.execute(update(writers).where(writers.c.writer == writer).values(writer=writer))

    def blocked_by(self) -> str:
        """Return what the database waits for while an attempt to write hangs; "" if unknown. It may hang as well."""
        return blocked_by(self._engine)

    def ends(self) -> tuple[Head, ...]:
        """Return the end of each chain."""
        with self._engine.connect() as connection, connection.begin():
            return tuple(
                Head(*row)
                for row in connection.execute(
                    select(writers.c.writer, writers.c.sequence, writers.c.hash).order_by(writers.c.writer)
                )
            )

    def sign(self, writer: str, signer: Signer, most: int | None = None) -> SignedHead | None:
        """Sign the end of a chain, with the root over the entries that no head covers; None if it is signed already.

        With ``most``, at most so many entries of an earlier run are read. If more are left, the result is None,
        :meth:`has_backlog` is true, and the next call continues.
        """
        with self._engine.connect() as connection, connection.begin():
            last = connection.scalar(select(func.max(heads.c.sequence)).where(heads.c.writer == writer)) or 0
            purged = connection.scalar(select(func.max(purges.c.sequence)).where(purges.c.writer == writer)) or 0
            head = _head(connection, writer)
        if head.sequence <= last:
            return None
        growing = self._growing.get(writer)
        if (
            growing is None
            or growing.purged != purged
            or growing.head.sequence > head.sequence
            or growing.head.hash not in ("", head.hash)
        ):
            growing = self._growing[writer] = self._new_tree(writer, purged)
        if growing.head != head and not self._read_into(growing, head, most):
            return None
        whole = growing.since + growing.tree.size == head.sequence
        signed = signer(
            head,
            CoveredRange(writer=writer, since=growing.since, last=head.sequence, root=growing.tree.root)
            if whole
            else None,
        )
        try:
            self.add_head(signed)
        except IntegrityError:
            # Another process signed the same end meanwhile.
            return None
        self._growing[writer] = _GrowingTree(since=head.sequence, purged=purged, head=head)
        return signed

    def has_backlog(self, writer: str) -> bool:
        """Return whether entries of an earlier run must be read before a head can be signed."""
        growing = self._growing.get(writer)
        return growing is not None and not growing.head.hash

    def _new_tree(self, writer: str, purged: int) -> _GrowingTree:
        """Return an empty tree for the entries after those that heads cover without a gap."""
        with self._engine.connect() as connection, connection.begin():
            asked = select(heads.c.since, heads.c.sequence).where(
                heads.c.writer == writer, heads.c.root != "", heads.c.since >= purged
            )
            covered = connection.execute(asked.order_by(heads.c.since, heads.c.sequence)).all()
        since = purged
        for row in covered:
            if row.since == since or row.since < since < row.sequence:
                since = row.sequence
        return _GrowingTree(since=since, purged=purged, head=Head(writer, since, ""))

    def _read_into(self, growing: _GrowingTree, head: Head, most: int | None) -> bool:
        """Read at most so many entries into a tree, and return whether it has reached a head."""
        start = growing.head.sequence
        end = head if most is None or start + most >= head.sequence else Head(head.writer, start + most, "")
        for one in self.hashes(head.writer, start, end.sequence):
            growing.tree.add(one)
        growing.head = end
        return end is head

    def add_head(self, signed: SignedHead) -> None:
        """Write a signed head."""
        head = signed.head
        with self.write_connection() as connection, connection.begin():
            connection.execute(
                insert(heads).values(
                    writer=head.writer,
                    sequence=head.sequence,
                    hash=head.hash,
                    signed=signed.signed,
                    key=signed.key,
                    signature=signed.signature,
                    format=FORMAT if signed.root else 1,
                    since=signed.since,
                    root=signed.root,
                )
            )

    def signed_heads(self) -> tuple[SignedHead, ...]:
        """Return all signed heads, by writer and number."""
        with self._engine.connect() as connection, connection.begin():
            return tuple(
                _signed(row) for row in connection.execute(select(heads).order_by(heads.c.writer, heads.c.sequence))
            )

    def signers(self) -> frozenset[str]:
        """Return the ids of the keys that signed heads, according to the heads."""
        with self._engine.connect() as connection, connection.begin():
            return frozenset(connection.scalars(select(heads.c.key).distinct()))

    def heads_over(self, entry: Entry) -> tuple[SignedHead, ...]:
        """Return the signed heads whose trees cover an entry, the smallest tree first."""
        size = heads.c.sequence - heads.c.since
        asked = select(heads).where(
            heads.c.writer == entry.writer,
            heads.c.root != "",
            heads.c.since < entry.sequence,
            heads.c.sequence >= entry.sequence,
        )
        with self._engine.connect() as connection, connection.begin():
            return tuple(_signed(row) for row in connection.execute(asked.order_by(size, heads.c.sequence)))

    def hashes(self, writer: str, since: int, last: int) -> Iterator[str]:
        """Yield the hashes of the entries after number ``since`` up to number ``last``."""
        while since < last:
            asked = select(entries.c.sequence, entries.c.hash).where(
                entries.c.writer == writer, entries.c.sequence > since, entries.c.sequence <= last
            )
            with self._engine.connect() as connection, connection.begin():
                rows = connection.execute(asked.order_by(entries.c.sequence).limit(HASHES)).all()
            yield from (row.hash for row in rows)
            if not rows:
                return
            since = rows[-1].sequence

    def purge_notes(self) -> tuple[PurgeNote, ...]:
        """Return the notes of all purges, by writer and number."""
        with self._engine.connect() as connection, connection.begin():
            rows = connection.execute(select(purges).order_by(purges.c.writer, purges.c.sequence))
            return tuple(
                PurgeNote(
                    Purge(
                        writer=row.writer,
                        sequence=row.sequence,
                        hash=row.hash,
                        before=row.before,
                        purged=row.purged,
                        by=row.by,
                    ),
                    row.key,
                    bytes(row.signature),
                )
                for row in rows
            )

    def entries(self, ends: Sequence[Head] | None = None) -> Iterator[Entry]:
        """Yield the entries chain by chain up to these ends; without ends all entries, orphans last.

        An entry whose columns differ from its record does not hold.
        """
        for end in self.ends() if ends is None else ends:
            after: int | None = None
            while True:
                asked = select(entries).where(entries.c.writer == end.writer, entries.c.sequence <= end.sequence)
                asked = asked if after is None else asked.where(entries.c.sequence > after)
                with self._engine.connect() as connection, connection.begin():
                    rows = connection.execute(asked.order_by(entries.c.sequence).limit(PAGE)).all()
                yield from (entry_of(row) for row in rows)
                if len(rows) < PAGE:
                    break
                after = rows[-1].sequence
        if ends is None:
            yield from self.orphans()

    def orphans(self) -> tuple[Entry, ...]:
        """Return entries after the end of their chain, or of a chain without an end: no server wrote them."""
        asked = select(entries).join(
            writers, and_(entries.c.writer == writers.c.writer, entries.c.sequence <= writers.c.sequence), isouter=True
        )
        with self._engine.connect() as connection, connection.begin():
            return tuple(
                entry_of(row)
                for row in connection.execute(
                    asked.where(writers.c.writer.is_(None)).order_by(entries.c.writer, entries.c.sequence).limit(PAGE)
                )
            )

    def get(self, id_: str) -> Entry | None:
        """Return the entry of the record with an id; None if there is none."""
        with self._engine.connect() as connection, connection.begin():
            row = connection.execute(select(entries).where(entries.c.id == id_)).one_or_none()
        return entry_of(row) if row is not None else None

    def search(self, asked: Filter, after: str = "") -> Iterator[tuple[Entry, Record]]:
        """Yield the records that pass a filter, in the order of their ids (that of receipt), after the id ``after``.

        Records that were altered and cannot be read are left out.
        """
        asking = filtered_entries(asked)
        while True:
            with self._engine.connect() as connection, connection.begin():
                rows = connection.execute(asking.where(entries.c.id > after).order_by(entries.c.id).limit(PAGE)).all()
            for row in rows:
                record = read_record(row.body)
                if record is not None and asked.passes(record):
                    yield entry_of(row, record), record
            if len(rows) < PAGE:
                return
            after = rows[-1].id

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def write_connection(self) -> Connection:
        """Return a connection that writes."""
        return self._engine.connect().execution_options(**{WRITES: True})


def _head(connection: Connection, writer: str) -> Head:
    row = connection.execute(select(writers.c.sequence, writers.c.hash).where(writers.c.writer == writer)).one_or_none()
    return beginning(writer) if row is None else Head(writer, row.sequence, row.hash)


def _columns(record: Recordable) -> dict[str, Any]:
    """Return the columns by which a record is found."""
    return {
        "id": record.id,
        "received": record.received,
        "caller": record.caller,
        "request_id": record.request_id or None,
        "ticket": record.ticket,
        "version": record.version.version,
        "digest": record.version.digest,
    }


def entry_of(row: Row[Any], record: Record | None = None) -> Entry:
    """Return the entry of a row; it does not hold if its columns differ from its record."""
    read = record or read_record(row.body)
    alike = read is not None and all(getattr(row, name) == value for name, value in _columns(read).items())
    # An altered column hides a record from searches, so the entry must not hold, as if its text were altered.
    return Entry(
        writer=row.writer,
        sequence=row.sequence,
        previous=row.previous,
        hash=row.hash,
        body=row.body if alike else row.body + "\n",
    )


def _signed(row: Row[Any]) -> SignedHead:
    return SignedHead(
        head=Head(row.writer, row.sequence, row.hash),
        signed=row.signed,
        key=row.key,
        signature=bytes(row.signature),
        since=row.since,
        root=row.root,
    )
