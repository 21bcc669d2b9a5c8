"""The decision log behind a real server: what each durability promises, calls that are repeated, and a store that fails."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from alembic.script import ScriptDirectory
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from sqlalchemy.exc import OperationalError

from engine.bundle import Bundle
from engine.decisionlog.masking import Masking
from engine.decisionlog.record import Kind, Record
from engine.decisionlog.select import Filter
from engine.decisionlog.verify import Tampering, verify
from engine.record_times import iso
from engine.version import build
from guidepost import Client
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from guidepost.v1.ticket_pb2 import FactValue, Ticket
from guidepost.v1.version_pb2 import VersionSelector
from service.app import listening
from service.log import database
from service.log.database import LogRefused
from service.log.heads import sign_head
from service.log.pages import WrongToken, page
from service.log.settings import Durability, LogSettings
from service.log.store import Kept, Store
from service.log.writer import LogUnavailable, Writer
from service.sources.signatures import new_key, private_key
from tests.desks import later
from tests.logging_servers import ask, logging, reading, settings, sqlite
from tests.recording import START, record
from tests.serving import NOW, counter, run

DECISIONS = "guidepost.v1.DecisionService"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite(tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = Store.open(url)
    yield made
    made.close()


def records(url: str) -> list[Record]:
    return [found for _, found in reading(url).found(Filter())]


def whole(url: str) -> bool:
    made = reading(url)
    return verify(made.entries(), ends=made.ends()).breaks == ()


def refused(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    """Give the code and the reason of a call that is refused."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(raised.value)
    assert status is None or status.details[0].Unpack(info)
    return raised.value.code(), info.reason


# ---- What is recorded


def test_every_decision_is_recorded_with_all_that_it_rests_on(url: str) -> None:
    with logging(settings(url)) as stub:
        ask(stub, vip=True, _caller="desk", _ticket="INC-7", _request_id="r-1")
        stub.Triage(pb.TriageRequest(ticket=Ticket()))

    first, second = sorted(records(url), key=lambda one: one.kind)
    assert (first.caller, first.ticket, first.request_id, first.kind, first.facts) == ("desk", "INC-7", "r-1", Kind.DECIDE, {"vip": True})
    assert (first.received, first.now) == ("2026-01-23T04:00:00Z", "2026-01-23T04:00:00Z")
    assert (first.version.version, first.version.digest) == ("7.0.0", counter().versions[0].ref.digest)
    assert [(one.decision, one.status, one.rules) for one in first.decisions] == [("queue", "decided", ("queues.vip",))]
    assert [(one.name, one.value) for one in first.decisions[0].outcomes] == [("queue", "fast"), ("basis", "person"), ("wait", 1)]
    assert (second.kind, [one.decision for one in second.decisions]) == (Kind.TRIAGE, ["queue", "gift"])
    assert whole(url)


def test_a_wrong_request_is_answered_as_such_and_not_recorded(url: str) -> None:
    with logging(settings(url)) as stub:
        assert refused(lambda: ask(stub, nonsense="x"))[0] is grpc.StatusCode.INVALID_ARGUMENT
        assert refused(lambda: ask(stub, vip=True, _ticket="x" * 201)) == (grpc.StatusCode.INVALID_ARGUMENT, "WRONG_CALL")
        assert refused(lambda: ask(stub, vip=True, _request_id=" ")) == (grpc.StatusCode.INVALID_ARGUMENT, "WRONG_CALL")

    assert records(url) == []


def test_with_the_log_off_nothing_is_recorded(url: str, tmp_path: Path) -> None:
    with logging(settings(url, Durability.OFF)) as stub:
        assert ask(stub, vip=True, _request_id="r").status == ask(stub, vip=False, size=2, _request_id="r").status

    assert list(tmp_path.iterdir()) == []


def test_an_answer_under_sync_leaves_after_its_record_is_in_the_database(url: str) -> None:
    with logging(settings(url)) as stub:
        for number in range(1, 6):
            ask(stub, vip=True)
            assert len(records(url)) == number


def test_many_calls_at_once_share_commits_and_one_chain(url: str) -> None:
    with logging(settings(url)) as stub, ThreadPoolExecutor(16) as callers:
        list(callers.map(lambda number: ask(stub, size=number % 9, _ticket=f"T-{number}"), range(200)))

    assert sorted(int(one.ticket[2:]) for one in records(url)) == list(range(200))
    assert whole(url)


