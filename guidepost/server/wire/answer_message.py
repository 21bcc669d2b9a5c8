"""Answers in, messages out: the common Decision, or the typed message of a decision."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from engine.decide.reschedule import Rescheduled
from engine.model.answer import Answer, FiredRule, Outcome, PossibleItems, Status, Unlisted, VersionRef
from engine.model.policy import Literal, Notice
from engine.model.problems import Place
from guidepost.server.wire import times
from guidepost.v1 import deadline_pb2, decision_pb2, decision_service_pb2

Typed = TypeVar("Typed", bound=Message)

STATUS: Final = {
    Status.DECIDED: decision_pb2.DECISION_STATUS_DECIDED,
    Status.UNDECIDED: decision_pb2.DECISION_STATUS_UNDECIDED,
    Status.NOT_COVERED: decision_pb2.DECISION_STATUS_NOT_COVERED,
}


def decision(answer: Answer) -> decision_pb2.Decision:
    """Return an answer as a Decision."""
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
        rules=[fired(rule) for rule in answer.rules],
        assumptions=[fired(rule) for rule in answer.assumptions],
        unlisted=[unlisted(fact) for fact in answer.unlisted],
        version=version_ref(answer.version),
    )
    _times(written, answer)
    return written


def rescheduled(change: Rescheduled) -> decision_service_pb2.RescheduleResponse:
    """Return how deadlines moved, and why."""
    return decision_service_pb2.RescheduleResponse(
        version=version_ref(change.version),
        deadlines=[
            deadline_pb2.MovedDeadline(
                name=one.name,
                moved=one.moved,
                before=None if one.before is None else times.deadline(one.before),
                after=None if one.after is None else times.deadline(one.after),
            )
            for one in change.deadlines
        ],
        because=[
            decision_pb2.ChangedOutcome(
                name=one.after.name,
                before=None if one.before.value is None else value(one.before.value),
                after=None if one.after.value is None else value(one.after.value),
                rules=[fired(rule) for rule in one.after.rules],
            )
            for one in change.because
        ],
    )


def typed(kind: type[Typed], answer: Answer) -> Typed:
    """Return an answer as its typed message: the decision, and each decided outcome with a field of its name.

    A value of another type than the field has is only in the decision's list of outcomes.
    """
    message = kind()
    fields = message.DESCRIPTOR.fields_by_name
    message.decision.CopyFrom(decision(answer))  # type: ignore[attr-defined]
    for outcome in answer.outcomes:
        if outcome.value is not None and outcome.name in fields:
            put(message, fields[outcome.name], outcome.value)
    return message


def _times(written: decision_pb2.Decision, answer: Answer) -> None:
    """Add the deadlines, duties and elapsed facts of an answer."""
    for due in answer.dues:
        times.write_deadline(written.deadlines.add(), due)
    written.duties.extend([times.duty(duty) for duty in answer.duties])
    written.elapsed.extend([times.elapsed(passed) for passed in answer.passed])


def version_ref(ref: VersionRef) -> decision_pb2.VersionRef:
    """Return the message of a version's name."""
    return decision_pb2.VersionRef(name=ref.name, version=ref.version, digest=ref.digest)


def notice(standing: Notice | None) -> decision_pb2.Notice | None:
    """Return the standing notice, or None."""
    if standing is None:
        return None
    return decision_pb2.Notice(text=standing.text, source=standing.source, assumption=standing.assumption)


def put(message: Message, field: Any, value: Literal) -> None:
    """Set a field, if the value has its type."""
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
    """Return the number of a word of an enum; 0 (UNSPECIFIED) if the enum lacks it.

    The names are PREFIX_UNSPECIFIED for 0, and PREFIX_WORD for the others.
    """
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    found = enum.values_by_name.get(prefix + word.upper())
    return found.number if found else 0


def _outcome(outcome: Outcome) -> decision_pb2.Outcome:
    """Return the message of an outcome."""
    written = decision_pb2.Outcome(
        name=outcome.name,
        status=STATUS[outcome.status],
        text=outcome.text,
        rule_ids=[rule.id for rule in outcome.rules],
    )
    if outcome.value is not None:
        written.value.CopyFrom(value(outcome.value))
    if outcome.possible or outcome.missing:
        written.possible.extend(_possible(outcome.possible))
        written.possibly_not_covered = None in outcome.possible
        written.missing.extend(outcome.missing)
    if outcome.items is not None:
        written.possible_items.CopyFrom(possible_items(outcome.items))
    return written


def possible_items(items: PossibleItems) -> decision_pb2.PossibleItems:
    """Return the message of what is possible of a list."""
    return decision_pb2.PossibleItems(always=items.always, open=items.open, never=items.never)


def _possible(values: tuple[Literal | None, ...]) -> list[decision_pb2.OutcomeValue]:
    """Return the values still possible, without "not covered", which has a field of its own."""
    return [value(one) for one in values if one is not None]


def value(literal: Literal) -> decision_pb2.OutcomeValue:
    """Return a value in the field of its type."""
    match literal:
        case str():
            return decision_pb2.OutcomeValue(text=literal)
        case bool():
            return decision_pb2.OutcomeValue(flag=literal)
        case tuple():
            return decision_pb2.OutcomeValue(list=decision_pb2.TextList(items=literal))
        case datetime():
            return decision_pb2.OutcomeValue(instant=times.timestamp(literal))
        case _:
            return decision_pb2.OutcomeValue(number=literal)


def fired(rule: FiredRule) -> decision_pb2.FiredRule:
    """Return the message of a rule that fired."""
    return decision_pb2.FiredRule(
        id=rule.id, table=rule.table, place=place(rule.place), source=rule.source, assumption=rule.assumption
    )


def place(at: Place) -> decision_pb2.Place:
    """Return the message of a place."""
    return decision_pb2.Place(file=at.file, line=at.line, column=at.column)


def unlisted(fact: Unlisted) -> decision_pb2.UnlistedFact:
    """Return the message of a fact that is not on its open list."""
    nearest = [decision_pb2.NearestEntry(value=value, name=name) for value, name in fact.nearest]
    return decision_pb2.UnlistedFact(fact=fact.fact, sent=fact.sent, nearest=nearest)
