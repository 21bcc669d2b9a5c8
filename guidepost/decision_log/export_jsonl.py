"""Entries as JSON lines, as they are exported, and back; the notes of what was purged stand before them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from engine.decision_log.chain import Entry
from engine.decision_log.record import canonical
from guidepost.decision_log.signed_heads import PurgeNote

_PURGE: Final = "purge"


def entry_line(entry: Entry) -> str:
    """Write an entry as one line; the record in it is read by any program that reads JSON."""
    start = {"writer": entry.writer, "sequence": entry.sequence, "previous": entry.previous, "hash": entry.hash}
    return f'{json.dumps(start)[:-1]}, "record": {entry.body.strip()}}}'


def note_line(note: PurgeNote) -> str:
    """Write the note of a purge as one line."""
    return json.dumps({_PURGE: note.plain})


def read_lines(lines: Iterable[str]) -> Iterator[Entry]:
    """Read entries back, without the notes of purges; raises ValueError, naming the line, for what is none."""
    return (one for one in read_export(lines) if isinstance(one, Entry))


def read_export(lines: Iterable[str]) -> Iterator[Entry | PurgeNote]:
    """Read entries and notes of purges back; raises ValueError, naming the line, for what is none."""
    for number, text in enumerate(lines, 1):
        try:
            plain = json.loads(text)
            yield PurgeNote.of(plain[_PURGE]) if _PURGE in plain else read_entry(plain)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"line {number}: expected an entry of a decision log") from error


def read_entry(plain: Any) -> Entry:
    """Read an entry of plain data; raises ValueError, KeyError or TypeError for what is none."""
    return Entry(
        writer=str(plain["writer"]),
        sequence=int(plain["sequence"]),
        previous=str(plain["previous"]),
        hash=str(plain["hash"]),
        body=canonical(plain["record"]),
    )
