"""PolicyService over a real port: a version as data, and the difference of two versions."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from engine.diff import Change, OutcomeState, StateKind, compare
from engine.diff.words import change_text, region_text
from guidepost.server.wire.diff_message import diff_summary
from guidepost.v1 import diff_pb2, policy_pb2
from guidepost.v1 import policy_service_pb2 as pb
from guidepost.v1.policy_service_pb2_grpc import PolicyServiceStub
from guidepost.v1.version_pb2 import VersionSelector
from tests.support.servers import serving, shipped_bundle
from tests.support.table_diffs import changed, region, with_tables


@pytest.fixture(scope="module")
def desk() -> Iterator[grpc.Channel]:
    """Connect to a server of the guide's desk."""
    with serving(shipped_bundle()) as address, grpc.insecure_channel(address) as channel:
        yield channel


def parts(desk: grpc.Channel, **asked: object) -> list[pb.DiffVersionsResponse]:
    return list(PolicyServiceStub(desk).DiffVersions(pb.DiffVersionsRequest(**asked), timeout=60))


def test_a_difference_comes_as_its_summary_and_then_decision_by_decision(desk: grpc.Channel) -> None:
    old, new = shipped_bundle().versions
    expected = compare(old, new)

    summary, *decisions = parts(desk, before=VersionSelector(version="1.0.0"), after=VersionSelector(version="2.0.0"))

    assert summary.summary == diff_summary(expected)
    assert [one.decision.name for one in decisions] == [one.name for one in expected.decisions]
    assert not summary.summary.same_decisions
    assert (summary.summary.before.digest, summary.summary.after.digest) == (old.digest, new.digest)
    for one, said in zip(expected.decisions, decisions, strict=True):
        assert list(one.unchanged) == list(said.decision.unchanged)
        for outcome, written in zip(expected.outcomes_of(one), said.decision.outcomes, strict=True):
            assert (outcome.name, outcome.situations, outcome.changed) == (
                written.name,
                written.situations,
                written.changed,
            )
            assert [region_text(region) for region in outcome.regions] == [region.text for region in written.regions]
            assert [change_text(change) for change in outcome.changes] == [change.text for change in written.changes]


def test_without_selectors_it_is_the_version_in_force_against_the_one_before_it(desk: grpc.Channel) -> None:
    summary, *_ = parts(desk)
    assert (summary.summary.before.version, summary.summary.after.version) == ("1.0.0", "2.0.0")


def test_only_the_decisions_asked_for_are_sent(desk: grpc.Channel) -> None:
    summary, *decisions = parts(desk, decisions=["scope"])
    assert summary.HasField("summary")
    (scope,) = (one.decision for one in decisions)
    (feature,) = scope.outcomes
    (region,) = feature.regions
    assert region.text == "feature=critical_patch_notifications"
    assert dict(region.example) == {"feature": "critical_patch_notifications"}
    assert region.changes[0].before == diff_pb2.OutcomeState(
        kind=diff_pb2.OUTCOME_STATE_KIND_DECIDED, value={"text": "included"}
    )
    assert region.changes[0].after == diff_pb2.OutcomeState(kind=diff_pb2.OUTCOME_STATE_KIND_NOT_COVERED)


def test_the_first_part_has_the_changed_tables_and_each_outcome_that_follows_once() -> None:
    old, new = shipped_bundle().versions
    change = Change(
        OutcomeState(StateKind.UNDECIDED, ("a",)), OutcomeState(StateKind.UNDECIDED, (), ("b",)), in_part=True
    )
    table = changed("features", "feature_offered", 10**30, region(change, 10**29, feature="x"), others=1)
    summary = diff_summary(with_tables(compare(old, new), old, new, table))

    (features,) = summary.tables
    (there,) = features.regions
    assert (features.situations, features.share) == (2**64 - 1, 0.1), "a count that is too large is the largest"
    assert (there.text, there.share, dict(there.example)) == ("feature=x", 0.1, {"feature": "x"})
    assert (there.change.text, list(there.change.now_possible)) == ("- a; now possible: b", ["b"])
    names = [one.name for one in summary.outcomes]
    assert len(names) == len(set(names))
    offered = next(one for one in summary.outcomes if one.name == "feature_offered")
    assert (list(offered.decisions), list(offered.tables)) == (["scope"], ["features"])
    assert offered.text == "11.1% of situations, included -> not covered"


