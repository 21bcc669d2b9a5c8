"""A query finds the same records as its filter on every record, for any filter and any records."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.answer import VersionRef
from engine.records.filter import Filter
from engine.records.record import RecordedDecision, RecordedOutcome
from guidepost.decision_log.sql_filter import outcome_texts
from guidepost.decision_log.store import Store
from tests.support.log_servers import POSTGRESQL, PostgreSQL, sqlite
from tests.support.records import START, record

NAMES = ["queue", "Queue", "a_b", "a%b", 'q"', "q\\", "é", "wait"]
VALUES = [
    "fast",
    "Fast",
    "f_st",
    'f"t',
    "f\\t",
    "é",
    "4",
    "4.5",
    "yes",
    "a, b",
    "",
    True,
    False,
    4.0,
    4,
    -2.5,
    1e20,
    ["a", "b"],
    ["fast"],
    [],
    None,
]
WORDS = ["queues.vip", "queues", "queues.vi_", "queues.%", 'r"', "r\\", "é", "QUEUES.VIP"]

outcomes = st.builds(
    lambda name, value, status: RecordedOutcome(name, "decided" if value is not None else status, value),
    st.sampled_from(NAMES),
    st.sampled_from(VALUES),
    st.sampled_from(["undecided", "not_covered"]),
)
decisions = st.builds(
    lambda made, rules: RecordedDecision(
        decision="queue", id="id", status="decided", outcomes=tuple(made), rules=tuple(rules), assumptions=(), dues=()
    ),
    st.lists(outcomes, max_size=3),
    st.lists(st.sampled_from(WORDS), max_size=3),
)
recorded = st.builds(
    lambda made, number, digest: {"decisions": tuple(made), "version": VersionRef("counter", number, digest)},
    st.lists(decisions, max_size=2),
    st.sampled_from(["7.0.0", "ab"]),
    st.sampled_from(["ab12", "AB12", "a_12", "cd"]),
)
asked = st.builds(
    Filter,
    ticket=st.sampled_from(["", "T-1"]),
    version=st.sampled_from(["", "", "7.0.0", "ab", "a_", "AB", "%"]),
    rule=st.sampled_from(["", "", *WORDS]),
    outcome=st.one_of(
        st.just(""),
        st.sampled_from(NAMES),
        st.builds(
            "{}={}".format,
            st.sampled_from(NAMES),
            st.sampled_from(
                [
                    "fast",
                    "Fast",
                    "f%",
                    'f"t',
                    "f\\t",
                    "é",
                    "4",
                    "4.5",
                    "-2.5",
                    "100000000000000000000",
                    "1e+20",
                    "yes",
                    "no",
                    "a, b",
                    "",
                    "undecided",
                    "not_covered",
                    "decided",
                ]
            ),
        ),
    ),
    since=st.sampled_from([None, None, datetime(1901, 1, 1, tzinfo=UTC), START + timedelta(seconds=2)]),
    until=st.sampled_from([None, None, datetime(1901, 1, 1, tzinfo=UTC), START + timedelta(seconds=3)]),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="guidepost-filters-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        if request.param == "sqlite":
            made = Store.open(sqlite(Path(folder)))
            yield made
            made.close()
            return
        if not POSTGRESQL:
            pytest.skip("PostgreSQL is not installed here (Debian: apt install postgresql)")
        server = PostgreSQL(Path(folder) / "pg")
        made = Store.open(server.url)
        yield made
        made.close()
        server.stop()


@given(st.lists(recorded, min_size=1, max_size=5), st.lists(asked, min_size=8, max_size=8))
@settings(deadline=None, max_examples=15)
def test_a_query_finds_the_same_as_the_filter_on_every_record(
    store: Store, changes: list[dict[str, Any]], filters: list[Filter]
) -> None:
    with store.engine.begin() as connection:
        for table in ("entries", "writers"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    made = [record(number, **change) for number, change in enumerate(changes, 1)]
    store.append("main", made)

    for one in filters:
        assert [found.id for _, found in store.search(one)] == [each.id for each in made if one.passes(each)], one


@given(outcomes)
@settings(deadline=None)
def test_a_record_with_an_outcome_contains_one_of_its_texts(outcome: RecordedOutcome) -> None:
    made = record(
        1,
        decisions=(
            RecordedDecision(
                decision="queue", id="id", status="decided", outcomes=(outcome,), rules=(), assumptions=(), dues=()
            ),
        ),
    )
    for value in map(str, [*VALUES, "yes", "no", "undecided", "not_covered"]):
        for text in (outcome.name, f"{outcome.name}={value}"):
            if Filter(outcome=text).passes(made):
                assert any(one in made.text for one in outcome_texts(text)), text


def test_every_field_of_a_filter_is_covered_here() -> None:
    assert {one.name for one in fields(Filter)} == {
        "ticket",
        "request_id",
        "caller",
        "version",
        "rule",
        "outcome",
        "since",
        "until",
    }


def test_an_unreadable_record_does_not_fail_searches_or_calls(tmp_path: Path) -> None:
    store = Store.open(sqlite(tmp_path))
    store.append("main", [record(1, request_id="r"), record(2)])
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE entries SET body = '{' WHERE sequence = 1")

    assert [found.id for _, found in store.search(Filter())] == [record(2).id]
    (kept,) = store.append("main", [record(3, request_id="r")])
    assert (kept.fresh, kept.record.id) == (False, record(1).id)
    assert replace(kept.record, id="") != record(3)  # type: ignore[type-var]
    store.close()
