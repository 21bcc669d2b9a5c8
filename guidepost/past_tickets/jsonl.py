"""Tickets in files of JSON lines, with or without gzip: one object a line.

Columns of nested objects have names with dots. A line that is not an object is rejected.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa

from engine.model.quoting import encodable
from engine.replay.nouns import RejectedRow
from guidepost.past_tickets.csv import GZIP
from guidepost.past_tickets.mapper import Mapper
from guidepost.past_tickets.types import SIZE, Batch, TicketsError

_SAMPLE = 1_000


@contextmanager
def open_lines(path: Path) -> Iterator[tuple[BinaryIO, Iterator[bytes]]]:
    """Yield an open file, whose position shows the progress, and its lines; raises TicketsError."""
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == GZIP
            raw.seek(0)
            yield raw, iter(cast("BufferedReader", gzip.GzipFile(fileobj=raw)) if zipped else raw)
    except (OSError, EOFError, zlib.error) as error:
        raise TicketsError(f"{path.name} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def read_columns(path: Path) -> list[str]:
    """Return the columns of the first lines of a file."""
    names: dict[str, None] = {}
    with open_lines(path) as (_, lines):
        for _, line in zip(range(_SAMPLE), lines, strict=False):
            try:
                names |= dict.fromkeys(parse_row(line))
            except ValueError:
                continue
    return list(names)


def parse_row(line: bytes) -> dict[str, Any]:
    """Read one line; raises ValueError if it is not an object.

    >>> parse_row(b'{"key": "A-1", "fields": {"priority": {"name": "High"}, "labels": ["a"]}}')
    {'key': 'A-1', 'fields.priority.name': 'High', 'fields.labels': '["a"]'}
    """
    try:
        found = json.loads(line)
        if not isinstance(found, dict):
            raise ValueError("no object")  # noqa: TRY004 - a line of a file, not an argument
        row = dict(_flatten("", found))
    except RecursionError:
        raise ValueError("lists or objects are nested too deeply") from None
    # JSON can escape half of a surrogate pair, which a column of text cannot hold.
    if b"\\ud" in line.lower() and not all(
        encodable(name) and (not isinstance(value, str) or encodable(value)) for name, value in row.items()
    ):
        raise ValueError("an escape is half of a surrogate pair")
    return row


def _flatten(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flatten(f"{path}.{key}" if path else key, inner)
    else:
        yield path, json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


@dataclass(slots=True, kw_only=True)
class JsonLinesTickets:
    """Tickets in a file of JSON lines."""

    name: str
    path: Path
    mapper: Mapper
    notes: list[str] = field(default_factory=list)
    rows: int | None = None

    def batches(self, size: int = SIZE) -> Iterator[Batch]:
        """Yield the tickets in order; the number of a row is that of its line."""
        total = max(self.path.stat().st_size, 1) if self.path.exists() else 1
        with open_lines(self.path) as (raw, lines):
            rows: list[dict[str, Any]] = []
            numbers: list[int] = []
            wrong: list[RejectedRow] = []
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    rows.append(parse_row(line))
                    numbers.append(number)
                except ValueError as error:
                    wrong.append(
                        RejectedRow(
                            row=number,
                            name="",
                            field="",
                            message=f"not a JSON object: {error}",
                            content=line.decode(errors="replace").rstrip("\r\n"),
                        )
                    )
                if len(rows) + len(wrong) == size:
                    yield self._batch(rows, numbers, wrong, min(raw.tell() / total, 1.0))
                    rows, numbers, wrong = [], [], []
            if rows or wrong:
                yield self._batch(rows, numbers, wrong, 1.0)

    def _batch(self, rows: list[dict[str, Any]], numbers: list[int], wrong: list[RejectedRow], share: float) -> Batch:
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = [_column([row.get(name) for row in rows]) for name in names]
        table = (
            pa.RecordBatch.from_arrays(columns, names)
            if names
            else pa.RecordBatch.from_arrays([pa.nulls(len(rows))], [""])
        )
        batch = self.mapper.batch(table, np.array(numbers, np.int64), share)
        return replace(batch, rejected=tuple(sorted([*batch.rejected, *wrong], key=lambda one: one.row)))


def _column(values: list[Any]) -> pa.Array:
    """Return a column of values; values of different types become texts."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1 or kinds == {int, float}:
        try:
            return pa.array(values)
        except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
            pass
    return pa.array(
        [None if value is None else value if isinstance(value, str) else json.dumps(value) for value in values],
        pa.string(),
    )
