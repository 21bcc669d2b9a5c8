"""A log that hangs without an error: health, metrics and messages report it, and the server recovers by itself."""

from __future__ import annotations

import logging as logs
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import grpc
import psycopg
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy.exc import OperationalError

from guidepost.decision_log.commit_thread import Writer
from guidepost.decision_log.store import Store
from guidepost.decision_log.time_limits import TimeLimits
from guidepost.decision_log.writability import Writability
from guidepost.server.app import listening
from guidepost.server.observability.metrics import Metrics
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from tests.support.log_servers import (
    POSTGRESQL,
    FailingStore,
    PostgreSQL,
    ask,
    is_intact,
    records,
    rejection_of,
    settings,
    sqlite,
)
from tests.support.servers import NOW, counter_bundle, run_coroutine
from tests.support.waiting import wait_until

WAIT: Final = 1.0

Hang = Callable[[], Callable[[], object]]
"""Makes a log hang; returns a function that lets it continue."""


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    if not POSTGRESQL:
        pytest.skip("PostgreSQL is not installed here (Debian: apt install postgresql)")
    with tempfile.TemporaryDirectory(prefix="guidepost-hanging-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = PostgreSQL(Path(folder) / "pg")
        yield server
        server.stop()


@contextmanager
def served(url: str) -> Iterator[tuple[grpc.Channel, Metrics]]:
    metrics = Metrics()
    server = listening(
        counter_bundle(), "127.0.0.1:0", clock=lambda: NOW, grace=0.1, log=settings(url, timeout=WAIT), metrics=metrics
    )
    with grpc.insecure_channel(run_coroutine(server.__aenter__())) as channel:
        yield channel, metrics
    run_coroutine(server.__aexit__(None, None, None))


def health(channel: grpc.Channel) -> str:
    found = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=20)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(found.status))


def tells_the_truth(url: str, hang: Hang, cause: str, caplog: pytest.LogCaptureFixture) -> None:
    """Have the log of a server hang, and check health, metrics and messages."""
    caplog.set_level(logs.WARNING, "guidepost.decision_log")
    with served(url) as (channel, metrics):
        stub = DecisionServiceStub(channel)

        def writable() -> float | None:
            return metrics.registry.get_sample_value("guidepost_log_writable")

        ask(stub, vip=True, _ticket="before")
        assert (health(channel), writable()) == ("SERVING", 1)
        go_on = hang()
        try:
            assert rejection_of(lambda: ask(stub, vip=True, _ticket="meanwhile")) == (
                grpc.StatusCode.UNAVAILABLE,
                "LOG_UNAVAILABLE",
            )
            wait_until(lambda: health(channel) == "NOT_SERVING")
            assert writable() == 0
            wait_until(lambda: cause in caplog.text)
        finally:
            go_on()
        wait_until(lambda: health(channel) == "SERVING")
        assert writable() == 1
        assert "can be written again" in caplog.text
        ask(stub, vip=True, _ticket="after")

    assert {"before", "after"} <= {one.ticket for one in records(url)}
    assert is_intact(url)


# ---- PostgreSQL


