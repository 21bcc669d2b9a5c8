"""Protobuf <-> engine nouns, the one file that knows both: a ticket becomes facts, an answer becomes a message."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from engine.answer import Answer, Fired, Outcome, Status, Unlisted, VersionRef, WrongFact, WrongRequest
from engine.change import Rescheduled
from engine.moment import Moment, read_moment
from engine.policy import Assumption, Decision, Literal, Notice, Policy, Question
from engine.problems import Place
from engine.vocabulary import Fact, FactType, Value
from guidepost.v1 import deadline_pb2, decision_pb2, decision_service_pb2, policy_service_pb2, ticket_pb2, version_pb2
from service import wire_times

Typed = TypeVar("Typed", bound=Message)

NO_FACTS: Final = frozenset({"facts", "pauses"})
"""The fields of a ticket that are no facts of their own."""

TYPED_FACTS: Final = frozenset(ticket_pb2.Ticket.DESCRIPTOR.fields_by_name) - NO_FACTS
"""The facts that have a field of their own in a ticket."""

STATUS: Final = {
    Status.DECIDED: decision_pb2.DECISION_STATUS_DECIDED,
    Status.UNDECIDED: decision_pb2.DECISION_STATUS_UNDECIDED,
    Status.NOT_COVERED: decision_pb2.DECISION_STATUS_NOT_COVERED,
}
FACT_TYPE: Final = {kind: f"FACT_TYPE_{kind.name}" for kind in FactType}


class WrongSelector(ValueError):
    """A version selector that selects nothing; holds the path of the field."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        super().__init__(message)


# Inward


def facts(ticket: ticket_pb2.Ticket) -> tuple[dict[str, object], tuple[WrongFact, ...]]:
    """Read the facts of a ticket, typed or from the map, and name those that no policy could read."""
    read: dict[str, object] = {}
    wrong: list[WrongFact] = []
    for field, value in ticket.ListFields():
        if field.name not in NO_FACTS:
            _read(field.name, value, read, wrong)
    for name in sorted(ticket.facts):
        kind = ticket.facts[name].WhichOneof("value")
        if name in read:
            wrong.append(WrongFact(name, "", f"`{name}` is also sent as `ticket.{name}`; send it once"))
        elif kind is None:
            wrong.append(WrongFact(name, "", "no value is set; leave the fact out if it is not known"))
        else:
            _read(name, getattr(ticket.facts[name], kind), read, wrong)
    return read, tuple(wrong)


def moment(ticket: ticket_pb2.Ticket, now: datetime) -> tuple[Moment, tuple[WrongFact, ...]]:
    """Read the holds of a ticket, at the instant of the request, and name those that are none."""
    wrong: list[WrongFact] = []
    read: dict[str, object] = {}
    pauses: list[tuple[object, object]] = []
    for number, pause in enumerate(ticket.pauses):
        ends: list[object] = []
        for end in ("start", "end"):
            name = f"pauses[{number}].{end}"
            if pause.HasField(end):
                _read(name, getattr(pause, end), read, wrong)
            ends.append(read.get(name))
        pauses.append((ends[0], ends[1]))
    if wrong:
        return Moment(now), tuple(wrong)
    try:
        return read_moment(now, pauses), ()
    except WrongRequest as error:
        return Moment(now), tuple(replace(one, fact=one.fact.replace(".from", ".start").replace(".to", ".end")) for one in error.wrong)


def path(fact: str, request: Message) -> str:
    """Give the path of the field in which a request sends a fact."""
    if fact == "now":
        return fact
    ticket, field = request.ticket, "ticket"  # type: ignore[attr-defined]
    if fact.startswith("before."):
        ticket, field, fact = request.before, "before", fact.removeprefix("before.")  # type: ignore[attr-defined]
    return f'{field}.facts["{fact}"]' if fact in ticket.facts else f"{field}.{fact}"


def selection(selector: version_pb2.VersionSelector) -> dict[str, Any]:
    """Read which version is asked for, as arguments of ``Bundle.select``; none is the version in force."""
    kind = selector.WhichOneof("by")
    if kind is None:
        return {}
    value = getattr(selector, kind)
    if not isinstance(value, Timestamp):
        if not value:
            raise WrongSelector(f"version.{kind}", "is empty; leave `version` out for the version in force")
        return {kind: value}
    try:
        return {kind: wire_times.instant(value)}
    except ValueError as error:
        raise WrongSelector(f"version.{kind}", str(error)) from error


def _read(name: str, value: object, read: dict[str, object], wrong: list[WrongFact]) -> None:
    """Add one fact, or say why it is none."""
    try:
        read[name] = wire_times.instant(value) if isinstance(value, Timestamp) else value
    except ValueError as error:
        wrong.append(WrongFact(name, "", str(error)))


# Outward, what was decided


