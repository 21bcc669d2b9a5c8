"""Faults under load: killed servers, a stopped PostgreSQL. No acknowledged decision is lost or recorded twice."""

from __future__ import annotations

import itertools
import logging as logs
import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import grpc
import pytest

from engine.records.filter import Filter
from engine.records.verify import verify
from guidepost.decision_log.settings import Durability
from guidepost.decision_log.store import Store
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from tests.support.campaign import LONG
from tests.support.log_servers import POSTGRESQL, PostgreSQL, ask, open_to_read, serving_with_log, settings, sqlite
from tests.support.paths import ROOT
from tests.support.records import record
from tests.support.server_process import Acknowledged, check_log, kill_server, records_by_ticket, serving_process
from tests.support.servers import COUNTER
from tests.support.waiting import true_within, wait_until

log = logs.getLogger("guidepost.tests")
"""Logs what was counted: `pytest --log-cli-level=INFO` shows it."""

KILLS, FULL, STOPS = (25, 3, 6) if LONG else (2, 1, 2)

needs_postgresql = pytest.mark.skipif(
    not POSTGRESQL,
    reason="no PostgreSQL server under /usr/lib/postgresql: the log is tested on SQLite only (Debian: apt-get install postgresql)",
)


class Load:
    """Callers in threads, each with one ticket and request id after another; they repeat failed calls with their id."""

    def __init__(self, stub: DecisionServiceStub, numbers: Iterator[int], callers: int = 6) -> None:
        self.acknowledged: dict[str, Acknowledged] = {}
        self.refused = 0
        self._stub, self._numbers, self._stop = stub, numbers, threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(callers)]
        for thread in self._threads:
            thread.start()

    def _call(self) -> None:
        while not self._stop.is_set():
            name = f"{next(self._numbers)}"
            # Every other call has no request id, and is not repeated.
            more, size = ({"_request_id": name} if int(name) % 2 else {}), int(name) % 50
            while not self._stop.is_set():
                try:
                    decision = ask(self._stub, size=size, _ticket=name, timeout=60, **more)
                    self.acknowledged[name] = Acknowledged(size, decision.id, time.monotonic())
                except grpc.RpcError:
                    self.refused += 1
                    time.sleep(0.01)
                    if more:
                        continue
                break

    def end(self) -> dict[str, Acknowledged]:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return self.acknowledged


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    folder.mkdir()
    for name, content in COUNTER.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def killed(
    desk: Path, url: str, tmp_path: Path, kills: int, numbers: Iterator[int], *arguments: str
) -> Iterator[dict[str, Acknowledged]]:
    """Kill a server under load several times at random moments; yield what callers received each time."""
    chance = random.Random(kills)
    for _ in range(kills):
        with (
            serving_process(desk, url, tmp_path / "cache", *arguments) as (server, address),
            connected(address) as channels,
        ):
            loads = [Load(DecisionServiceStub(channel), numbers, 2) for channel in channels]
            time.sleep(chance.uniform(0.05, 1.0))
            kill_server(server)
            server.wait()
            yield {name: told for load in loads for name, told in load.end().items()}