def test_a_masked_fact_is_a_token_in_the_log(url: str) -> None:
    masking = Masking(b"k" * 32, more=frozenset({"colour"}))
    with logging(settings(url, masking=masking)) as stub:
        ask(stub, "gift", colour="Ann's own", _request_id="r")
        ask(stub, "gift", colour="Ruby red")
        again = ask(stub, "gift", colour="Ann's own", _request_id="r")

    assert [one.facts for one in records(url)] in (
        [{"colour": {"masked": "given", "token": masking.token("Ann's own")}}, {"colour": "Ruby red"}],
        [{"colour": "Ruby red"}, {"colour": {"masked": "given", "token": masking.token("Ann's own")}}],
    )
    assert again.unlisted[0].sent == "Ann's own"


def test_a_log_that_cannot_be_opened_keeps_a_server_from_starting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for log in (
        settings(f"sqlite:///{tmp_path}/file/below.db"), settings("sqlite://"), settings("mysql://x/y"), settings("nonsense"),
        settings(sqlite(tmp_path), masking=Masking(more=frozenset({"vip"}))), settings(sqlite(tmp_path), masking=Masking(clear=frozenset({"nobody"}))),
    ):
        with pytest.raises(LogRefused):
            run(listening(counter(), "127.0.0.1:0", log=log).__aenter__())


# ---- Calls that are repeated


def test_a_repeated_call_gets_the_recorded_decision_and_one_record(url: str) -> None:
    later = iter(NOW + timedelta(hours=number) for number in range(100))
    with logging(settings(url), lambda: next(later)) as stub:
        first = ask(stub, vip=True, _request_id="r-1", _caller="desk")
        assert ask(stub, vip=True, _request_id="r-1", _caller="desk") == first
        ask(stub, vip=True, _request_id="r-1", _caller="other")
    with logging(settings(url)) as stub:
        assert ask(stub, vip=True, _request_id="r-1", _caller="desk") == first

    assert sorted(one.caller for one in records(url)) == ["desk", "other"]


@pytest.mark.parametrize("durability", [Durability.SYNC, Durability.BOUNDED])
def test_calls_with_one_request_id_at_the_same_time_are_one_record(url: str, durability: Durability) -> None:
    with logging(settings(url, durability)) as stub, ThreadPoolExecutor(8) as callers:
        list(callers.map(lambda number: ask(stub, vip=True, _request_id=f"r-{number % 3}"), range(60)))

    assert sorted(one.request_id for one in records(url)) == ["r-0", "r-1", "r-2"]


def test_a_request_id_that_was_used_for_another_request_is_refused(url: str) -> None:
    with logging(settings(url)) as stub:
        ask(stub, vip=True, _request_id="r-1")

        assert refused(lambda: ask(stub, vip=False, size=9, _request_id="r-1")) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_USED")
        assert refused(lambda: ask(stub, "gift", vip=True, _request_id="r-1")) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_USED")


def test_a_recorded_decision_that_cannot_be_given_again_is_never_given_otherwise(url: str, store: Store) -> None:
    with logging(settings(url)) as stub:
        ask(stub, vip=True, _request_id="r-1")
    made = records(url)[0]
    outcomes = tuple(replace(one, value="slow") for one in made.decisions[0].outcomes)
    store.append("main", [
        replace(record(1), **{name: getattr(made, name) for name in ("caller", "ticket", "kind", "facts", "now")}, **changes)
        for changes in (
            {"request_id": "r-2", "version": replace(made.version, digest="00"), "decisions": made.decisions},
        )
    ])
    store.append("main", [replace(made, id=record(2).id, request_id="r-3", decisions=(replace(made.decisions[0], outcomes=outcomes),))])
    with logging(settings(url)) as stub:
        for request_id in ("r-2", "r-3"):
            assert refused(lambda asked=request_id: ask(stub, vip=True, _request_id=asked)) == (grpc.StatusCode.FAILED_PRECONDITION, "RECORDED_OTHERWISE")


def test_records_that_were_committed_without_our_knowing_are_not_written_twice(store: Store) -> None:
    made = [record(1), record(2, request_id="r")]
    store.append("main", made)

    assert store.append("main", [*made, record(3)], again=True) == [Kept(made[0], True), Kept(made[1], True), Kept(record(3), True)]
    assert [entry.sequence for entry in store.entries()] == [1, 2, 3]


# ---- A store that fails


