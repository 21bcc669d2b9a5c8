"""Calls that are repeated with their request id get the same decision, and have one record."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from guidepost.decision_log.append import Appended
from guidepost.decision_log.settings import Durability
from guidepost.decision_log.store import Store
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.ticket_pb2 import FactValue, Ticket
from guidepost.v1.version_pb2 import VersionSelector
from tests.support.log_servers import (
    ask,
    at,
    records,
    rejection_of,
    rescheduled,
    serving_with_log,
    settings,
    sqlite,
    workshop,
)
from tests.support.records import record
from tests.support.servers import NOW


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite(tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = Store.open(url)
    yield made
    made.close()


def test_a_repeated_call_gets_the_recorded_decision_and_one_record(url: str) -> None:
    later = iter(NOW + timedelta(hours=number) for number in range(100))
    with serving_with_log(settings(url), lambda: next(later)) as stub:
        first = ask(stub, vip=True, _request_id="r-1", _caller="desk")
        assert ask(stub, vip=True, _request_id="r-1", _caller="desk") == first
        ask(stub, vip=True, _request_id="r-1", _caller="other")
    with serving_with_log(settings(url)) as stub:
        assert ask(stub, vip=True, _request_id="r-1", _caller="desk") == first

    assert sorted(one.caller for one in records(url)) == ["desk", "other"]


@pytest.mark.parametrize("durability", [Durability.SYNC, Durability.BOUNDED])
def test_calls_with_one_request_id_at_the_same_time_are_one_record(url: str, durability: Durability) -> None:
    with serving_with_log(settings(url, durability)) as stub, ThreadPoolExecutor(8) as callers:
        list(callers.map(lambda number: ask(stub, vip=True, _request_id=f"r-{number % 3}"), range(60)))

    assert sorted(one.request_id for one in records(url)) == ["r-0", "r-1", "r-2"]


def test_a_request_id_of_another_request_is_rejected(url: str) -> None:
    with serving_with_log(settings(url)) as stub:
        ask(stub, vip=True, _request_id="r-1")

        assert rejection_of(lambda: ask(stub, vip=False, size=9, _request_id="r-1")) == (
            grpc.StatusCode.ALREADY_EXISTS,
            "IDEMPOTENCY_KEY_REUSED",
        )
        assert rejection_of(lambda: ask(stub, "gift", vip=True, _request_id="r-1")) == (
            grpc.StatusCode.ALREADY_EXISTS,
            "IDEMPOTENCY_KEY_REUSED",
        )


def test_a_decision_that_cannot_be_reproduced_gets_no_other_answer(url: str, store: Store) -> None:
    with serving_with_log(settings(url)) as stub:
        ask(stub, vip=True, _request_id="r-1")
    made = records(url)[0]
    outcomes = tuple(replace(one, value="slow") for one in made.decisions[0].outcomes)
    store.append(
        "main",
        [
            replace(
                record(1),
                **{name: getattr(made, name) for name in ("caller", "ticket", "kind", "facts", "now")},
                **changes,
            )
            for changes in (
                {"request_id": "r-2", "version": replace(made.version, digest="00"), "decisions": made.decisions},
            )
        ],
    )
    store.append(
        "main",
        [replace(made, id=record(2).id, request_id="r-3", decisions=(replace(made.decisions[0], outcomes=outcomes),))],
    )
    with serving_with_log(settings(url)) as stub:
        for request_id in ("r-2", "r-3"):
            assert rejection_of(lambda asked=request_id: ask(stub, vip=True, _request_id=asked)) == (
                grpc.StatusCode.FAILED_PRECONDITION,
                "REPLAY_MISMATCH",
            )


def test_records_of_an_unnoticed_commit_are_not_written_twice(store: Store) -> None:
    made = [record(1), record(2, request_id="r")]
    store.append("main", made)

    assert store.append("main", [*made, record(3)], retry=True) == [
        Appended(made[0], True),
        Appended(made[1], True),
        Appended(record(3), True),
    ]
    assert [entry.sequence for entry in store.entries()] == [1, 2, 3]


def test_a_repeated_call_that_names_another_instant_or_version_is_another_request(url: str) -> None:
    later_on = iter(NOW + timedelta(days=number) for number in range(100))
    facts = Ticket(facts={"damage": FactValue(text="broken")})
    with serving_with_log(settings(url), lambda: next(later_on), workshop()) as stub:

        def call(**more: Any) -> Any:
            return stub.Decide(
                pb.DecideRequest(decision="queue", ticket=facts, **more),
                metadata=[("guidepost-request-id", "r")],
                timeout=20,
            ).decision

        first = call()
        for alike in (
            {},
            {"now": at(NOW)},
            {"version": VersionSelector(version="2.0.0")},
            {"version": VersionSelector(as_of=at(NOW))},
        ):
            assert call(**alike) == first
        for other in (
            {"now": at(NOW + timedelta(seconds=1))},
            {"version": VersionSelector(version="3.0.0")},
            {"version": VersionSelector(as_of=at(NOW + timedelta(days=300)))},
        ):
            assert rejection_of(lambda other=other: call(**other)) == (
                grpc.StatusCode.ALREADY_EXISTS,
                "IDEMPOTENCY_KEY_REUSED",
            )

    assert first.version.version == "2.0.0"
    assert len(records(url)) == 1


def test_a_repeated_call_gets_its_decision_after_a_new_version(url: str) -> None:
    clock = iter([NOW, NOW + timedelta(days=300)])
    with serving_with_log(settings(url), lambda: next(clock), workshop()) as stub:
        first = ask(stub, damage="broken", _request_id="r")

        assert ask(stub, damage="broken", _request_id="r") == first


def test_a_repeated_call_to_reschedule_is_recorded_once(url: str) -> None:
    later_on = iter(NOW + timedelta(days=number) for number in range(100))
    with serving_with_log(settings(url), lambda: next(later_on), workshop()) as stub:
        first = rescheduled(stub, request_id="r-1")

        assert rescheduled(stub, request_id="r-1") == first
        assert rejection_of(lambda: rescheduled(stub, before="courier", request_id="r-1")) == (
            grpc.StatusCode.ALREADY_EXISTS,
            "IDEMPOTENCY_KEY_REUSED",
        )
        assert rejection_of(lambda: ask(stub, damage="broken", _request_id="r-1")) == (
            grpc.StatusCode.ALREADY_EXISTS,
            "IDEMPOTENCY_KEY_REUSED",
        )

    assert len(records(url)) == 1