def decision(answer: Answer) -> decision_pb2.Decision:
    """Write an answer as the common message."""
    written = decision_pb2.Decision(
        id=answer.id,
        name=answer.decision,
        status=STATUS[answer.status],
        missing=answer.missing,
        possible=_possible(answer.possible),
        possibly_not_covered=None in answer.possible,
        ask_next=answer.ask_next,
        outcomes=[_outcome(outcome) for outcome in answer.outcomes],
        answers=answer.answers,
        rules=[_fired(rule) for rule in answer.rules],
        assumptions=[_fired(rule) for rule in answer.assumptions],
        unlisted=[_unlisted(fact) for fact in answer.unlisted],
        version=version_ref(answer.version),
    )
    _times(written, answer)
    return written


def rescheduled(change: Rescheduled) -> decision_service_pb2.RescheduleResponse:
    """Write how deadlines moved, and why."""
    return decision_service_pb2.RescheduleResponse(
        version=version_ref(change.version),
        deadlines=[
            deadline_pb2.MovedDeadline(
                name=one.name, moved=one.moved,
                before=None if one.before is None else wire_times.deadline(one.before),
                after=None if one.after is None else wire_times.deadline(one.after),
            )
            for one in change.deadlines
        ],
        because=[
            decision_pb2.ChangedOutcome(
                name=one.after.name,
                before=None if one.before.value is None else _value(one.before.value),
                after=None if one.after.value is None else _value(one.after.value),
                rules=[_fired(rule) for rule in one.after.rules],
            )
            for one in change.because
        ],
    )


def typed(kind: type[Typed], answer: Answer) -> Typed:
    """Write an answer as its typed message: the decision, and each decided outcome that has a field of its name.

    What a policy gives in another kind than the field has is left to the decision's list of outcomes.
    """
    message = kind()
    fields = message.DESCRIPTOR.fields_by_name
    message.decision.CopyFrom(decision(answer))  # type: ignore[attr-defined]
    for outcome in answer.outcomes:
        if outcome.value is not None and outcome.name in fields:
            _put(message, fields[outcome.name], outcome.value)
    return message


def undated(answer: Answer) -> Answer:
    """Take the instants out of an answer, as far as they stand outside of what its rules say."""
    outcomes = tuple(replace(outcome, value=None) if isinstance(outcome.value, datetime) else outcome for outcome in answer.outcomes)
    return replace(answer, outcomes=outcomes, dues=(), duties=(), passed=())


def date(message: Message, answer: Answer) -> None:
    """Write the instants of an answer into the message of the same answer without them."""
    written = message if isinstance(message, decision_pb2.Decision) else message.decision  # type: ignore[attr-defined]
    fields = message.DESCRIPTOR.fields_by_name
    written.id = answer.id
    for number, outcome in enumerate(answer.outcomes):
        if isinstance(outcome.value, datetime):
            written.outcomes[number].value.instant.FromDatetime(outcome.value)
            if written is not message and outcome.name in fields:
                _put(message, fields[outcome.name], outcome.value)
    _times(written, answer)


def _times(written: decision_pb2.Decision, answer: Answer) -> None:
    """Write how deadlines came to their instants, who has the turn, and what has passed."""
    for due in answer.dues:
        wire_times.write_deadline(written.deadlines.add(), due)
    written.duties.extend([wire_times.duty(duty) for duty in answer.duties])
    written.elapsed.extend([wire_times.elapsed(passed) for passed in answer.passed])


def version_ref(ref: VersionRef) -> decision_pb2.VersionRef:
    """Write the name of a version."""
    return decision_pb2.VersionRef(name=ref.name, version=ref.version, digest=ref.digest)


def notice(standing: Notice | None) -> decision_pb2.Notice | None:
    """Write the standing notice, if there is one."""
    if standing is None:
        return None
    return decision_pb2.Notice(text=standing.text, source=standing.source, assumption=standing.assumption)


def _put(message: Message, field: Any, value: Literal) -> None:
    """Set a field, if the value is of its kind."""
    match value:
        case tuple():
            if field.is_repeated:
                getattr(message, field.name).extend(value)
        case datetime():
            if field.type == FieldDescriptor.TYPE_MESSAGE and field.message_type is Timestamp.DESCRIPTOR:
                getattr(message, field.name).FromDatetime(value)
        case bool():
            if field.type == FieldDescriptor.TYPE_BOOL:
                setattr(message, field.name, value)
        case str():
            if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
                setattr(message, field.name, value)
            elif field.enum_type is not None:
                setattr(message, field.name, _enum_number(field.enum_type, value))
        case _:
            if field.type == FieldDescriptor.TYPE_DOUBLE:
                setattr(message, field.name, value)


