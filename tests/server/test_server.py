"""A server over a real port: every RPC, every status code, health, reflection, and reproducible bytes."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from engine.decide.decider import Decider
from guidepost import selector, ticket
from guidepost.server.app import SERVICES, listening, serve
from guidepost.server.rpc.limits import Limits
from guidepost.v1 import decision_pb2, outcomes_pb2
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1 import policy_service_pb2 as policy_pb
from guidepost.v1.policy_service_pb2_grpc import PolicyServiceStub
from tests.support.calls import RejectedCall, call, call_raw
from tests.support.paths import ROOT
from tests.support.servers import COUNTER, NOW, counter_bundle, run_coroutine, serving, shipped_bundle

DECIDED: Final = decision_pb2.DECISION_STATUS_DECIDED
UNDECIDED: Final = decision_pb2.DECISION_STATUS_UNDECIDED
TYPED: Final = {
    "priority": "DecidePriority",
    "response": "DecideResponseTarget",
    "channel": "AdviseChannel",
    "scope": "DecideScope",
    "coverage": "DecideCoverage",
    "escalation": "DecideEscalation",
    "intake": "CheckIntake",
    "lifecycle": "DecideLifecycle",
}
"""The decisions of the guide's desk, each with its RPC."""

FACTS: Final = {
    "stage": "triage",
    "channel": "email",
    "impact": "high",
    "urgency": "medium",
    "plan": "partner",
    "requester": "partner",
    "service": "prism.login",
    "country": "AU",
    "language": "en",
    "received_at": NOW,
    "contact_is_tenant_user": False,
    "case_state": "open",
}


@pytest.fixture(scope="module")
def desk() -> Iterator[grpc.Channel]:
    """Connect to a server of the guide's desk."""
    with serving(shipped_bundle()) as address, grpc.insecure_channel(address) as channel:
        yield channel


@pytest.fixture(scope="module")
def other() -> Iterator[grpc.Channel]:
    """Connect to a server of the other desk."""
    with serving(counter_bundle()) as address, grpc.insecure_channel(address) as channel:
        yield channel


def request(name: str, facts: dict[str, Any] | None = None, **version: Any) -> Any:
    """Return a request for an RPC."""
    return getattr(pb, f"{name}Request")(ticket=ticket(FACTS if facts is None else facts), version=selector(**version))


