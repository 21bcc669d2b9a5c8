"""A stopping server accepts no more calls and completes those under way.

Clients with a second server are not affected.
"""

from __future__ import annotations

import itertools
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest

import guidepost
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from tests.support.log_servers import ask, open_to_read, sqlite
from tests.support.server_process import records_by_ticket, serving_process
from tests.support.servers import COUNTER, counter_bundle, serving
from tests.support.waiting import wait_until


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    folder.mkdir()
    for name, content in COUNTER.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


class Steady(threading.Thread):
    """A caller with a client that knows two servers."""

    def __init__(self, target: str) -> None:
        super().__init__(daemon=True)
        self.target, self.end = target, threading.Event()
        self.answers = 0
        self.failures: list[object] = []
        self.start()

    def run(self) -> None:
        with guidepost.Client(self.target, channels=2) as client:
            while not self.end.is_set():
                try:
                    client.decide("queue", size=3, vip=True, timeout=60)
                    self.answers += 1
                except grpc.RpcError as error:
                    self.failures.append(error)
                time.sleep(0.005)


class Plain(threading.Thread):
    """A caller on one connection without retries, and the result of each ticket."""

    def __init__(self, stub: DecisionServiceStub, numbers: Iterator[int]) -> None:
        super().__init__(daemon=True)
        self.stub, self.numbers, self.end = stub, numbers, threading.Event()
        self.answered: set[str] = set()
        self.failed: dict[str, str] = {}
        self.start()

    def run(self) -> None:
        while not self.end.is_set():
            name = f"{next(self.numbers)}"
            try:
                # Longer than any drain, so that no call exceeds its own deadline.
                ask(self.stub, size=3, _ticket=name, timeout=30)
                self.answered.add(name)
            except grpc.RpcError as error:
                self.failed[name] = f"{error.code().name}: {error.details()}"
                time.sleep(0.01)


@pytest.mark.faults
def test_sigterm_under_load_loses_no_accepted_call_and_clients_move_to_another_server(
    desk: Path, tmp_path: Path
) -> None:
    """Every call that a server accepted is in the decision log, and every record was answered."""
    url = sqlite(tmp_path)
    with (
        serving(counter_bundle()) as second,
        serving_process(desk, url, tmp_path / "cache", "--grace", "20") as (server, address),
        ExitStack() as stack,
    ):
        channels = [
            stack.enter_context(grpc.insecure_channel(address, options=(("grpc.use_local_subchannel_pool", 1),)))
            for _ in range(2)
        ]
        steady = [Steady(f"ipv4:{address},{second}") for _ in range(2)]
        plain = [
            Plain(DecisionServiceStub(channel), itertools.count(1 + number * 100_000))
            for number, channel in enumerate(channels * 3)
        ]
        wait_until(lambda: min(len(one.answered) for one in plain) > 5 and min(one.answers for one in steady) > 5)
        server.send_signal(signal.SIGTERM)
        code = server.wait(40)
        before = [one.answers for one in steady]
        wait_until(lambda: all(one.answers > earlier for one, earlier in zip(steady, before, strict=True)))
        for one in (*plain, *steady):
            one.end.set()
        for one in (*plain, *steady):
            one.join(40)
        after = [one.answers for one in steady]
    store = open_to_read(url)
    recorded = set(records_by_ticket(store))
    store.close()
    answered, failed = (
        set().union(*(one.answered for one in plain)),
        {name: why for one in plain for name, why in one.failed.items()},
    )

    assert code == 0
    assert len(answered) > 20
    assert answered <= recorded
    assert {name: failed.get(name) for name in recorded - answered} == {}
    assert [failure for one in steady for failure in one.failures] == []
    assert all(later > earlier for earlier, later in zip(before, after, strict=True))