def _enum_number(enum: Any, word: str) -> int:
    """Give the number of a word of an enum, or that of UNSPECIFIED for a word that it does not have.

    The zero value is called PREFIX_UNSPECIFIED, and every other one PREFIX_WORD.
    """
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    found = enum.values_by_name.get(prefix + word.upper())
    return found.number if found else 0


def _outcome(outcome: Outcome) -> decision_pb2.Outcome:
    """Write one outcome."""
    return decision_pb2.Outcome(
        name=outcome.name,
        status=STATUS[outcome.status],
        value=None if outcome.value is None else _value(outcome.value),
        text=outcome.text,
        possible=_possible(outcome.possible),
        possibly_not_covered=None in outcome.possible,
        missing=outcome.missing,
        rule_ids=[rule.id for rule in outcome.rules],
    )


def _possible(values: tuple[Literal | None, ...]) -> list[decision_pb2.OutcomeValue]:
    """Write the values still possible; "not covered" has a field of its own."""
    return [_value(value) for value in values if value is not None]


def _value(value: Literal) -> decision_pb2.OutcomeValue:
    """Write a value by its kind."""
    match value:
        case str():
            return decision_pb2.OutcomeValue(text=value)
        case bool():
            return decision_pb2.OutcomeValue(flag=value)
        case tuple():
            return decision_pb2.OutcomeValue(list=decision_pb2.TextList(items=value))
        case datetime():
            return decision_pb2.OutcomeValue(instant=wire_times.timestamp(value))
        case _:
            return decision_pb2.OutcomeValue(number=value)


def _fired(rule: Fired) -> decision_pb2.FiredRule:
    """Write a rule that fired."""
    return decision_pb2.FiredRule(
        id=rule.id, table=rule.table, place=_place(rule.place), source=rule.source, assumption=rule.assumption
    )


def _place(place: Place) -> decision_pb2.Place:
    """Write where something stands."""
    return decision_pb2.Place(file=place.file, line=place.line, column=place.column)


def _unlisted(fact: Unlisted) -> decision_pb2.UnlistedFact:
    """Write a fact outside its open list."""
    nearest = [decision_pb2.NearestEntry(value=value, name=name) for value, name in fact.nearest]
    return decision_pb2.UnlistedFact(fact=fact.fact, sent=fact.sent, nearest=nearest)


# Outward, what a version says


def summary(policy: Policy, ref: VersionRef) -> policy_service_pb2.VersionSummary:
    """Write a version in a few words."""
    manifest = policy.manifest
    written = policy_service_pb2.VersionSummary(version=version_ref(ref), source=manifest.source, owner=manifest.owner)
    written.effective_from.FromDatetime(manifest.effective_from)
    return written


def policy_version(policy: Policy, ref: VersionRef) -> policy_service_pb2.PolicyVersion:
    """Write a whole version."""
    return policy_service_pb2.PolicyVersion(
        summary=summary(policy, ref),
        triage=policy.manifest.triage,
        decisions=[_definition(decision) for decision in policy.decisions.values()],
        facts=[_fact(fact) for fact in policy.facts.values()],
        outcomes=[_fact(outcome) for outcome in policy.outcomes.values()],
        assumptions=[_assumption(assumed) for assumed in policy.assumptions],
        questions=[_question(question) for question in policy.questions],
        notice=notice(policy.manifest.notice),
    )


def _assumption(assumed: Assumption) -> policy_service_pb2.Assumption:
    """Write something that is assumed."""
    return policy_service_pb2.Assumption(
        id=assumed.id, reason=assumed.reason, source=assumed.source, place=_place(assumed.place)
    )


def _definition(decided: Decision) -> policy_service_pb2.DecisionDefinition:
    """Write what a decision is."""
    return policy_service_pb2.DecisionDefinition(
        name=decided.name,
        about=decided.about,
        owner=decided.owner,
        answers=decided.answers,
        beside=decided.beside,
        place=_place(decided.place),
    )


def _fact(fact: Fact) -> policy_service_pb2.FactDefinition:
    """Write what values a fact or an outcome can have."""
    return policy_service_pb2.FactDefinition(
        name=fact.name,
        type=FACT_TYPE[fact.type],
        about=fact.about,
        values=[_word(value) for value in fact.values],
        open=fact.open,
        subtags=fact.subtags,
        minimum=fact.minimum,
        maximum=fact.maximum,
        unit=fact.unit,
        place=_place(fact.place),
    )


def _word(value: Value) -> policy_service_pb2.FactWord:
    """Write one value of a choice."""
    return policy_service_pb2.FactWord(value=value.value, about=value.about, name=value.name, aliases=value.aliases)


def _question(question: Question) -> policy_service_pb2.OpenQuestion:
    """Write an open question."""
    return policy_service_pb2.OpenQuestion(
        id=question.id,
        question=question.question,
        reading=question.reading,
        source=question.source,
        rule_ids=question.rules,
        place=_place(question.place),
    )
