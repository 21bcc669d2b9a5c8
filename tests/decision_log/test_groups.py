"""Records of one batch are written in one commit, in their order, each with a result of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from engine.records.record import Record
from engine.records.verify import verify
from guidepost.decision_log.append import Appended
from guidepost.decision_log.commit_thread import MAX_BATCH, Writer
from guidepost.decision_log.events import Events, Refusal
from guidepost.decision_log.recorder import Recorder
from guidepost.decision_log.settings import Durability
from guidepost.decision_log.store import Store
from guidepost.decision_log.time_limits import TimeLimits
from guidepost.decision_log.transaction import transaction
from tests.support.log_servers import FailingStore, open_to_read, settings, sqlite
from tests.support.records import record
from tests.support.servers import NOW, run_coroutine


class Refused(Events):
    """Counts rejected records."""

    def __init__(self) -> None:
        self.why: list[Refusal] = []

    def refused(self, why: Refusal) -> None:
        self.why.append(why)


def keeping(
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    play: Callable[[Recorder, FailingStore], Any],
    capacity: int = 100,
    **more: Any,
) -> Any:
    """Run a function with a recorder and its store, and close the recorder."""
    store = FailingStore(url)
    monkeypatch.setattr("guidepost.decision_log.recorder.Store.open", lambda *_: store)
    monkeypatch.setattr(
        "guidepost.decision_log.recorder.Writer", lambda *given, **named: Writer(*given, **named, capacity=capacity)
    )

    async def played() -> Any:
        recorder = Recorder(settings(url, **more), lambda: NOW, events)
        try:
            return await play(recorder, store)
        finally:
            store.open_.set()
            await recorder.close()

    events = more.pop("events", None)
    return run_coroutine(played())


def tickets(url: str) -> list[str]:
    store = open_to_read(url)
    found = [Record.read(entry.body).ticket for entry in store.entries()]
    store.close()
    return found


@pytest.mark.parametrize("durability", [Durability.SYNC, Durability.BOUNDED])
def test_records_of_one_batch_are_one_commit_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durability: Durability
) -> None:
    url, made = sqlite(tmp_path), [record(number) for number in range(50)]

    async def play(recorder: Recorder, store: FailingStore) -> Any:
        return await recorder.append_all(made), store

    kept, store = keeping(url, monkeypatch, play, durability=durability)

    assert (kept, store.commits) == ([Appended(one, True) for one in made], 1)
    assert tickets(url) == [one.ticket for one in made]


def test_a_batch_larger_than_a_commit_is_written_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url, made = sqlite(tmp_path), [record(number) for number in range(MAX_BATCH + 7)]

    async def play(recorder: Recorder, store: FailingStore) -> Any:
        return await recorder.append_all(made), store.commits

    assert keeping(url, monkeypatch, play, capacity=1_000) == ([Appended(one, True) for one in made], 2)
    assert tickets(url) == [one.ticket for one in made]


def test_records_beyond_the_capacity_are_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url, made, events = sqlite(tmp_path), [record(number) for number in range(5)], Refused()

    async def play(recorder: Recorder, store: FailingStore) -> Any:
        store.open_.clear()
        found = asyncio.ensure_future(recorder.append_all(made))
        await asyncio.sleep(0)
        waiting = recorder.waiting
        store.open_.set()
        return await found, waiting, await recorder.append_all([record(9)])

    found, waiting, afterwards = keeping(url, monkeypatch, play, capacity=3, events=events)

    assert found[:3] == [Appended(one, True) for one in made[:3]]
    assert [one.why for one in found[3:]] == events.why == [Refusal.FULL, Refusal.FULL]
    assert (waiting, afterwards) == (3, [Appended(record(9), True)])
    assert tickets(url) == ["T-0", "T-1", "T-2", "T-9"]


def test_a_repeated_request_id_gets_its_first_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url, first = sqlite(tmp_path), record(0, request_id="r")
    made = [
        record(1),
        record(2, request_id="r"),
        record(3, request_id="s"),
        record(4, request_id="s"),
        record(5, request_id="s", caller="another"),
    ]

    async def play(recorder: Recorder, _: FailingStore) -> Any:
        return await recorder.append(first), await recorder.append_all(made)

    kept, found = keeping(url, monkeypatch, play)

    assert kept == Appended(first, True)
    assert found == [
        Appended(made[0], True),
        Appended(first, False),
        Appended(made[2], True),
        Appended(made[2], False),
        Appended(made[4], True),
    ]
    assert tickets(url) == ["T-0", "T-1", "T-3", "T-5"]


def test_bounded_limits_how_many_answers_of_a_batch_leave_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sqlite(tmp_path)
    made = [record(0), record(1), record(2, request_id="r"), record(3), record(4), record(5)]

    async def play(recorder: Recorder, store: FailingStore) -> Any:
        store.open_.clear()
        found = asyncio.ensure_future(recorder.append_all(made))
        done, _ = await asyncio.wait([found], timeout=0.1)
        risked = recorder.at_risk, recorder.waiting
        store.open_.set()
        return done, risked, await found, recorder.at_risk

    done, risked, found, afterwards = keeping(
        url, monkeypatch, play, durability=Durability.BOUNDED, records=3, milliseconds=60_000
    )

    assert (done, risked, afterwards) == (set(), (3, 6), 0)
    assert found == [Appended(one, True) for one in made]
    assert tickets(url) == [one.ticket for one in made]


def test_records_that_wait_too_long_are_rejected_and_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, events = sqlite(tmp_path), Refused()

    async def play(recorder: Recorder, store: FailingStore) -> Any:
        store.broken = True
        late = await recorder.append_all([record(0), record(1)])
        store.broken = False
        return late, await recorder.append(record(2)), recorder.waiting

    late, kept, waiting = keeping(url, monkeypatch, play, events=events, timeout=0.1)

    assert [one.why for one in late] == events.why == [Refusal.LATE] * 2
    assert (kept, waiting) == (Appended(record(2), True), 0)
    assert tickets(url) == ["T-2"]


def test_servers_that_share_a_chain_continue_it(tmp_path: Path) -> None:
    one, other = Store.open(sqlite(tmp_path)), Store.open(sqlite(tmp_path))
    for number in range(0, 12, 3):
        one.append("main", [record(number), record(number + 1)])
        other.append("main", [record(number + 2)])
        one.append("alone", [record(100 + number)])

    found = verify(other.entries(), other.ends())
    assert (found.breaks, [(end.writer, end.sequence) for end in other.ends()]) == ((), [("alone", 4), ("main", 12)])
    assert [Record.read(entry.body).ticket for entry in other.entries() if entry.writer == "main"] == [
        f"T-{number}" for number in range(12)
    ]
    one.close()
    other.close()


def test_a_failed_transaction_changes_nothing_and_raises(tmp_path: Path) -> None:
    store = Store.open(sqlite(tmp_path))

    def write() -> None:
        with transaction(store.engine) as under_way:
            under_way.execute("INSERT INTO writers (writer, sequence, hash) VALUES (?, ?, ?)", ("main", 1, "ab"))
            under_way.execute("INSERT INTO nowhere VALUES (?)", (1,))

    with pytest.raises(OperationalError, match="no such table"):
        write()
    assert store.ends() == ()
    assert store.append("main", [record(0)]) == [Appended(record(0), True)]
    store.close()


def test_a_writer_of_sqlite_follows_another_at_once(tmp_path: Path) -> None:
    store = Store.open(sqlite(tmp_path))
    with closing(
        sqlite3.connect(store.engine.url.database or "", isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        done = threading.Timer(0.3, lambda: other.execute("COMMIT"))
        done.start()
        [kept] = store.append("main", [record(0)])
        done.join()

    assert kept.fresh
    assert 1 == len(list(store.entries()))
    store.close()


def test_a_writer_of_sqlite_gives_up_in_the_end(tmp_path: Path) -> None:
    limits = TimeLimits(0.3)
    store = Store.open(sqlite(tmp_path), limits)
    with closing(sqlite3.connect(store.engine.url.database or "", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            store.append("main", [record(0)])
        other.execute("COMMIT")

    with store.engine.connect() as connection:
        assert limits.lock * 1000 == connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
    assert store.append("main", [record(0)])
    store.close()
