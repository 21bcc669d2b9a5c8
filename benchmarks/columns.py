"""Benchmarks of deciding columns in memory: all decisions of a new ticket in every row, with due times.

A triage decision is one decision of one row; a new ticket needs as many as the manifest lists, and each has several
outcomes. Rows are those of `tickets.draw`, and the incidents of a real desk if the data is beside the repository. The
cache of a decider is warm unless a row states that it is cold.
"""

from __future__ import annotations

import csv
import gzip
import statistics
import tracemalloc
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Final

import numpy as np

from benchmarks.look_up import _version
from benchmarks.measure import Row, in_turns, per_call
from benchmarks.tickets import START, Facts, draw
from engine.clock.zone import to_micros
from engine.columns.decide import ColumnDecider
from engine.columns.fact_columns import Instants, Numbers, SentColumn, Words, facts_of, words_of
from engine.decide.decider import Decider
from engine.request.moment import Moment

DRAWN: Final = 50_000
"""Distinct tickets; repeated, each time an hour and a bit later, they make a million."""

ROWS: Final = 1_000_000
CHUNK: Final = 1 << 16
SINGLE: Final = 2_000
ROUNDS: Final = 5
GOAL: Final = 1.0
"""Microseconds for a triage decision, hence a million a second."""

NOW: Final = START + timedelta(days=1)

REAL: Final = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "uci498_incidents_last.csv.gz"

LEVELS: Final = {"1": "high", "2": "medium", "3": "low"}
CHANNELS: Final = {"Phone": "telephone", "Email": "email", "Self service": "portal"}

LATER: Final = timedelta(days=9 * 365)
"""The incidents are of 2016, and the holiday lists begin with 2019."""


def rows() -> list[Row]:
    """Measure it."""
    return [
        *_measured("drawn tickets", columns_of(draw(_version(), DRAWN, seed=3))),
        *(_measured("real incidents", _real()) if REAL.exists() else []),
        *_memory(),
    ]


