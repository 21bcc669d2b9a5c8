"""Faults in the environment of a server, and their effects on callers and the decision log.

Beside this: `test_decision_log_faults` has servers that are killed whole, a disk that is full and PostgreSQL that goes
away; `test_limits` clients that never read, thousands of idle connections, and a message one byte too long;
`test_drain` SIGTERM.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

import guidepost
from engine.records.filter import Filter
from engine.records.identity import RANDOM, uuid7
from engine.records.record import Record, instant
from engine.records.verify import verify
from engine.version.build import build
from engine.version.bundle import Bundle
from tests.support.log_servers import ask, open_to_read, serving_with_log, settings, sqlite
from tests.support.server_process import Acknowledged, check_log, serving_process
from tests.support.servers import COUNTER, NOW
from tests.support.waiting import true_within, wait_until


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    folder.mkdir()
    for name, content in COUNTER.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


CALLERS = 4


class Callers:
    """Threads with one client; each calls for one ticket after the other, each with a request id, until `end`."""

    def __init__(self, address: str) -> None:
        self.acknowledged: dict[str, Acknowledged] = {}
        self.failures: list[grpc.RpcError] = []
        self._end = threading.Event()
        self._client = guidepost.Client(address, channels=CALLERS)
        self._threads = [
            threading.Thread(target=self._ask, args=(range(first, 10**9, CALLERS),), daemon=True)
            for first in range(CALLERS)
        ]
        for thread in self._threads:
            thread.start()

    def _ask(self, numbers: range) -> None:
        for number in numbers:
            if self._end.is_set():
                return
            name, size = f"{number}", number % 50
            try:
                decided = self._client.decide("queue", size=f"{size}", request_id=name, ticket_id=name, timeout=60)
                self.acknowledged[name] = Acknowledged(size, decided.id, time.monotonic())
                time.sleep(0.005)
            except grpc.RpcError as error:
                self.failures.append(error)
                time.sleep(0.02)

    def more(self, answers: int = 30) -> None:
        """Wait for more answers."""
        wanted = len(self.acknowledged) + answers
        assert true_within(60, lambda: len(self.acknowledged) >= wanted), self.failures[-1:]

    def end(self) -> dict[str, Acknowledged]:
        self._end.set()
        for thread in self._threads:
            thread.join(30)
        self._client.close()
        return self.acknowledged


def workers(server: int) -> list[int]:
    """Return the worker processes of a supervisor."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text(encoding="ascii").rpartition(") ")[2].split()[1])
            if parent == server and b"guidepost.server.workers.worker" in (status.parent / "cmdline").read_bytes():
                found.append(int(status.parent.name))
        except (OSError, ValueError):  # it ended meanwhile
            continue
    return sorted(found)


def listeners(address: str) -> int:
    """Return the number of listening sockets of an address: a starting worker has none until it can answer."""
    port = f":{int(address.rpartition(':')[2]):04X}"
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path("/proc/net", name).read_text(encoding="ascii").splitlines()
    ]
    return sum(row[1].endswith(port) and row[3] == "0A" for row in rows)


@pytest.mark.faults
@pytest.mark.campaign
def test_killed_workers_and_a_killed_supervisor_lose_no_call(desk: Path, tmp_path: Path) -> None:
    """First each worker, then the supervisor; the workers complete their calls and end. The log has each call once."""
    url = sqlite(tmp_path)
    with serving_process(desk, url, tmp_path / "cache") as (server, address):
        callers, before, listening = Callers(address), workers(server.pid), listeners(address)
        for victim in before:
            callers.more()
            os.kill(victim, signal.SIGKILL)
            callers.more()
            wait_until(lambda victim=victim: victim not in workers(server.pid) and listeners(address) >= listening)
        after, failures = workers(server.pid), list(callers.failures)
        callers.more()
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        wait_until(lambda: callers.failures != [] and not any(Path(f"/proc/{pid}").exists() for pid in after))
        acknowledged = callers.end()
    store = open_to_read(url)
    there = check_log(store, acknowledged)
    store.close()

    assert listening
    assert failures == []
    assert len(before) == len(after) == 2
    assert not set(before) & set(after)
    assert {error.code() for error in callers.failures} <= {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    }
    # At most a call of each caller was cut off between its record and its answer.
    assert len(set(there) - set(acknowledged)) <= CALLERS


# ---- A clock that is set back


def shop(version: str, since: datetime) -> Any:
    return build(
        COUNTER
        | {
            "manifest.yaml": COUNTER["manifest.yaml"]
            .replace("7.0.0", version)
            .replace("2020-01-01T00:00:00Z", since.isoformat())
        }
    )


HOUR = timedelta(hours=1)
SHOWN = [
    NOW,
    NOW + timedelta(milliseconds=5),
    NOW - HOUR,
    NOW - HOUR,
    NOW - HOUR + timedelta(milliseconds=5),
    NOW + HOUR,
]
"""The times of a clock that is set back by an hour, stops for a moment, and is corrected."""


@pytest.fixture
def set_back(tmp_path: Path) -> tuple[list[Any], list[Record]]:
    """Call for one decision at each instant; return the answers, and the records in the order of their chain."""
    versions = Bundle((shop("7.0.0", NOW - 24 * HOUR), shop("8.0.0", NOW - HOUR / 2)))
    url, clock = sqlite(tmp_path), [NOW]
    with serving_with_log(settings(url), lambda: clock[0], versions) as stub:
        answers = []
        for number, shown in enumerate(SHOWN):
            clock[0] = shown
            answers.append(ask(stub, size=number, _ticket=f"{number}", _request_id=f"r{number}"))
        clock[0] = NOW - 2 * HOUR
        answers.append(ask(stub, size=0, _ticket="0", _request_id="r0"))
    store = open_to_read(url)
    entries = list(store.entries())
    assert verify(entries, ends=store.ends()).breaks == ()
    records = [Record.read(entry.body) for entry in entries]
    # A query uses the recorded instants, regardless of the order of the chain.
    early = {record.ticket for _, record in store.search(Filter(until=NOW - HOUR / 2))}
    store.close()
    assert early == {"2", "3", "4"}
    return answers, records


def test_a_clock_that_is_set_back_decides_by_what_it_shows_and_the_log_keeps_the_order_of_what_happened(
    set_back: tuple[list[Any], list[Record]],
) -> None:
    """The position in the chain is the order of records; ids and instants follow the clock."""
    answers, records = set_back

    assert ["8.0.0", "8.0.0", "7.0.0", "7.0.0", "7.0.0", "8.0.0", "8.0.0"] == [
        answer.version.version for answer in answers
    ]
    assert [f"{number}" for number in range(len(SHOWN))] == [record.ticket for record in records]
    assert SHOWN == [instant(record.received) for record in records] == [instant(record.now) for record in records]
    assert answers[0] == answers[-1]


def test_ids_sort_by_what_the_clock_showed_and_none_comes_twice(set_back: tuple[list[Any], list[Record]]) -> None:
    _, records = set_back

    assert len(records) == len({record.id for record in records})
    for record in records:
        assert uuid7(instant(record.received), bytes(RANDOM))[:13] == record.id[:13]
    by_id = [instant(record.received) for record in sorted(records, key=lambda record: record.id)]
    assert sorted(SHOWN) == by_id
