"""The queries of the decision log use indexes, so that none takes longer in a long log.

The plans are those of the statements that are really sent: SQLite explains each again, PostgreSQL reports how it was
executed.
"""

from __future__ import annotations

import itertools
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import event

from engine.decide.answer_times_json import iso
from engine.records.filter import Filter
from guidepost.decision_log.purge import plan_purge, purge
from guidepost.decision_log.signed_heads import sign_head
from guidepost.decision_log.store import Store
from guidepost.decision_log.verify import verify_store
from guidepost.policies.sources.signatures import Trust
from tests.support.log_servers import POSTGRESQL, PostgreSQL, sqlite
from tests.support.records import START, record

LENGTH: Final = 2_000
"""The number of records in the logs."""

COPIES: Final = 15
"""The number of copies of all records in PostgreSQL, which would read a short table completely."""

IN_VAIN: Final = 500
"""The most records that a database may read in vain for one statement."""


@dataclass
class Log:
    """A log of three callers, two of which send request ids, and the plans of its statements."""

    store: Store
    plans: list[str] = field(default_factory=list)

    def of(self, question: Callable[[Store], object]) -> str:
        """Return the plans of all statements that a function executes."""
        self.plans.clear()
        question(self.store)
        return "\n".join(self.plans)


def made(number: int, **changes: Any) -> Any:
    """Return a record of one of a few callers; every hundredth is of "branch". All but "desk 0" send a request id."""
    caller = f"desk {number % 3}" if number % 100 else "branch"
    return record(number, **{"caller": caller, "request_id": f"r-{number}" if caller != "desk 0" else "", **changes})


def fill(store: Store) -> None:
    for start in range(1, LENGTH + 1, 500):
        store.append("main", [made(number) for number in range(start, start + 500)])


COPY: Final = f"""
    INSERT INTO entries
    SELECT lpad(to_hex(('x' || substr(id, 1, 8))::bit(32)::int + copy), 8, '0') || substr(id, 9), 'copy ' || copy, sequence, previous, hash, received, caller,
           request_id || '-' || copy, ticket || '-' || copy, version, digest, body
    FROM entries, generate_series(1, {COPIES}) AS copy
    WHERE writer = 'main'
"""