def executing(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def test_a_locked_table(postgresql: PostgreSQL, caplog: pytest.LogCaptureFixture) -> None:
    url = postgresql.database("locked")

    def hang() -> Callable[[], object]:
        other = executing(url)
        other.execute("BEGIN")
        other.execute("LOCK TABLE entries IN ACCESS EXCLUSIVE MODE")
        return other.close

    tells_the_truth(url, hang, "canceling statement due to lock timeout", caplog)


def test_a_probe_fails_while_either_table_is_locked(postgresql: PostgreSQL) -> None:
    url = postgresql.database("probed")
    with closing(Store.open(url, TimeLimits(0.5))) as store:
        for table in ("entries", "writers"):
            with executing(url) as other:
                other.execute("BEGIN")
                other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
                with pytest.raises(OperationalError, match="lock timeout"):
                    store.probe("main")
        store.probe("main")
        assert [head.writer for head in store.ends()] == []


def test_an_unavailable_synchronous_standby(postgresql: PostgreSQL, caplog: pytest.LogCaptureFixture) -> None:
    url = postgresql.database("standby")
    admin, hanging = executing(url), threading.Event()

    def standby(name: str) -> None:
        admin.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        admin.execute("SELECT pg_reload_conf()")
        wait_until(lambda: (admin.execute("SHOW synchronous_standby_names").fetchone() or ("",))[0] == name)

    def commits() -> None:
        with executing(url) as other:
            while not hanging.is_set():
                other.execute("SELECT txid_current()")

    def waits() -> bool:
        return bool(admin.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'").fetchone())

    def hang() -> Callable[[], object]:
        standby("away")
        # PostgreSQL's processes apply the setting some time after it is shown.
        committing = threading.Thread(target=commits)
        committing.start()
        wait_until(waits)
        hanging.set()

        def go_on() -> None:
            standby("")
            committing.join()

        return go_on

    tells_the_truth(url, hang, "PostgreSQL waits for IPC SyncRep", caplog)
    admin.close()


def test_a_frozen_database_process(postgresql: PostgreSQL, caplog: pytest.LogCaptureFixture) -> None:
    url = postgresql.database("frozen")

    def hang() -> Callable[[], object]:
        with executing(url) as admin:
            writers = [
                pid
                for (pid,) in admin.execute(
                    "SELECT pid FROM pg_stat_activity WHERE datname = 'frozen' AND application_name LIKE 'guidepost writer%'"
                )
            ]
        assert writers
        for pid in writers:
            os.kill(pid, signal.SIGSTOP)
        return lambda: [os.kill(pid, signal.SIGCONT) for pid in writers]

    tells_the_truth(url, hang, "an attempt to write has not returned for 0.8 s", caplog)


# ---- SQLite

LOCKS: Final = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_file_locked_by_another_program(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    url = sqlite(tmp_path)

    def hang() -> Callable[[], object]:
        other = subprocess.Popen(
            [sys.executable, "-c", LOCKS, url.removeprefix("sqlite:///")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert other.stdout
        assert other.stdout.readline() == "locked\n"
        return lambda: other.communicate(timeout=60)

    tells_the_truth(url, hang, "database is locked", caplog)


def test_a_disk_that_does_not_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    url = sqlite(tmp_path)
    store = FailingStore(url)
    monkeypatch.setattr("guidepost.decision_log.recorder.Store.open", lambda *_: store)

    def hang() -> Callable[[], object]:
        store.open_.clear()
        return store.open_.set

    tells_the_truth(url, hang, "its disk or its server does not respond", caplog)


def test_a_head_that_hangs_and_then_fails_leaves_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, hangs, go_on = FailingStore(sqlite(tmp_path)), threading.Event(), threading.Event()

    def sign(*_: Any) -> None:
        if hangs.is_set() and not go_on.is_set():
            go_on.wait(60)
            raise OSError("no room for a head")

    monkeypatch.setattr(store, "sign", sign)
    writer = Writer(
        store, "main", signer=lambda *_: pytest.fail("nothing is signed"), sign_every=0.01, limits=TimeLimits(0.2)
    )
    hangs.set()
    wait_until(lambda: writer.writability.failure)
    go_on.set()
    wait_until(lambda: not writer.writability.failure)
    writer.close(5)


# ---- Reports


def test_a_log_that_keeps_failing_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    writability, told = Writability("log", limit=60), []
    writability.on_change = lambda: told.append(writability.failure)
    for why in ("away", "away", "still away"):
        writability.failed(why)
    writability.recovered()
    writability.recovered()
    writability.close()

    assert [record.getMessage() for record in caplog.records] == [
        "the decision log log cannot be written: away",
        "the decision log log can be written again",
    ]
    assert told == ["away", ""]


def test_the_cause_of_a_hang_is_reported_once_it_is_known(caplog: pytest.LogCaptureFixture) -> None:
    writability = Writability("log", limit=0.02)
    with writability.attempt():
        wait_until(lambda: "does not respond" in caplog.text)
    writability.failed("canceling statement due to lock timeout")
    writability.close()

    assert [record.getMessage().partition("written: ")[2] for record in caplog.records] == [
        "an attempt to write has not returned for 0.02 s: its disk or its server does not respond",
        "canceling statement due to lock timeout",
    ]


def test_an_attempt_that_returns_while_it_is_reported_leaves_no_failure() -> None:
    writability = Writability("log", limit=0.001)
    for _ in range(200):
        with writability.attempt():
            wait_until(lambda: True)
        writability.recovered()
        assert writability.failure == ""
    writability.close()


def test_each_limit_ends_before_the_one_that_would_hide_its_reason() -> None:
    for seconds in (0.5, 1.5, 5, 30):
        limits = TimeLimits(seconds)
        assert limits.lock < limits.statement < limits.attempt < limits.attempt * (1 + 1 / 8) < limits.seconds
