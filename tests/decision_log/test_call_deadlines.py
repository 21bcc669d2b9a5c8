"""Callers get the reason why a decision was not recorded, not a bare DEADLINE_EXCEEDED."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
import uvloop
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

import guidepost
from guidepost.client.aio import AsyncClient
from guidepost.client.channels import TIMEOUT
from guidepost.client.sync import Client
from guidepost.decision_log import time_limits
from guidepost.decision_log.commit_thread import LogUnavailable
from guidepost.decision_log.recorder import Recorder
from guidepost.decision_log.settings import Durability, LogSettings
from guidepost.decision_log.store import Store
from guidepost.decision_log.time_limits import DEFAULT_TIMEOUT, TimeLimits
from guidepost.server.app import listening
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from tests.support.log_servers import FailingStore, ask, settings, sqlite
from tests.support.records import record
from tests.support.servers import NOW, counter_bundle, run_coroutine


@contextmanager
def served(url: str, **more: Any) -> Iterator[str]:
    server = listening(
        counter_bundle(),
        "127.0.0.1:0",
        clock=lambda: NOW,
        grace=0.1,
        log=settings(url, **{"timeout": DEFAULT_TIMEOUT} | more),
    )
    yield run_coroutine(server.__aenter__())
    run_coroutine(server.__aexit__(None, None, None))


@contextmanager
def locked(url: str) -> Iterator[None]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


def why(error: grpc.RpcError) -> tuple[grpc.StatusCode, str]:
    """Return the code and the reason of a call, or of one ticket among several."""
    if isinstance(error, guidepost.ItemFailed):
        return error.code(), error.error.reason
    status, info = Status(), ErrorInfo()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status.ParseFromString(value)
            status.details[0].Unpack(info)
    return error.code(), info.reason


def refusal(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    """Return the error of a call, or of the first ticket in its answer."""
    try:
        answer = call()
    except grpc.RpcError as error:
        return why(error)
    [first, *_] = answer
    return why(first)


def many_in_turn(client: Client) -> list[pb.TriageStreamResponse]:
    stub = client.decisions
    request = pb.TriageStreamRequest(item=guidepost.item({"vip": True}))
    found = list(stub.TriageStream(iter([request] * 3), timeout=TIMEOUT))
    return [guidepost.ItemFailed(one.result.error) for one in found]


CALLS: Final[dict[str, Callable[[str], Any]]] = {
    "triage": lambda address: with_client(address, lambda client: client.triage(vip=True)),
    "triage with a request id": lambda address: with_client(
        address, lambda client: client.triage(vip=True, request_id="r")
    ),
    "triage, several as one call": lambda address: with_client(
        address, lambda client: client.triage(vip=True), coalesce=0.001
    ),
    "triage of many": lambda address: with_client(address, lambda client: client.triage_many([{"vip": True}] * 3)),
    "a stream": lambda address: with_client(address, many_in_turn),
    "decide": lambda address: with_client(address, lambda client: client.decide("queue", vip=True)),
    "reschedule": lambda address: with_client(address, lambda client: client.reschedule({"size": 3}, size=4)),
    "async triage": lambda address: with_async_client(address, lambda client: client.triage(vip=True)),
    "async triage, several as one call": lambda address: with_async_client(
        address, lambda client: client.triage(vip=True), coalesce=0.001
    ),
    "async triage of many": lambda address: with_async_client(
        address, lambda client: client.triage_many([{"vip": True}] * 3)
    ),
    "async decide": lambda address: with_async_client(address, lambda client: client.decide("queue", vip=True)),
    "async reschedule": lambda address: with_async_client(
        address, lambda client: client.reschedule({"size": 3}, size=4)
    ),
}


def with_client(address: str, call: Callable[[Client], Any], **more: Any) -> Any:
    with Client(address, **more) as client:
        return call(client)


def with_async_client(address: str, call: Callable[[AsyncClient], Coroutine[Any, Any, Any]], **more: Any) -> Any:
    async def play() -> Any:
        async with AsyncClient(address, **more) as client:
            return await call(client)

    return asyncio.run(play())


@pytest.mark.parametrize("durability", [Durability.SYNC, Durability.BOUNDED])
def test_every_client_gets_the_reason_why_a_decision_was_not_recorded(tmp_path: Path, durability: Durability) -> None:
    url = sqlite(tmp_path)
    # Under `bounded`, no answer may leave ahead of its record here.
    more = {} if durability is Durability.SYNC else {"durability": durability, "records": 1, "milliseconds": 1}
    with served(url, **more) as address, locked(url), ThreadPoolExecutor(len(CALLS)) as callers:
        if durability is Durability.BOUNDED:
            with_client(address, lambda client: client.triage(vip=True))
        found = dict(zip(CALLS, callers.map(lambda call: refusal(lambda: call(address)), CALLS.values()), strict=True))

    assert found == dict.fromkeys(CALLS, (grpc.StatusCode.UNAVAILABLE, "LOG_UNAVAILABLE"))


def test_callers_get_the_reason_after_a_long_failure_as_well(tmp_path: Path) -> None:
    url = sqlite(tmp_path)
    with served(url) as address, locked(url), Client(address) as client:
        found = [refusal(lambda: client.triage(vip=True)) for _ in range(3)]

    assert found == [(grpc.StatusCode.UNAVAILABLE, "LOG_UNAVAILABLE")] * 3


def test_a_full_disk_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(sqlite(tmp_path))
    monkeypatch.setattr("guidepost.decision_log.recorder.Store.open", lambda *_: store)
    with served(sqlite(tmp_path)) as address, Client(address) as client:
        with store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
        # Records that fit into existing pages are written.
        refusals = list(islice(_refusals(client), 1))

    assert [why(error) for error in refusals] == [(grpc.StatusCode.UNAVAILABLE, "LOG_UNAVAILABLE")]
    assert "full" in (refusals[0].details() or "")


def _refusals(client: Client) -> Iterator[grpc.RpcError]:
    """Call again and again; yield the errors."""
    while True:
        try:
            client.triage(vip=True)
        except grpc.RpcError as error:
            yield error


def test_a_call_is_rejected_before_its_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = sqlite(tmp_path)
    # Enough for a slow machine.
    monkeypatch.setattr(time_limits, "MARGIN", 10.0)
    calls: list[Callable[[Client], Any]] = [
        lambda client: client.triage(vip=True, timeout=12),
        lambda client: client.triage_many([{"vip": True}], timeout=12),
        lambda client: client.decide("queue", vip=True, timeout=12),
    ]
    with served(url, timeout=60.0) as address, locked(url), ThreadPoolExecutor(len(calls)) as callers:
        found = list(callers.map(lambda call: refusal(lambda: with_client(address, call)), calls))

    assert found == [(grpc.StatusCode.UNAVAILABLE, "LOG_UNAVAILABLE")] * len(calls)


def test_each_waiting_call_is_rejected_at_its_own_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FailingStore(sqlite(tmp_path))
    monkeypatch.setattr("guidepost.decision_log.recorder.Store.open", lambda *_: store)

    async def play() -> tuple[list[float], int]:
        recorder = Recorder(settings(sqlite(tmp_path), timeout=600.0), lambda: NOW)
        store.open_.clear()
        ended: list[float] = []

        async def keep(number: int, left: float | None) -> None:
            try:
                await recorder.append(record(number), left)
            except LogUnavailable:
                ended.append(left or 0)

        waiting = [asyncio.create_task(keep(number, left)) for number, left in enumerate((None, 3.0, 1.0, 2.0))]
        done, _ = await asyncio.wait(waiting[1:], timeout=60)
        store.open_.set()
        await waiting[0]
        await recorder.close()
        return ended, len(done)

    assert run_coroutine(play()) == ([1.0, 2.0, 3.0], 3)


def test_a_client_does_not_retry_when_its_deadline_would_hide_the_reason() -> None:
    """The Python client retries UNAVAILABLE; a retry shortly before the deadline would end with DEADLINE_EXCEEDED."""
    assert time_limits.pushback(None) == time_limits.pushback(TIMEOUT) == 1_000
    for left in (0.0, 0.3, 1.0, 1.39):
        assert time_limits.pushback(left) == -1


def test_the_default_timeout_is_below_that_of_the_client() -> None:
    assert TimeLimits().seconds + time_limits.MARGIN < TIMEOUT
    assert LogSettings(url="sqlite:///x.db").timeout == TimeLimits().seconds


def test_a_call_without_a_deadline_waits_for_the_timeout_of_the_log(tmp_path: Path) -> None:
    url = sqlite(tmp_path)
    with (
        served(url, timeout=0.3) as address,
        locked(url),
        grpc.insecure_channel(address) as channel,
        pytest.raises(grpc.RpcError) as raised,
    ):
        ask(DecisionServiceStub(channel), vip=True, timeout=None)  # type: ignore[arg-type]

    assert why(raised.value) == (grpc.StatusCode.UNAVAILABLE, "LOG_UNAVAILABLE")
    assert "in 0.3 s" in (raised.value.details() or "")


@pytest.mark.parametrize("run_", [asyncio.run, uvloop.run])
def test_calls_whose_deadline_is_now_are_rejected_under_every_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_: Callable[..., Any]
) -> None:
    """Also under uvloop, on which servers run: its timers differ from those of asyncio if they are due at once."""
    store = FailingStore(sqlite(tmp_path))
    monkeypatch.setattr("guidepost.decision_log.recorder.Store.open", lambda *_: store)

    async def play() -> list[Any]:
        recorder = Recorder(settings(sqlite(tmp_path)), lambda: NOW)
        store.open_.clear()
        calls = (
            recorder.append(record(number), left) for number, left in enumerate((0.001, 0.0004, 0.0004, 0.0, 0.05))
        )
        ended = await asyncio.gather(*calls, return_exceptions=True)
        store.open_.set()
        await recorder.close()
        return ended

    assert [LogUnavailable] * 5 == [type(one) for one in run_(play())]