def _measured(what: str, few: Mapping[str, SentColumn]) -> list[Row]:
    version = _version()
    single = Decider(version)
    decider, columns = ColumnDecider(single), repeated(few, ROWS)
    start = process_time()
    decider.decide(columns, NOW)
    cold = process_time() - start
    tickets = [facts_of(columns, row) for row in range(0, ROWS, ROWS // SINGLE)]
    moment = Moment(NOW)
    turns = in_turns(
        {
            "due": lambda: _seconds(decider, columns, None),
            "standing": lambda: _seconds(decider, columns, NOW),
            "single": lambda: per_call(lambda facts: single.triage(facts, moment), tickets) * ROWS / 1e6,
        },
        ROUNDS,
    )
    group, decisions = f"{ROWS:,} {what} as columns, one core", len(version.triage)
    due, standing = statistics.median(turns["due"]), statistics.median(turns["standing"])
    return [
        Row(group=group, what="a triage decision, due times included", value=due / decisions, unit="µs", goal=GOAL),
        Row(
            group=group,
            what="a triage decision, due times and how they stand included",
            value=standing / decisions,
            unit="µs",
            goal=GOAL,
        ),
        Row(group=group, what="a row, due times included", value=due, unit="µs"),
        Row(group=group, what="a row, due times included, in the quietest round", value=min(turns["due"]), unit="µs"),
        Row(group=group, what="a row, due times and how they stand included", value=standing, unit="µs"),
        Row(
            group=group,
            what="triage decisions a second, due times included, in millions",
            value=decisions / due,
            unit="",
        ),
        Row(
            group=group,
            what="one at a time, with all reasons: times the column",
            value=statistics.median(one / many for one, many in zip(turns["single"], turns["standing"], strict=True)),
            unit="x",
        ),
        Row(group=group, what="the first time, with what has to be worked out once", value=cold, unit="s"),
    ]


def _seconds(decider: ColumnDecider, columns: Mapping[str, SentColumn], now: datetime | None) -> float:
    """Time a million rows: seconds, and so the microseconds of a row."""
    start = process_time()
    decider.decide(columns, now)
    return (process_time() - start) * 1e6 / ROWS


def _memory() -> list[Row]:
    """Compare the peak memory of a million rows in one call and in chunks, and of four million in chunks."""
    decider, columns = ColumnDecider(Decider(_version())), repeated(columns_of(draw(_version(), 5_000, seed=3)), ROWS)
    decider.decide(columns, NOW)
    group = "memory beside the columns that are read"
    return [
        Row(group=group, what=f"{ROWS:,} rows in one call", value=_peak(decider, columns, ROWS, 1), unit="MB"),
        Row(
            group=group,
            what=f"{ROWS:,} rows in chunks of {CHUNK:,}",
            value=_peak(decider, columns, CHUNK, 1),
            unit="MB",
        ),
        Row(
            group=group,
            what=f"{2 * ROWS:,} rows in chunks of {CHUNK:,}",
            value=_peak(decider, columns, CHUNK, 2),
            unit="MB",
        ),
    ]


def _peak(decider: ColumnDecider, columns: Mapping[str, SentColumn], chunk: int, times: int) -> float:
    tracemalloc.start()
    for _ in range(times):
        for start in range(0, ROWS, chunk):
            decider.decide({name: sliced(column, slice(start, start + chunk)) for name, column in columns.items()}, NOW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def sliced(column: SentColumn, rows: slice) -> SentColumn:
    """Return some rows of a column without a copy."""
    match column:
        case Words():
            return replace(column, codes=column.codes[rows])
        case Numbers():
            return Numbers(column.values[rows], None if column.given is None else column.given[rows])
        case Instants():
            return Instants(column.micros[rows], None if column.given is None else column.given[rows])


def columns_of(tickets: list[Facts]) -> dict[str, SentColumn]:
    """Return tickets as columns of instants, numbers and dictionary-encoded words."""
    columns: dict[str, SentColumn] = {}
    for name in sorted({name for facts in tickets for name in facts}):
        values = [facts.get(name) for facts in tickets]
        given = np.array([value is not None for value in values])
        if any(isinstance(value, datetime) for value in values):
            columns[name] = Instants(
                np.array([to_micros(value) if isinstance(value, datetime) else 0 for value in values]), given
            )
        elif any(isinstance(value, float) for value in values):
            columns[name] = Numbers(np.array([value if isinstance(value, float) else 0.0 for value in values]), given)
        else:
            columns[name] = words_of(values)
    return columns


def repeated(columns: Mapping[str, SentColumn], size: int) -> dict[str, SentColumn]:
    """Repeat rows up to a number, each time a little later."""
    count = len(next(iter(columns.values())))
    rows, later = np.arange(size) % count, np.arange(size) // count * np.int64(3_700_000_000)
    found: dict[str, SentColumn] = {}
    for name, column in columns.items():
        match column:
            case Words():
                found[name] = replace(column, codes=column.codes[rows])
            case Numbers():
                found[name] = Numbers(column.values[rows], None if column.given is None else column.given[rows])
            case Instants():
                found[name] = Instants(
                    column.micros[rows] + later, None if column.given is None else column.given[rows]
                )
    return found


def _real() -> dict[str, SentColumn]:
    """Read the incidents of a real desk (UCI data set 498) as facts of the shipped policies."""
    with gzip.open(REAL, "rt", encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    tickets: list[Facts] = []
    for row in read:
        facts = {
            "impact": LEVELS.get(row["impact"]),
            "urgency": LEVELS.get(row["urgency"]),
            "channel": CHANNELS.get(row["contact_type"], "other"),
            "stage": "triage",
            "plan": "partner",
            "country": "AU",
            "received_at": datetime.fromisoformat(row["opened_at"]).replace(tzinfo=UTC) + LATER,
        }
        tickets.append({name: value for name, value in facts.items() if value is not None})
    return columns_of(tickets)
