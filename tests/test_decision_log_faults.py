"""Faults under load: servers that are killed, and PostgreSQL that goes away. No acknowledged decision is lost, and none is there twice."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from engine.decisionlog.select import Filter
from engine.decisionlog.verify import verify
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from service.log.settings import Durability
from service.log.store import Store
from tests.logging_servers import POSTGRESQL, PostgreSQL, ask, logging, reading, settings, sqlite
from tests.recording import record
from tests.serving import COUNTER, ROOT

LONG = os.environ.get("GUIDEPOST_CAMPAIGN") == "long"
KILLS = 25 if LONG else 2

needs_postgresql = pytest.mark.skipif(not POSTGRESQL, reason="no PostgreSQL server under /usr/lib/postgresql: the log is tested on SQLite only (Debian: apt-get install postgresql)")


class Load:
    """Callers in threads, each with one ticket and one request id after the other; a call that fails is repeated under the same id."""

    def __init__(self, stub: DecisionServiceStub, numbers: Iterator[int], callers: int = 6) -> None:
        self.acknowledged: set[str] = set()
        self._stub, self._numbers, self._stop = stub, numbers, threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(callers)]
        for thread in self._threads:
            thread.start()

    def _call(self) -> None:
        while not self._stop.is_set():
            name = f"{next(self._numbers)}"
            # Every other call has no request id, and is not repeated.
            more = {"_request_id": name} if int(name) % 2 else {}
            while not self._stop.is_set():
                try:
                    ask(self._stub, vip=True, _ticket=name, timeout=5, **more)
                    self.acknowledged.add(name)
                except grpc.RpcError:
                    time.sleep(0.01)
                    if more:
                        continue
                break

    def end(self) -> set[str]:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return self.acknowledged


def tickets(store: Store) -> list[str]:
    return [one.ticket for _, one in store.found(Filter())]


def held(store: Store, acknowledged: set[str]) -> None:
    """Hold a log against what callers were told."""
    there = tickets(store)
    with_request_id = [one for one in there if int(one) % 2]

    assert acknowledged - set(there) == set()
    assert len(with_request_id) == len(set(with_request_id))
    assert verify(store.entries(), ends=store.ends()).breaks == ()


@contextmanager
def process(folder: Path, url: str, cache: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start server.py; give its process and its address."""
    command = [sys.executable, "server.py", "--policies", str(folder), "--address", "127.0.0.1:0", "--decision-log", url, *arguments]
    started = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "GUIDEPOST_CACHE": str(cache)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    timer = threading.Timer(120, started.kill)
    timer.start()
    try:
        assert started.stdout is not None
        said = started.stdout.readline()
        assert said.startswith("listening on "), said or started.communicate()[1]
        yield started, said.split()[2].rstrip(";")
    finally:
        timer.cancel()
        started.kill()
        started.communicate()


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    folder.mkdir()
    for name, content in COUNTER.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def killed(desk: Path, url: str, tmp_path: Path, kills: int, seed: int, *arguments: str, after: Callable[[set[str]], None]) -> None:
    """Kill a server that is under load, so many times, each at some random moment."""
    chance, numbers = random.Random(seed), itertools.count(1)
    for _ in range(kills):
        with process(desk, url, tmp_path / "cache", *arguments) as (server, address), grpc.insecure_channel(address) as channel:
            load = Load(DecisionServiceStub(channel), numbers)
            time.sleep(chance.uniform(0.05, 1.0))
            server.send_signal(signal.SIGKILL)
            server.wait()
            after(load.end())


@pytest.mark.campaign
def test_a_server_killed_at_any_moment_loses_no_acknowledged_decision_and_leaves_a_whole_chain(desk: Path, tmp_path: Path) -> None:
    url, told = sqlite(tmp_path), []

    def after(acknowledged: set[str]) -> None:
        told.append(len(acknowledged))
        held(reading(url), acknowledged)

    killed(desk, url, tmp_path, KILLS, 5, after=after)

    assert len(told) == KILLS
    assert sum(told) > KILLS * 10


