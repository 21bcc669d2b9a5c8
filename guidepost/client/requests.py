"""Requests to a Guidepost server from plain Python values: facts, an instant, pauses and a policy version."""

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
"""The value of a fact; None is the same as leaving the fact out."""

Facts = Mapping[str, FactInput]
Pauses = Iterable[tuple[datetime, datetime | None]]
"""The pauses of a ticket: start and end of each; the end is None while the ticket is on hold."""

BATCH_TIMEOUT: Final = 10.0
"""The default timeout of a call for many tickets, in seconds."""

_KINDS: Final[dict[int, tuple[type, ...]]] = {
    FieldDescriptor.TYPE_STRING: (str,),
    FieldDescriptor.TYPE_BOOL: (bool,),
    FieldDescriptor.TYPE_DOUBLE: (float, int),
    FieldDescriptor.TYPE_INT32: (int,),
    FieldDescriptor.TYPE_MESSAGE: (datetime,),
}
_FIELDS: Final = {field.name: _KINDS[field.type] for field in Ticket.DESCRIPTOR.fields if not field.is_repeated}
"""The types that each field of a ticket accepts, by the name of its fact."""


def ticket(facts: Mapping[str, FactInput] | None = None, /, **more: FactInput) -> Ticket:
    """Return a ticket: each fact is in the field of its name if the type fits, else in the map of further facts.

    >>> ticket(impact="high", desk="front").impact
    'high'
    """
    made = Ticket()
    for name, value in {**(facts or {}), **more}.items():
        if value is None:
            continue
        if _fits(value, _FIELDS.get(name, ())):
            if isinstance(value, datetime):
                getattr(made, name).CopyFrom(timestamp(name, value))
            else:
                setattr(made, name, value)
        else:
            made.facts[name].CopyFrom(_fact_value(name, value))
    return made


def selector(version: str = "", digest: str = "", as_of: datetime | None = None) -> VersionSelector | None:
    """Return the selector of a policy version by its name, its digest or an instant; None for the version in force.

    Raises ValueError for more than one of them.
    """
    if (version != "") + (digest != "") + (as_of is not None) > 1:
        raise ValueError("expected one of `version`, `digest` and `as_of`, got several")
    if version:
        return VersionSelector(version=version)
    if digest:
        return VersionSelector(digest=digest)
    return None if as_of is None else VersionSelector(as_of=timestamp("as_of", as_of))


def call_metadata(request_id: str, ticket_id: str) -> tuple[tuple[str, str], ...]:
    """Return the metadata with the ids under which the decision log records a call.

    >>> call_metadata("r-1", "")
    (('guidepost-request-id', 'r-1'),)
    """
    return tuple(
        (name, value)
        for name, value in (("guidepost-request-id", request_id), ("guidepost-ticket", ticket_id))
        if value
    )


def triage_request(facts: Facts, now: datetime | None, pauses: Pauses, chosen: VersionSelector | None) -> TriageRequest:
    """Return the request for all decisions that a new ticket needs."""
    return TriageRequest(ticket=_ticket(facts, pauses), version=chosen, now=_optional_timestamp("now", now))


def item(
    facts: Facts | None = None, *, pauses: Pauses = (), request_id: str = "", ticket_id: str = "", **more: FactInput
) -> TriageItem:
    """Return a ticket for :meth:`Client.triage_many` that has pauses, a request id or a ticket id."""
    return TriageItem(ticket=_ticket({**(facts or {}), **more}, pauses), request_id=request_id, ticket_id=ticket_id)


def batch_request(
    tickets: Iterable[Facts | TriageItem], now: datetime | None, chosen: VersionSelector | None
) -> TriageBatchRequest:
    """Return the request for all decisions that several new tickets need."""
    items = [one if isinstance(one, TriageItem) else item(one) for one in tickets]
    return TriageBatchRequest(items=items, version=chosen, now=_optional_timestamp("now", now))


def decide_request(
    decision: str, facts: Facts, now: datetime | None, pauses: Pauses, chosen: VersionSelector | None
) -> DecideRequest:
    """Return the request for one decision."""
    return DecideRequest(
        decision=decision, ticket=_ticket(facts, pauses), version=chosen, now=_optional_timestamp("now", now)
    )


def reschedule_request(
    before: Facts, facts: Facts, now: datetime | None, pauses: Pauses, chosen: VersionSelector | None
) -> RescheduleRequest:
    """Return the request for how deadlines move; a fact that is None in ``before`` was not known."""
    unknown = [name for name, value in before.items() if value is None]
    return RescheduleRequest(
        ticket=_ticket(facts, pauses),
        before=ticket(before),
        unknown_before=unknown,
        version=chosen,
        now=_optional_timestamp("now", now),
    )


def _ticket(facts: Facts, pauses: Pauses) -> Ticket:
    """Return a ticket with facts and pauses."""
    made = ticket(facts)
    for start, end in pauses:
        made.pauses.append(Pause(start=timestamp("pauses", start), end=_optional_timestamp("pauses", end)))
    return made


def _optional_timestamp(name: str, instant: datetime | None) -> Timestamp | None:
    """Return the timestamp of an instant; None for None."""
    return None if instant is None else timestamp(name, instant)


def _fits(value: FactInput, kinds: tuple[type, ...]) -> bool:
    """Return whether a value has one of these types; true and false are not numbers."""
    return bool in kinds if isinstance(value, bool) else isinstance(value, kinds)


def _fact_value(name: str, value: object) -> FactValue:
    """Return a value for the map of facts; raises TypeError for other types."""
    match value:
        case str():
            return FactValue(text=value)
        case bool():
            return FactValue(flag=value)
        case int() | float():
            return FactValue(number=value)
        case datetime():
            return FactValue(instant=timestamp(name, value))
        case _:
            raise TypeError(f"`{name}`: expected a str, a number, a bool or a datetime, got `{type(value).__name__}`")


def timestamp(name: str, instant: datetime) -> Timestamp:
    """Return the timestamp of an instant; raises ValueError, with the name of the argument, if it has no tzinfo."""
    if instant.tzinfo is None:
        raise ValueError(f"`{name}`: expected a datetime with a tzinfo, got `{instant.isoformat()}`")
    made = Timestamp()
    made.FromDatetime(instant)
    return made


def diff_request(before: str, after: str, decisions: tuple[str, ...]) -> DiffVersionsRequest:
    """Return the request for the difference of two versions.

    An empty ``after`` stands for the version in force, an empty ``before`` for the one before ``after``.
    """
    return DiffVersionsRequest(before=selector(before), after=selector(after), decisions=decisions)