def test_a_version_against_itself_changes_no_decision(desk: grpc.Channel) -> None:
    summary, *decisions = parts(desk, before=VersionSelector(version="2.0.0"))
    assert summary.summary.same_decisions
    assert not any(one.decision.outcomes for one in decisions)


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ({"before": VersionSelector(version="9.9.9")}, grpc.StatusCode.NOT_FOUND, "`9.9.9`"),
        ({"after": VersionSelector(version="1.0.0")}, grpc.StatusCode.NOT_FOUND, "before `1.0.0`"),
        ({"decisions": ["prioritty"]}, grpc.StatusCode.NOT_FOUND, "`prioritty`"),
        ({"after": VersionSelector(digest="")}, grpc.StatusCode.INVALID_ARGUMENT, "after.digest"),
    ],
)
def test_a_difference_that_cannot_be_given_says_why(
    desk: grpc.Channel, asked: dict[str, object], code: grpc.StatusCode, said: str
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        parts(desk, **asked)
    assert (refused.value.code(), said in refused.value.details()) == (code, True)


def test_a_version_is_given_as_data_with_every_rule_and_its_place(desk: grpc.Channel) -> None:
    policy = shipped_bundle().versions[-1].policy
    answer = PolicyServiceStub(desk).GetVersion(pb.GetVersionRequest(), timeout=60).version

    assert [one.name for one in answer.tables] == list(policy.tables)
    rules = {rule.id: rule for one in answer.tables for rule in one.rules}
    assert set(rules) == {rule.id for table in policy.tables.values() for rule in table.rules}
    assert all(rule.place.line and rule.place.file for rule in rules.values())
    arrival = rules["priority.arrival"]
    assert [(one.fact, one.text) for one in arrival.when] == [("arrival_default", "yes")]
    assert {one.name: one.value.text for one in arrival.then} == {"priority": "P2", "basis": "channel_default"}
    matrix = next(one for one in answer.tables if one.name == "matrix")
    assert (matrix.hit, list(matrix.matrix.rows)) == (policy_pb2.HIT_POLICY_UNIQUE, ["high", "medium", "low"])
    copied = next(one for one in rules["assessed.matrix"].then if one.name == "assessed_priority")
    assert copied.same_as == "matrix_priority"


def test_times_are_given_as_data_too(desk: grpc.Channel) -> None:
    policy = shipped_bundle().versions[-1].policy
    answer = PolicyServiceStub(desk).GetVersion(pb.GetVersionRequest(), timeout=60).version

    assert [one.name for one in answer.deadlines] == list(policy.deadlines)
    assert [one.fact for one in answer.elapsed] == list(policy.elapsed)
    assert [one.name for one in answer.regions] == list(policy.regions)
    assert {one.name: len(one.days) for one in answer.holidays} == {
        name: len(listed.days) for name, listed in policy.holidays.items()
    }
    hours = next(one for one in answer.calendars if one.name == "weekdays_12h")
    assert [[(span.opens, span.closes) for span in day.hours] for day in hours.week] == [[(7 * 60, 19 * 60)]] * 5 + [
        [],
        [],
    ]
    due = next(one for one in answer.deadlines if one.name == "response_due")
    assert getattr(due, "from") == "received_at"
    assert {rule.then[0].measure.calendar for rule in due.rules if rule.then[0].measure.unit} == {
        "around_the_clock",
        "business_days",
        "weekdays_12h",
    }
    assert [(one.value, one.zone) for one in answer.rosters[0].places] == [
        (one.value, one.zone) for one in next(iter(policy.rosters.values())).entries
    ]
