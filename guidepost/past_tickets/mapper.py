"""The mapper: a mapping, a vocabulary and a batch of rows in, a chunk of tickets and the rejected rows out.

A mapper is small and can be pickled, so that the workers of a cluster can receive it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.columns.fact_columns import Instants, Mask, Numbers, SentColumn, Words
from engine.model.vocabulary import Fact, FactType, stands_for_nothing, value_of
from engine.replay.nouns import Chunk, OutcomeColumn, RecordedDecisions, RejectedRow
from engine.version.version import Version
from guidepost.past_tickets.map_column import (
    FactColumn,
    InstantColumn,
    InvalidRows,
    StateColumn,
    cell_value,
    column_named,
    fact_column,
    ticket_names,
)
from guidepost.past_tickets.map_value import LIST_AS_EMPTY, cell_text
from guidepost.past_tickets.mapping import ColumnMapping, FromColumn
from guidepost.past_tickets.ticket_ids import hash_names
from guidepost.past_tickets.timestamps import InstantReader
from guidepost.past_tickets.types import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The names that a mapping may use: the facts, outcomes and deadlines of a version.

    ``received`` is the fact with the instant at which a ticket came in, or "".
    """

    facts: Mapping[str, Fact]
    outcomes: Mapping[str, Fact]
    deadlines: tuple[str, ...]
    received: str = ""

    @classmethod
    def of(cls, version: Version) -> Vocabulary:
        """Return the vocabulary of a version."""
        policy = version.policy
        # The instant from which most deadlines of a new ticket count.
        starts = Counter(
            scheduler.deadline.starts
            for plan in version.triage
            for scheduler in plan.deadlines
            if scheduler.deadline.starts in policy.facts
        )
        received = starts.most_common(1)[0][0] if starts else ""
        return cls(facts=policy.facts, outcomes=policy.outcomes, deadlines=tuple(policy.deadlines), received=received)


