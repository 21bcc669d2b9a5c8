"""Entries as JSON lines, as they are exported, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from engine.decisionlog.chain import Entry
from engine.decisionlog.record import canonical


def line(entry: Entry) -> str:
    """Write an entry as one line; the record in it is read by any program that reads JSON."""
    start = {"writer": entry.writer, "sequence": entry.sequence, "previous": entry.previous, "hash": entry.hash}
    return f'{json.dumps(start)[:-1]}, "record": {entry.body.strip()}}}'


def read_lines(lines: Iterable[str]) -> Iterator[Entry]:
    """Read entries back; raises ValueError, naming the line, for what is none."""
    for number, text in enumerate(lines, 1):
        try:
            plain = json.loads(text)
            yield Entry(str(plain["writer"]), int(plain["sequence"]), str(plain["previous"]), str(plain["hash"]), canonical(plain["record"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"line {number} is no entry of a decision log") from error