class TestDecisions:
    """Every RPC of DecisionService answers over the port."""

    @pytest.mark.parametrize("name", TYPED)
    def test_each_decision_has_an_rpc_that_gives_it_with_typed_outcomes(self, desk: grpc.Channel, name: str) -> None:
        """The typed fields equal the decided outcomes of the list."""
        answer = getattr(call(desk, TYPED[name], request(TYPED[name])), name)

        assert name == answer.decision.name
        assert shipped_bundle().versions[-1].ref.digest == answer.decision.version.digest
        for outcome in answer.decision.outcomes:
            field = answer.DESCRIPTOR.fields_by_name[outcome.name]
            kind = outcome.value.WhichOneof("kind")
            if kind is None:
                assert field.is_repeated or not answer.HasField(outcome.name)
            elif kind == "list":
                assert list(getattr(answer, outcome.name)) == list(outcome.value.list.items)
            elif field.enum_type is None:
                assert getattr(answer, outcome.name) == getattr(outcome.value, kind)
            else:
                assert field.enum_type.values_by_number[getattr(answer, outcome.name)].name.endswith(
                    outcome.value.text.upper()
                )

    @pytest.mark.parametrize("name", TYPED)
    def test_decide_gives_the_same_decision_by_name(self, desk: grpc.Channel, name: str) -> None:
        """The generic RPC and the typed one agree."""
        generic = call(desk, "Decide", pb.DecideRequest(ticket=ticket(FACTS), decision=name))

        assert getattr(call(desk, TYPED[name], request(TYPED[name])), name).decision == generic.decision

    def test_high_impact_and_medium_urgency_is_p2_within_four_hours(self, desk: grpc.Channel) -> None:
        """The guide's own answer, with its reason."""
        answer = call(desk, "Triage", request("Triage"))

        assert (answer.priority.priority, answer.priority.basis) == ("P2", outcomes_pb2.BASIS_MATRIX)
        assert (
            answer.response.response_amount,
            answer.response.response_unit,
            answer.response.sla_applies,
        ) == (4, "hour", True)
        assert any(rule.source == "2.4" and rule.place.line > 1 for rule in answer.priority.decision.rules)

    def test_triage_makes_the_decisions_that_the_manifest_lists_and_no_others(self, desk: grpc.Channel) -> None:
        """The rest of the message stays absent."""
        answer = call(desk, "Triage", request("Triage"))

        made = {field.name for field, _ in answer.ListFields()} - {"version", "notice"}
        assert set(shipped_bundle().versions[-1].policy.manifest.triage) == made

    def test_triage_carries_the_standing_notice(self, desk: grpc.Channel) -> None:
        """As the version in force contains it."""
        answer = call(desk, "Triage", request("Triage"))

        assert shipped_bundle().versions[-1].policy.manifest.notice.text == answer.notice.text

    def test_a_missing_fact_that_matters_is_an_answer_and_not_an_error(self, desk: grpc.Channel) -> None:
        """User counts alone never decide."""
        answer = call(desk, "DecidePriority", request("DecidePriority", {"affected_percent": 80})).priority.decision

        assert answer.status == UNDECIDED
        assert answer.missing
        assert answer.ask_next in answer.missing
        assert answer.possible

    def test_absent_is_not_false_on_the_wire(self, desk: grpc.Channel) -> None:
        """A prerequisite that is denied fails; one that is missing is unconfirmed."""
        denied = call(desk, "DecideEscalation", request("DecideEscalation", {"provider_review_done": False})).escalation
        silent = call(desk, "DecideEscalation", request("DecideEscalation", {})).escalation

        assert len(denied.unmet) == len(silent.unmet) + 1
        assert len(denied.unconfirmed) == len(silent.unconfirmed) - 1

    def test_a_service_outside_the_catalogue_is_named_with_its_nearest_entries(self, desk: grpc.Channel) -> None:
        """It is not replaced by a guess."""
        answer = call(desk, "DecideScope", request("DecideScope", {"service": "prism.logon"})).scope.decision

        (unlisted,) = answer.unlisted
        assert (unlisted.fact, unlisted.sent) == ("service", "prism.logon")
        assert "prism.login" in [entry.value for entry in unlisted.nearest]

    def test_another_desk_needs_no_new_interface(self, other: grpc.Channel) -> None:
        """Its decisions use the common message, its facts the map."""
        answer = call(other, "Triage", request("Triage", {"size": 3, "vip": False, "colour": "red", "impact": "2"}))

        assert [decision.name for decision in answer.others] == ["queue", "gift"]
        queue, gift = answer.others
        assert {o.name: o.value.text for o in queue.outcomes if o.value.text} == {"queue": "fast", "basis": "size"}
        assert [queue.outcomes[0].value.text, queue.outcomes[0].text] == ["fast", "Fast lane"]
        assert queue.outcomes[2].value.number == 2.5
        assert queue.status == DECIDED
        assert gift.outcomes[0].name == "gifts"
        assert not answer.HasField("notice")

    def test_the_same_request_gives_the_same_bytes(self, desk: grpc.Channel) -> None:
        """Again, on another connection, and on another server."""
        message = request("Triage")
        with serving(shipped_bundle()) as address, grpc.insecure_channel(address) as elsewhere:
            answers = [call_raw(channel, "Triage", message) for channel in (desk, desk, elsewhere)]

        assert len(set(answers)) == 1

    def test_the_order_of_the_facts_does_not_show_in_the_bytes(self, other: grpc.Channel) -> None:
        """Facts of the map travel in any order."""
        facts = {"size": 3, "vip": False, "colour": "reddish", "weight": 4.0, "came_at": NOW}
        there, back = request("Triage", facts), request("Triage", dict(reversed(facts.items())))

        assert call_raw(other, "Triage", there) == call_raw(other, "Triage", back)


