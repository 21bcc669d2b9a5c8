"""AuditService over a real port: its answers, its errors, and that decisions are served meanwhile."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from engine.decide.answer_times_json import iso
from engine.records.identity import uuid7
from engine.records.record import Record, RecordKind, recorded_decision
from engine.request.moment import Moment
from guidepost import AsyncClient, Client, record_filter, wrong_fields
from guidepost.decision_log import database
from guidepost.decision_log.certificate import Certificate, StepResult, check_certificate
from guidepost.decision_log.database import WRITES, connect
from guidepost.decision_log.export_jsonl import read_export
from guidepost.decision_log.settings import Durability, LogSettings
from guidepost.decision_log.signed_heads import SignedHead, sign_head
from guidepost.decision_log.store import Store
from guidepost.decision_log.verify import verify_export, verify_store
from guidepost.policies.sources.signatures import Trust, new_key, private_key, trusted_keys
from guidepost.server.app import listening
from guidepost.server.auth.config import AuthConfig
from guidepost.server.rpc import audit_service as audit
from guidepost.server.security import NO_SECURITY, Security
from guidepost.v1 import audit_service_pb2 as pb
from guidepost.v1 import decision_pb2
from tests.support.deciders import decide
from tests.support.log_servers import PATIENT, POSTGRESQL, PostgreSQL, end_of, sqlite
from tests.support.servers import NOW, counter_bundle, run_coroutine
from tests.support.waiting import wait_until

PURGING = Security(access=AuthConfig(purge=True))
DAYS = 6


def at(day: int) -> datetime:
    return NOW - timedelta(days=DAYS - day)


def made(day: int, **changes: Any) -> Record:
    """Return the record of a call to the second desk, as its server writes it."""
    version, facts = counter_bundle().versions[0], {"vip": False, "size": day}
    answer = decide(version, "queue", facts, Moment(at(day)))
    whole = Record(
        id=uuid7(at(day), day.to_bytes(10, "big")),
        received=iso(at(day)),
        caller="portal",
        request_id="",
        ticket=f"T-{day % 3}",
        kind=RecordKind.DECIDE,
        facts=facts,
        now=iso(at(day)),
        pauses=(),
        version=version.ref,
        decisions=(recorded_decision(answer),),
    )
    return replace(whole, **changes)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a new database without a log, for each kind of database."""
    if request.param == "sqlite":
        yield sqlite(tmp_path_factory.mktemp("audit"))
        return
    if not POSTGRESQL:
        pytest.skip("PostgreSQL is not installed here (Debian: apt install postgresql)")
    with tempfile.TemporaryDirectory(prefix="guidepost-audit-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = PostgreSQL(Path(folder) / "pg")
        try:
            yield server.url
        finally:
            server.stop()


@pytest.fixture
def url(databases: str) -> str:
    """A log of one record a day."""
    store = Store.open(databases)
    with store.engine.begin() as connection:
        for table in ("entries", "writers", "heads", "purges"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    store.append("main", [made(day) for day in range(DAYS)])
    store.close()
    return databases


@contextmanager
def asking(log: LogSettings | None, security: Security = NO_SECURITY) -> Iterator[Client]:
    server = listening(counter_bundle(), "127.0.0.1:0", clock=lambda: NOW, grace=0.1, log=log, security=security)
    address = run_coroutine(server.__aenter__())
    try:
        with Client(address) as client:
            yield client
    finally:
        run_coroutine(server.__aexit__(None, None, None))


@pytest.fixture
def client(url: str, tmp_path: Path) -> Iterator[Client]:
    """A client of a server that signs."""
    new_key(tmp_path / "private.pem", tmp_path / "public.pem")
    with asking(LogSettings(timeout=PATIENT, url=url, sign_key=str(tmp_path / "private.pem"))) as made_client:
        yield made_client


def code(error: pytest.ExceptionInfo[grpc.RpcError]) -> Any:
    return error.value.code()  # type: ignore[attr-defined]


def test_a_record_is_given_as_it_is_hashed_and_to_be_read(client: Client) -> None:
    entry = client.audit.record(made(1).id)

    assert Record.read(entry.record) == made(1)
    assert (entry.writer, entry.sequence, entry.holds) == ("main", 2, True)
    assert (entry.content.ticket, entry.content.caller, entry.content.received.ToDatetime(UTC)) == (
        "T-1",
        "portal",
        at(1),
    )
    assert [(one.name, one.status) for one in entry.content.decisions] == [
        ("queue", getattr(decision_pb2, f"DECISION_STATUS_{made(1).decisions[0].status.upper()}"))
    ]


def test_records_are_found_page_by_page(client: Client) -> None:
    first = client.audit.stub.QueryRecords(pb.QueryRecordsRequest(page_size=4))
    rest = client.audit.stub.QueryRecords(pb.QueryRecordsRequest(page_size=4, page_token=first.next_page_token))

    assert [one.content.id for one in (*first.entries, *rest.entries)] == [made(day).id for day in range(DAYS)]
    assert rest.next_page_token == ""


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        ({"ticket": "T-1"}, [1, 4]),
        ({"caller": "nobody"}, []),
        ({"since": at(2), "until": at(4)}, [2, 3]),
        ({"version": counter_bundle().versions[0].digest[:12]}, [0, 1, 2, 3, 4, 5]),
        ({"rule": made(0).decisions[0].rules[0], "ticket": "T-0"}, [0, 3]),
        ({"outcome": "nothing"}, []),
    ],
)
def test_records_are_found_and_exported_by_what_is_asked_for(
    client: Client, asked: dict[str, Any], days: list[int]
) -> None:
    wanted = [made(day).id for day in days]

    assert [one.content.id for one in client.audit.records(record_filter(**asked))] == wanted
    assert [json.loads(line)["record"]["id"] for line in client.audit.export(record_filter(**asked))] == wanted


