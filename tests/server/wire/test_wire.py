"""The wire: tickets are read as they were sent, answers written whole, and old bytes keep decoding.

``python -m tests.server.wire.test_wire`` writes ``wire/v1`` anew from the messages as they are now; do that only when
fields were added.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from google.protobuf import text_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from engine.model.answer import Answer, FiredRule, Outcome, PossibleItems, Status, VersionRef
from engine.model.problems import Place
from guidepost.server import wire
from guidepost.v1 import (
    admin_service_pb2,
    audit_service_pb2,
    deadline_pb2,
    decision_pb2,
    decision_service_pb2,
    diff_pb2,
    outcomes_pb2,
    policy_pb2,
    policy_service_pb2,
    ticket_pb2,
    version_pb2,
)
from tests.support.deciders import decide, triage
from tests.support.servers import counter_bundle, shipped_bundle

Ticket, FactValue = ticket_pb2.Ticket, ticket_pb2.FactValue
FIXTURES: Final = Path(__file__).parents[2] / "wire" / "v1"
FILES: Final = (
    deadline_pb2,
    decision_pb2,
    outcomes_pb2,
    ticket_pb2,
    version_pb2,
    policy_pb2,
    diff_pb2,
    decision_service_pb2,
    policy_service_pb2,
    audit_service_pb2,
    admin_service_pb2,
)
MESSAGES: Final = {kind.name: kind for file in FILES for kind in file.DESCRIPTOR.message_types_by_name.values()}
ROOTS: Final = tuple(
    getattr(file, kind.name)
    for file in (decision_service_pb2, policy_service_pb2, audit_service_pb2, admin_service_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
    for kind in (method.input_type, method.output_type)
)
"""The requests and responses of all RPCs."""


class TestTickets:
    """The engine receives what a caller sends."""

    def test_a_field_that_is_not_sent_is_not_a_fact(self) -> None:
        """Zero values of proto3 do not become facts."""
        assert wire.facts(Ticket()) == ({}, ())

    def test_false_zero_and_the_empty_text_are_facts_when_they_are_sent(self) -> None:
        """Absent is not false, none or zero."""
        ticket = Ticket(contact_is_tenant_user=False, affected_percent=0, business_days_since_closure=0, explanation="")

        facts, wrong = wire.facts(ticket)

        expected = {
            "contact_is_tenant_user": False,
            "affected_percent": 0.0,
            "business_days_since_closure": 0,
            "explanation": "",
        }
        assert (expected, ()) == (facts, wrong)

    def test_a_timestamp_is_an_instant_in_utc(self) -> None:
        """Instants keep their microseconds and have a zone."""
        ticket = Ticket()
        ticket.received_at.FromDatetime(datetime(2026, 1, 23, 4, 0, 0, 250, tzinfo=UTC))

        assert {"received_at": datetime(2026, 1, 23, 4, 0, 0, 250, tzinfo=UTC)} == wire.facts(ticket)[0]

    def test_every_kind_of_value_in_the_map_is_read_as_that_kind(self) -> None:
        """Texts, numbers, flags and instants."""
        ticket = Ticket()
        ticket.facts["a"].text = "x"
        ticket.facts["b"].number = 2.5
        ticket.facts["c"].flag = False
        ticket.facts["d"].instant.FromSeconds(0)

        expected = {"a": "x", "b": 2.5, "c": False, "d": datetime(1970, 1, 1, tzinfo=UTC)}
        assert (expected, ()) == wire.facts(ticket)

    def test_a_fact_sent_both_ways_is_wrong(self) -> None:
        """Neither of the two values is ignored."""
        ticket = Ticket(impact="high")
        ticket.facts["impact"].text = "high"

        (wrong,) = wire.facts(ticket)[1]

        assert (wrong.fact, wrong.message) == ("impact", "`impact` is also sent as `ticket.impact`; send it once")

    def test_a_value_in_the_map_that_is_not_set_is_wrong(self) -> None:
        """An empty value is an error and not an unknown fact."""
        ticket = Ticket()
        ticket.facts["size"].SetInParent()

        (wrong,) = wire.facts(ticket)[1]

        assert (wrong.fact, wrong.message) == ("size", "expected a value; leave the fact out if it is unknown")

    @pytest.mark.parametrize(("seconds", "nanos"), [(10**12, 0), (-(10**12), 0), (0, -1), (0, 2 * 10**9)])
    def test_a_timestamp_outside_the_calendar_is_wrong(self, seconds: int, nanos: int) -> None:
        """In a typed field or in the map, as a fact or in a version selector."""
        ticket = Ticket()
        ticket.received_at.seconds, ticket.received_at.nanos = seconds, nanos
        ticket.facts["came_at"].instant.CopyFrom(ticket.received_at)
        selector = version_pb2.VersionSelector(as_of=ticket.received_at)

        facts, wrong = wire.facts(ticket)
        with pytest.raises(wire.InvalidSelector, match="expected an instant") as error:
            wire.selection(selector)

        assert (facts, [fact.fact for fact in wrong]) == ({}, ["received_at", "came_at"])
        assert error.value.path == "version.as_of"

    def test_the_path_of_a_fact_says_where_it_was_sent(self) -> None:
        """In a field of its own, or in the map."""
        request = decision_service_pb2.TriageRequest()
        request.ticket.facts["size"].number = 1

        assert (wire.path("impact", request), wire.path("size", request)) == ("ticket.impact", 'ticket.facts["size"]')

    def test_every_typed_field_is_a_fact_of_its_kind(self) -> None:
        """No field is unused; a fact that a policy adds goes into the map."""
        kinds = {"number": "double", "integer": "int32", "boolean": "bool", "instant": "message"}
        names = {
            kind: name.removeprefix("TYPE_").lower()
            for name, kind in vars(FieldDescriptor).items()
            if name.startswith("TYPE_")
        }
        fields = {
            name: names[field.type]
            for name, field in Ticket.DESCRIPTOR.fields_by_name.items()
            if name not in wire.NO_FACTS
        }

        for version in shipped_bundle().versions:
            facts = version.policy.facts.values()
            declared = {fact.name: kinds.get(fact.type.value, "string") for fact in facts if fact.name in fields}

            assert declared.items() <= fields.items()
        assert set(fields) <= {name for version in shipped_bundle().versions for name in version.policy.facts}


class TestSelectors:
    """The version that a request selects."""

    def test_no_selector_asks_for_the_version_in_force(self) -> None:
        """The engine receives no argument."""
        assert wire.selection(version_pb2.VersionSelector()) == {}

    def test_an_empty_name_is_not_the_version_in_force(self) -> None:
        """A caller that forgot the value receives an error."""
        with pytest.raises(wire.InvalidSelector, match="got an empty text"):
            wire.selection(version_pb2.VersionSelector(version=""))


class TestDecisions:
    """An answer is encoded completely."""

    def test_every_typed_field_is_an_outcome_of_its_decision(self) -> None:
        """In any version; an outcome that a policy adds is in the list of outcomes."""
        decisions = [
            decision for version in shipped_bundle().versions for decision in version.policy.decisions.values()
        ]
        outcomes: dict[str, set[str]] = {}
        for decision in decisions:
            outcomes.setdefault(f"{decision.name.capitalize()}Decision", {"decision"}).update(decision.outcomes)

        assert all(set(MESSAGES[name].fields_by_name) <= known for name, known in outcomes.items())
        assert set(outcomes) == {name for name in MESSAGES if name.endswith("Decision")} - {"Decision"}

    def test_a_decided_outcome_stands_in_its_field(self) -> None:
        """Words as texts, structure as enums."""
        answer = decide(
            shipped_bundle().versions[-1], "priority", {"stage": "triage", "impact": "high", "urgency": "medium"}
        )

        written = wire.typed(outcomes_pb2.PriorityDecision, answer)

        assert (written.priority, written.basis) == ("P2", outcomes_pb2.BASIS_MATRIX)
        assert written.decision.status == decision_pb2.DECISION_STATUS_DECIDED

    def test_an_undecided_outcome_leaves_its_field_absent(self) -> None:
        """Absent differs from the empty text."""
        answer = decide(shipped_bundle().versions[-1], "priority", {"affected_percent": 80})

        written = wire.typed(outcomes_pb2.PriorityDecision, answer)

        assert not written.HasField("priority")
        assert not written.HasField("basis")
        assert list(answer.missing) == list(written.decision.missing)
        assert [value for value in answer.possible if value] == [value.text for value in written.decision.possible]

    def test_an_outcome_of_another_kind_than_its_field_is_left_to_the_list(self) -> None:
        """Another desk may use the same name for another type."""
        values = {
            "priority": 3,
            "basis": "weather",
            "assessed_priority": True,
            "decision": "x",
            "severity_priority": ("a",),
        }

        written = wire.typed(outcomes_pb2.PriorityDecision, an_answer(**values))

        assert [field.name for field, _ in written.ListFields()] == ["decision", "basis"]
        assert written.basis == outcomes_pb2.BASIS_UNSPECIFIED
        assert [*values] == [outcome.name for outcome in written.decision.outcomes]

    def test_every_kind_of_outcome_is_written_as_that_kind(self) -> None:
        """Also values that look empty."""
        written = wire.decision(an_answer(a="", b=False, c=0, d=(), e=2.5))

        kinds = [outcome.value.WhichOneof("kind") for outcome in written.outcomes]
        assert kinds == ["text", "flag", "number", "list", "number"]

    def test_not_covered_among_the_possible_values_has_a_field_of_its_own(self) -> None:
        """It is not a value."""
        outcome = Outcome(
            name="a", status=Status.UNDECIDED, value=None, text="", possible=("x", None), missing=("b",), rules=()
        )

        written = wire.decision(an_answer(outcome))

        assert ([v.text for v in written.outcomes[0].possible], written.outcomes[0].possibly_not_covered) == (
            ["x"],
            True,
        )

    def test_what_is_possible_of_a_list_is_written_item_by_item(self) -> None:
        """Three lists of items, and no list of lists."""
        items = PossibleItems(always=("a",), open=("b", "c"), never=())
        outcome = Outcome(
            name="o",
            status=Status.UNDECIDED,
            value=None,
            text="",
            possible=(),
            missing=("f",),
            rules=(),
            items=items,
        )

        written = wire.decision(an_answer(outcome)).outcomes[0]

        assert decision_pb2.PossibleItems(always=["a"], open=["b", "c"]) == written.possible_items
        assert (list(written.possible), list(written.missing)) == ([], ["f"])
        assert not wire.decision(an_answer(a=("x",))).outcomes[0].HasField("possible_items")

    def test_a_rule_says_where_it_stands(self) -> None:
        """File, line, column, heading and assumption."""
        answer = triage(counter_bundle().versions[0], {"colour": "red"})[1]

        written = wire.decision(answer).rules[-1]

        place = decision_pb2.Place(file="gift.yaml", line=16, column=16)
        expected = decision_pb2.FiredRule(
            id="smile.otherwise", table="smile", place=place, source="back", assumption="nobody mentions it"
        )
        assert expected == written


class TestBytes:
    """Bytes of earlier releases still decode."""

    @pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.binpb")), ids=lambda path: path.stem)
    def test_old_bytes_decode_to_what_their_readable_twin_says(self, path: Path) -> None:
        """Each .binpb has a .txtpb beside it."""
        message = root(path)
        message.ParseFromString(path.read_bytes())
        twin = text_format.Parse(path.with_suffix(".txtpb").read_text(encoding="utf-8"), root(path))

        assert twin == message

    def test_the_bytes_show_every_field_of_every_message(self) -> None:
        """A new field needs bytes that show it."""
        seen: set[str] = set()
        for path in FIXTURES.glob("*.binpb"):
            message = root(path)
            message.ParseFromString(path.read_bytes())
            gather(message, seen)

        assert {field.full_name for kind in MESSAGES.values() for field in kind.fields} == seen


def an_answer(*outcomes: Outcome, **values: Any) -> Answer:
    """Return an answer with these outcomes, or with decided outcomes of these values."""
    fired = FiredRule(id="r", table="t", place=Place(file="f.yaml"), source="1", assumption="")
    made = (
        *outcomes,
        *(
            Outcome(name=name, status=Status.DECIDED, value=value, text="", possible=(), missing=(), rules=(fired,))
            for name, value in values.items()
        ),
    )
    return Answer(
        id="id",
        decision="priority",
        status=Status.DECIDED,
        outcomes=made,
        answers=1,
        missing=(),
        possible=(),
        ask_next="",
        rules=(fired,),
        assumptions=(),
        unlisted=(),
        version=VersionRef("n", "v", "d"),
    )


def root(path: Path) -> Message:
    """Return an empty message of the type that a fixture names."""
    made: Message = next(kind for kind in ROOTS if path.name.startswith(f"{kind.DESCRIPTOR.name}."))()
    return made


def gather(message: Message, seen: set[str]) -> None:
    """Collect the fields that a message and its parts have set."""
    for field, value in message.ListFields():
        seen.add(field.full_name)
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            for entry in value.values():
                if isinstance(entry, Message):
                    gather(entry, seen)
        else:
            for part in value if field.is_repeated else [value]:
                gather(part, seen)
    seen -= {name for name in seen if name.startswith("google.")}


def filled(message: Message, choice: int, kind: Descriptor) -> None:
    """Set every field of a message; of exclusive fields, set one by a rotating index."""
    for number, field in enumerate(kind.fields):
        group = field.containing_oneof
        if group is not None and len(group.fields) > 1 and group.fields[choice % len(group.fields)] is not field:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            entry = field.message_type.fields_by_name["value"].message_type
            for at in range(4):
                if entry is None:
                    getattr(message, field.name)[f"fact_{at}"] = f"value_{at}"
                else:
                    filled(getattr(message, field.name)[f"fact_{at}"], at, entry)
        elif field.is_repeated and field.message_type is not None:
            for at in range(5 if field.message_type.oneofs else 1):
                filled(getattr(message, field.name).add(), at, field.message_type)
        elif field.message_type is not None:
            filled(getattr(message, field.name), choice + number, field.message_type)
        else:
            value = {
                FieldDescriptor.TYPE_STRING: field.name,
                FieldDescriptor.TYPE_BOOL: number % 2 == 0 or not field.has_presence,
                FieldDescriptor.TYPE_ENUM: 1,
            }.get(field.type, number + 1)
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)


def choices(kind: Descriptor) -> int:
    """Return the number of exclusive fields of a message."""
    return max((len(group.fields) for group in kind.oneofs), default=1)


def write_fixtures() -> None:
    """Write bytes and twins for all requests and responses."""
    for number, (kind, choice) in enumerate((root, at) for root in ROOTS for at in range(choices(root.DESCRIPTOR))):
        message = kind()
        filled(message, choice if choices(kind.DESCRIPTOR) > 1 else number, kind.DESCRIPTOR)
        path = FIXTURES / f"{kind.DESCRIPTOR.name}{f'.{choice}' if choice else ''}.full"
        path.with_suffix(".full.binpb").write_bytes(message.SerializeToString(deterministic=True))
        header = f"# proto-message: {kind.DESCRIPTOR.full_name}\n"
        path.with_suffix(".full.txtpb").write_text(header + text_format.MessageToString(message), encoding="utf-8")


if __name__ == "__main__":
    write_fixtures()
