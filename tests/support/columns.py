"""Random tickets near the turns of clocks and calendars, and tickets as columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import numpy as np
from hypothesis import strategies as st

from engine.clock.zone import to_micros
from engine.columns.fact_columns import Instants, Numbers, SentColumn, words_of
from engine.model.vocabulary import Fact, FactType

ODD_VALUES: Final = (
    "",
    "  ",
    "nonsense",
    "unlisted",
    1,
    2.5,
    True,
    "\ud800",
    "x" * 300,
    datetime(2026, 1, 26, tzinfo=UTC),
)
"""What some facts take and others do not."""


TURNING_DAYS: Final = tuple(
    datetime.fromisoformat(day).replace(tzinfo=UTC)
    for day in (
        "1970-01-02",
        "2018-12-31",
        "2019-01-01",
        "2026-01-23",
        "2026-01-26",
        "2026-04-04",
        "2026-04-05",
        "2026-05-16",
        "2026-09-26",
        "2026-10-04",
        "2028-12-29",
        "2029-01-01",
        "2200-12-30",
    )
)
"""Days on which clocks are turned, holidays and weekends begin, and lists of holidays and the calendar itself end."""


Row = dict[str, Any]


def fact_columns(rows: Sequence[Row], facts: Mapping[str, Fact]) -> dict[str, SentColumn]:
    """Return rows as columns: numbers and instants as such where all of a column are, else words."""
    columns: dict[str, SentColumn] = {}
    for at, name in enumerate(sorted({name for row in rows for name in row})):
        values = [row.get(name) for row in rows]
        sent = [value for value in values if value is not None]
        given_ = np.array([value is not None for value in values])
        if sent and all(isinstance(value, float) for value in sent):
            columns[name] = Numbers(np.array([value if value is not None else math.nan for value in values]), given_)
        elif sent and at % 3 and all(isinstance(value, datetime) and value.tzinfo is not None for value in sent):
            columns[name] = Instants(
                np.array([to_micros(value) if value is not None else -1 for value in values]), given_
            )
        else:
            columns[name] = words_of(values)
    return columns


def instant_column(now: Sequence[datetime | None]) -> Instants:
    return Instants(np.array([to_micros(one) if one else 0 for one in now]), np.array([one is not None for one in now]))


def any_instant() -> st.SearchStrategy[datetime]:
    """Draw instants near where something changes, by any offset."""
    minutes = st.one_of(st.integers(-6 * 24 * 60, 6 * 24 * 60), st.integers(-24, 24).map(lambda hours: 60 * hours))
    offsets = st.sampled_from([UTC, timezone(timedelta(hours=11)), timezone(-timedelta(hours=3, minutes=30))])
    drawn = st.builds(
        lambda near, minute, micro, offset: (near + timedelta(minutes=minute, microseconds=micro)).astimezone(offset),
        st.sampled_from(TURNING_DAYS[1:-1]),
        minutes,
        st.sampled_from([0, 0, 1, -1]),
        offsets,
    )
    return st.one_of(drawn, drawn, drawn, st.sampled_from([TURNING_DAYS[0], TURNING_DAYS[-1]]))


def any_ticket(facts: Mapping[str, Fact]) -> st.SearchStrategy[Row]:
    """Draw a ticket: some facts, most of them as they should be."""
    usual = {name: st.one_of(st.just(None), *[any_value(fact)] * 4) for name, fact in facts.items()}
    few = st.lists(
        st.sampled_from([*facts, *[name for name, fact in facts.items() if fact.type is FactType.INSTANT] * 3]),
        min_size=1,
        max_size=10,
        unique=True,
    )
    fine = few.flatmap(lambda names: st.fixed_dictionaries({name: usual[name] for name in names}))
    wrong = st.one_of(
        *[st.just({})] * 7,
        st.dictionaries(st.sampled_from([*facts, "colour"]), st.sampled_from(ODD_VALUES), max_size=2),
    )
    return st.builds(lambda one, other: {**one, **other}, fine, wrong)


def any_value(fact: Fact) -> st.SearchStrategy[Any]:
    match fact.type:
        case FactType.CHOICE:
            spelled = [word for value in fact.values for word in (value.value, value.name, *value.aliases) if word]
            more = ["something else"] if fact.open else []
            further = [f"{value.value}-x" for value in fact.values] if fact.subtags else []
            return st.sampled_from([*spelled, *spelled, *(f" {word.upper()}" for word in spelled), *more, *further])
        case FactType.BOOLEAN:
            return st.sampled_from([True, False, "yes", "No", "TRUE"])
        case FactType.NUMBER | FactType.INTEGER:
            low, high = (
                fact.minimum if fact.minimum is not None else -5.0,
                fact.maximum if fact.maximum is not None else 40.0,
            )
            return st.one_of(
                st.integers(int(low), int(high)).map(float),
                st.sampled_from([low, high, low, high, 3, "7", low - 1, 2.5, math.nan, math.inf]),
            )
        case FactType.TEXT:
            return st.sampled_from(["", " ", "some words", "0"])
        case _:
            return st.one_of(any_instant(), any_instant().map(datetime.isoformat))