def test_a_whole_export_can_be_verified_elsewhere(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "LINES", 2)

    report = verify_export(read_export(client.audit.export()), Trust())

    assert (report.whole, report.found.entries) == (True, DAYS)


def test_a_log_is_verified_by_its_server(client: Client, url: str) -> None:
    wait_until(lambda: client.audit.verify().whole)
    whole = client.audit.verify()
    with Store.open(url).engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM entries WHERE sequence = 3")
    broken = client.audit.verify()

    assert whole.covered == DAYS
    assert (whole.whole, whole.entries, [(one.writer, one.sequence) for one in whole.heads]) == (
        True,
        DAYS,
        [("main", DAYS)],
    )
    assert (broken.whole, [(one.kind, one.first, one.last) for one in broken.breaks]) == (
        False,
        [(pb.TAMPERING_REMOVED, 3, 3)],
    )


def test_a_verification_reports_progress_and_ends_with_its_call(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = []

    def slow(store: Store, trust: Trust, *, progress: Any) -> Any:
        number = 0
        try:
            while True:
                progress(number)
                number += 1
                time.sleep(0.001)
        except BaseException as error:
            stopped.append(type(error).__name__)
            raise

    monkeypatch.setattr(audit, "verify_store", slow)
    monkeypatch.setattr(audit, "PROGRESS", 0.02)
    call = client.audit.stub.VerifyLog(pb.VerifyLogRequest(), timeout=20)
    assert next(part.progress for part in call if part.progress) > 0
    assert client.decide("gift", colour="red").name == "gift"
    call.cancel()
    wait_until(lambda: stopped)

    assert stopped == ["_Stopped"]


def test_a_past_decision_is_explained_in_full(client: Client) -> None:
    explained = client.audit.explain(made(1).id)

    assert (explained.equal, list(explained.differences)) == (True, [])
    (decision,) = explained.decisions
    assert [rule.id for rule in decision.rules] == list(made(1).decisions[0].rules)
    assert all(rule.place.file and rule.place.line for rule in decision.rules)


def test_a_record_whose_reproduction_differs_lists_the_differences(client: Client, url: str) -> None:
    wrong = made(7, facts={"vip": False, "size": 1})
    Store.open(url).append("main", [wrong])

    explained = client.audit.explain(wrong.id)

    assert not explained.equal
    assert ("queue", "outcome queue", "slow", "fast") in [
        (one.decision, one.part, one.recorded, one.again) for one in explained.differences
    ]


def test_a_certificate_from_a_server_is_checked_without_it(client: Client, tmp_path: Path) -> None:
    wait_until(lambda: client.audit.certificate(made(1).id).signed)
    signed = client.audit.certificate(made(1).id)

    steps = check_certificate(
        Certificate.read(signed.certificate), trusted_keys([tmp_path / "public.pem"]), counter_bundle().versions[0]
    )
    assert {step.result for step in steps} == {StepResult.OK}
    assert [SignedHead.read(line).head.writer for line in client.audit.verify().signed_heads] == ["main"]


def test_a_certificate_of_a_server_without_a_key_is_unsigned(url: str) -> None:
    with asking(LogSettings(timeout=PATIENT, url=url)) as client:
        assert not client.audit.certificate(made(1).id).signed


def test_the_first_record_of_a_server_is_signed_at_once(client: Client, url: str) -> None:
    client.decide("gift", colour="red")

    wait_until(
        lambda: Store.open(url).signed_heads()[-1:] and Store.open(url).signed_heads()[-1].head.sequence == DAYS + 1
    )


def test_records_are_removed_only_if_the_server_allows_it(client: Client) -> None:
    with pytest.raises(grpc.RpcError) as error:
        client.audit.purge(at(3))

    assert code(error) == grpc.StatusCode.PERMISSION_DENIED
    assert "--audit-purge" in str(error.value)
    assert client.audit.verify().entries == DAYS


def test_records_are_removed_while_the_server_writes(url: str) -> None:
    with asking(LogSettings(timeout=PATIENT, url=url), PURGING) as client:
        would = client.audit.purge(at(3), dry_run=True)
        assert client.audit.verify().entries == DAYS
        client.decide("gift", colour="red")
        purged = client.audit.purge(at(3), by="records office")
        client.decide("gift", colour="red")
        found = client.audit.verify()

        assert [(one.writer, one.entries, one.last, one.first_received.ToDatetime(UTC)) for one in purged.chains] == [
            ("main", 3, 3, at(0))
        ]
        assert (list(would.chains), list(would.notes)) == (list(purged.chains), [])
        assert [json.loads(note)["by"] for note in purged.notes] == ["records office"]
        assert (found.whole, found.entries, found.purges) == (True, DAYS - 3 + 2, list(purged.notes))


@pytest.mark.parametrize(
    ("call", "request_", "status", "field"),
    [
        ("GetRecord", pb.GetRecordRequest(), "INVALID_ARGUMENT", "id"),
        ("GetRecord", pb.GetRecordRequest(id="x"), "NOT_FOUND", None),
        ("GetRecord", pb.GetRecordRequest(id="a\0b"), "INVALID_ARGUMENT", "id"),
        ("QueryRecords", pb.QueryRecordsRequest(page_size=-1), "INVALID_ARGUMENT", "page_size"),
        ("QueryRecords", pb.QueryRecordsRequest(page_size=5_000), "INVALID_ARGUMENT", "page_size"),
        ("QueryRecords", pb.QueryRecordsRequest(page_token="x"), "INVALID_ARGUMENT", "page_token"),
        ("QueryRecords", pb.QueryRecordsRequest(filter=pb.RecordFilter(rule="x\0")), "INVALID_ARGUMENT", "filter.rule"),
        (
            "QueryRecords",
            pb.QueryRecordsRequest(filter=pb.RecordFilter(ticket="x" * 501)),
            "INVALID_ARGUMENT",
            "filter.ticket",
        ),
        ("QueryRecords", pb.QueryRecordsRequest(filter=pb.RecordFilter(since={})), "INVALID_ARGUMENT", "filter.since"),
        ("QueryRecords", pb.QueryRecordsRequest(filter=pb.RecordFilter(until={})), "INVALID_ARGUMENT", "filter.until"),
        ("ExplainRecord", pb.ExplainRecordRequest(id="x"), "NOT_FOUND", None),
        ("GetCertificate", pb.GetCertificateRequest(id="x"), "NOT_FOUND", None),
    ],
)
def test_a_wrong_request_names_its_field(
    client: Client, call: str, request_: Any, status: str, field: str | None
) -> None:
    with pytest.raises(grpc.RpcError) as error:
        getattr(client.audit.stub, call)(request_)

    assert code(error) == grpc.StatusCode[status]
    assert list(wrong_fields(error.value)) == ([field] if field else [])


def test_an_instant_that_is_none_or_lies_ahead_is_refused(url: str) -> None:
    with asking(LogSettings(timeout=PATIENT, url=url), PURGING) as client:
        for request in (
            pb.PurgeRecordsRequest(),
            pb.PurgeRecordsRequest(before={}),
            pb.PurgeRecordsRequest(before={"seconds": 10**12}),
            pb.PurgeRecordsRequest(before={"seconds": 4 * 10**9}),
        ):
            with pytest.raises(grpc.RpcError) as error:
                client.audit.stub.PurgeRecords(request)
            assert list(wrong_fields(error.value)) == ["before"]


def test_an_altered_record_is_shown_as_such_and_never_explained_or_certified(client: Client, url: str) -> None:
    with Store.open(url).engine.begin() as connection:
        connection.exec_driver_sql("UPDATE entries SET body = replace(body, 'false', 'true') WHERE sequence = 2")
        connection.exec_driver_sql("UPDATE entries SET body = '{' WHERE sequence = 3")

    assert [
        (client.audit.record(made(day).id).holds, client.audit.record(made(day).id).HasField("content"))
        for day in (1, 2)
    ] == [(False, True), (False, False)]
    assert [one.content.id for one in client.audit.records()] == [made(day).id for day in (0, 1, 3, 4, 5)]
    for call in (client.audit.explain, client.audit.certificate):
        with pytest.raises(grpc.RpcError) as error:
            call(made(1).id)
        assert code(error) == grpc.StatusCode.FAILED_PRECONDITION


def test_a_record_of_a_version_that_the_server_has_not_is_not_explained(client: Client, url: str) -> None:
    other = made(7, version=replace(counter_bundle().versions[0].ref, digest="0" * 64))
    Store.open(url).append("main", [other])

    with pytest.raises(grpc.RpcError) as error:
        client.audit.explain(other.id)

    assert code(error) == grpc.StatusCode.FAILED_PRECONDITION
    assert "does not have" in str(error.value)


@pytest.mark.parametrize("log", [None, LogSettings(url="sqlite:///nowhere.db", durability=Durability.OFF)])
def test_a_server_without_a_log_reports_it(log: LogSettings | None) -> None:
    with asking(log, PURGING) as client:
        calls: list[Any] = [
            lambda: client.audit.record("x"),
            lambda: list(client.audit.records()),
            lambda: list(client.audit.export()),
            client.audit.verify,
            lambda: client.audit.explain("x"),
            lambda: client.audit.certificate("x"),
            lambda: client.audit.purge(at(0)),
        ]
        for call in calls:
            with pytest.raises(grpc.RpcError) as error:
                call()
            assert (code(error), "keeps no decision log" in str(error.value)) == (
                grpc.StatusCode.FAILED_PRECONDITION,
                True,
            )


def test_the_asynchronous_client_asks_the_same(client: Client, url: str) -> None:
    async def ask(address: str) -> list[Any]:
        async with AsyncClient(address) as desk:
            return [
                (await desk.audit.record(made(1).id)).sequence,
                [one.sequence async for one in desk.audit.records()],
                len([line async for line in desk.audit.export()]),
                (await desk.audit.verify()).whole,
                (await desk.audit.explain(made(1).id)).equal,
                (await desk.audit.certificate(made(1).id)).signed,
                len((await desk.audit.purge(at(2), dry_run=True)).chains),
            ]

    wait_until(lambda: client.audit.certificate(made(1).id).signed)
    server = listening(
        counter_bundle(),
        "127.0.0.1:0",
        clock=lambda: NOW,
        grace=0.1,
        log=LogSettings(timeout=PATIENT, url=url),
        security=PURGING,
    )
    address = run_coroutine(server.__aenter__())
    try:
        assert run_coroutine(ask(address)) == [2, [1, 2, 3, 4, 5, 6], 6, True, True, True, 1]
    finally:
        run_coroutine(server.__aexit__(None, None, None))


def test_a_log_of_before_there_were_trees_is_brought_up_to_date_and_its_heads_still_count(
    databases: str, tmp_path: Path
) -> None:
    new_key(tmp_path / "private.pem", tmp_path / "public.pem")
    key = private_key(tmp_path / "private.pem")
    engine = connect(databases)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        for table in ("entries", "writers", "heads", "purges", "alembic_version"):
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", (Path(database.__file__).parent / "migrations").as_posix())
        command.upgrade(config, "0001")
    before = Store(engine)
    before.append("main", [made(day) for day in range(3)])
    old = sign_head(end_of(before), "2026-01-01T00:00:00Z", key)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO heads VALUES (:writer, :sequence, :hash, :signed, :key, :signature, 1)"),
            {
                "writer": "main",
                "sequence": 3,
                "hash": old.head.hash,
                "signed": old.signed,
                "key": old.key,
                "signature": old.signature,
            },
        )
    before.close()

    store = Store.open(databases)
    store.append("main", [made(3)])
    signed = store.sign("main", lambda head, covered: sign_head(head, "2026-01-02T00:00:00Z", key, covered))

    assert store.signed_heads() == (old, signed)
    assert signed is not None
    assert (signed.since, signed.head.sequence) == (0, 4)
    assert verify_store(store, trusted_keys([tmp_path / "public.pem"])).whole
    store.close()


def test_a_log_that_cannot_be_read_is_unavailable_and_no_error_of_ours(tmp_path: Path) -> None:
    url = sqlite(tmp_path)
    Store.open(url).close()
    with asking(LogSettings(timeout=PATIENT, url=url)) as client:
        client.audit.verify()
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute("DROP TABLE entries")
        with pytest.raises(grpc.RpcError) as error:
            client.audit.record("x")

    assert code(error) == grpc.StatusCode.UNAVAILABLE