class TestVersions:
    """The version that decides, and the contents of a version."""

    def test_list_versions_names_all_and_the_one_in_force(self, desk: grpc.Channel) -> None:
        """The earliest first."""
        answer = PolicyServiceStub(desk).ListVersions(policy_pb.ListVersionsRequest(), timeout=60)

        refs = [version.ref for version in shipped_bundle().versions]
        assert [(ref.name, ref.version, ref.digest) for ref in refs] == [
            (one.version.name, one.version.version, one.version.digest) for one in answer.versions
        ]
        assert refs[-1].digest == answer.in_force.digest
        starts = [version.policy.manifest.effective_from for version in shipped_bundle().versions]
        assert starts == [one.effective_from.ToDatetime(tzinfo=UTC) for one in answer.versions]

    @pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
    def test_get_version_says_all_that_the_policy_says(self, desk: grpc.Channel, version: str) -> None:
        """Decisions, vocabulary, assumptions, questions and notice."""
        policy = next(one.policy for one in shipped_bundle().versions if one.ref.version == version)

        message = policy_pb.GetVersionRequest(version=selector(version))
        answer = PolicyServiceStub(desk).GetVersion(message, timeout=60).version

        assert version == answer.summary.version.version
        assert list(policy.manifest.triage) == list(answer.triage)
        assert list(policy.decisions) == [one.name for one in answer.decisions]
        assert list(policy.facts) == [one.name for one in answer.facts]
        assert list(policy.outcomes) == [one.name for one in answer.outcomes]
        impact = next(one for one in answer.facts if one.name == "impact")
        assert [word.value for word in impact.values] == ["high", "medium", "low"]
        percent = next(one for one in answer.facts if one.name == "affected_percent")
        assert (percent.minimum, percent.maximum, percent.unit) == (0, 100, "%")
        hours = next(one for one in answer.facts if one.name == "hours_since_raised")
        assert (hours.HasField("minimum"), hours.HasField("maximum")) == (True, False)
        assert {question.id for question in policy.questions} == {one.id for one in answer.questions}
        assert all(one.reason and one.place.line for one in answer.assumptions)
        assert [one.id for one in policy.assumptions] == [one.id for one in answer.assumptions]
        assert policy.manifest.notice.text == answer.notice.text

    def test_a_version_is_chosen_by_name_digest_or_instant(self, desk: grpc.Channel) -> None:
        """A digest may be shortened."""
        old = shipped_bundle().versions[0]
        start = old.policy.manifest.effective_from
        choices = [
            {"version": old.ref.version},
            {"digest": old.ref.digest},
            {"digest": old.ref.digest[:8]},
            {"as_of": start},
        ]

        for choice in choices:
            answer = call(desk, "Triage", request("Triage", **choice))

            assert (old.ref.version, old.ref.digest) == (answer.version.version, answer.version.digest)

    def test_without_a_choice_the_clock_of_the_server_chooses(self) -> None:
        """At the time of the call."""
        old, new = shipped_bundle().versions
        now = [old.policy.manifest.effective_from]
        with serving(shipped_bundle(), clock=lambda: now[0]) as address, grpc.insecure_channel(address) as channel:
            before = call(channel, "Triage", request("Triage")).version.version
            now[0] = new.policy.manifest.effective_from
            after = call(channel, "Triage", request("Triage")).version.version

        assert (old.ref.version, new.ref.version) == (before, after)

    def test_before_the_first_version_none_is_in_force(self) -> None:
        """The list still works; a decision is rejected with the known versions."""
        with (
            serving(shipped_bundle(), clock=lambda: datetime(1999, 1, 1, tzinfo=UTC)) as address,
            grpc.insecure_channel(address) as channel,
        ):
            answer = PolicyServiceStub(channel).ListVersions(policy_pb.ListVersionsRequest(), timeout=60)
            refused = RejectedCall(channel, "Triage", request("Triage"))

        assert not answer.HasField("in_force")
        assert refused.code == grpc.StatusCode.NOT_FOUND


