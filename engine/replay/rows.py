"""Some rows of a chunk as a chunk."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.columns.fact_columns import Instants, Numbers, Words
from engine.replay.nouns import Chunk, OutcomeColumn, RecordedDecisions

Rows = NDArray[np.integer[Any]]
_C = TypeVar("_C", Words, Numbers, Instants, Words | Numbers | Instants)


def rows_of(chunk: Chunk, rows: Rows) -> Chunk:
    """Return some rows of a chunk, by position."""
    at = {int(row): position for position, row in enumerate(rows)}
    return Chunk(
        size=len(rows),
        facts={name: _column(column, rows) for name, column in chunk.facts.items()},
        rows=chunk.rows[rows],
        now=chunk.now if chunk.now is None or isinstance(chunk.now, datetime) else _column(chunk.now, rows),
        names=None if chunk.names is None else _column(chunk.names, rows),
        holds={at[row]: holds for row, holds in chunk.holds.items() if row in at},
        recorded=None if chunk.recorded is None else _recorded(chunk.recorded, rows),
        tickets=None if chunk.tickets is None else chunk.tickets[rows],
        ticket_names=None if chunk.ticket_names is None else _column(chunk.ticket_names, rows),
    )


def _recorded(one: RecordedDecisions, rows: Rows) -> RecordedDecisions:
    return replace(
        one,
        outcomes={name: OutcomeColumn(states.codes[rows], states.states) for name, states in one.outcomes.items()},
        due={name: _column(due, rows) for name, due in one.due.items()},
        dated={name: mask[rows] for name, mask in one.dated.items()},
    )


def _column(column: _C, rows: Rows) -> _C:
    if isinstance(column, Words):
        # Keep only the values that occur: each is read once.
        used, codes = np.unique(column.codes[rows], return_inverse=True)
        return replace(
            column, codes=codes, values=tuple(column.values[code] if code >= 0 else None for code in used.tolist())
        )
    if isinstance(column, Numbers):
        return replace(column, values=column.values[rows], given=None if column.given is None else column.given[rows])
    return replace(column, micros=column.micros[rows], given=None if column.given is None else column.given[rows])
