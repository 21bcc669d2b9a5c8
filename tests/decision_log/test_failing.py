"""A log that fails under a real server: errors, health, waiting records, and answers that leave under `bounded`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy.exc import OperationalError

from guidepost.decision_log.append import Appended
from guidepost.decision_log.commit_thread import LogUnavailable, Writer
from guidepost.decision_log.settings import Durability
from guidepost.decision_log.store import Store
from guidepost.decision_log.time_limits import DEFAULT_TIMEOUT
from guidepost.server.app import listening
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from tests.support.log_servers import (
    FailingStore,
    ask,
    is_intact,
    open_to_read,
    records,
    rejection_of,
    serving_with_log,
    settings,
    sqlite,
)
from tests.support.records import record
from tests.support.servers import NOW, counter_bundle, run_coroutine
from tests.support.waiting import true_within, wait_until

DECISIONS = "guidepost.v1.DecisionService"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite(tmp_path)


@pytest.fixture
def failing(url: str, monkeypatch: pytest.MonkeyPatch) -> FailingStore:
    """The store that the next server opens."""
    made = FailingStore(url)
    monkeypatch.setattr("guidepost.decision_log.recorder.Store.open", lambda *_: made)
    return made


def health(stub: DecisionServiceStub, address_of: grpc.Channel, service: str) -> str:
    found = health_pb2_grpc.HealthStub(address_of).Check(health_pb2.HealthCheckRequest(service=service), timeout=60)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(found.status))


def test_a_log_that_fails_is_reported_by_health_and_recovers(failing: FailingStore, url: str) -> None:
    server = listening(counter_bundle(), "127.0.0.1:0", clock=lambda: NOW, grace=0.1, log=settings(url, timeout=0.2))
    with grpc.insecure_channel(run_coroutine(server.__aenter__())) as channel:
        stub = DecisionServiceStub(channel)
        ask(stub, vip=True, _ticket="before")
        failing.broken = True

        assert rejection_of(lambda: ask(stub, vip=True, _ticket="meanwhile")) == (
            grpc.StatusCode.UNAVAILABLE,
            "LOG_UNAVAILABLE",
        )
        assert true_within(60, lambda: health(stub, channel, DECISIONS) == health(stub, channel, "") == "NOT_SERVING")
        assert health(stub, channel, "guidepost.v1.PolicyService") == "SERVING"

        failing.broken = False
        assert true_within(60, lambda: health(stub, channel, DECISIONS) == health(stub, channel, "") == "SERVING")
        ask(stub, vip=True, _ticket="after")
    run_coroutine(server.__aexit__(None, None, None))

    assert {one.ticket for one in records(url)} == {"before", "after"}
    assert is_intact(url)


def test_callers_do_not_notice_a_short_failure(failing: FailingStore, url: str) -> None:
    with serving_with_log(settings(url, timeout=DEFAULT_TIMEOUT)) as stub, ThreadPoolExecutor(4) as callers:
        failing.broken = True
        answers = callers.map(lambda number: ask(stub, vip=True, _ticket=f"{number}"), range(4))
        wait_until(lambda: failing.failures > 1)
        failing.broken = False
        list(answers)

    assert sorted(one.ticket for one in records(url)) == ["0", "1", "2", "3"]


def test_when_too_many_wait_the_next_is_rejected_and_none_is_dropped(url: str) -> None:
    store = FailingStore(url)
    store.open_.clear()

    async def play() -> tuple[list[Sequence[Appended]], str]:
        writer = Writer(store, "main", capacity=3)
        waiting = [writer.submit((record(number),)) for number in range(3)]
        with pytest.raises(LogUnavailable) as error:
            writer.submit((record(3),))
        store.open_.set()
        kept = await asyncio.gather(*waiting)
        await asyncio.to_thread(writer.close, 5)
        with pytest.raises(LogUnavailable, match="stopping"):
            writer.submit((record(4),))
        return kept, str(error.value)

    kept, message = run_coroutine(play())

    assert ([one.record for (one,) in kept], message) == (
        [record(0), record(1), record(2)],
        "3 decisions wait to be recorded",
    )
    assert len(records(url)) == 3


def test_records_that_arrive_during_a_commit_go_into_the_next_one(url: str) -> None:
    store = FailingStore(url)
    store.open_.clear()

    async def play() -> None:
        writer = Writer(store, "main")
        waiting = [writer.submit((record(0),))]
        await asyncio.to_thread(store.entered.wait, 60)
        waiting.extend(writer.submit((record(number),)) for number in range(1, 32))
        store.open_.set()
        await asyncio.gather(*waiting)
        await asyncio.to_thread(writer.close, 5)

    run_coroutine(play())

    assert store.commits == 2
    assert len(records(url)) == 32


def test_an_unnoticed_commit_is_not_repeated(failing: FailingStore, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = []
    append = failing.append

    def loses_the_first_word(writer: str, records: Any, *, retry: bool = False) -> list[Appended]:
        kept = append(writer, records, retry=retry)
        if not lost:
            lost.append(records)
            raise OperationalError("COMMIT", {}, OSError("the connection was closed"))
        return kept

    monkeypatch.setattr(failing, "append", loses_the_first_word)
    with serving_with_log(settings(url, timeout=DEFAULT_TIMEOUT)) as stub:
        ask(stub, vip=True)

    assert (len(lost), len(records(url))) == (1, 1)
    assert is_intact(url)


def test_bounded_limits_how_many_answers_leave_before_their_records(failing: FailingStore, url: str) -> None:
    with serving_with_log(settings(url, Durability.BOUNDED, records=3, milliseconds=60_000, timeout=0.2)) as stub:
        failing.open_.clear()
        for number in range(3):
            ask(stub, vip=True, _ticket=f"{number}")
        assert records(url) == []
        assert rejection_of(lambda: ask(stub, vip=True, _ticket="3"))[0] is grpc.StatusCode.UNAVAILABLE
        failing.open_.set()
        assert true_within(60, lambda: len(records(url)) >= 3)
        ask(stub, vip=True, _ticket="4")

    assert {"0", "1", "2", "4"} <= {one.ticket for one in records(url)}


def test_a_call_with_a_request_id_waits_for_its_record_under_bounded_too(failing: FailingStore, url: str) -> None:
    with serving_with_log(settings(url, Durability.BOUNDED, timeout=0.2)) as stub:
        failing.open_.clear()
        assert rejection_of(lambda: ask(stub, vip=True, _request_id="r"))[0] is grpc.StatusCode.UNAVAILABLE
        failing.open_.set()


def test_bounded_limits_how_long_an_answer_is_ahead_of_its_record(failing: FailingStore, url: str) -> None:
    with serving_with_log(settings(url, Durability.BOUNDED, records=100, milliseconds=150, timeout=0.2)) as stub:
        failing.open_.clear()
        ask(stub, vip=True)
        with pytest.raises(grpc.RpcError) as raised:
            wait_until(lambda: not ask(stub, vip=True))
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
        failing.open_.set()


def test_bounded_writes_waiting_records_when_the_server_stops(url: str) -> None:
    with serving_with_log(settings(url, Durability.BOUNDED, timeout=DEFAULT_TIMEOUT)) as stub:
        for number in range(50):
            ask(stub, vip=True, _ticket=f"{number}")

    assert len(records(url)) == 50


def test_a_server_recovers_when_a_full_database_has_room_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(url)
    monkeypatch.setattr("guidepost.decision_log.recorder.Store.open", lambda *_: store)
    with serving_with_log(settings(url, timeout=0.3)) as stub:
        ask(stub, vip=True, _ticket="before")
        with store._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
        assert true_within(60, lambda: _full(stub))
        with store._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        assert true_within(60, lambda: not _full(stub))

    assert is_intact(url)
    assert {"before", "filler"} == {one.ticket for one in records(url)}


def _full(stub: DecisionServiceStub) -> bool:
    """Return whether a call is rejected since there is no room for it."""
    try:
        ask(stub, vip=True, _ticket="filler")
    except grpc.RpcError as error:
        return error.code() is grpc.StatusCode.UNAVAILABLE and "full" in str(error.details())
    return False


def test_an_internal_error_of_the_writer_is_reported_and_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, faults = Store.append, [TypeError("no such thing")] * 3

    def faulty(*given: Any, **more: Any) -> Any:
        if faults:
            raise faults.pop()
        return append(*given, **more)

    monkeypatch.setattr(Store, "append", faulty)
    with serving_with_log(settings(sqlite(tmp_path), timeout=10)) as stub:
        assert ask(stub, size=3).id

    assert faults == []
    store = open_to_read(sqlite(tmp_path))
    assert 1 == len(list(store.entries()))
    store.close()
