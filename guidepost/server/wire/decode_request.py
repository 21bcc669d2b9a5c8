"""Requests in: facts and moments of tickets, version selectors, instants, and the paths of wrong fields."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from engine.model.answer import WrongFact, WrongRequest
from engine.request.moment import LEAVE_OUT, Moment, NotAnInstant, read_instant, read_moment
from guidepost.server.errors import InvalidField
from guidepost.server.wire import times
from guidepost.v1 import ticket_pb2, version_pb2

NO_FACTS: Final = frozenset({"facts", "pauses"})
"""The fields of a ticket that are not facts."""

TYPED_FACTS: Final = frozenset(ticket_pb2.Ticket.DESCRIPTOR.fields_by_name) - NO_FACTS
"""The facts with a field of their own in a ticket."""


class InvalidSelector(InvalidField):
    """A version selector is empty, or its instant cannot be used."""

    reason = "INVALID_VERSION_SELECTOR"


def facts(ticket: ticket_pb2.Ticket) -> tuple[dict[str, object], tuple[WrongFact, ...]]:
    """Return the facts of a ticket, from its fields and its map, and those that cannot be read."""
    read: dict[str, object] = {}
    wrong: list[WrongFact] = []
    for field, value in ticket.ListFields():
        if value.__class__ is str:
            read[field.name] = value
        elif (name := field.name) not in NO_FACTS:
            _read(name, value, read, wrong)
    for name in sorted(ticket.facts):
        kind = ticket.facts[name].WhichOneof("value")
        if name in read:
            wrong.append(
                WrongFact(fact=name, sent="", message=f"`{name}` is also sent as `ticket.{name}`; send it once")
            )
        elif kind is None:
            wrong.append(WrongFact(fact=name, sent="", message="expected a value; leave the fact out if it is unknown"))
        else:
            _read(name, getattr(ticket.facts[name], kind), read, wrong)
    return read, tuple(wrong)


def moment(ticket: ticket_pb2.Ticket, now: datetime) -> tuple[Moment, tuple[WrongFact, ...]]:
    """Return the moment of a ticket: the instant of the request and the holds.

    Also returns the holds that cannot be read.
    """
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
        return Moment(now), tuple(
            replace(one, fact=one.fact.replace(".from", ".start").replace(".to", ".end")) for one in error.wrong
        )


def now(request: Message, clock: datetime) -> datetime:
    """Return the instant of a request, or the clock's if it has none; raises WrongRequest if it is not valid."""
    if not request.HasField("now"):
        return clock
    try:
        return read_instant("now", times.instant(request.now))  # type: ignore[attr-defined]
    except NotAnInstant as error:
        raise WrongRequest(
            (
                WrongFact(
                    fact="now",
                    sent="",
                    message=error.message,
                    allowed=error.allowed,
                    help=error.help.replace(LEAVE_OUT, "leave it out"),
                ),
            )
        ) from None
    except ValueError as error:
        raise WrongRequest((WrongFact(fact="now", sent="", message=str(error)),)) from None


def path(fact: str, request: Message) -> str:
    """Return the path of the field that contains a fact in a request."""
    if fact == "now":
        return fact
    ticket, field = request.ticket, "ticket"  # type: ignore[attr-defined]
    # A fact of a ticket may have such a name, too.
    if fact.startswith("before.") and fact not in ticket.facts and "before" in request.DESCRIPTOR.fields_by_name:
        ticket, field, fact = request.before, "before", fact.removeprefix("before.")  # type: ignore[attr-defined]
    return f'{field}.facts["{fact}"]' if fact in ticket.facts else f"{field}.{fact}"


def selection(selector: version_pb2.VersionSelector, field: str = "version") -> dict[str, Any]:
    """Return the version that a field selects, as arguments of ``Bundle.select``; {} for the version in force."""
    kind = selector.WhichOneof("by")
    if kind is None:
        return {}
    value = getattr(selector, kind)
    if not isinstance(value, Timestamp):
        if not value:
            raise InvalidSelector(
                f"{field}.{kind}",
                f"expected a version, got an empty text; leave `{field}` out for the version in force",
            )
        return {kind: value}
    try:
        return {kind: times.required_instant(value)}
    except ValueError as error:
        raise InvalidSelector(f"{field}.{kind}", str(error)) from error


def _read(name: str, value: object, read: dict[str, object], wrong: list[WrongFact]) -> None:
    """Add a fact to the facts that were read, or to the wrong ones."""
    try:
        read[name] = times.instant(value) if isinstance(value, Timestamp) else value
    except ValueError as error:
        wrong.append(WrongFact(fact=name, sent="", message=str(error)))
