"""A server that is told to stop takes no more calls and answers those it took; a client that knows a second server notices nothing."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from pathlib import Path

import grpc
import pytest

import guidepost
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from tests.logging_servers import reading, sqlite
from tests.serving import COUNTER, counter, running
from tests.test_decision_log_faults import Load, held, process


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
                    client.decide("queue", size=3, vip=True, timeout=10)
                    self.answers += 1
                except grpc.RpcError as error:
                    self.failures.append(error)


def test_sigterm_under_load_loses_no_call_that_was_taken_and_a_client_with_a_second_server_notices_nothing(desk: Path, tmp_path: Path) -> None:
    """What a server took is in the decision log: each record there was answered."""
    url = sqlite(tmp_path)
    with running(counter()) as second, process(desk, url, tmp_path / "cache") as (server, address):
        with grpc.insecure_channel(address) as one, grpc.insecure_channel(address) as other:
            steady = [Steady(f"ipv4:{address},{second}") for _ in range(3)]
            loads = [Load(DecisionServiceStub(channel), itertools.count(start), 4) for start, channel in ((1, one), (1_000_001, other))]
            time.sleep(1.0)
            server.send_signal(signal.SIGTERM)
            code = server.wait(30)
            before = [one.answers for one in steady]
            time.sleep(0.5)
            acknowledged = {name: told for load in loads for name, told in load.end().items()}
        for one_steady in steady:
            one_steady.end.set()
            one_steady.join(15)
        after = [one.answers for one in steady]
    store = reading(url)
    there = held(store, acknowledged)
    store.close()

    assert code == 0
    assert len(acknowledged) > 50
    assert set(there) - set(acknowledged) == set()
    assert [failure for one in steady for failure in one.failures] == []
    assert all(later > earlier for earlier, later in zip(before, after, strict=True))