@contextmanager
def connected(address: str, connections: int = 3) -> Iterator[list[grpc.Channel]]:
    """Connect several times, to reach several workers."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]))
            for _ in range(connections)
        ]


def survives(desk: Path, url: str, tmp_path: Path, kills: int, first: int = 1) -> None:
    """Kill a server under ``sync``, and compare the log with everything that callers received."""
    acknowledged: dict[str, Acknowledged] = {}
    for told in killed(desk, url, tmp_path, kills, itertools.count(first)):
        acknowledged |= told
        store = open_to_read(url)
        there = check_log(store, acknowledged)
        store.close()
    log.info("%d kills under sync: %d acknowledged, %d recorded, none lost", kills, len(acknowledged), len(there))

    assert len(acknowledged) > kills * 10


@pytest.mark.faults
@pytest.mark.campaign
def test_a_killed_server_loses_no_decision_and_leaves_a_whole_chain(desk: Path, tmp_path: Path) -> None:
    survives(desk, sqlite(tmp_path), tmp_path, KILLS)


AT_RISK, WITHIN = 20, 200
"""The limits of ``bounded`` in the next test: records and milliseconds."""


def risks(desk: Path, url: str, tmp_path: Path, kills: int, first: int = 1) -> None:
    """Kill a server under ``bounded``, and count the records that are lost each time."""
    bounds = ("--log-durability", "bounded", "--log-records", str(AT_RISK), "--log-milliseconds", str(WITHIN))
    acknowledged, losses = {}, []
    for told in killed(desk, url, tmp_path, kills, itertools.count(first), *bounds):
        store = open_to_read(url)
        lost = set(told) - set(records_by_ticket(store))
        times = [told[name].at for name in lost]

        # A call with a request id waits for its record, whatever the limits.
        assert [one for one in lost if int(one) % 2] == []
        assert len(lost) <= AT_RISK
        # Callers receive answers a little later than these leave.
        assert not lost or max(times) - min(times) <= WITHIN / 1000 + 0.5
        losses.append(len(lost))
        acknowledged |= {name: one for name, one in told.items() if name not in lost}
        check_log(store, acknowledged)
        store.close()
    log.info(
        "%d kills under bounded: %d acknowledged, lost each time: %s", kills, len(acknowledged) + sum(losses), losses
    )

    # It would be strange if nothing was ever at risk.
    assert kills < 10 or any(losses)


@pytest.mark.faults
@pytest.mark.campaign
def test_a_server_killed_under_bounded_loses_at_most_what_was_at_risk(desk: Path, tmp_path: Path) -> None:
    risks(desk, sqlite(tmp_path), tmp_path, KILLS if LONG else 1)


# ---- A full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 32 megabytes, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32m", "none", str(folder)], check=False, capture_output=True
    ).returncode:
        pytest.skip(
            "no small disk can be mounted here (only root may): a full database is tested by its own limit only"
        )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.faults
@pytest.mark.campaign
def test_a_server_loses_nothing_on_a_full_disk_and_recovers(small_disk: Path, desk: Path, tmp_path: Path) -> None:
    url, filler = f"sqlite:///{small_disk}/decisions.db", small_disk / "filler"
    with (
        serving_process(desk, url, tmp_path / "cache", "--log-timeout", "0.3") as (_, address),
        grpc.insecure_channel(address) as channel,
    ):
        load = Load(DecisionServiceStub(channel), itertools.count(1))
        for _ in range(FULL):
            disk = os.statvfs(small_disk)
            # The server may write at the same time: then the disk is full earlier.
            with suppress(OSError):
                filler.write_bytes(b"x" * max(0, disk.f_bavail * disk.f_frsize - 200_000))
            before = load.refused
            filled = true_within(60, lambda before=before: load.refused > before + 5)
            filler.unlink()
            after = len(load.acknowledged)
            recovered = true_within(60, lambda after=after: len(load.acknowledged) > after + 20)
            assert (filled, recovered) == (True, True)
        acknowledged = load.end()
    store = open_to_read(url)
    check_log(store, acknowledged)
    store.close()
    log.info("full %d times: %d acknowledged, %d refused, none lost", FULL, len(acknowledged), load.refused)


# ---- PostgreSQL


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    # The path of a socket has at most 107 characters, and the server's user must have access.
    folder = Path(f"/tmp/guidepost-{os.getpid()}-{time.monotonic_ns() % 10**6}")
    server = PostgreSQL(folder)
    yield server
    server.stop()
    subprocess.run(["rm", "-rf", str(folder)], check=True)


@needs_postgresql
def test_a_log_in_postgresql_behaves_the_same(postgresql: PostgreSQL) -> None:
    store = Store.open(postgresql.url)
    made = [record(1), record(2, request_id="r", facts={"note": "nul \0 and é"}), record(3, request_id="r")]

    assert [kept.fresh for kept in store.append("first", made)] == [True, True, False]
    assert [kept.fresh for kept in store.append("first", made[:1], retry=True)] == [True]
    assert [found for _, found in store.search(Filter(caller="desk"))] == made[:2]
    assert verify(store.entries(), ends=store.ends()).breaks == ()
    assert Store.open(postgresql.url).ends() == store.ends()
    store.close()


@needs_postgresql
def test_two_servers_may_share_a_log_and_even_a_chain(postgresql: PostgreSQL) -> None:
    url = postgresql.database("shared")
    with (
        serving_with_log(settings(url, writer="shared")) as one,
        serving_with_log(settings(url, writer="shared")) as other,
    ):
        loads = [Load(stub, itertools.count(10_000 + at * 10_000), 3) for at, stub in enumerate((one, other))]
        wait_until(lambda: min(len(load.acknowledged) for load in loads) > 20)
        acknowledged = {name: told for load in loads for name, told in load.end().items()}
    store = open_to_read(url)

    check_log(store, acknowledged)
    assert [head.writer for head in store.ends()] == ["shared"]
    store.close()


@needs_postgresql
def test_a_server_loses_nothing_when_postgresql_restarts_under_load(
    postgresql: PostgreSQL,
) -> None:
    url, recovered = postgresql.database("stopped"), []
    with serving_with_log(settings(url, writer="stopped", timeout=1.0)) as stub:
        load = Load(stub, itertools.count(1))
        for number, mode in enumerate(itertools.islice(itertools.cycle(("immediate", "fast")), STOPS)):
            calls = len(load.acknowledged)
            wait_until(lambda calls=calls: len(load.acknowledged) > calls + 20)
            postgresql.stop(mode)
            refused = load.refused
            # At first for as long as a start takes, later until calls are rejected.
            wait_until(lambda number=number, refused=refused: number < 2 or load.refused > refused + 5)
            postgresql.start()
            before = len(load.acknowledged)
            recovered.append(true_within(60, lambda before=before: len(load.acknowledged) >= before + 20))
        acknowledged = load.end()
    store = open_to_read(url)

    assert recovered == [True] * STOPS
    check_log(store, acknowledged)
    store.close()
    log.info(
        "PostgreSQL stopped %d times: %d acknowledged, %d refused meanwhile, none lost",
        STOPS,
        len(acknowledged),
        load.refused,
    )


@needs_postgresql
@pytest.mark.campaign
@pytest.mark.skipif(not LONG, reason="a part of the long campaign; the short form kills servers with SQLite")
def test_a_killed_server_with_postgresql_keeps_the_same_promises(
    postgresql: PostgreSQL, desk: Path, tmp_path: Path
) -> None:
    survives(desk, postgresql.database("killed"), tmp_path, KILLS)
    risks(desk, postgresql.database("risked"), tmp_path, KILLS)


def test_the_page_lists_every_durability() -> None:
    page = (ROOT / "docs" / "decision-log.md").read_text(encoding="utf-8")

    assert [one.value for one in Durability if f"| `{one.value}`" not in page] == []
