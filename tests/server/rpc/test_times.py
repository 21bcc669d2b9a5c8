"""Due times over a real port: the worked decisions with every stretch, what is refused, and what moves.

Instants travel as timestamps, in UTC; beside each due time stand its zone and the time on the wall there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from engine.clock.zone import TZDB
from guidepost import Client, selector, ticket, wrong_fields
from guidepost.decision_log.settings import LogSettings
from guidepost.server.rpc.decision_service import DecisionService
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.v1 import deadline_pb2, outcomes_pb2
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from guidepost.v1.ticket_pb2 import Pause
from guidepost.v1.version_pb2 import VersionSelector
from tests.support.calls import RejectedCall, call, call_raw
from tests.support.log_servers import PATIENT
from tests.support.servers import NOW, run_coroutine, serving, shipped_bundle

FRIDAY: Final = datetime.fromisoformat("2026-01-23T15:00:00+11:00")


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """Serve the guide's desk, and yield the address."""
    with serving(shipped_bundle()) as address:
        yield address


@pytest.fixture(scope="module")
def desk(served: str) -> Iterator[grpc.Channel]:
    """Connect to a server of the guide's desk."""
    with grpc.insecure_channel(served) as channel:
        yield channel


def stamp(at: str | datetime) -> Timestamp:
    """Return the timestamp of an instant."""
    made = Timestamp()
    made.FromDatetime(datetime.fromisoformat(at) if isinstance(at, str) else at)
    return made


def asked(name: str, facts: dict[str, Any], now: str | datetime = NOW, **more: Any) -> Any:
    """Return a request with an instant."""
    instants = {
        name: datetime.fromisoformat(value) if isinstance(value, str) and name.endswith("_at") else value
        for name, value in facts.items()
    }
    return getattr(pb, f"{name}Request")(ticket=ticket(instants), now=stamp(now), **more)


def drawn(deadline: Any) -> list[str]:
    """Return the stretches of a deadline as text, in the local time of its zone."""
    offset = datetime.fromisoformat(deadline.local_due).tzinfo
    lines = []
    for one in deadline.stretches:
        begin, end = (at.ToDatetime(UTC).astimezone(offset) for at in (one.start, one.end))
        kind = deadline_pb2.StretchKind.Name(one.kind).removeprefix("STRETCH_KIND_").lower()
        lines.append(f"{begin:%a %d %H:%M} to {end:%a %d %H:%M} {kind} {one.name}".rstrip())
    return lines


P3: Final = {"assigned_priority": "P3", "plan": "partner", "country": "AU", "received_at": FRIDAY}


