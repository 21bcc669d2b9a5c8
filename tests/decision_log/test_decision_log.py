"""The decision log of a real server: records, commits, searches and alterations."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, timedelta
from pathlib import Path

import grpc
import pytest
from alembic.script import ScriptDirectory

from engine.decide.answer_times_json import iso
from engine.records.filter import Filter
from engine.records.masking import Masking
from engine.records.record import Record, RecordKind
from engine.records.verify import Tampering, verify
from guidepost import Client
from guidepost.decision_log import database
from guidepost.decision_log.log_error import LogError
from guidepost.decision_log.paging import InvalidPageToken, page
from guidepost.decision_log.settings import Durability, LogSettings
from guidepost.decision_log.signed_heads import sign_head
from guidepost.decision_log.store import Store
from guidepost.policies.sources.signatures import new_key, private_key
from guidepost.server.app import listening
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.ticket_pb2 import Ticket
from tests.support.log_servers import (
    ask,
    is_intact,
    open_to_read,
    records,
    rejection_of,
    rescheduled,
    serving_with_log,
    settings,
    sqlite,
    workshop,
)
from tests.support.records import START, record
from tests.support.servers import NOW, counter_bundle, run_coroutine

DECISIONS = "guidepost.v1.DecisionService"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite(tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = Store.open(url)
    yield made
    made.close()


# ---- What is recorded


def test_every_decision_is_recorded_with_its_reasons(url: str) -> None:
    with serving_with_log(settings(url)) as stub:
        ask(stub, vip=True, _caller="desk", _ticket="INC-7", _request_id="r-1")
        stub.Triage(pb.TriageRequest(ticket=Ticket()))

    first, second = sorted(records(url), key=lambda one: one.kind)
    assert (first.caller, first.ticket, first.request_id, first.kind, first.facts) == (
        "desk",
        "INC-7",
        "r-1",
        RecordKind.DECIDE,
        {"vip": True},
    )
    assert (first.received, first.now) == ("2026-01-23T04:00:00Z", "2026-01-23T04:00:00Z")
    assert (first.version.version, first.version.digest) == ("7.0.0", counter_bundle().versions[0].ref.digest)
    assert [(one.decision, one.status, one.rules) for one in first.decisions] == [("queue", "decided", ("queues.vip",))]
    assert [(one.name, one.value) for one in first.decisions[0].outcomes] == [
        ("queue", "fast"),
        ("basis", "person"),
        ("wait", 1),
    ]
    assert (second.kind, [one.decision for one in second.decisions]) == (RecordKind.TRIAGE, ["queue", "gift"])
    assert is_intact(url)


def test_a_wrong_request_is_not_recorded(url: str) -> None:
    with serving_with_log(settings(url)) as stub:
        assert rejection_of(lambda: ask(stub, nonsense="x"))[0] is grpc.StatusCode.INVALID_ARGUMENT
        assert rejection_of(lambda: ask(stub, vip=True, _ticket="x" * 201)) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_METADATA",
        )
        assert rejection_of(lambda: ask(stub, vip=True, _request_id=" ")) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_METADATA",
        )

    assert records(url) == []


def test_with_the_log_off_nothing_is_recorded(url: str, tmp_path: Path) -> None:
    with serving_with_log(settings(url, Durability.OFF)) as stub:
        assert ask(stub, vip=True, _request_id="r").status == ask(stub, vip=False, size=2, _request_id="r").status

    assert list(tmp_path.iterdir()) == []


def test_an_answer_under_sync_leaves_after_its_record_is_in_the_database(url: str) -> None:
    with serving_with_log(settings(url)) as stub:
        for number in range(1, 6):
            ask(stub, vip=True)
            assert len(records(url)) == number


def test_many_calls_at_once_share_commits_and_one_chain(url: str) -> None:
    with serving_with_log(settings(url)) as stub, ThreadPoolExecutor(16) as callers:
        list(callers.map(lambda number: ask(stub, size=number % 9, _ticket=f"T-{number}"), range(200)))

    assert sorted(int(one.ticket[2:]) for one in records(url)) == list(range(200))
    assert is_intact(url)


def test_a_masked_fact_is_a_token_in_the_log(url: str, tmp_path: Path) -> None:
    (tmp_path / "mask.key").write_bytes(b"k" * 32)
    masking = Masking(b"k" * 32, more=frozenset({"colour"}))
    with serving_with_log(settings(url, mask_key=str(tmp_path / "mask.key"), mask=("colour",))) as stub:
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
        settings(f"sqlite:///{tmp_path}/file/below.db"),
        settings("sqlite://"),
        settings("mysql://x/y"),
        settings("nonsense"),
        settings(sqlite(tmp_path), mask=("vip",)),
        settings(sqlite(tmp_path), clear=("nobody",)),
    ):
        with pytest.raises(LogError):
            run_coroutine(listening(counter_bundle(), "127.0.0.1:0", log=log).__aenter__())


# ---- Tampering with the database


def altered(url: str, statement: str) -> set[tuple[Tampering, int]]:
    """Alter the database, and return the breaks that a verification finds."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute(statement)
    made = open_to_read(url)
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
def test_any_change_of_the_database_is_found(
    store: Store, url: str, statement: str, found: tuple[Tampering, int]
) -> None:
    store.append("main", [record(1), record(2), record(3)])

    assert found in altered(url, statement)


