"""Requests to a Guidepost server, made of plain Python: facts, the time, pauses, and which version is to decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

from guidepost.v1.decision_service_pb2 import (
    DecideRequest,
    RescheduleRequest,
    TriageBatchRequest,
    TriageItem,
    TriageRequest,
)
from guidepost.v1.policy_service_pb2 import DiffVersionsRequest
from guidepost.v1.ticket_pb2 import FactValue, Pause, Ticket
from guidepost.v1.version_pb2 import VersionSelector

FactInput = str | bool | float | datetime | None
"""A fact as plain Python; None is the same as leaving it out."""

Facts = Mapping[str, FactInput]
Pauses = Iterable[tuple[datetime, datetime | None]]
"""When a ticket was on hold: from and to; None for a hold that goes on."""

BATCH_TIMEOUT: Final = 10.0
"""Seconds that a call for many tickets may take, unless it is told otherwise."""

_KINDS: Final[dict[int, tuple[type, ...]]] = {
    FieldDescriptor.TYPE_STRING: (str,),
    FieldDescriptor.TYPE_BOOL: (bool,),
    FieldDescriptor.TYPE_DOUBLE: (float, int),
    FieldDescriptor.TYPE_INT32: (int,),
    FieldDescriptor.TYPE_MESSAGE: (datetime,),
}
_FIELDS: Final = {field.name: _KINDS[field.type] for field in Ticket.DESCRIPTOR.fields if not field.is_repeated}
"""The facts that have a field of their own in a ticket, and what it takes."""


def ticket(facts: Mapping[str, FactInput] | None = None, /, **more: FactInput) -> Ticket:
    """Make a ticket of facts: each goes into the field of its name and kind, or else into the map of further facts.

    >>> ticket(impact="high", desk="front").impact
    'high'
    """
    made = Ticket()
    for name, value in {**(facts or {}), **more}.items():
        if value is None:
            continue
        if _fits(value, _FIELDS.get(name, ())):
            if isinstance(value, datetime):
                getattr(made, name).CopyFrom(_timestamp(value))
            else:
                setattr(made, name, value)
        else:
            made.facts[name].CopyFrom(_fact_value(name, value))
    return made


def selector(version: str = "", digest: str = "", as_of: datetime | None = None) -> VersionSelector | None:
    """Choose a policy version by one of these; none of them chooses the version in force."""
    if (version != "") + (digest != "") + (as_of is not None) > 1:
        raise ValueError("choose a version by its name, its digest or an instant, not by several of them")
    if version:
        return VersionSelector(version=version)
    if digest:
        return VersionSelector(digest=digest)
    return None if as_of is None else VersionSelector(as_of=_timestamp(as_of))


def call_metadata(request_id: str, ticket_id: str) -> tuple[tuple[str, str], ...]:
    """Return what a call says of itself to the decision log.

    >>> call_metadata("r-1", "")
    (('guidepost-request-id', 'r-1'),)
    """
    return tuple(
        (name, value)
        for name, value in (("guidepost-request-id", request_id), ("guidepost-ticket", ticket_id))
        if value
    )


def triage_request(facts: Facts, now: datetime | None, pauses: Pauses, chosen: VersionSelector | None) -> TriageRequest:
    """Ask for all decisions that a new ticket needs."""
    return TriageRequest(ticket=_held(facts, pauses), version=chosen, now=_moment(now))


def item(
    facts: Facts | None = None, *, pauses: Pauses = (), request_id: str = "", ticket_id: str = "", **more: FactInput
) -> TriageItem:
    """Make one of several tickets to be triaged in one call."""
    return TriageItem(ticket=_held({**(facts or {}), **more}, pauses), request_id=request_id, ticket_id=ticket_id)


def batch_request(
    tickets: Iterable[Facts | TriageItem], now: datetime | None, chosen: VersionSelector | None
) -> TriageBatchRequest:
    """Ask for all decisions that several new tickets need."""
    items = [one if isinstance(one, TriageItem) else item(one) for one in tickets]
    return TriageBatchRequest(items=items, version=chosen, now=_moment(now))


def decide_request(
    decision: str, facts: Facts, now: datetime | None, pauses: Pauses, chosen: VersionSelector | None
) -> DecideRequest:
    """Ask for one decision."""
    return DecideRequest(decision=decision, ticket=_held(facts, pauses), version=chosen, now=_moment(now))


def reschedule_request(
    before: Facts, facts: Facts, now: datetime | None, pauses: Pauses, chosen: VersionSelector | None
) -> RescheduleRequest:
    """Ask how deadlines move; what was None before was not known."""
    unknown = [name for name, value in before.items() if value is None]
    return RescheduleRequest(
        ticket=_held(facts, pauses), before=ticket(before), unknown_before=unknown, version=chosen, now=_moment(now)
    )


def _held(facts: Facts, pauses: Pauses) -> Ticket:
    """Make a ticket of facts and pauses."""
    made = ticket(facts)
    for start, end in pauses:
        made.pauses.append(Pause(start=_timestamp(start), end=_moment(end)))
    return made


def _moment(instant: datetime | None) -> Timestamp | None:
    """Make a timestamp of an instant, if there is one."""
    return None if instant is None else _timestamp(instant)


def _fits(value: FactInput, kinds: tuple[type, ...]) -> bool:
    """Whether a value is of one of these kinds; true and false are no numbers."""
    return bool in kinds if isinstance(value, bool) else isinstance(value, kinds)


def _fact_value(name: str, value: object) -> FactValue:
    """Make a value of the map of facts."""
    match value:
        case str():
            return FactValue(text=value)
        case bool():
            return FactValue(flag=value)
        case int() | float():
            return FactValue(number=value)
        case datetime():
            return FactValue(instant=_timestamp(value))
        case _:
            kind = type(value).__name__
            raise TypeError(f"{name}: a fact is a text, a number, true, false or a datetime, not {kind}")


def _timestamp(instant: datetime) -> Timestamp:
    """Make a timestamp of an instant, which must say its offset."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no offset: give the datetime a tzinfo")
    made = Timestamp()
    made.FromDatetime(instant)
    return made


def diff_request(before: str, after: str, decisions: tuple[str, ...]) -> DiffVersionsRequest:
    """Ask for the difference of two versions, by their names; empty for the one in force, and the one before it."""
    return DiffVersionsRequest(before=selector(before), after=selector(after), decisions=decisions)
