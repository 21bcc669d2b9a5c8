"""Tickets in Parquet files, read row group by row group, with dictionary-encoded words.

Memory does not grow with the size of a file: pages are read through a small buffer, on one thread, without read-ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from guidepost.past_tickets.column_names import require_columns
from guidepost.past_tickets.mapper import Mapper
from guidepost.past_tickets.types import SIZE, Batch, TicketsError

BUFFER: Final = 1 << 20
"""Bytes of a column that are read at a time."""

MAGIC: Final = b"PAR1"


def is_parquet(head: bytes) -> bool:
    """Return whether the first bytes of a file are those of Parquet."""
    return head.startswith(MAGIC)


def read_schema(path: Path) -> pa.Schema:
    """Return the schema of a file; raises TicketsError."""
    return _open(path, ()).schema_arrow


def count_rows(files: Sequence[Path]) -> int:
    """Return how many rows files have, by their footers."""
    return sum(_open(file, ()).metadata.num_rows for file in files)


@dataclass(slots=True, kw_only=True)
class ParquetTickets:
    """Tickets in Parquet files, one file after the other."""

    name: str
    files: Sequence[Path]
    mapper: Mapper
    notes: list[str] = field(default_factory=list)
    rows: int | None = None

    def __post_init__(self) -> None:
        self.rows = count_rows(self.files)

    def batches(self, size: int = SIZE) -> Iterator[Batch]:
        """Yield the tickets in order."""
        first = 1
        for rows in read_batches(self.files, self.mapper, size):
            yield self.mapper.batch(rows, first, (first - 1 + rows.num_rows) / (self.rows or 1))
            first += rows.num_rows


def read_batches(files: Sequence[Path], mapper: Mapper, size: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of files with the columns that a mapping reads."""
    for file in files:
        plain = read_schema(file)
        require_columns(mapper.mapping, plain.names, file.name)
        words = [name for name in mapper.words if name in plain.names and _is_text(plain.field(name).type)]
        wanted = [name for name in mapper.mapping.columns if name in plain.names]
        opened = _open(file, words)
        try:
            # A batch without columns has no length, so at least one column is read.
            yield from opened.iter_batches(batch_size=size, columns=wanted or plain.names[:1], use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise TicketsError(f"{file.name} is damaged: {_short(error)}", "write the file again") from error
        finally:
            opened.close()


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _open(file: Path, words: Sequence[str]) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file, read_dictionary=list(words), pre_buffer=False, buffer_size=BUFFER)
    except pa.ArrowInvalid as error:
        raise TicketsError(
            f"expected a Parquet file, cannot read {file.name}: {_short(error)}",
            "write the file again, or use CSV or JSON lines",
        ) from error
    except OSError as error:
        raise TicketsError(f"{file.name} cannot be read: {error.strerror or _short(error)}") from error


def _short(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