class TestWrongRequests:
    """Errors name the wrong field, what is wrong, and what is allowed."""

    def test_every_wrong_field_is_named_with_what_it_may_be(self, desk: grpc.Channel) -> None:
        """All at once, for typed fields and for the map."""
        facts = {"impact": "hihg", "affected_percent": 101.0, "contact_email": 7, "urgency": 3.5, "nonsense": True}

        refused = RejectedCall(desk, "DecidePriority", request("DecidePriority", facts))

        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FACT")
        expected = [
            "ticket.affected_percent",
            'ticket.facts["contact_email"]',
            'ticket.facts["nonsense"]',
            'ticket.facts["urgency"]',
            "ticket.impact",
        ]
        assert expected == sorted(refused.fields)
        assert "unknown impact `hihg`" in refused.fields["ticket.impact"]
        assert "allowed: high, medium, low" in refused.fields["ticket.impact"]
        assert "0..100" in refused.fields["ticket.affected_percent"]
        assert refused.message.endswith("(and 4 more; all are in the error details, `wrong_fields` in Python)")

    def test_what_the_wire_and_the_policy_refuse_is_named_together(self, desk: grpc.Channel) -> None:
        """One call reports all that has to be fixed."""
        message = request("Triage", {"impact": "hihg", "urgency": "low"})
        message.ticket.facts["urgency"].text = "low"
        message.ticket.facts["empty"].SetInParent()
        message.ticket.received_at.seconds = 10**12

        refused = RejectedCall(desk, "Triage", message)

        expected = ['ticket.facts["empty"]', 'ticket.facts["urgency"]', "ticket.impact", "ticket.received_at"]
        assert expected == sorted(refused.fields)

    def test_what_only_the_wire_refuses_is_refused(self, desk: grpc.Channel) -> None:
        """Even if the policy could read the rest."""
        message = request("Decide", {"urgency": "low"})
        message.ticket.facts["urgency"].text = "low"
        message.decision = "priority"

        refused = RejectedCall(desk, "Decide", message)

        assert refused.fields == {'ticket.facts["urgency"]': "`urgency` is also sent as `ticket.urgency`; send it once"}

    def test_a_typed_field_that_the_policy_does_not_declare_is_named(self, other: grpc.Channel) -> None:
        """No fact is ignored silently."""
        refused = RejectedCall(other, "Triage", request("Triage", {"urgency": "high"}))

        assert refused.code == grpc.StatusCode.INVALID_ARGUMENT
        assert "unknown fact `urgency`" in refused.fields["ticket.urgency"]

    def test_a_number_that_is_none_is_refused(self, desk: grpc.Channel) -> None:
        """Not a number, and infinity."""
        for number in (float("nan"), float("inf")):
            refused = RejectedCall(desk, "Triage", request("Triage", {"affected_percent": number}))

            assert [*refused.fields] == ["ticket.affected_percent"]

    def test_however_much_is_wrong_the_caller_gets_a_status_that_fits(self, desk: grpc.Channel) -> None:
        """Clients refuse headers above 8 KiB."""
        facts = {f"{'ä' * 3000}{number}": "ü" * 3000 for number in range(50)}

        refused = RejectedCall(desk, "Triage", request("Triage", {**facts, "impact": "ö" * 3000}))

        assert refused.code == grpc.StatusCode.INVALID_ARGUMENT
        assert "more wrong fields" in refused.fields["ticket"]

    def test_an_empty_version_is_not_the_version_in_force(self, desk: grpc.Channel) -> None:
        """A caller that forgot the value receives an error."""
        message = request("Triage")
        message.version.version = ""

        refused = RejectedCall(desk, "Triage", message)

        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_VERSION_SELECTOR")
        assert [*refused.fields] == ["version.version"]

    @pytest.mark.parametrize(
        "choice", [{"version": "9.9.9"}, {"digest": "0" * 64}, {"as_of": datetime(1999, 1, 1, tzinfo=UTC)}]
    )
    def test_an_unknown_version_is_not_found_and_the_known_ones_are_named(
        self, desk: grpc.Channel, choice: dict[str, Any]
    ) -> None:
        """For a decision and for the version itself."""
        message = policy_pb.GetVersionRequest(version=selector(**choice))
        refusals = [
            RejectedCall(desk, "Triage", request("Triage", **choice)),
            RejectedCall(desk, "GetVersion", message, PolicyServiceStub),
        ]

        for refused in refusals:
            assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_VERSION")
            assert refused.detail(error_details_pb2.ErrorInfo).metadata["known"] == "1.0.0, 2.0.0"
            assert "2.0.0" in refused.message

    def test_an_unknown_decision_is_not_found_and_the_known_ones_are_named(self, other: grpc.Channel) -> None:
        """By name, and by the RPC of another desk's decision."""
        message = request("Decide", {})
        message.decision = "priority"
        refusals = [
            RejectedCall(other, "Decide", message),
            RejectedCall(other, "DecidePriority", request("DecidePriority", {})),
        ]

        for refused in refusals:
            assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_DECISION")
            assert refused.detail(error_details_pb2.ErrorInfo).metadata["known"] == "gift, queue"

    def test_a_message_that_is_too_large_is_refused(self, desk: grpc.Channel) -> None:
        """RESOURCE_EXHAUSTED, before anything is read."""
        refused = RejectedCall(desk, "Triage", request("Triage", {"explanation": "x" * Limits().request}))

        assert refused.code == grpc.StatusCode.RESOURCE_EXHAUSTED

    @pytest.mark.parametrize("rpc", ["Triage", "DecidePriority", "Reschedule"])
    def test_a_fact_that_is_called_as_those_before_a_change_is_refused_by_its_name(
        self, desk: grpc.Channel, rpc: str
    ) -> None:
        """A regression: the name was read as one of a reschedule's earlier facts."""
        asked = getattr(pb, f"{rpc}Request")()
        asked.ticket.facts["before.impact"].text = "high"

        assert list(RejectedCall(desk, rpc, asked).fields) == ['ticket.facts["before.impact"]']

    def test_bytes_that_are_no_message_are_refused_without_a_trace(self, desk: grpc.Channel) -> None:
        """It is reported as the caller's error, and the server continues."""
        with pytest.raises(grpc.RpcError) as raised:
            desk.unary_unary("/guidepost.v1.DecisionService/Triage")(b"\xff\xff\xff", timeout=60)

        assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert "Traceback" not in raised.value.details()
        assert call(desk, "Triage", request("Triage")).version.version == "2.0.0"

    def test_a_method_that_does_not_exist_is_unimplemented(self, desk: grpc.Channel) -> None:
        """As gRPC specifies."""
        with pytest.raises(grpc.RpcError) as raised:
            desk.unary_unary("/guidepost.v1.DecisionService/Guess")(b"", timeout=60)

        assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


