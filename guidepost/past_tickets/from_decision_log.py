"""Tickets in a decision log: a store by its URL, or an export of one as JSON lines or Parquet."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
from sqlalchemy.exc import SQLAlchemyError

from engine.records.filter import Filter
from engine.records.record import Record, RecordKind
from engine.replay.nouns import RejectedRow
from guidepost.decision_log.export_jsonl import read_lines
from guidepost.decision_log.export_parquet import entry_columns, is_export
from guidepost.decision_log.log_error import LogError
from guidepost.decision_log.settings import default_url
from guidepost.decision_log.store import Store
from guidepost.past_tickets.jsonl import open_lines
from guidepost.past_tickets.mapper import Vocabulary
from guidepost.past_tickets.parquet import count_rows, is_parquet
from guidepost.past_tickets.record_chunks import batches_of_records
from guidepost.past_tickets.types import SIZE, Batch, TicketsError

DEFAULT_LOG: Final = "log"
"""The name of the log that commands use by default."""

NumberedRecords = Iterator[tuple[int, Record | RejectedRow, float | None]]


def is_url(spec: str) -> bool:
    """Return whether the name of a source is the URL of a database."""
    return spec.partition("://")[0].partition("+")[0] in ("sqlite", "postgresql") and "://" in spec


def is_log_export(path: Path) -> bool:
    """Return whether a file was exported from a log."""
    with path.open("rb") as file:
        head = file.read(4)
    if is_parquet(head):
        return is_export(path)
    if head[:1] != b"{" and head[:2] != b"\x1f\x8b":
        return False
    with open_lines(path) as (_, lines):
        return _is_line(next(lines, b""))


def _is_line(line: bytes) -> bool:
    try:
        found = json.loads(line)
    except ValueError:
        return False
    return isinstance(found, dict) and (
        {"writer", "sequence", "previous", "hash", "record"} <= set(found) or set(found) == {"purge"}
    )


@dataclass(slots=True, kw_only=True)
class StoredRecords:
    """The records of a log: chain by chain without a filter, in the order of receipt with one."""

    name: str
    url: str
    filter: Filter
    vocabulary: Vocabulary
    notes: list[str] = field(default_factory=list)
    rows: int | None = None

    def __post_init__(self) -> None:
        store = self._store()
        try:
            self.name = store.name
            if self.filter == Filter():
                purged = {
                    note.purge.writer: note.purge.sequence
                    for note in sorted(store.purge_notes(), key=lambda note: note.purge.sequence)
                }
                self.rows = sum(end.sequence - purged.get(end.writer, 0) for end in store.ends())
        except SQLAlchemyError as error:
            raise _store_error(self.name, error) from error
        finally:
            store.close()

    def batches(self, size: int = SIZE) -> Iterator[Batch]:
        """Yield the records that pass the filter."""
        yield from batches_of_records(_with_decisions(self._numbered_records(), self.notes), self.vocabulary, size)

    def _numbered_records(self) -> NumberedRecords:
        store = self._store()
        try:
            if self.filter == Filter():
                # A record that cannot be read passes no filter; without a filter it is reported.
                for number, entry in enumerate(store.entries(), 1):
                    yield number, _record(number, entry.body), min(number / self.rows, 1.0) if self.rows else None
            else:
                for number, (_, record) in enumerate(store.search(self.filter), 1):
                    yield number, record, None
        except SQLAlchemyError as error:
            raise _store_error(self.name, error) from error
        finally:
            store.close()

    def _store(self) -> Store:
        try:
            return Store.open_existing(self.url or default_url())
        except LogError as error:
            raise TicketsError(error.message, error.help) from error


@dataclass(slots=True, kw_only=True)
class ExportedRecords:
    """Records in a file that ``guidepost audit export`` wrote."""

    name: str
    path: Path
    filter: Filter
    vocabulary: Vocabulary
    notes: list[str] = field(default_factory=list)
    rows: int | None = None

    def __post_init__(self) -> None:
        with self.path.open("rb") as file:
            if is_parquet(file.read(4)):
                self.rows = count_rows([self.path])

    def batches(self, size: int = SIZE) -> Iterator[Batch]:
        """Yield the records that pass the filter, in the order of the file."""
        found = self._rows() if self.rows is not None else self._lines()
        passing = (
            (number, one, share)
            for number, one, share in found
            if isinstance(one, RejectedRow) or self.filter.passes(one)
        )
        yield from batches_of_records(_with_decisions(passing, self.notes), self.vocabulary, size)

    def _rows(self) -> NumberedRecords:
        try:
            for number, body in enumerate(entry_columns(self.path, "body"), 1):
                yield number, _record(number, body), number / (self.rows or 1)
        except (pa.ArrowException, OSError) as error:
            raise TicketsError(f"{self.name} is damaged: {error}", "export it again") from error

    def _lines(self) -> NumberedRecords:
        total = max(self.path.stat().st_size, 1)
        with open_lines(self.path) as (raw, lines):
            for number, line in enumerate(lines, 1):
                share = min(raw.tell() / total, 1.0)
                try:
                    entries = list(read_lines([line.decode()]))
                except ValueError:
                    yield (
                        number,
                        RejectedRow(
                            row=number,
                            name="",
                            field="",
                            message="not an entry of a decision log",
                            content=line.decode(errors="replace").rstrip("\r\n"),
                        ),
                        share,
                    )
                    continue
                for entry in entries:
                    yield number, _record(number, entry.body), share


def _with_decisions(found: NumberedRecords, notes: list[str]) -> NumberedRecords:
    """Leave out the records without a decision, and write how many there are to ``notes``."""
    left: Counter[RecordKind] = Counter()
    for number, one, share in found:
        if isinstance(one, RejectedRow) or one.decisions:
            yield number, one, share
        else:
            left[one.kind] += 1
    notes[:] = [_left_out_note(kind, records) for kind, records in sorted(left.items())]


def _left_out_note(kind: RecordKind, records: int) -> str:
    """Return the note on records that are not replayed.

    >>> _left_out_note(RecordKind.RESCHEDULE, 2)
    '2 reschedule records are not replayed: they change due times and decide nothing'
    """
    moves = kind is RecordKind.RESCHEDULE
    if records == 1:
        return f"1 {kind} record is not replayed: it {'changes a due time and ' if moves else ''}decides nothing"
    return f"{records:,} {kind} records are not replayed: they {'change due times and ' if moves else ''}decide nothing"


def _record(number: int, body: str) -> Record | RejectedRow:
    try:
        return Record.read(body)
    except ValueError as error:
        return RejectedRow(row=number, name="", field="", message=str(error), content=body)


def _store_error(name: str, error: SQLAlchemyError) -> TicketsError:
    return TicketsError(f"{name} cannot be read: {str(error).splitlines()[0]}")