class Failing(Store):
    """A store whose commits fail while ``broken``, and wait while not ``open_``."""

    def __init__(self, url: str) -> None:
        super().__init__(Store.open(url)._engine)
        self.broken, self.open_, self.commits = False, threading.Event(), 0
        self.open_.set()

    def append(self, writer: str, records: Any, *, again: bool = False) -> list[Kept]:
        self.open_.wait(20)
        if self.broken:
            raise OperationalError("INSERT", {}, OSError("database or disk is full"))
        self.commits += 1
        return super().append(writer, records, again=again)

    def probe(self, writer: str) -> None:
        if self.broken:
            raise OperationalError("UPDATE", {}, OSError("database or disk is full"))


@pytest.fixture
def failing(url: str, monkeypatch: pytest.MonkeyPatch) -> Failing:
    """The store that the next server opens."""
    made = Failing(url)
    monkeypatch.setattr("service.log.keeper.Store.open", lambda _: made)
    return made


def health(stub: DecisionServiceStub, address_of: grpc.Channel, service: str) -> str:
    found = health_pb2_grpc.HealthStub(address_of).Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(found.status))


def within(seconds: float, wanted: Callable[[], bool]) -> bool:
    """Tell whether something comes true in time."""
    end = time.monotonic() + seconds
    while not wanted():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_a_log_that_fails_refuses_calls_says_so_in_health_and_recovers_by_itself(failing: Failing, url: str) -> None:
    server = listening(counter(), "127.0.0.1:0", clock=lambda: NOW, grace=0.1, log=settings(url, patience=0.2))
    with grpc.insecure_channel(run(server.__aenter__())) as channel:
        stub = DecisionServiceStub(channel)
        ask(stub, vip=True, _ticket="before")
        failing.broken = True

        assert refused(lambda: ask(stub, vip=True, _ticket="meanwhile")) == (grpc.StatusCode.UNAVAILABLE, "LOG_UNAVAILABLE")
        assert within(5, lambda: health(stub, channel, DECISIONS) == health(stub, channel, "") == "NOT_SERVING")
        assert health(stub, channel, "guidepost.v1.PolicyService") == "SERVING"

        failing.broken = False
        assert within(5, lambda: health(stub, channel, DECISIONS) == health(stub, channel, "") == "SERVING")
        ask(stub, vip=True, _ticket="after")
    run(server.__aexit__(None, None, None))

    assert {one.ticket for one in records(url)} == {"before", "after"}
    assert whole(url)


def test_a_short_failure_is_waited_for_and_no_caller_sees_it(failing: Failing, url: str) -> None:
    with logging(settings(url)) as stub, ThreadPoolExecutor(4) as callers:
        failing.broken = True
        answers = callers.map(lambda number: ask(stub, vip=True, _ticket=f"{number}"), range(4))
        time.sleep(0.3)
        failing.broken = False
        list(answers)

    assert sorted(one.ticket for one in records(url)) == ["0", "1", "2", "3"]


def test_when_too_many_wait_the_next_one_is_refused_and_none_is_dropped(url: str) -> None:
    store = Failing(url)
    store.open_.clear()

    async def play() -> tuple[list[Sequence[Kept]], str]:
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

    kept, message = run(play())

    assert ([one.record for (one,) in kept], message) == ([record(0), record(1), record(2)], "3 decisions wait to be recorded")
    assert len(records(url)) == 3


def test_what_arrives_during_a_commit_goes_into_the_next_one(failing: Failing, url: str) -> None:
    with logging(settings(url)) as stub, ThreadPoolExecutor(32) as callers:
        failing.open_.clear()
        answers = callers.map(lambda number: ask(stub, vip=True, _ticket=f"{number}"), range(32))
        time.sleep(0.5)
        failing.open_.set()
        list(answers)

    assert failing.commits <= 4
    assert len(records(url)) == 32


