"""The export of a log as JSON lines: first the notes of purges, then the entries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from engine.records.chain import Entry
from engine.records.record import canonical
from guidepost.decision_log.signed_heads import PurgeNote

_PURGE: Final = "purge"


def entry_line(entry: Entry) -> str:
    """Return an entry as one line of JSON, with its record as an object."""
    start = {"writer": entry.writer, "sequence": entry.sequence, "previous": entry.previous, "hash": entry.hash}
    return f'{json.dumps(start)[:-1]}, "record": {entry.body.strip()}}}'


def note_line(note: PurgeNote) -> str:
    """Return the note of a purge as one line of JSON."""
    return json.dumps({_PURGE: note.plain})


def read_lines(lines: Iterable[str]) -> Iterator[Entry]:
    """Yield the entries of an export; raises ValueError with the number of a line that is neither entry nor note."""
    return (one for one in read_export(lines) if isinstance(one, Entry))


def read_export(lines: Iterable[str]) -> Iterator[Entry | PurgeNote]:
    """Yield the entries and notes of an export; raises ValueError with the number of a line that is neither."""
    for number, text in enumerate(lines, 1):
        try:
            plain = json.loads(text)
            yield PurgeNote.of(plain[_PURGE]) if _PURGE in plain else read_entry(plain)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"line {number}: expected an entry of a decision log") from error


def read_entry(plain: Any) -> Entry:
    """Return the entry of parsed JSON; raises ValueError, KeyError or TypeError if it is not an entry."""
    return Entry(
        writer=str(plain["writer"]),
        sequence=int(plain["sequence"]),
        previous=str(plain["previous"]),
        hash=str(plain["hash"]),
        body=canonical(plain["record"]),
    )
