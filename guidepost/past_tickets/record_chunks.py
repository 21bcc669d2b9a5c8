"""Records of the decision log as chunks of tickets: the recorded facts, instants and outcomes.

Each chunk has the records of one version, since recorded outcomes are compared version by version.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from engine.clock.zone import to_micros
from engine.columns.fact_columns import Instants, SentColumn, Words, words_of
from engine.diff.nouns import OutcomeState, StateKind
from engine.model.vocabulary import Fact, FactType
from engine.records.masking import replayable
from engine.records.record import Record, RecordedOutcome, canonical, instant
from engine.replay.nouns import Chunk, OutcomeColumn, RecordedDecisions, RejectedRow
from engine.request.moment import Hold
from guidepost.past_tickets.mapper import Vocabulary
from guidepost.past_tickets.ticket_ids import hash_texts
from guidepost.past_tickets.types import Batch

_STATES: Final = {"undecided": OutcomeState(StateKind.UNDECIDED), "not_covered": OutcomeState(StateKind.NOT_COVERED)}


@dataclass(slots=True)
class _Window:
    """Numbered records that wait for their batch, by the digest of their version."""

    size: int
    records: dict[str, list[tuple[int, Record]]] = field(default_factory=dict)
    unread: list[RejectedRow] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return len(self.unread) + sum(map(len, self.records.values())) >= self.size


def batches_of_records(
    found: Iterable[tuple[int, Record | RejectedRow, float | None]], vocabulary: Vocabulary, size: int
) -> Iterator[Batch]:
    """Yield batches of the records of one version among ``size`` consecutive records.

    Args:
        found: the number of each record, the record or the rejected row, and the share of the source read so far.
        vocabulary: of the version that decides the records again.
        size: how many records are grouped at a time.
    """
    window, share = _Window(size), None
    for number, one, share in found:
        if isinstance(one, RejectedRow):
            window.unread.append(one)
        else:
            window.records.setdefault(one.version.digest, []).append((number, one))
        if window.full:
            yield from _flush(window, vocabulary, share)
            window = _Window(size)
    yield from _flush(window, vocabulary, share)


def _flush(window: _Window, vocabulary: Vocabulary, share: float | None) -> Iterator[Batch]:
    unread = tuple(window.unread)
    for digest, numbered in window.records.items():
        yield Batch(
            chunk=records_chunk(digest, numbered, vocabulary),
            rejected=unread,
            share=share,
            content=_content(dict(numbered)),
        )
        unread = ()
    if unread:
        yield Batch(chunk=Chunk(size=0, facts={}, rows=np.zeros(0, np.int64)), rejected=unread, share=share)


def _content(records: Mapping[int, Record]) -> Any:
    return lambda row: canonical(dict(records[row].facts))


def records_chunk(digest: str, numbered: list[tuple[int, Record]], vocabulary: Vocabulary) -> Chunk:
    """Return the records of one version as columns; the name of a ticket is the id of its record."""
    records = [record for _, record in numbered]
    sent = [replayable(record.facts) for record in records]
    names = dict.fromkeys(name for one in sent for name in one)
    columns = {name: _fact([one.get(name) for one in sent], vocabulary.facts.get(name)) for name in names}
    holds = {at: _holds(record) for at, record in enumerate(records) if record.pauses}
    now = _instants([record.now for record in records])
    ids, tickets = (
        Words(np.arange(len(records), dtype=np.int32), tuple(texts))
        for texts in ((one.id for one in records), (one.ticket or one.request_id for one in records))
    )
    return Chunk(
        size=len(records),
        facts=columns,
        rows=np.array([number for number, _ in numbered], np.int64),
        now=now,
        names=ids,
        holds=holds,
        recorded=_recorded(records, digest, vocabulary.deadlines),
        tickets=hash_texts([_ticket(record) for record in records]),
        ticket_names=tickets,
    )


def _ticket(record: Record) -> str:
    """Return a name for the ticket of a record: the caller's ticket or request id, or "" without either."""
    if record.ticket:
        return f"{record.caller}\n{record.ticket}"
    return f"{record.caller}\n\n{record.request_id}" if record.request_id else ""


def _fact(values: list[Any], fact: Fact | None) -> SentColumn:
    """Return the column of a fact; instants become Instants if all of them can be read."""
    if (
        fact is not None
        and fact.type is FactType.INSTANT
        and all(isinstance(value, str) for value in values if value is not None)
    ):
        try:
            return _instants(values)
        except ValueError:
            pass  # the version reports the value
    return words_of(values)


def _instants(texts: list[str | None]) -> Instants:
    """Read instants with an offset; raises ValueError."""
    given = np.array([bool(text) for text in texts], np.bool_)
    return Instants(np.array([_micros(text) if text else 0 for text in texts], np.int64), given)


def _micros(text: str) -> int:
    at = instant(text)
    if at.tzinfo is None:
        raise ValueError("no offset from UTC")
    return to_micros(at)


def _holds(record: Record) -> tuple[Hold, ...]:
    return tuple((instant(start), instant(end) if end else None) for start, end in record.pauses)


def _recorded(records: list[Record], digest: str, deadlines: Container[str]) -> RecordedDecisions:
    """Return the recorded outcomes; a deadline is an outcome whose value is its due time."""
    size = len(records)
    timed = {one.name for record in records for decided in record.decisions for one in decided.dues}
    states: dict[str, list[tuple[int, OutcomeState]]] = {}
    due: dict[str, list[tuple[int, str | None]]] = {}
    for at, record in enumerate(records):
        for outcome in (one for decided in record.decisions for one in decided.outcomes):
            if outcome.name in timed or outcome.name in deadlines:
                due.setdefault(outcome.name, []).append((at, outcome.value))
            else:
                states.setdefault(outcome.name, []).append((at, recorded_state(outcome)))
    dated = {name: _due(rows, size) for name, rows in due.items()}
    return RecordedDecisions(
        outcomes={name: _coded(rows, size) for name, rows in states.items()},
        due={name: column for name, (column, _) in dated.items()},
        dated={name: mask for name, (_, mask) in dated.items()},
        digest=digest,
    )


def recorded_state(outcome: RecordedOutcome) -> OutcomeState:
    """Return the state of a recorded outcome.

    >>> recorded_state(RecordedOutcome("languages", "decided", ["en", "ja"])).value
    ('en', 'ja')
    """
    if outcome.value is None:
        return _STATES.get(outcome.status, OutcomeState(StateKind.UNDECIDED))
    return OutcomeState(StateKind.DECIDED, tuple(outcome.value) if isinstance(outcome.value, list) else outcome.value)


def _coded(rows: list[tuple[int, OutcomeState]], size: int) -> OutcomeColumn:
    codes = np.full(size, -1, np.int32)
    numbers: dict[tuple[type, OutcomeState], int] = {}
    for at, state in rows:
        codes[at] = numbers.setdefault((state.value.__class__, state), len(numbers))
    return OutcomeColumn(codes, tuple(state for _, state in numbers))


def _due(rows: list[tuple[int, str | None]], size: int) -> tuple[Instants, Any]:
    dated, micros, given = np.zeros(size, np.bool_), np.zeros(size, np.int64), np.zeros(size, np.bool_)
    for at, due in rows:
        dated[at], given[at] = True, due is not None
        micros[at] = _micros(due) if due else 0
    return Instants(micros, given), dated