def copy(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql(COPY)
        connection.exec_driver_sql(
            f"INSERT INTO writers SELECT DISTINCT writer, {LENGTH}, hash FROM entries WHERE sequence = {LENGTH} AND writer <> 'main'"
        )


@contextmanager
def explained_by_sqlite(url: str) -> Iterator[Log]:
    log, explaining = Log(Store.open(url)), [False]

    def trace(connection: Any, statement: str) -> None:
        if not explaining[0] and statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
            explaining[0] = True
            steps = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
            log.plans.append(f"{statement[:2000]}\n" + "\n".join(f"  {step[3]}" for step in steps))
            explaining[0] = False

    def explained(connection: Any, *_: Any) -> None:
        connection.set_trace_callback(lambda statement: trace(connection, statement))

    log.store.engine.dispose()
    event.listen(log.store.engine, "connect", explained)
    yield log
    log.store.close()


@contextmanager
def explained_by_postgresql(server: PostgreSQL, name: str) -> Iterator[Log]:
    log = Log(Store.open(server.database(name)))
    with log.store.engine.begin() as connection:
        # Only tests make statistics.
        connection.exec_driver_sql("ALTER TABLE entries SET (autovacuum_enabled = false)")
        for setting in (
            "session_preload_libraries = auto_explain",
            "auto_explain.log_min_duration = 0",
            "auto_explain.log_analyze = on",
            "auto_explain.log_level = notice",
        ):
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET {setting}')
    log.store.engine.dispose()
    event.listen(
        log.store.engine,
        "connect",
        lambda connection, _: connection.add_notice_handler(lambda said: log.plans.append(said.message_primary or "")),
    )
    yield log
    log.store.close()


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    if not POSTGRESQL:
        pytest.skip("PostgreSQL is not installed here (Debian: apt install postgresql)")
    with tempfile.TemporaryDirectory(prefix="guidepost-plans-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = PostgreSQL(Path(folder) / "pg")
        yield server
        server.stop()


@pytest.fixture(
    scope="module", params=["SQLite", "SQLite, with statistics", "PostgreSQL", "PostgreSQL, with statistics"]
)
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    database, _, statistics = request.param.partition(", ")
    if database == "SQLite":
        opened = explained_by_sqlite(sqlite(tmp_path_factory.mktemp("plans")))
    else:
        opened = explained_by_postgresql(request.getfixturevalue("postgresql"), f"plans {bool(statistics)}")
    with opened as made_log:
        fill(made_log.store)
        if database == "PostgreSQL":
            copy(made_log.store)
        if statistics:
            with made_log.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")
        yield made_log


def scans(plan: str) -> list[str]:
    """Return the steps of a plan that read all entries or a whole index."""
    return re.findall(r"SCAN entries.*|Seq Scan on entries.*", plan)


def looked_at_in_vain(plan: str) -> int:
    """Return the most rows that PostgreSQL read in vain in one step; SQLite does not count them."""
    return max(map(int, re.findall(r"Rows Removed by (?:Filter|Index Recheck): (\d+)", plan)), default=0)


KEY: Final = Ed25519PrivateKey.generate()
NUMBERS: Final = itertools.count(LENGTH + 1)


def new(**changes: Any) -> Any:
    return made(next(NUMBERS), **changes)


def sign(store: Store) -> None:
    store.sign("main", lambda head, covered: sign_head(head, iso(START), KEY, covered))


def sign_again(store: Store) -> None:
    """Sign as a server does that has restarted since its last signature."""
    sign(store)
    store.append("main", [new() for _ in range(20)])
    sign(Store(store.engine))


def append_after_a_restart(store: Store) -> None:
    Store(store.engine).append("main", [new()])


WRITES: Final[dict[str, Callable[[Store], object]]] = {
    "a record without a request id": lambda store: store.append("main", [new(request_id="")]),
    "a record with a request id": lambda store: store.append("main", [new(request_id="new")]),
    "a request that is repeated": lambda store: store.append("main", [new(caller="desk 1", request_id="r-1")]),
    "as many records as a commit has, each with a request id": lambda store: store.append(
        "main", [new(request_id=f"many-{at}") for at in range(500)]
    ),
    "records that may be in the log already": lambda store: store.append(
        "main", [new() for _ in range(500)], retry=True
    ),
    "the first record after a restart": append_after_a_restart,
    "whether the log can be written": lambda store: store.probe("main"),
    "a head to sign": sign_again,
    "one step of a purge": lambda store: purge(store, START + timedelta(seconds=25), START, "the auditor", step=20),
}
"""Queries while calls wait for their records."""

SEARCHES: Final[dict[str, Callable[[Store], object]]] = {
    "a record by its id": lambda store: store.get(made(1_000).id),
    "the records of a ticket": lambda store: list(store.search(Filter(ticket="T-1000"))),
    "the records of a request id": lambda store: list(store.search(Filter(request_id="r-1001"))),
    "the records of a caller and a request id": lambda store: list(
        store.search(Filter(caller="desk 2", request_id="r-1001"))
    ),
    "a page of a caller's records": lambda store: next(store.search(Filter(caller="branch"))),
    "a later page of a caller's records": lambda store: next(
        store.search(Filter(caller="branch"), after=made(1_000).id)
    ),
    "the records of an unknown caller": lambda store: list(store.search(Filter(caller="nobody"))),
    "a page of all records": lambda store: next(store.search(Filter())),
    "the records of some seconds": lambda store: list(
        store.search(Filter(since=START + timedelta(seconds=1_000), until=START + timedelta(seconds=1_010)))
    ),
    "the records of a rule in some seconds": lambda store: list(
        store.search(Filter(rule="r", since=START + timedelta(seconds=1_000), until=START + timedelta(seconds=1_010)))
    ),
    "the heads over a record": lambda store: store.heads_over(store.get(made(1_000).id)),  # type: ignore[arg-type]  # it is there
    "how far the chains have come": lambda store: store.ends(),
}
"""Queries of `audit get`, `audit query` and `audit certificate`."""

READS_ALL: Final[dict[str, Callable[[Store], object]]] = {
    "a verification": lambda store: verify_store(store, Trust()),
    "the records of a rule at any time": lambda store: list(store.search(Filter(rule="none.such"))),
    "the records of an outcome at any time": lambda store: list(store.search(Filter(outcome="queue=never"))),
    "a page of the records of a version": lambda store: next(store.search(Filter(version="7.0.0"))),
    "what a purge would remove": lambda store: plan_purge(store, START + timedelta(seconds=LENGTH * 2)),
}
"""Queries that must read the whole log; no writer waits for them."""


@pytest.mark.parametrize("what", WRITES)
def test_queries_during_a_commit_use_an_index(log: Log, what: str) -> None:
    plan = log.of(WRITES[what])

    assert "entries" in plan or "writers" in plan
    assert scans(plan) == []
    assert looked_at_in_vain(plan) <= IN_VAIN


@pytest.mark.parametrize("what", SEARCHES)
def test_searches_use_an_index(log: Log, what: str) -> None:
    plan = log.of(SEARCHES[what])

    assert plan
    assert scans(plan) == []
    assert looked_at_in_vain(plan) <= IN_VAIN


@pytest.mark.parametrize(
    "what",
    [
        "the records of a caller and a request id",
        "the records of a request id",
        "the records of an unknown caller",
        "a later page of a caller's records",
    ],
)
def test_a_search_by_caller_or_request_id_does_not_read_other_records(log: Log, what: str) -> None:
    plan = log.of(SEARCHES[what])

    assert re.search(r"(ix_entries_caller_id|ix_entries_request_id|one_record_a_request|entries_3) ?\(?", plan)
    assert "(id>?)" not in plan


@pytest.mark.parametrize("what", READS_ALL)
def test_reading_the_whole_log_does_not_block_writers(log: Log, what: str) -> None:
    with log.store.write_connection() as connection, connection.begin():
        connection.exec_driver_sql("UPDATE writers SET hash = hash")
        READS_ALL[what](log.store)


def test_postgresql_uses_the_index_on_a_log_that_was_empty_at_first(
    postgresql: PostgreSQL,
) -> None:
    with explained_by_postgresql(postgresql, "grown") as log:
        for _ in range(12):
            log.store.append("first", [new(request_id=f"{next(NUMBERS)}") for _ in range(10)])
        fill(log.store)
        copy(log.store)
        plan = log.of(lambda store: store.append("first", [new(request_id=f"{next(NUMBERS)}") for _ in range(10)]))

    assert scans(plan) == []
