"""The first rows of a file, column by column, from which a mapping is drafted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from engine.model.vocabulary import stands_for_nothing
from guidepost.past_tickets.csv import read_blocks, read_header
from guidepost.past_tickets.jsonl import open_lines, parse_row
from guidepost.past_tickets.map_value import cell_text
from guidepost.past_tickets.open import TicketFiles
from guidepost.past_tickets.types import TicketsError

SAMPLE_ROWS: Final = 20_000
"""How many rows a draft reads."""


_SECONDS: Final = re.compile(r":\d\d:(?!00)\d\d|^\d+$")
"""A time with seconds, or a number."""


@dataclass(slots=True, kw_only=True)
class ColumnProfile:
    """A column with the count of each value as text; ``typed`` and ``offset`` are about values that are instants."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    typed: bool = False
    offset: bool = False

    def add(self, value: Any) -> None:
        """Count a value."""
        self.rows += 1
        if isinstance(value, (datetime, date)):
            self.typed = True
            self.offset = isinstance(value, datetime) and value.tzinfo is not None
        text = "" if value is None else cell_text(value)
        self.counts[text] += 1

    @property
    def given(self) -> dict[str, int]:
        """The values that are not empty cells, the most frequent first."""
        return {text: count for text, count in self.counts.most_common() if text and not stands_for_nothing(text)}

    @property
    def nulls(self) -> list[str]:
        """The words that usually mark an empty cell; a fact may have them as values."""
        return [text for text in self.counts if stands_for_nothing(text)]

    @property
    def to_the_minute(self) -> bool:
        """Whether all times are without seconds."""
        return bool(self.given) and not any(_SECONDS.search(text) for text in self.given)

    @property
    def number(self) -> bool:
        """Whether all values are numbers."""
        return bool(self.given) and all(map(_is_number, self.given))


def profile_columns(files: TicketFiles) -> list[ColumnProfile]:
    """Return the columns of the first rows of a source; raises TicketsError."""
    found: dict[str, ColumnProfile] = {}
    for row in islice(_rows(files), SAMPLE_ROWS):
        for name, value in row.items():
            found.setdefault(name, ColumnProfile(name=name)).add(value)
    if not found:
        raise TicketsError(f"{files.paths[0].name} has no rows", "a draft of a mapping needs values")
    return list(found.values())


def _rows(files: TicketFiles) -> Iterator[dict[str, Any]]:
    path = files.paths[0]
    try:
        match files.form:
            case "parquet":
                with pq.ParquetFile(path, pre_buffer=False) as file:
                    for batch in file.iter_batches(2_048, use_threads=False):
                        yield from batch.to_pylist()
            case "lines":
                with open_lines(path) as (_, lines):
                    for line in lines:
                        try:
                            yield parse_row(line)
                        except ValueError:
                            continue
            case _:
                with pa.OSFile(str(path)) as raw:
                    for batch in read_blocks(raw, path, read_header(path), []):
                        yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise TicketsError(f"{path.name} cannot be read: {error}") from error


def _is_number(text: str) -> bool:
    try:
        return float(text) - float(text) == 0
    except ValueError:
        return False