class TestWorkedDecisions:
    """Each has its due time, its zone, and the stretches that counted or were skipped."""

    def test_one_business_day_passes_the_weekend_and_a_holiday(self, desk: grpc.Channel) -> None:
        response = call(desk, "DecideResponseTarget", asked("DecideResponseTarget", P3)).response

        (due,) = response.decision.deadlines
        assert response.response_due == due.due == stamp("2026-01-27T15:00:00+11:00")
        assert ("2026-01-27T15:00:00+11:00", "Australia/Sydney", "business_days in AU-NSW", TZDB) == (
            due.local_due,
            due.zone,
            due.calendar,
            due.tzdb,
        )
        assert (1, deadline_pb2.TIME_UNIT_BUSINESS_DAYS, deadline_pb2.DAY_RULE_ROLL_THEN_CLOCK) == (
            due.amount,
            due.unit,
            due.day_rule,
        )
        assert [
            "Fri 23 15:00 to Sat 24 00:00 open",
            "Sat 24 00:00 to Mon 26 00:00 closed",
            "Mon 26 00:00 to Tue 27 00:00 holiday Australia Day",
            "Tue 27 00:00 to Tue 27 15:00 open",
        ] == drawn(due)

    def test_hours_of_twelve_hour_support_go_on_the_next_business_day(self, desk: grpc.Channel) -> None:
        facts = {
            "assigned_priority": "P2",
            "plan": "saas_12x5",
            "country": "NZ",
            "received_at": "2026-03-06T17:30:00+13:00",
        }

        (due,) = call(desk, "DecideResponseTarget", asked("DecideResponseTarget", facts)).response.decision.deadlines

        assert ("2026-03-09T09:30:00+13:00", "Pacific/Auckland") == (due.local_due, due.zone)
        assert [
            "Fri 06 17:30 to Fri 06 19:00 open",
            "Fri 06 19:00 to Mon 09 07:00 closed",
            "Mon 09 07:00 to Mon 09 09:30 open",
        ] == drawn(due)

    def test_a_weekend_receipt_begins_with_the_next_business_day(self, desk: grpc.Channel) -> None:
        facts = {
            "assigned_priority": "P3",
            "plan": "partner",
            "country": "PH",
            "received_at": "2026-05-16T10:00:00+08:00",
        }

        (due,) = call(desk, "DecideResponseTarget", asked("DecideResponseTarget", facts)).response.decision.deadlines

        assert ("2026-05-19T00:00:00+08:00", "Asia/Manila") == (due.local_due, due.zone)
        assert ["Sat 16 10:00 to Mon 18 00:00 closed", "Mon 18 00:00 to Tue 19 00:00 open"] == drawn(due)

    def test_an_arrival_by_portal_is_to_be_triaged_within_four_hours_day_and_night(self, desk: grpc.Channel) -> None:
        facts = {
            "stage": "arrival",
            "channel": "portal",
            "impact": "low",
            "urgency": "low",
            "plan": "partner",
            "country": "AU",
            "received_at": FRIDAY,
        }

        triage = call(desk, "Triage", asked("Triage", facts))

        assert ("P2", "P5") == (triage.priority.priority, triage.priority.assessed_priority)
        assert stamp(FRIDAY + timedelta(hours=4)) == triage.response.response_due == triage.response.triage_due

    def test_without_service_levels_nothing_is_due(self, desk: grpc.Channel) -> None:
        facts = {"channel": "other", "impact": "high", "urgency": "high", "plan": "partner", "received_at": FRIDAY}

        response = call(desk, "DecideResponseTarget", asked("DecideResponseTarget", facts)).response

        assert (False, False, 0) == (
            response.HasField("response_due"),
            response.sla_applies,
            len(response.decision.deadlines),
        )

    def test_the_life_of_a_case_has_its_instants(self, desk: grpc.Channel) -> None:
        facts = {
            "case_state": "closed",
            "reopen_requested": True,
            "country": "AU",
            "resolved_at": "2026-01-20T09:00:00+11:00",
            "closed_at": FRIDAY,
        }

        within = call(desk, "DecideLifecycle", asked("DecideLifecycle", facts, "2026-02-02T15:00:00+11:00")).lifecycle
        after = call(desk, "DecideLifecycle", asked("DecideLifecycle", facts, "2026-02-02T15:00:01+11:00")).lifecycle

        assert stamp("2026-01-23T09:00:00+11:00") == within.auto_close_due
        assert stamp("2026-02-02T15:00:00+11:00") == within.reopen_until == after.reopen_until
        assert ("reopen", "new_case") == (within.case_action, after.case_action)
        assert ["business_days_since_resolution", "business_days_since_closure"] == [
            one.fact for one in within.decision.elapsed
        ]

    def test_the_vendor_has_a_day_of_the_clock(self, desk: grpc.Channel) -> None:
        facts = {"raised_at": FRIDAY, "vendor_contacted": False}

        escalation = call(
            desk, "DecideEscalation", asked("DecideEscalation", facts, FRIDAY + timedelta(hours=25))
        ).escalation

        assert (stamp(FRIDAY + timedelta(hours=24)), "reply_to_closure_email") == (
            escalation.follow_up_due,
            escalation.follow_up,
        )
        assert [deadline_pb2.DEADLINE_STATE_PASSED] == [due.standing.state for due in escalation.decision.deadlines]

    def test_the_centre_is_in_its_daytime_and_hands_over_to_the_next(self, desk: grpc.Channel) -> None:
        coverage = call(desk, "DecideCoverage", asked("DecideCoverage", {"received_at": FRIDAY})).coverage

        (duty,) = coverage.decision.duties
        assert ("melbourne", True, "2026-01-23T15:00:00+11:00") == (
            coverage.centre,
            duty.daytime,
            duty.on_duty.local_time,
        )
        assert stamp("2026-01-23T18:00:00+11:00") == duty.on_duty.ends
        assert ("manila", "Asia/Manila") == (duty.next.value, duty.next.zone)