@pytest.mark.campaign
def test_a_server_killed_under_bounded_loses_at_most_what_was_at_risk(desk: Path, tmp_path: Path) -> None:
    url = sqlite(tmp_path)

    def after(acknowledged: set[str]) -> None:
        lost = acknowledged - set(tickets(reading(url)))
        # A call with a request id waits for its record, whatever the others may risk.
        assert [one for one in lost if int(one) % 2] == []
        assert len(lost) <= 1_000
        held(reading(url), acknowledged - lost)

    killed(desk, url, tmp_path, KILLS if LONG else 1, 6, "--log-durability", "bounded", after=after)


# ---- PostgreSQL


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    # A socket's path may have 107 characters, and whoever runs the server must get there.
    folder = Path(f"/tmp/guidepost-{os.getpid()}-{time.monotonic_ns() % 10**6}")
    server = PostgreSQL(folder)
    yield server
    server.stop()
    subprocess.run(["rm", "-rf", str(folder)], check=True)


@needs_postgresql
def test_a_log_in_postgresql_keeps_and_finds_the_same(postgresql: PostgreSQL) -> None:
    store = Store.open(postgresql.url)
    made = [record(1), record(2, request_id="r", facts={"note": "nul \0 and é"}), record(3, request_id="r")]

    assert [kept.fresh for kept in store.append("first", made)] == [True, True, False]
    assert [kept.fresh for kept in store.append("first", made[:1], again=True)] == [True]
    assert [found for _, found in store.found(Filter(caller="desk"))] == made[:2]
    assert verify(store.entries(), ends=store.ends()).breaks == ()
    assert Store.open(postgresql.url).head("first") == store.head("first")
    store.close()


@needs_postgresql
def test_two_servers_may_share_a_log_and_even_a_chain(postgresql: PostgreSQL) -> None:
    with logging(settings(postgresql.url, writer="shared")) as one, logging(settings(postgresql.url, writer="shared")) as other:
        loads = [Load(stub, itertools.count(10_000 + at * 10_000), 3) for at, stub in enumerate((one, other))]
        time.sleep(0.5)
        acknowledged = set[str]().union(*(load.end() for load in loads))
    store = reading(postgresql.url)

    assert acknowledged - set(tickets(_named(store))) == set()
    assert verify(store.entries(), ends=store.ends()).breaks == ()
    store.close()


@needs_postgresql
def test_postgresql_that_is_stopped_and_started_under_load_loses_nothing_and_the_server_recovers(postgresql: PostgreSQL) -> None:
    with logging(settings(postgresql.url, writer="stopped", patience=1.0)) as stub:
        load = Load(stub, itertools.count(100_000))
        for mode in ("immediate", "fast"):
            time.sleep(0.4)
            postgresql.stop(mode)
            time.sleep(0.3)
            postgresql.start()
        before = len(load.acknowledged)
        end = time.monotonic() + 20
        while len(load.acknowledged) < before + 20 and time.monotonic() < end:
            time.sleep(0.05)
        recovered = len(load.acknowledged) >= before + 20
        acknowledged = load.end()
    store = reading(postgresql.url)

    assert recovered
    held(_named(store), acknowledged)
    store.close()


def _named(store: Store) -> Store:
    """Leave out what other tests of this file wrote under names that are no numbers."""
    found = store.found
    store.found = lambda asked, after="": ((entry, one) for entry, one in found(asked, after) if one.ticket.isdigit())  # type: ignore[method-assign]
    return store


def test_the_durabilities_of_the_settings_are_those_of_the_page() -> None:
    page = (ROOT / "docs" / "decision-log.md").read_text(encoding="utf-8")

    assert [one.value for one in Durability if f"| `{one.value}`" not in page] == []
