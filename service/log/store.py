"""Where the log is kept: records in, committed entries out; pages, entries and heads back.

The number and the previous hash of an entry are given in the transaction that commits it, with the writer's row
locked, so that no crash and no second server leaves a chain that cannot be verified.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, insert, select, tuple_, update

from engine.decisionlog.chain import Entry, Head, beginning, follow
from engine.decisionlog.identity import RANDOM, uuid7
from engine.decisionlog.record import Record
from engine.decisionlog.select import Filter
from service.log.database import WRITES, check, connect, migrate, shown
from service.log.heads import FORMAT, SignedHead
from service.log.tables import entries, heads, writers

PAGE: Final = 500
"""How many entries are read at a time."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A record that is in the log, and whether it is the one that was given or one that had its request id before."""

    record: Record
    fresh: bool


class Store:
    """The log of one database. Its methods block; one thread writes, any may read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Store:
        """Open a log to write it, and bring its tables up to date; raises LogRefused."""
        engine = connect(url)
        migrate(engine)
        return cls(engine)

    @classmethod
    def reading(cls, url: str) -> Store:
        """Open a log that is there; raises LogRefused if there is none."""
        engine = connect(url)
        check(engine)
        return cls(engine)

    @property
    def name(self) -> str:
        """The URL, without a password."""
        return shown(self._engine)

    def append(self, writer: str, records: Sequence[Record], *, again: bool = False) -> list[Kept]:
        """Commit records in one transaction; give each as it is in the log.

        A record whose caller already used its request id is not written: the earlier one is given. ``again`` tells that
        an earlier attempt may have been committed without our knowing; what it wrote is found, not written twice.
        """
        with self._writing() as connection, connection.begin():
            head, is_new = _locked(connection, writer)
            there = _ids(connection, records) if again else set()
            before = _requested(connection, records)
            kept: list[Kept] = []
            rows: list[dict[str, Any]] = []
            for record in records:
                key = (record.caller, record.request_id)
                earlier = before.get(key) if record.request_id else None
                if record.id not in there and earlier is None:
                    entry, head = follow(head, record.text)
                    rows.append(_row(entry, record))
                    if record.request_id:
                        before[key] = record
                kept.append(Kept(record, True) if earlier is None or earlier.id == record.id else Kept(earlier, False))
            if rows:
                connection.execute(insert(entries), rows)
                values = {"sequence": head.sequence, "hash": head.hash}
                connection.execute(insert(writers).values(writer=writer, **values) if is_new else update(writers).where(writers.c.writer == writer).values(**values))
        return kept

    def probe(self, writer: str) -> None:
        """See that the log can be written, without leaving anything in it."""
        with self._writing() as connection, connection.begin():
            connection.execute(update(writers).where(writers.c.writer == writer).values(writer=writer))

    def head(self, writer: str) -> Head:
        """Give how far a chain has come."""
        return next((head for head in self.ends() if head.writer == writer), beginning(writer))

    def ends(self) -> tuple[Head, ...]:
        """Give how far each chain has come."""
        with self._engine.connect() as connection, connection.begin():
            return tuple(Head(*row) for row in connection.execute(select(writers.c.writer, writers.c.sequence, writers.c.hash).order_by(writers.c.writer)))

    def add_head(self, signed: SignedHead) -> None:
        """Keep a signed head."""
        head = signed.head
        with self._writing() as connection, connection.begin():
            connection.execute(insert(heads).values(
                writer=head.writer, sequence=head.sequence, hash=head.hash, signed=signed.signed, key=signed.key, signature=signed.signature, format=FORMAT,
            ))

    def signed_heads(self) -> tuple[SignedHead, ...]:
        """Give all signed heads, by writer and number."""
        with self._engine.connect() as connection, connection.begin():
            rows = connection.execute(select(heads).order_by(heads.c.writer, heads.c.sequence))
            return tuple(SignedHead(Head(row.writer, row.sequence, row.hash), row.signed, row.key, bytes(row.signature)) for row in rows)

    def last_signed(self, writer: str) -> int:
        """Give the number of the last entry of a chain for which a head was signed; 0 for none."""
        return max((signed.head.sequence for signed in self.signed_heads() if signed.head.writer == writer), default=0)

    def entries(self) -> Iterator[Entry]:
        """Give all entries, chain by chain; one whose columns are not those of its record gets a body that shows it."""
        after = ("", -1)
        while True:
            place = tuple_(entries.c.writer, entries.c.sequence)
            with self._engine.connect() as connection, connection.begin():
                rows = connection.execute(select(entries).where(place > after).order_by(entries.c.writer, entries.c.sequence).limit(PAGE)).all()
            yield from (_entry(row) for row in rows)
            if len(rows) < PAGE:
                return
            after = (rows[-1].writer, rows[-1].sequence)

    def get(self, id_: str) -> Entry | None:
        """Give the entry of a record."""
        with self._engine.connect() as connection, connection.begin():
            row = connection.execute(select(entries).where(entries.c.id == id_)).one_or_none()
        return _entry(row) if row is not None else None

    def found(self, asked: Filter, after: str = "") -> Iterator[tuple[Entry, Record]]:
        """Give the records that pass a filter, in the order of their ids (that of receipt), behind the id ``after``.

        Ticket, request id, caller and time are looked for by the database; version, rule and outcome record by record.
        """
        narrowed = _narrowed(asked)
        while True:
            with self._engine.connect() as connection, connection.begin():
                rows = connection.execute(narrowed.where(entries.c.id > after).order_by(entries.c.id).limit(PAGE)).all()
            for row in rows:
                record = Record.read(row.body)
                if asked.passes(record):
                    yield _entry(row), record
            if len(rows) < PAGE:
                return
            after = rows[-1].id

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _writing(self) -> Connection:
        return self._engine.connect().execution_options(**{WRITES: True})


def _locked(connection: Connection, writer: str) -> tuple[Head, bool]:
    """Give the head of a chain, locked until the transaction ends, and whether the chain is new."""
    row = connection.execute(select(writers.c.sequence, writers.c.hash).where(writers.c.writer == writer).with_for_update()).one_or_none()
    return (beginning(writer), True) if row is None else (Head(writer, row.sequence, row.hash), False)


def _ids(connection: Connection, records: Sequence[Record]) -> set[str]:
    return set(connection.scalars(select(entries.c.id).where(entries.c.id.in_([record.id for record in records]))))


def _requested(connection: Connection, records: Sequence[Record]) -> dict[tuple[str, str], Record]:
    """Give the records that are in the log under the request ids of these."""
    asked = {record.request_id for record in records if record.request_id}
    if not asked:
        return {}
    rows = connection.execute(select(entries.c.caller, entries.c.request_id, entries.c.body).where(entries.c.request_id.in_(asked)))
    return {(row.caller, row.request_id): Record.read(row.body) for row in rows}


def _columns(record: Record) -> dict[str, Any]:
    """Give what a record is found by."""
    return {
        "id": record.id, "received": record.received, "caller": record.caller, "request_id": record.request_id or None,
        "ticket": record.ticket, "version": record.version.version, "digest": record.version.digest,
    }


def _row(entry: Entry, record: Record) -> dict[str, Any]:
    chained = {"writer": entry.writer, "sequence": entry.sequence, "previous": entry.previous, "hash": entry.hash, "body": entry.body}
    return _columns(record) | chained


def _entry(row: Row[Any]) -> Entry:
    try:
        alike = all(getattr(row, name) == value for name, value in _columns(Record.read(row.body)).items())
    except ValueError:
        alike = False
    # Whoever alters a column hides a record from a search: the entry no longer holds then, as if its text were altered.
    return Entry(row.writer, row.sequence, row.previous, row.hash, row.body if alike else row.body + "\n")


def _narrowed(asked: Filter) -> Any:
    found = select(entries)
    for column, value in ((entries.c.ticket, asked.ticket), (entries.c.request_id, asked.request_id), (entries.c.caller, asked.caller)):
        if value:
            found = found.where(column == value)
    # An id begins with the millisecond of receipt; the instant as text does not sort where one has no fraction.
    if asked.since is not None:
        found = found.where(entries.c.id >= uuid7(asked.since, bytes(RANDOM)))
    if asked.until is not None:
        found = found.where(entries.c.id <= uuid7(asked.until, b"\xff" * RANDOM))
    return found