class TestStanding:
    """The state of a deadline depends on the request's time, or on the server's."""

    @pytest.mark.parametrize(
        ("now", "state", "left"),
        [
            ("2026-01-23T16:00:00+11:00", "RUNNING", 23 * 3600),
            ("2026-01-27T09:00:00+11:00", "AT_RISK", 6 * 3600),
            ("2026-01-27T15:00:01+11:00", "BREACHED", 0),
        ],
    )
    def test_it_has_the_time_left_in_the_unit_of_the_policy(
        self, desk: grpc.Channel, now: str, state: str, left: int
    ) -> None:
        (due,) = call(desk, "DecideResponseTarget", asked("DecideResponseTarget", P3, now)).response.decision.deadlines

        assert getattr(deadline_pb2, f"DEADLINE_STATE_{state}") == due.standing.state
        assert (left / 86_400, left) == (
            pytest.approx(due.standing.left.amount),
            due.standing.left.time.ToTimedelta().total_seconds(),
        )

    def test_how_late_it_is_is_absent_where_holidays_are_not_known(self, desk: grpc.Channel) -> None:
        request = asked(
            "DecideResponseTarget", {**P3, "received_at": "2028-12-20T15:00:00+11:00"}, "2029-02-01T00:00:00Z"
        )

        (due,) = call(desk, "DecideResponseTarget", request).response.decision.deadlines

        assert (deadline_pb2.DEADLINE_STATE_BREACHED, False, False) == (
            due.standing.state,
            due.standing.HasField("late"),
            due.standing.HasField("used"),
        )

    def test_without_a_time_the_servers_clock_counts(self, desk: grpc.Channel) -> None:
        request = pb.DecideResponseTargetRequest(ticket=ticket(P3))

        (due,) = call(desk, "DecideResponseTarget", request).response.decision.deadlines

        assert stamp(NOW) == due.standing.at

    def test_the_time_of_the_request_chooses_the_version_in_force(self, desk: grpc.Channel) -> None:
        then = call(desk, "Triage", asked("Triage", P3, "2020-06-01T00:00:00Z"))
        named = call(desk, "Triage", asked("Triage", P3, "2020-06-01T00:00:00Z", version=selector("2.0.0")))

        assert ("1.0.0", "2.0.0") == (then.version.version, named.version.version)

    def test_the_same_request_at_the_same_time_gives_the_same_bytes(self, desk: grpc.Channel) -> None:
        request = asked("Triage", {**P3, "stage": "arrival", "channel": "email"}, "2026-01-27T09:00:00+11:00")

        assert len({call_raw(desk, "Triage", request) for _ in range(5)}) == 1

    def test_tickets_with_and_without_instants_never_get_each_others_answer(self, desk: grpc.Channel) -> None:
        """Cached encodings are distinguished."""
        without = pb.DecideResponseTargetRequest(
            ticket=ticket({name: value for name, value in P3.items() if name != "received_at"}), now=stamp(NOW)
        )

        replies = [
            call(desk, "DecideResponseTarget", request).response
            for request in (without, asked("DecideResponseTarget", P3), without)
        ]

        assert [False, True, False] == [reply.HasField("response_due") for reply in replies]
        assert replies[0] == replies[2]
        assert replies[0].decision.id != replies[1].decision.id

    @pytest.mark.parametrize("rpc", ["DecideResponseTarget", "DecideLifecycle", "DecideEscalation", "DecideCoverage"])
    def test_a_typed_decision_is_the_same_as_by_name(self, desk: grpc.Channel, rpc: str) -> None:
        """Also the second time, when most parts come from a cache."""
        facts = {**P3, "case_state": "closed", "closed_at": FRIDAY, "resolved_at": FRIDAY, "raised_at": FRIDAY}
        kinds = {
            "DecideResponseTarget": "response",
            "DecideLifecycle": "lifecycle",
            "DecideEscalation": "escalation",
            "DecideCoverage": "coverage",
        }

        for hours in (1, 2):
            now = FRIDAY + timedelta(hours=hours)
            typed = getattr(call(desk, rpc, asked(rpc, facts, now)), kinds[rpc]).decision
            assert call(desk, "Decide", asked("Decide", facts, now, decision=kinds[rpc])).decision == typed


class TestHolds:
    """Pauses are read, and the policy determines their effect."""

    def test_a_policy_without_holds_is_reported(self, desk: grpc.Channel) -> None:
        request = asked("DecideResponseTarget", P3)
        request.ticket.pauses.append(Pause(start=stamp(FRIDAY), end=stamp(FRIDAY + timedelta(hours=2))))

        response = call(desk, "DecideResponseTarget", request).response

        (due,) = response.decision.deadlines
        assert (True, False) == (due.HasField("extended"), due.extended)
        assert "response_due.holds" in {rule.id for rule in response.decision.assumptions}

    def test_every_wrong_one_is_named_together_with_wrong_facts(self, desk: grpc.Channel) -> None:
        request = asked("DecideResponseTarget", {**P3, "plan": "gold"})
        request.ticket.pauses.append(Pause(end=stamp(FRIDAY)))
        request.ticket.pauses.append(Pause(start=stamp(FRIDAY), end=stamp(FRIDAY - timedelta(hours=2))))

        refused = RejectedCall(desk, "DecideResponseTarget", request)

        assert grpc.StatusCode.INVALID_ARGUMENT is refused.code
        assert {"ticket.pauses[0].start", "ticket.pauses[1].end", "ticket.plan"} == set(refused.fields)