def test_a_commit_of_which_nobody_heard_is_not_made_twice(failing: Failing, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = []
    append = failing.append

    def loses_the_first_word(writer: str, records: Any, *, again: bool = False) -> list[Kept]:
        kept = append(writer, records, again=again)
        if not lost:
            lost.append(records)
            raise OperationalError("COMMIT", {}, OSError("the connection was closed"))
        return kept

    monkeypatch.setattr(failing, "append", loses_the_first_word)
    with logging(settings(url)) as stub:
        ask(stub, vip=True)

    assert (len(lost), len(records(url))) == (1, 1)
    assert whole(url)


# ---- bounded


def test_bounded_lets_so_many_answers_leave_before_their_records_and_no_more(failing: Failing, url: str) -> None:
    with logging(settings(url, Durability.BOUNDED, records=3, milliseconds=60_000, patience=0.2)) as stub:
        failing.open_.clear()
        for number in range(3):
            ask(stub, vip=True, _ticket=f"{number}")
        assert records(url) == []
        assert refused(lambda: ask(stub, vip=True, _ticket="3"))[0] is grpc.StatusCode.UNAVAILABLE
        failing.open_.set()
        assert within(5, lambda: len(records(url)) >= 3)
        ask(stub, vip=True, _ticket="4")

    assert {"0", "1", "2", "4"} <= {one.ticket for one in records(url)}


def test_a_call_with_a_request_id_waits_for_its_record_under_bounded_too(failing: Failing, url: str) -> None:
    with logging(settings(url, Durability.BOUNDED, patience=0.2)) as stub:
        failing.open_.clear()
        assert refused(lambda: ask(stub, vip=True, _request_id="r"))[0] is grpc.StatusCode.UNAVAILABLE
        failing.open_.set()


def test_bounded_lets_no_answer_leave_ahead_of_a_record_that_waits_for_too_long(failing: Failing, url: str) -> None:
    with logging(settings(url, Durability.BOUNDED, records=100, milliseconds=150, patience=0.2)) as stub:
        failing.open_.clear()
        ask(stub, vip=True)
        time.sleep(0.2)
        assert refused(lambda: ask(stub, vip=True))[0] is grpc.StatusCode.UNAVAILABLE
        failing.open_.set()


def test_bounded_writes_what_it_promised_when_the_server_stops(url: str) -> None:
    with logging(settings(url, Durability.BOUNDED)) as stub:
        for number in range(50):
            ask(stub, vip=True, _ticket=f"{number}")

    assert len(records(url)) == 50


# ---- Tampering with the database


def altered(url: str, statement: str) -> set[tuple[Tampering, int]]:
    """Alter the database behind the log's back; give what is found."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute(statement)
    made = reading(url)
    return {(one.kind, one.sequence) for one in verify(made.entries(), ends=made.ends()).breaks}


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE entries SET body = replace(body, 'fast', 'slow') WHERE sequence = 2", (Tampering.CHANGED, 2)),
        ("UPDATE entries SET ticket = 'T-9' WHERE sequence = 2", (Tampering.CHANGED, 2)),
        ("UPDATE entries SET request_id = 'x' WHERE sequence = 2", (Tampering.CHANGED, 2)),
        ("UPDATE entries SET received = '2025' WHERE sequence = 2", (Tampering.CHANGED, 2)),
        ("UPDATE entries SET body = 'nothing' WHERE sequence = 2", (Tampering.CHANGED, 2)),
        ("DELETE FROM entries WHERE sequence = 2", (Tampering.REMOVED, 2)),
        ("DELETE FROM entries WHERE sequence = 3", (Tampering.REMOVED, 3)),
        ("UPDATE entries SET sequence = 4 WHERE sequence = 2", (Tampering.REMOVED, 2)),
        ("UPDATE writers SET sequence = 2", (Tampering.INSERTED, 3)),
    ],
)
def test_whatever_is_altered_in_the_database_is_found(store: Store, url: str, statement: str, found: tuple[Tampering, int]) -> None:
    store.append("main", [record(1), record(2), record(3)])

    assert found in altered(url, statement)


def test_heads_are_signed_while_the_server_runs_and_when_it_stops(url: str, tmp_path: Path) -> None:
    new_key(tmp_path / "private.pem", tmp_path / "public.pem")
    with logging(settings(url, key=private_key(tmp_path / "private.pem"))) as stub:
        ask(stub, vip=True)
        ask(stub, vip=True)

    heads = reading(url).signed_heads()
    assert [(one.head, one.signed) for one in heads] == [(reading(url).ends()[0], "2026-01-23T04:00:00Z")]
    assert heads[0] == sign_head(heads[0].head, heads[0].signed, private_key(tmp_path / "private.pem"), heads[0].covered)


# ---- Searching


def test_pages_together_give_every_record_once_in_order(store: Store, url: str) -> None:
    store.append("main", [record(number, ticket=f"T-{number % 2}") for number in range(11)])
    asked, found, token = Filter(ticket="T-0"), [], ""
    while True:
        one = page(store, asked, 2, token)
        found += [made.received for _, made in one.found]
        token = one.next
        if not token:
            break

    assert found == [record(number).received for number in range(0, 11, 2)]
    with pytest.raises(WrongToken, match="something else"):
        page(store, Filter(), 2, page(store, asked, 2).next)
    with pytest.raises(WrongToken, match="no page token"):
        page(store, asked, 2, "nonsense")


@pytest.mark.parametrize("asked", [
    Filter(ticket="T-3"), Filter(request_id="r-3"), Filter(caller="c-1"), Filter(since=START + timedelta(seconds=3)), Filter(until=START + timedelta(seconds=3)),
    Filter(since=START + timedelta(seconds=2), until=START + timedelta(seconds=4)), Filter(outcome="queue=fast", version="7.0.0", rule="queues.vip"), Filter(rule="none"),
])
def test_the_database_finds_what_a_look_at_every_record_finds(store: Store, asked: Filter) -> None:
    made = [record(number, caller=f"c-{number % 2}", request_id=f"r-{number}") for number in range(7)]
    store.append("main", made)

    assert [found for _, found in store.found(asked)] == [one for one in made if asked.passes(one)]


def test_a_log_that_is_not_there_is_not_made_by_looking_for_it(tmp_path: Path) -> None:
    with pytest.raises(LogRefused, match="no decision log"):
        Store.reading(f"sqlite:///{tmp_path}/none.db")
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE x (y)").close()
    with pytest.raises(LogRefused, match="holds no decision log"):
        Store.reading(f"sqlite:///{tmp_path}/other.db")

    assert not (tmp_path / "none.db").exists()


def test_commits_to_sqlite_are_on_disk_when_they_return(store: Store) -> None:
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_settings_that_nobody_gave_are_the_safe_ones() -> None:
    made = LogSettings("sqlite:///x.db")

    assert (made.durability, made.masking.clear, made.masking.key) == (Durability.SYNC, frozenset(), b"")


def test_the_client_says_which_call_and_which_ticket_it_is(url: str) -> None:
    server = listening(counter(), "127.0.0.1:0", clock=lambda: NOW, grace=0.1, log=settings(url))
    with Client(run(server.__aenter__())) as client:
        first = client.decide("queue", {"vip": True}, request_id="r-1", ticket_id="INC-7")
        assert client.decide("queue", {"vip": True}, request_id="r-1", ticket_id="INC-7") == first
        client.triage({"vip": True}, ticket_id="INC-8")
    run(server.__aexit__(None, None, None))

    assert sorted((one.request_id, one.ticket) for one in records(url)) == [("", "INC-8"), ("r-1", "INC-7")]


def test_a_database_that_is_full_refuses_calls_and_serves_again_once_there_is_room(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(url)
    monkeypatch.setattr("service.log.keeper.Store.open", lambda _: store)
    with logging(settings(url, patience=0.3)) as stub:
        ask(stub, vip=True, _ticket="before")
        with store._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
        assert within(10, lambda: _full(stub))
        with store._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        assert within(5, lambda: not _full(stub))

    assert whole(url)
    assert {"before", "filler"} == {one.ticket for one in records(url)}


def _full(stub: DecisionServiceStub) -> bool:
    """Tell whether a call is refused since there is no room for it."""
    try:
        ask(stub, vip=True, _ticket="filler")
    except grpc.RpcError as error:
        return error.code() is grpc.StatusCode.UNAVAILABLE and "full" in str(error.details())
    return False


def at(instant: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(instant)
    return made


def test_a_repeated_call_that_names_another_instant_or_version_is_another_request(url: str) -> None:
    later_on = iter(NOW + timedelta(days=number) for number in range(100))
    facts = Ticket(facts={"damage": FactValue(text="broken")})
    with logging(settings(url), lambda: next(later_on), WORKSHOP) as stub:

        def call(**more: Any) -> Any:
            return stub.Decide(pb.DecideRequest(decision="queue", ticket=facts, **more), metadata=[("guidepost-request-id", "r")], timeout=20).decision

        first = call()
        for alike in ({}, {"now": at(NOW)}, {"version": VersionSelector(version="2.0.0")}, {"version": VersionSelector(as_of=at(NOW))}):
            assert call(**alike) == first
        for other in ({"now": at(NOW + timedelta(seconds=1))}, {"version": VersionSelector(version="3.0.0")}, {"version": VersionSelector(as_of=at(NOW + timedelta(days=300)))}):
            assert refused(lambda other=other: call(**other)) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_USED")

    assert first.version.version == "2.0.0"
    assert len(records(url)) == 1


def test_a_repeated_call_gets_its_decision_again_after_another_version_came_into_force(url: str) -> None:
    clock = iter([NOW, NOW + timedelta(days=300)])
    with logging(settings(url), lambda: next(clock), WORKSHOP) as stub:
        first = ask(stub, damage="broken", _request_id="r")

        assert ask(stub, damage="broken", _request_id="r") == first


# ---- What a change of facts does


WORKSHOP = Bundle((build(later(year="2020")), build(later(number="3.0.0", year="2026"))))
CAME = NOW - timedelta(hours=1)


def rescheduled(stub: DecisionServiceStub, before: str = "other", rider: str = "courier", **metadata: str) -> Any:
    """Ask what it changes that a rider is another one."""
    facts = {
        "damage": FactValue(text="broken"), "stand": FactValue(text="oslo"), "rider": FactValue(text=rider), "note": FactValue(text="call Ann"),
        "came_at": FactValue(instant=at(CAME)),
    }
    request = pb.RescheduleRequest(ticket=Ticket(facts=facts), before=Ticket(facts={"rider": FactValue(text=before), "note": FactValue(text="Ann")}), unknown_before=["brake_wear"])
    return stub.Reschedule(request, metadata=[(f"guidepost-{name.replace('_', '-')}", value) for name, value in metadata.items()], timeout=20)


def test_what_a_change_of_facts_does_to_the_deadlines_is_recorded(url: str) -> None:
    with logging(settings(url), bundle=WORKSHOP) as stub:
        reply = rescheduled(stub, ticket="INC-7")

    (made,) = records(url)
    assert (made.kind, made.ticket, made.decisions) == (Kind.RESCHEDULE, "INC-7", ())
    assert made.facts["rider"] == "courier"
    assert made.facts["note"] == {"masked": "given"}
    assert made.change is not None
    assert made.change.facts == {"rider": "other", "note": {"masked": "given"}, "brake_wear": None}
    moved = {one.name: (one.before, one.after) for one in made.change.deadlines}
    assert moved == {one.name: (iso(one.before.due.ToDatetime(UTC)), iso(one.after.due.ToDatetime(UTC))) for one in reply.deadlines}
    assert moved["ready_by"][0] != moved["ready_by"][1]
    assert [one.after.name for one in made.change.because] == [one.name for one in reply.because]
    assert whole(url)
    assert Record.read(made.text) == made


def test_a_repeated_call_to_reschedule_is_told_the_same_and_recorded_once(url: str) -> None:
    later_on = iter(NOW + timedelta(days=number) for number in range(100))
    with logging(settings(url), lambda: next(later_on), WORKSHOP) as stub:
        first = rescheduled(stub, request_id="r-1")

        assert rescheduled(stub, request_id="r-1") == first
        assert refused(lambda: rescheduled(stub, before="courier", request_id="r-1")) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_USED")
        assert refused(lambda: ask(stub, damage="broken", _request_id="r-1")) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_USED")

    assert len(records(url)) == 1


def test_a_log_of_a_later_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    url = sqlite(tmp_path)
    Store.open(url).close()
    path = Path(url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(LogRefused, match="of a later program"):
        Store.open(url)
    with closing(sqlite3.connect(path)) as database:
        assert [("9999",)] == database.execute("SELECT version_num FROM alembic_version").fetchall()


def test_a_fault_of_ours_in_writing_refuses_calls_says_so_and_is_got_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append, faults = Store.append, [TypeError("no such thing")] * 3

    def faulty(*given: Any, **more: Any) -> Any:
        if faults:
            raise faults.pop()
        return append(*given, **more)

    monkeypatch.setattr(Store, "append", faulty)
    with logging(settings(sqlite(tmp_path), patience=10)) as stub:
        assert ask(stub, size=3).id

    assert faults == []
    store = reading(sqlite(tmp_path))
    assert 1 == len(list(store.entries()))
    store.close()


def test_the_states_that_the_program_knows_are_those_of_its_migrations() -> None:
    """They are named, too, so that a worker need not load what brings tables up to date."""
    scripts = ScriptDirectory(str(Path(database.__file__).parent / "migrations"))

    assert database.HEAD == scripts.get_current_head()
    assert {one.revision for one in scripts.walk_revisions()} == set(database.REVISIONS)
