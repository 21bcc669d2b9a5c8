"""The export of a log as Parquet: complete entries to verify and replay, and columns to query.

The notes of purges are in the metadata of the file. The columns are the same for all versions and facts, so that a log
is written in one pass and files can be queried together: facts, outcomes and due times are maps from names to texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from engine.records.chain import Entry
from engine.records.masking import MASKED
from engine.records.record import Record, canonical, instant
from guidepost.atomic_file import PRIVATE, atomic_path
from guidepost.decision_log.signed_heads import PurgeNote

ROWS: Final = 16_384
"""Entries of a row group, which are in memory at the same time."""

ENTRY: Final = ("writer", "sequence", "previous", "hash", "body")
"""The columns of an entry; the others are for queries."""

_NOTES: Final = b"guidepost purges"

_MICROS: Final = pa.timestamp("us", "UTC")
_TEXTS: Final = pa.map_(pa.string(), pa.string())

SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("received", _MICROS),
        ("caller", pa.string()),
        ("request_id", pa.string()),
        ("ticket", pa.string()),
        ("kind", pa.string()),
        ("version", pa.string()),
        ("digest", pa.string()),
        ("now", _MICROS),
        ("facts", _TEXTS),
        (
            "outcomes",
            pa.list_(
                pa.struct(
                    [("decision", pa.string()), ("name", pa.string()), ("status", pa.string()), ("value", pa.string())]
                )
            ),
        ),
        ("due", pa.map_(pa.string(), _MICROS)),
        ("rules", pa.list_(pa.string())),
        ("assumptions", pa.list_(pa.string())),
        ("writer", pa.string()),
        ("sequence", pa.int64()),
        ("previous", pa.string()),
        ("hash", pa.string()),
        ("body", pa.string()),
    ]
)

_REPEATED: Final = ["caller", "kind", "version", "digest", "writer", "facts.key_value.key", "facts.key_value.value"]


def write_parquet(entries: Iterable[Entry], path: Path, notes: Iterable[PurgeNote] = ()) -> int:
    """Write entries atomically, and return their number; raises OSError."""
    schema = SCHEMA.with_metadata({_NOTES: json.dumps([note.plain for note in notes]).encode()})
    written = 0
    with (
        atomic_path(path, PRIVATE) as made,
        pq.ParquetWriter(made, schema, compression="zstd", use_dictionary=_REPEATED) as writer,
    ):
        for rows in _groups(entries):
            writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=schema))
            written += len(rows)
    return written


def is_export(path: Path) -> bool:
    """Return whether a Parquet file contains entries of a log."""
    try:
        return set(ENTRY) <= set(pq.read_schema(path).names)
    except pa.ArrowInvalid:
        return False


def read_parquet(path: Path) -> Iterator[Entry | PurgeNote]:
    """Yield the notes of purges, then the entries.

    Raises ValueError if the file has no entries, OSError if it cannot be read.
    """
    try:
        if not is_export(path):
            raise ValueError("expected a file with entries of a decision log")
        for note in json.loads((pq.read_schema(path).metadata or {}).get(_NOTES, b"[]")):
            yield PurgeNote.of(note)
        for batch in _batches(path, ENTRY):
            yield from (Entry(**row) for row in batch.to_pylist())
    except pa.ArrowException as error:
        raise ValueError(str(error).splitlines()[0]) from error


def entry_columns(path: Path, column: str) -> Iterator[Any]:
    """Yield the values of one column."""
    for batch in _batches(path, (column,)):
        yield from batch.column(0).to_pylist()


def _batches(path: Path, columns: Iterable[str]) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
        yield from (
            batch.select(list(columns)) for batch in file.iter_batches(ROWS, columns=list(columns), use_threads=False)
        )


def _groups(entries: Iterable[Entry]) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    for entry in entries:
        rows.append(_row(entry))
        if len(rows) == ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


def _row(entry: Entry) -> dict[str, Any]:
    chained = {name: getattr(entry, name) for name in ENTRY}
    try:
        record = Record.read(entry.body)
    except ValueError:
        return chained  # an altered entry is exported as it is; a verification of the file reports it
    return chained | {
        "id": record.id,
        "received": _instant(record.received),
        "caller": record.caller,
        "request_id": record.request_id or None,
        "ticket": record.ticket or None,
        "kind": record.kind.value,
        "version": record.version.version,
        "digest": record.version.digest,
        "now": _instant(record.now),
        "facts": [(name, _text(value)) for name, value in sorted(record.facts.items())],
        "outcomes": [
            {
                "decision": decided.decision,
                "name": one.name,
                "status": one.status,
                "value": None if one.value is None else _text(one.value),
            }
            for decided in record.decisions
            for one in decided.outcomes
        ],
        "due": [(due.name, _instant(due.due)) for decided in record.decisions for due in decided.dues],
        "rules": list(dict.fromkeys(rule for decided in record.decisions for rule in decided.rules)),
        "assumptions": list(dict.fromkeys(rule for decided in record.decisions for rule in decided.assumptions)),
    }


def _instant(text: str | None) -> datetime | None:
    return instant(text).astimezone(UTC) if text else None


def _text(value: Any) -> str:
    """Return a fact or a value as text; a masked text is its token or the word `masked`.

    >>> _text(True), _text(4.0), _text(["en", "ja"]), _text({"masked": "blank"})
    ('true', '4.0', '["en","ja"]', 'blank')
    """
    if isinstance(value, dict):
        return str(value.get("token", value[MASKED] if value[MASKED] == "blank" else MASKED))
    return value if isinstance(value, str) else canonical(value)