class TestInstants:
    """Instants before 1970 or after 2200 and texts that are not instants are rejected."""

    @pytest.mark.parametrize("at", ["1969-12-31T23:59:59Z", "2201-01-01T00:00:00Z"])
    def test_an_instant_outside_the_years_is_refused_with_those_that_are_not(self, desk: grpc.Channel, at: str) -> None:
        fact = RejectedCall(desk, "DecideResponseTarget", asked("DecideResponseTarget", {**P3, "received_at": at}))
        now = RejectedCall(desk, "DecideResponseTarget", asked("DecideResponseTarget", P3, at))

        assert ["ticket.received_at", "now"] == [field for refused in (fact, now) for field in refused.fields]
        assert all("years 1970 to 2200" in told for refused in (fact, now) for told in refused.fields.values())

    def test_a_timestamp_that_was_never_set_is_refused_in_every_field(self, desk: grpc.Channel) -> None:
        """An empty timestamp is 1970-01-01T00:00:00Z; a deadline from there would be late by decades."""
        never = Timestamp()
        held = asked("DecideResponseTarget", P3)
        held.ticket.pauses.append(Pause(start=never, end=stamp(FRIDAY)))
        held.ticket.pauses.append(Pause(start=stamp(FRIDAY), end=never))
        mapped = pb.TriageRequest(ticket=ticket(P3))
        mapped.ticket.facts["raised_at"].instant.SetInParent()
        before = pb.RescheduleRequest(ticket=ticket(P3))
        before.before.received_at.SetInParent()
        typed = ticket(assigned_priority="P3")
        typed.received_at.SetInParent()
        for rpc, request, fields in (
            ("Triage", pb.TriageRequest(ticket=typed), ["ticket.received_at"]),
            ("Triage", mapped, ['ticket.facts["raised_at"]']),
            ("DecideResponseTarget", held, ["ticket.pauses[0].start", "ticket.pauses[1].end"]),
            ("Triage", pb.TriageRequest(ticket=ticket(P3), now=never), ["now"]),
            ("Reschedule", before, ["before.received_at"]),
            ("Triage", pb.TriageRequest(ticket=ticket(P3), version=VersionSelector(as_of=never)), ["version.as_of"]),
        ):
            refused = RejectedCall(desk, rpc, request)
            assert (grpc.StatusCode.INVALID_ARGUMENT, fields) == (refused.code, sorted(refused.fields)), rpc
            assert all(
                "1970-01-01T00:00:00Z, a zero timestamp: was it set?" in told for told in refused.fields.values()
            )

    def test_of_several_tickets_the_one_whose_timestamp_was_never_set_is_refused_in_its_place(
        self, desk: grpc.Channel
    ) -> None:
        wrong = pb.TriageItem(ticket=ticket(P3))
        wrong.ticket.received_at.Clear()
        items = [pb.TriageItem(ticket=ticket(P3)), wrong]
        stub = DecisionServiceStub(desk)

        batch = [*stub.TriageBatch(pb.TriageBatchRequest(items=items), timeout=20).results]
        stream = [
            one.result for one in stub.TriageStream((pb.TriageStreamRequest(item=one) for one in items), timeout=20)
        ]

        for results in (batch, stream):
            assert ["triage", "error"] == [one.WhichOneof("result") for one in results]
            assert ["ticket.received_at"] == [field.path for field in results[1].error.fields]
            assert "a zero timestamp" in results[1].error.fields[0].message

    def test_the_python_client_names_the_fact_whose_time_was_never_set(self, served: str) -> None:
        zero = datetime(1970, 1, 1, tzinfo=UTC)

        with Client(served) as client, pytest.raises(grpc.RpcError) as refused:
            client.triage({**P3, "received_at": zero})

        assert ["ticket.received_at"] == list(wrong_fields(refused.value))

    def test_a_second_after_it_is_an_instant_like_any_other(self, desk: grpc.Channel) -> None:
        request = asked(
            "DecideResponseTarget",
            {**P3, "assigned_priority": "P1", "received_at": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)},
        )

        assert call(desk, "DecideResponseTarget", request).response.HasField("response_due")

    def test_a_text_without_an_offset_is_refused_with_the_right_form(self, desk: grpc.Channel) -> None:
        request = pb.DecideResponseTargetRequest(ticket=ticket(assigned_priority="P3"))
        request.ticket.facts["received_at"].text = "2026-01-23T15:00:00"

        refused = RejectedCall(desk, "DecideResponseTarget", request)

        told = refused.fields['ticket.facts["received_at"]']
        assert "expected an offset from UTC" in told
        assert "2026-01-31T09:00:00+10:00" in told


