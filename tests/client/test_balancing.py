"""A client of several servers: calls are balanced, and a server that stops fails no call."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

import guidepost
from engine.version.build import build
from engine.version.bundle import Bundle
from tests.support.servers import COUNTER, run_coroutine, serving
from tests.support.waiting import wait_until

NAMES = ("7.0.0", "7.1.0")


class Two:
    """Two servers with different versions, so that their answers differ; each can be stopped."""

    def __init__(self) -> None:
        self.lives: dict[str, ExitStack] = {}
        ports = []
        for name in NAMES:
            life = self.lives[name] = ExitStack()
            desk = COUNTER | {"manifest.yaml": COUNTER["manifest.yaml"].replace("7.0.0", name)}
            ports.append(life.enter_context(serving(Bundle((build(desk),)))))
        self.address = f"ipv4:{','.join(ports)}"


@pytest.fixture
def two() -> Iterator[Two]:
    servers = Two()
    yield servers
    for life in servers.lives.values():
        life.close()


def test_calls_are_balanced_across_servers(two: Two) -> None:
    with guidepost.Client(two.address, channels=1) as client:
        assert client.decide("queue", size=3, timeout=20).version.version in NAMES
        wait_until(lambda: set(NAMES) == {client.decide("queue", size=3, timeout=20).version.version for _ in range(4)})
        answered = Counter(client.decide("queue", size=3, timeout=20).version.version for _ in range(20))

    assert {"7.0.0": 10, "7.1.0": 10} == answered


@pytest.mark.parametrize("leaving", NAMES)
def test_a_server_that_stops_under_load_fails_no_call(two: Two, leaving: str) -> None:
    [staying] = set(NAMES) - {leaving}
    end, answers, failed = threading.Event(), Counter[str](), list[Exception]()

    def call() -> None:
        while not end.is_set():
            try:
                answers[client.decide("queue", size=3, timeout=20).version.version] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
                failed.append(error)

    with guidepost.Client(two.address) as client:
        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: min(answers[name] for name in NAMES) > 20)
        two.lives[leaving].close()
        before = answers.copy()
        wait_until(lambda: answers[staying] > before[staying] + 100)
        end.set()
        for thread in threads:
            thread.join()

    assert failed == []
    # Calls that were under way may be counted late.
    assert answers[leaving] <= before[leaving] + len(threads)


def test_calls_are_balanced_under_asyncio(two: Two) -> None:
    answers, end = Counter[str](), threading.Event()

    async def call(client: guidepost.AsyncClient) -> None:
        while not end.is_set():
            answers[(await client.decide("queue", size=3, timeout=20)).version.version] += 1

    async def calls() -> None:
        async with guidepost.AsyncClient(two.address) as client:
            await asyncio.gather(*(call(client) for _ in range(4)))

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(run_coroutine, calls())
        try:
            wait_until(lambda: asked.done() or min(answers[name] for name in NAMES) > 20)
            two.lives["7.0.0"].close()
            before = answers.copy()
            wait_until(lambda: asked.done() or answers["7.1.0"] > before["7.1.0"] + 100)
        finally:
            end.set()
        asked.result()

    # Calls that were under way may be counted late.
    assert answers["7.0.0"] <= before["7.0.0"] + 4