class Mapper:
    """Reads batches of rows as tickets; raises KeyError for a fact, outcome or deadline that the vocabulary lacks."""

    def __init__(self, mapping: ColumnMapping, version: Version | Vocabulary) -> None:
        self.mapping = mapping
        self.vocabulary = version if isinstance(version, Vocabulary) else Vocabulary.of(version)
        empty = frozenset(text.strip() for text in mapping.empty)
        self._facts: dict[str, FactColumn] = {
            name: fact_column(self.vocabulary.facts[name], rule, empty) for name, rule in mapping.facts.items()
        }
        self._now = _instants(mapping.now, empty) if mapping.now else None
        self._outcomes = {
            name: StateColumn.of(self.vocabulary.outcomes[name], rule, empty) for name, rule in mapping.recorded.items()
        }
        self._due = {name: _instants(rule, empty) for name, rule in mapping.recorded_due.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        return Mapper, (self.mapping, self.vocabulary)

    @property
    def words(self) -> tuple[str, ...]:
        """The columns whose values repeat, so that a reader should dictionary-encode them."""
        instants = [self.mapping.now, *self.mapping.recorded_due.values()]
        apart = {name for rule in instants if rule for name in rule.columns} | {self.mapping.ticket}
        for name, rule in self.mapping.facts.items():
            if (
                isinstance(rule, FromColumn)
                and self.vocabulary.facts[name].type in (FactType.INSTANT, FactType.TEXT)
                and rule.values is None
            ):
                apart |= set(rule.columns)
        return tuple(name for name in self.mapping.columns if name not in apart)

    def batch(self, rows: pa.RecordBatch, first_row: int | NDArray[np.int64] = 1, share: float | None = None) -> Batch:
        """Read rows; ``first_row`` is the number of the first row in its source, or the numbers of all rows."""
        numbers = (
            first_row
            if isinstance(first_row, np.ndarray)
            else np.arange(first_row, first_row + rows.num_rows, dtype=np.int64)
        )
        faults: list[InvalidRows] = []

        def read(column: Any) -> Any:
            found, fault = column.read(rows)
            if fault is not None:
                faults.append(fault)
            return found

        facts: dict[str, SentColumn] = {name: read(column) for name, column in self._facts.items()}
        received = facts.get(self.vocabulary.received)
        now = read(self._now) if self._now else received if isinstance(received, Instants) else None
        outcomes: dict[str, OutcomeColumn] = {name: read(column) for name, column in self._outcomes.items()}
        due: dict[str, Instants] = {name: read(column) for name, column in self._due.items()}
        names = ticket_names(rows, self.mapping.ticket) if self.mapping.ticket else None
        dated = {
            name: np.ones(rows.num_rows, np.bool_) if column.given is None else column.given
            for name, column in due.items()
        }
        within = {name: rule.tolerance for name, rule in self.mapping.tolerances.items()}
        recorded = (
            RecordedDecisions(outcomes=outcomes, due=due, dated=dated, within=within) if outcomes or due else None
        )
        tickets = hash_names(column_named(rows, self.mapping.ticket)) if self.mapping.ticket else None
        chunk = Chunk(
            size=rows.num_rows,
            facts=facts,
            rows=numbers,
            now=now,
            names=names,
            holds={},
            recorded=recorded,
            tickets=tickets,
        )
        content = partial(_content, rows, numbers)
        whole = _without_invalid(chunk, faults) if faults else chunk
        return Batch(
            chunk=whole,
            rejected=tuple(_rejected_rows(chunk, faults, content)),
            share=share,
            content=content,
            count_doubts=self._doubts,
            help=_help,
        )

    def _doubts(self, chunk: Chunk) -> dict[tuple[str, str], int]:
        """Count the words that may mark an empty cell and are read as values that the mapping does not list."""
        found: dict[tuple[str, str], int] = {}
        for name, rule in self.mapping.facts.items():
            column = chunk.facts[name]
            if (
                isinstance(rule, FromColumn)
                and rule.values is None
                and isinstance(column, Words)
                and (listed := self.vocabulary.facts[name].values)
            ):
                for code, word in enumerate(column.values):
                    if (
                        isinstance(word, str)
                        and stands_for_nothing(word)
                        and value_of(listed, word)
                        and (rows := int(np.count_nonzero(column.codes == code)))
                    ):
                        found[name, word] = rows
        return found


def _help(chunk: Chunk, refused: RejectedRow) -> str:
    """Return the help for a rejected word that usually marks an empty cell, or ""."""
    column = chunk.facts.get(refused.field)
    value = None if column is None else column.sent(int(np.searchsorted(chunk.rows, refused.row)))
    return LIST_AS_EMPTY if isinstance(value, str) and stands_for_nothing(value) else ""


def _instants(rule: FromColumn, empty: frozenset[str]) -> InstantColumn:
    return InstantColumn(rule, InstantReader(format=rule.format, zone=rule.zone, empty=empty))


def _content(rows: pa.RecordBatch, numbers: NDArray[np.int64], row: int) -> str:
    """Return a row as JSON without its empty cells."""
    at = int(np.searchsorted(numbers, row))
    cells = zip(rows.schema.names, (cell_value(column[at]) for column in rows.columns), strict=True)
    return json.dumps(
        {
            name: value if isinstance(value, (str, int, bool)) else cell_text(value)
            for name, value in cells
            if value is not None
        },
        ensure_ascii=False,
    )


def _rejected_rows(chunk: Chunk, faults: Sequence[InvalidRows], content: Callable[[int], str]) -> list[RejectedRow]:
    """Return the rows that cannot be read, each with its first error."""
    found: dict[int, InvalidRows] = {}
    for fault in faults:
        for at in np.flatnonzero(fault.rows).tolist():
            found.setdefault(at, fault)
    unread = []
    for at, fault in sorted(found.items()):
        row, name = int(chunk.rows[at]), chunk.names.sent(at) if chunk.names else None
        unread.append(
            RejectedRow(
                row=row,
                name="" if name is None else str(name),
                field=fault.column,
                message=fault.message(at),
                content=content(row),
            )
        )
    return unread


def _without_invalid(chunk: Chunk, faults: Sequence[InvalidRows]) -> Chunk:
    keep: Mask = ~np.logical_or.reduce([fault.rows for fault in faults])
    recorded = chunk.recorded
    return Chunk(
        size=int(keep.sum()),
        facts={name: _select_rows(column, keep) for name, column in chunk.facts.items()},
        rows=chunk.rows[keep],
        now=_select_rows(chunk.now, keep) if isinstance(chunk.now, Instants) else chunk.now,
        names=_select_rows(chunk.names, keep) if chunk.names else None,
        holds={},
        recorded=recorded
        and RecordedDecisions(
            outcomes={
                name: OutcomeColumn(column.codes[keep], column.states) for name, column in recorded.outcomes.items()
            },
            due={name: _select_rows(column, keep) for name, column in recorded.due.items()},
            dated={name: mask[keep] for name, mask in recorded.dated.items()},
            digest=recorded.digest,
            within=recorded.within,
        ),
        tickets=None if chunk.tickets is None else chunk.tickets[keep],
    )


def _select_rows(column: Any, keep: Mask) -> Any:
    match column:
        case Words():
            return Words(column.codes[keep], column.values)
        case Numbers():
            return Numbers(column.values[keep], None if column.given is None else column.given[keep])
        case _:
            return Instants(column.micros[keep], None if column.given is None else column.given[keep])