class TestReschedule:
    """A change of facts recalculates deadlines from the start, with the reasons."""

    def test_old_and_new_due_times_come_with_the_outcomes_that_changed(self, desk: grpc.Channel) -> None:
        request = asked("Reschedule", {**P3, "assigned_priority": "P2"}, before=ticket(assigned_priority="P3"))

        reply = call(desk, "Reschedule", request)

        (moved,) = reply.deadlines
        assert ("response_due", True, "2.0.0") == (moved.name, moved.moved, reply.version.version)
        assert ("2026-01-27T15:00:00+11:00", "2026-01-23T19:00:00+11:00") == (
            moved.before.local_due,
            moved.after.local_due,
        )
        because = {
            one.name: (one.before.text or one.before.number, one.after.text or one.after.number)
            for one in reply.because
        }
        assert (("P3", "P2"), (1, 4)) == (because["target_priority"], because["response_amount"])
        assert all(rule.place.line for one in reply.because for rule in one.rules)

    def test_what_was_not_known_before_is_named(self, desk: grpc.Channel) -> None:
        request = asked("Reschedule", P3, unknown_before=["assigned_priority"])

        (moved,) = call(desk, "Reschedule", request).deadlines

        assert (False, True) == (moved.HasField("before"), moved.HasField("after"))

    def test_wrong_earlier_facts_have_paths_of_their_own(self, desk: grpc.Channel) -> None:
        request = asked("Reschedule", P3, before=ticket(assigned_priority="P9"), unknown_before=["colour"])

        refused = RejectedCall(desk, "Reschedule", request)

        assert ["before.assigned_priority"] == [*refused.fields]


def test_what_is_never_asked_again_is_not_kept_written() -> None:
    """The cache has a message without its instants, or not at all if they occur in other fields."""
    service = DecisionService(LiveBundle(shipped_bundle()), lambda: NOW)
    undecided = {name: value for name, value in P3.items() if name != "plan"}
    closed = {"case_state": "closed", "reopen_requested": True, "country": "AU", "closed_at": FRIDAY}
    for facts, name in ((P3, "response"), (undecided, "response"), (closed, "lifecycle")):
        for hours in range(5):
            run_coroutine(
                service.Decide(
                    asked("Decide", facts, FRIDAY + timedelta(hours=hours), decision=name),
                    SimpleNamespace(time_remaining=lambda: None),
                )
            )

    assert (len(service._templates), len(service._encoded)) == (1, 0)


def test_every_instant_outcome_of_the_policies_has_a_field_of_its_kind() -> None:
    """So typed responses contain all of them."""
    instants = {
        name
        for version in shipped_bundle().versions
        for name, outcome in version.policy.outcomes.items()
        if outcome.type.value == "instant"
    }
    kinds = [getattr(outcomes_pb2, name) for name in outcomes_pb2.DESCRIPTOR.message_types_by_name]

    fields = {
        field.name for kind in kinds for field in kind.DESCRIPTOR.fields if field.message_type is Timestamp.DESCRIPTOR
    }

    assert instants == fields


def test_a_repeated_call_gets_the_recorded_state_of_the_deadline(tmp_path: Path) -> None:
    later = (NOW + timedelta(days=number) for number in range(9))
    facts = {"assigned_priority": "P3", "plan": "partner", "country": "AU", "received_at": NOW}
    with (
        serving(
            shipped_bundle(), lambda: next(later), LogSettings(timeout=PATIENT, url=f"sqlite:///{tmp_path}/log.db")
        ) as address,
        Client(address) as client,
    ):
        first = client.triage(facts, request_id="r-1")
        again, other = client.triage(facts, request_id="r-1"), client.triage(facts, request_id="r-2")

    assert again == first != other