def test_heads_are_signed_with_the_first_record_and_when_the_server_stops(url: str, tmp_path: Path) -> None:
    new_key(tmp_path / "private.pem", tmp_path / "public.pem")
    with serving_with_log(settings(url, sign_key=str(tmp_path / "private.pem"))) as stub:
        ask(stub, vip=True)
        ask(stub, vip=True)

    heads = open_to_read(url).signed_heads()
    assert [one.head.sequence for one in heads] == [1, 2]
    assert (heads[-1].head, heads[-1].signed) == (open_to_read(url).ends()[0], "2026-01-23T04:00:00Z")
    assert heads[-1] == sign_head(
        heads[-1].head, heads[-1].signed, private_key(tmp_path / "private.pem"), heads[-1].covered
    )


# ---- Searching


def test_pages_contain_every_record_once_in_order(store: Store, url: str) -> None:
    store.append("main", [record(number, ticket=f"T-{number % 2}") for number in range(11)])
    asked, found, token = Filter(ticket="T-0"), [], ""
    while True:
        one = page(store, asked, 2, token)
        found += [made.received for _, made in one.records]
        token = one.next_token
        if not token:
            break

    assert found == [record(number).received for number in range(0, 11, 2)]
    with pytest.raises(InvalidPageToken, match="another filter"):
        page(store, Filter(), 2, page(store, asked, 2).next_token)
    with pytest.raises(InvalidPageToken, match="expected the token that the page before contains"):
        page(store, asked, 2, "nonsense")


@pytest.mark.parametrize(
    "asked",
    [
        Filter(ticket="T-3"),
        Filter(request_id="r-3"),
        Filter(caller="c-1"),
        Filter(since=START + timedelta(seconds=3)),
        Filter(until=START + timedelta(seconds=3)),
        Filter(since=START + timedelta(seconds=2), until=START + timedelta(seconds=4)),
        Filter(outcome="queue=fast", version="7.0.0", rule="queues.vip"),
        Filter(rule="none"),
    ],
)
def test_a_search_finds_the_same_as_the_filter_on_every_record(store: Store, asked: Filter) -> None:
    made = [record(number, caller=f"c-{number % 2}", request_id=f"r-{number}") for number in range(7)]
    store.append("main", made)

    assert [found for _, found in store.search(asked)] == [one for one in made if asked.passes(one)]


def test_reading_does_not_create_a_log(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="no decision log"):
        Store.open_existing(f"sqlite:///{tmp_path}/none.db")
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE x (y)").close()
    with pytest.raises(LogError, match="expected a decision log of state"):
        Store.open_existing(f"sqlite:///{tmp_path}/other.db")

    assert not (tmp_path / "none.db").exists()


def test_commits_to_sqlite_are_on_disk_when_they_return(store: Store) -> None:
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_the_default_settings_are_safe() -> None:
    assert LogSettings().durability is Durability.SYNC
    assert LogSettings().masking() == Masking(b"", clear=frozenset(), more=frozenset())


def test_the_client_sends_request_id_and_ticket_id(url: str) -> None:
    server = listening(counter_bundle(), "127.0.0.1:0", clock=lambda: NOW, grace=0.1, log=settings(url))
    with Client(run_coroutine(server.__aenter__())) as client:
        first = client.decide("queue", {"vip": True}, request_id="r-1", ticket_id="INC-7")
        assert client.decide("queue", {"vip": True}, request_id="r-1", ticket_id="INC-7") == first
        client.triage({"vip": True}, ticket_id="INC-8")
    run_coroutine(server.__aexit__(None, None, None))

    assert sorted((one.request_id, one.ticket) for one in records(url)) == [("", "INC-8"), ("r-1", "INC-7")]


# ---- Changes of facts


def test_a_change_of_deadlines_is_recorded(url: str) -> None:
    with serving_with_log(settings(url), bundle=workshop()) as stub:
        reply = rescheduled(stub, ticket="INC-7")

    (made,) = records(url)
    assert (made.kind, made.ticket, made.decisions) == (RecordKind.RESCHEDULE, "INC-7", ())
    assert made.facts["rider"] == "courier"
    assert made.facts["note"] == {"masked": "given"}
    assert made.change is not None
    assert made.change.facts == {"rider": "other", "note": {"masked": "given"}, "brake_wear": None}
    moved = {one.name: (one.before, one.after) for one in made.change.deadlines}
    assert moved == {
        one.name: (iso(one.before.due.ToDatetime(UTC)), iso(one.after.due.ToDatetime(UTC))) for one in reply.deadlines
    }
    assert moved["ready_by"][0] != moved["ready_by"][1]
    assert [one.after.name for one in made.change.because] == [one.name for one in reply.because]
    assert is_intact(url)
    assert Record.read(made.text) == made


def test_a_log_of_a_later_version_is_rejected_and_unchanged(tmp_path: Path) -> None:
    url = sqlite(tmp_path)
    Store.open(url).close()
    path = Path(url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(LogError, match="of a later version"):
        Store.open(url)
    with closing(sqlite3.connect(path)) as database:
        assert [("9999",)] == database.execute("SELECT version_num FROM alembic_version").fetchall()


def test_the_revisions_are_those_of_the_migrations() -> None:
    """They are listed in the program, so that a worker does not load Alembic."""
    scripts = ScriptDirectory(str(Path(database.__file__).parent / "migrations"))

    assert database.HEAD == scripts.get_current_head()
    assert {one.revision for one in scripts.walk_revisions()} == set(database.REVISIONS)
