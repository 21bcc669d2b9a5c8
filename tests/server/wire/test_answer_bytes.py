"""Encoded answers have the bytes of their messages, field by field, with or without caches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.tickets import draw
from engine.model.answer import Answer, PossibleItems, Status
from engine.request.moment import Moment
from engine.version.build import build
from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost.server import wire
from guidepost.server.rpc.decision_service import DECISION, KINDS, DecisionService
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.server.wire.protobuf_bytes import duration, sized, timestamp, varint
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_pb2 import Decision
from tests.support.deciders import decide, triage
from tests.support.growth import prerequisites
from tests.support.servers import NOW

HOUR = timedelta(hours=1)
INSTANTS = st.timedeltas(timedelta(days=-730_000), timedelta(days=2_900_000)).map(lambda since: NOW + since)


@given(INSTANTS)
def test_an_instant_has_the_bytes_of_a_timestamp(at: datetime) -> None:
    message = Timestamp()
    message.FromDatetime(at)

    assert message.SerializeToString() == timestamp(at)[1:]
    assert message.ByteSize() == timestamp(at)[0]


@given(
    st.integers(0, 62)
    .flatmap(lambda bits: st.integers((1 << bits) - 2, (1 << bits) + 1))
    .flatmap(lambda whole: st.sampled_from([whole, -whole]))
)
@example(0)
@example(127)
@example(128)
def test_a_whole_number_has_the_bytes_of_one_whatever_its_length(number: int) -> None:
    assert Duration(seconds=number).SerializeToString() == (b"\x08" + varint(number) if number else b"")


@given(st.timedeltas(timedelta(days=-100_000), timedelta(days=100_000)))
def test_a_length_of_time_has_the_bytes_of_a_duration(time: timedelta) -> None:
    message = Duration()
    message.FromTimedelta(time)

    assert message.SerializeToString() == duration(time)[1:]
    assert message.ByteSize() == duration(time)[0]


def written(version: Version, facts: Mapping[str, object], moment: Moment) -> pb.TriageResponse:
    """Return a triage as a message, without caches."""
    response = pb.TriageResponse(
        version=wire.version_ref(version.ref), notice=wire.notice(version.policy.manifest.notice)
    )
    for answer in triage(version, facts, moment):
        kind = KINDS.get(answer.decision)
        if kind is None:
            response.others.append(wire.decision(answer))
        else:
            getattr(response, answer.decision).CopyFrom(wire.typed(kind, answer))
    return response


@pytest.fixture(scope="module")
def service(shipped: Bundle) -> DecisionService:
    return DecisionService(LiveBundle(shipped), lambda: NOW)


@pytest.mark.parametrize("number", [0, -1])
def test_a_triage_has_the_bytes_of_its_message(shipped: Bundle, service: DecisionService, number: int) -> None:
    """For all kinds of tickets, with and without instants, `now` and holds; each twice, so that caches are used."""
    version = shipped.versions[number]
    moments = (Moment(), Moment(NOW), Moment(NOW + 900 * HOUR), Moment(NOW, ((NOW - 3 * HOUR, NOW - HOUR),)))
    for facts in draw(version, 60, seed=7):
        undated = {name: value for name, value in facts.items() if not isinstance(value, datetime)}
        for moment in moments:
            for sent in (facts, undated, undated | {"received_at": NOW}) * 2:
                assert written(version, sent, moment).SerializeToString(deterministic=True) == service._encode_triage(
                    version, triage(version, sent, moment)
                )


@pytest.mark.parametrize("first", [True, False])
def test_what_is_not_due_has_the_bytes_of_its_message_with_its_instant_and_without_it(
    shipped: Bundle, first: bool
) -> None:
    """Answers with and without instants share an id in the cache, and are distinguished."""
    version, service = shipped.versions[-1], DecisionService(LiveBundle(shipped), lambda: NOW)
    facts = {"impact": "medium", "urgency": "high", "plan": "none", "channel": "email", "country": "AU"}
    dated = facts | {"received_at": NOW}
    plain, filled = (
        next(one for one in triage(version, sent, Moment(NOW)) if one.decision == "response") for sent in (facts, dated)
    )
    assert filled.undated_id == plain.id

    for sent in (facts, dated, facts) if first else (dated, facts, dated):
        assert written(version, sent, Moment(NOW)).SerializeToString(deterministic=True) == service._encode_triage(
            version, triage(version, sent, Moment(NOW))
        )


@settings(max_examples=60)
@given(
    started=st.timedeltas(timedelta(days=-20), timedelta(days=300)).map(lambda since: NOW + since),
    later=st.timedeltas(timedelta(0), timedelta(days=30)),
    priority=st.sampled_from(["P1", "P2", "P3", "P4", "P5"]),
    plan=st.sampled_from(["partner", "saas_12x5", "none"]),
    met=st.booleans(),
    named=st.booleans(),
)
def test_a_deadline_has_the_bytes_of_its_message_however_it_stands(
    shipped: Bundle,
    service: DecisionService,
    started: datetime,
    later: timedelta,
    priority: str,
    plan: str,
    met: bool,
    named: bool,
) -> None:
    version, facts = (
        shipped.versions[-1],
        {"assigned_priority": priority, "plan": plan, "country": "PH", "received_at": started},
    )
    if met:
        facts["responded_at"] = started + later / 2
    for answer in triage(
        version, {name: value for name, value in facts.items() if name in version.policy.facts}, Moment(started + later)
    ):
        kind = KINDS[answer.decision] if named else Decision
        message = wire.decision(answer) if kind is Decision else wire.typed(kind, answer)

        assert sized(DECISION, message.SerializeToString(deterministic=True)) == service._field(DECISION, kind, answer)


@pytest.mark.parametrize("hours", [0, 10])
def test_a_turn_has_the_bytes_of_its_message_by_day_and_by_night(
    shipped: Bundle, service: DecisionService, hours: int
) -> None:
    version, facts = shipped.versions[-1], {"received_at": NOW + hours * HOUR, "language": "en"}
    given, message = triage(version, facts), written(version, facts, Moment())

    assert [hours == 0] == [duty.daytime for duty in message.coverage.decision.duties]
    assert message.SerializeToString(deterministic=True) == service._encode_triage(version, given)


@pytest.mark.parametrize("possible", [(), (None,)])
@pytest.mark.parametrize(
    "items",
    [
        PossibleItems((), (), ()),
        PossibleItems(("a",), (), ("b", "")),
        PossibleItems((), tuple(f"step {at}" for at in range(40)), ()),
    ],
)
def test_an_undecided_list_has_the_bytes_of_its_message(
    shipped: Bundle, items: PossibleItems, possible: tuple[None, ...]
) -> None:
    answer = with_list(shipped.versions[-1], items, possible)

    assert wire.decision(answer).SerializeToString(deterministic=True) == wire.encode(Decision, answer)


def test_an_undecided_list_of_forty_steps_takes_less_than_four_kilobytes() -> None:
    answer = decide(build(prerequisites(40)), "all", {})

    assert answer["steps"].items == PossibleItems((), tuple(f"step {at}" for at in range(40)), ())
    assert len(wire.encode(Decision, answer)) < 4_000


def with_list(version: Version, items: PossibleItems, possible: tuple[None, ...] = ()) -> Answer:
    """Return an answer whose first outcome is an undecided list."""
    answer = triage(version, {"plan": "partner"})[0]
    first = replace(
        answer.outcomes[0], status=Status.UNDECIDED, value=None, text="", possible=possible, items=items, missing=("f",)
    )
    return replace(answer, outcomes=(first, *answer.outcomes[1:]))
