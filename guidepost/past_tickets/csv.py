"""Tickets in CSV files, with or without gzip.

The first line names the columns and shows the separator. Every cell is text. A row with too few or too many fields is
rejected.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
from numpy.typing import NDArray

from engine.replay.nouns import RejectedRow
from guidepost.past_tickets.column_names import require_columns, unique_names
from guidepost.past_tickets.mapper import Mapper
from guidepost.past_tickets.types import SIZE, Batch, TicketsError

BLOCK_SIZE: Final = 4 << 20
"""How many bytes are read at a time, and the longest row that can be read."""

SEPARATORS: Final = ",;\t|"
GZIP: Final = b"\x1f\x8b"

_HEADER: Final = 1 << 20
_TAIL: Final = 1 << 12
_NAMES: Final = "the first line of a CSV file names its columns"
_NOT_UTF_8: Final = "export it as UTF-8 (in Excel: CSV UTF-8)"


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns, and the separator."""

    columns: list[str]
    separator: str


def read_header(path: Path) -> Header:
    """Read the first line of a file; raises TicketsError if the file is empty or is not UTF-8."""
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == GZIP
        with gzip.open(path) if zipped else path.open("rb") as file:
            start = file.read(_HEADER)
    except (OSError, EOFError, zlib.error) as error:
        raise TicketsError(f"{path.name} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TicketsError(f"expected UTF-8 in {path.name}, got UTF-16", _NOT_UTF_8)
    if b"\0" in start:
        raise TicketsError(f"expected text in {path.name}", "use Parquet, CSV or JSON lines")
    try:
        whole = start if len(start) < _HEADER else start[: max(start.rfind(b"\n"), start.rfind(b"\r")) + 1]
        text = whole.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TicketsError(f"expected UTF-8 in {path.name}, byte {error.start + 1} is not", _NOT_UTF_8) from error
    if start and not whole:
        raise TicketsError(f"the first line of {path.name} is longer than {_HEADER >> 20} MB", _NAMES)
    if not text.strip():
        raise TicketsError(f"{path.name} is empty", _NAMES)
    line = next(one for one in text.splitlines() if one.strip())
    separator = max(SEPARATORS, key=line.count)
    try:
        names = next(csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=separator))
    except csv.Error as error:
        raise TicketsError(f"the first line of {path.name} cannot be read: {error}", _NAMES) from error
    return Header(unique_names(names), separator)


@dataclass(slots=True, kw_only=True)
class CsvTickets:
    """Tickets in a CSV file."""

    name: str
    path: Path
    mapper: Mapper
    notes: list[str] = field(default_factory=list)
    rows: int | None = None

    def batches(self, size: int = SIZE) -> Iterator[Batch]:
        """Yield the tickets in order; the first row below the header is row 1."""
        header = read_header(self.path)
        require_columns(self.mapper.mapping, header.columns, self.name)
        malformed: list[Any] = []
        total = max(self.path.stat().st_size, 1)
        row, last = 1, ""
        try:
            with pa.OSFile(str(self.path)) as raw:
                for rows in read_blocks(raw, self.path, header, malformed):
                    for start in range(0, rows.num_rows, size):
                        part = rows.slice(start, size)
                        numbers, wrong = _numbered(row, part.num_rows, malformed)
                        row, last = int(numbers[-1]) + 1, _last_cell(part)
                        batch = self.mapper.batch(part, numbers, min(raw.tell() / total, 1.0))
                        yield _with_rejected(batch, wrong)
            at, last = (int(malformed[-1].number) - 1, malformed[-1].text) if malformed else (row - 1, last)
            if "\n" in last and not _tail(self.path).endswith(b'"'):
                raise TicketsError(
                    f"{self.name} opens a quote in its last row, {at:,}, and never closes it, so the row has the rest of the file",
                    "close the quote, or write it twice if it belongs to the text",
                )
            if malformed:
                left = _numbered(row, 0, malformed)[1]
                yield _with_rejected(self.mapper.batch(_empty_batch(header), np.zeros(0, np.int64), 1.0), left)
        except pa.ArrowInvalid as error:
            raise _csv_error(self.name, error) from error
        except OSError as error:
            raise TicketsError(f"{self.name} cannot be read: {error.strerror or error}") from error


def read_blocks(raw: pa.NativeFile, path: Path, header: Header, malformed: list[Any]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file block by block, and append rows with a wrong number of fields to ``malformed``."""

    def skip(row: Any) -> str:
        malformed.append(row)
        return "skip"

    with path.open("rb") as file:
        zipped = file.read(2) == GZIP
    reader = pc.open_csv(
        pa.CompressedInputStream(raw, "gzip") if zipped else raw,
        read_options=pc.ReadOptions(use_threads=False, block_size=BLOCK_SIZE, column_names=header.columns, skip_rows=0),
        parse_options=pc.ParseOptions(delimiter=header.separator, newlines_in_values=True, invalid_row_handler=skip),
        convert_options=pc.ConvertOptions(
            column_types=dict.fromkeys(header.columns, pa.string()), strings_can_be_null=False
        ),
    )
    # The header is read as a row, since Arrow cannot read columns that share a name.
    first = True
    for batch in reader:
        yield batch.slice(1) if first else batch
        first = False


def _numbered(row: int, count: int, malformed: list[Any]) -> tuple[NDArray[np.int64], list[RejectedRow]]:
    """Return the numbers of ``count`` rows from ``row`` on, and the malformed rows between them (all if it is 0)."""
    numbers: list[NDArray[np.int64]] = []
    wrong: list[RejectedRow] = []
    while malformed:
        at = int(malformed[0].number) - 1
        if count and at >= row + count:
            break
        numbers.append(np.arange(row, at, dtype=np.int64))
        count -= at - row
        row = at + 1
        one = malformed.pop(0)
        wrong.append(
            RejectedRow(
                row=at,
                name="",
                field="",
                message=f"{one.actual_columns} fields instead of {one.expected_columns}",
                content=one.text,
            )
        )
    numbers.append(np.arange(row, row + count, dtype=np.int64))
    return np.concatenate(numbers), wrong


def _last_cell(rows: pa.RecordBatch) -> str:
    return str(rows.column(rows.num_columns - 1)[-1].as_py())


def _tail(path: Path) -> bytes:
    """Return the last bytes of a file without white space."""
    with path.open("rb") as raw:
        zipped = raw.read(2) == GZIP
    with gzip.open(path) if zipped else path.open("rb") as file:
        end = b""
        if not zipped:
            file.seek(max(path.stat().st_size - _TAIL, 0))
        while part := file.read(_TAIL):
            end = (end + part)[-_TAIL:]
    return end.rstrip()


def _with_rejected(batch: Batch, wrong: list[RejectedRow]) -> Batch:
    if not wrong:
        return batch
    return replace(batch, rejected=tuple(sorted([*batch.rejected, *wrong], key=lambda one: one.row)))


def _empty_batch(header: Header) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], pa.string()) for _ in header.columns], header.columns)


def _csv_error(name: str, error: pa.ArrowInvalid) -> TicketsError:
    said = str(error).splitlines()[0]
    if "UTF8" in said:
        return TicketsError(f"expected UTF-8 in {name}: {said.removeprefix('In ')}", _NOT_UTF_8)
    if "straddl" in said or "block" in said:
        return TicketsError(
            f"{name} has a row of more than {BLOCK_SIZE >> 20} MB", "look for a quote that is opened and never closed"
        )
    return TicketsError(f"expected CSV in {name}: {said}")