class TestFaults:
    """Errors of the server itself."""

    def test_an_unexpected_error_is_internal_with_an_id_that_the_log_has_with_the_trace(
        self, desk: grpc.Channel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The caller sees the id and nothing else."""

        def fail(*_: object) -> None:
            raise ZeroDivisionError("secret")

        monkeypatch.setattr(Decider, "triage", fail)
        with caplog.at_level(logging.ERROR):
            refused = RejectedCall(desk, "Triage", request("Triage"))

        incident = refused.detail(error_details_pb2.RequestInfo).request_id
        assert (refused.code, refused.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL_ERROR")
        assert f"unexpected error; the server's log has it as incident {incident}" == refused.message
        assert "secret" not in str(refused.details)
        assert f"incident {incident} in TriageRequest" in caplog.text
        assert "ZeroDivisionError: secret" in caplog.text

    def test_two_incidents_have_two_ids(self, desk: grpc.Channel, monkeypatch: pytest.MonkeyPatch) -> None:
        """So that each can be found in the log."""
        monkeypatch.setattr(Decider, "triage", None)
        messages = {RejectedCall(desk, "Triage", request("Triage")).message for _ in range(2)}

        assert len(messages) == 2


class TestServing:
    """Health, reflection, addresses, and stopping."""

    @pytest.mark.parametrize("service", ["", *SERVICES])
    def test_the_server_and_each_service_are_healthy(self, desk: grpc.Channel, service: str) -> None:
        """By the standard health service."""
        answer = health_pb2_grpc.HealthStub(desk).Check(health_pb2.HealthCheckRequest(service=service), timeout=60)

        assert answer.status == health_pb2.HealthCheckResponse.SERVING

    def test_the_health_of_a_service_that_does_not_exist_is_not_found(self, desk: grpc.Channel) -> None:
        """As the standard specifies."""
        with pytest.raises(grpc.RpcError) as raised:
            health_pb2_grpc.HealthStub(desk).Check(health_pb2.HealthCheckRequest(service="x"), timeout=60)

        assert raised.value.code() == grpc.StatusCode.NOT_FOUND

    def test_reflection_lists_the_services(self, desk: grpc.Channel) -> None:
        """Guidepost's services, health, and reflection itself."""
        listed = ProtoReflectionDescriptorDatabase(desk).get_services()

        expected = [*SERVICES, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"]
        assert sorted(expected) == sorted(listed)

    def test_a_call_can_be_made_from_reflection_alone(self, desk: grpc.Channel) -> None:
        """A client without proto files can call."""
        pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(desk))
        method = pool.FindServiceByName("guidepost.v1.DecisionService").methods_by_name["Triage"]
        asks, answers = (message_factory.GetMessageClass(kind) for kind in (method.input_type, method.output_type))

        made = asks()
        made.ticket.impact, made.ticket.urgency, made.ticket.stage = "high", "high", "triage"
        answer = answers.FromString(call_raw(desk, "Triage", made))

        assert answer.priority.priority == "P1"

    def test_a_second_server_on_the_same_port_is_refused(self) -> None:
        """Instead of silently receiving half of the calls."""

        async def second(address: str) -> None:
            async with listening(counter_bundle(), address):
                pass

        with (
            serving(counter_bundle()) as address,
            pytest.raises(OSError, match=re.escape(f"cannot listen on {address}")),
        ):
            run_coroutine(second(address))

    def test_serve_reports_when_it_is_ready_and_ends_on_request(self) -> None:
        """The address contains the bound port."""

        async def scenario() -> str:
            stop, addresses = asyncio.Event(), []

            def ready(address: str) -> None:
                addresses.append(address)
                stop.set()

            await asyncio.wait_for(serve(counter_bundle(), "127.0.0.1:0", ready=ready, stop=stop), 10)
            return addresses[0]

        address = run_coroutine(scenario())

        assert re.fullmatch(r"127\.0\.0\.1:[1-9]\d+", address)

    def test_a_stopping_server_notifies_health_watches(self) -> None:
        """So that load balancers stop sending calls."""

        async def scenario() -> list[int]:
            seen = []
            async with listening(counter_bundle(), "127.0.0.1:0", grace=1) as address:
                channel = grpc.aio.insecure_channel(address)
                watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
                seen.append((await watch.read()).status)
            with_end = await watch.read()
            seen.append(with_end.status)
            await channel.close()
            return seen

        serving = health_pb2.HealthCheckResponse
        assert run_coroutine(scenario()) == [serving.SERVING, serving.NOT_SERVING]

    @pytest.mark.parametrize(("number", "workers"), [(signal.SIGTERM, "0"), (signal.SIGINT, "1")])
    def test_the_entry_serves_a_folder_until_it_is_signalled(
        self, tmp_path: Path, number: signal.Signals, workers: str
    ) -> None:
        """It prints the address and a call to try, and ends in order; from a single process, or with workers."""
        process = entry(write(tmp_path, COUNTER), "--port", "0", "--workers", workers)
        try:
            assert process.stdout is not None
            address = next(line.split()[2] for line in process.stdout if line.startswith("listening on "))
            assert any(line.strip() == "a call to the server:" for line in process.stdout)
            called = process.stdout.readline()
            assert address in called
            command = [*called.split(), "size=3", "vip=no"]
            answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
            assert '"Fast lane"' in answer.stdout
        finally:
            process.send_signal(number)
            code = process.wait(30)

        assert code == 0

    def test_the_entry_refuses_a_broken_policy(self, tmp_path: Path) -> None:
        """With the place of every problem, and exit code 3."""
        process = entry(
            write(tmp_path, {**COUNTER, "queue.yaml": COUNTER["queue.yaml"].replace("queue: slow", "queue: slwo")})
        )
        _, errors = process.communicate(timeout=60)

        assert process.returncode == 3
        assert re.search(r"queue\.yaml:\d+:\d+: .*slwo.*\[unknown-value\]", errors)

    def test_the_entry_refuses_an_address_that_is_taken(self, tmp_path: Path) -> None:
        """With exit code 2."""
        with serving(counter_bundle()) as address:
            process = entry(write(tmp_path, COUNTER), "--port", address.rpartition(":")[2])
            _, errors = process.communicate(timeout=60)

        assert process.returncode == 2
        assert f"cannot listen on {address}" in errors


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write the files of a policy into a folder."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def entry(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start server.py with a cache folder of its own."""
    command = [sys.executable, "server.py", "--policies", str(folder), *arguments]
    settings = {**os.environ, "GUIDEPOST_CACHE": str(folder / "proofs")}
    return subprocess.Popen(command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
