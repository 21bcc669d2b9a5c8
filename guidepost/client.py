"""Call a Guidepost server: plain Python facts in, wire messages out; synchronous and asyncio.

Every call has a deadline. Decisions are repeated when a server is going away, which is safe: deciding changes nothing.
"""

# ruff: noqa: ASYNC109 - a deadline travels with a gRPC call; a local timeout would not tell the server

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

import grpc
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from guidepost.v1.decision_pb2 import Decision
from guidepost.v1.decision_service_pb2 import DecideRequest, DecideResponse, TriageRequest, TriageResponse
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from guidepost.v1.policy_service_pb2 import GetVersionRequest, ListVersionsRequest, ListVersionsResponse, PolicyVersion
from guidepost.v1.policy_service_pb2_grpc import PolicyServiceStub
from guidepost.v1.ticket_pb2 import FactValue, Ticket
from guidepost.v1.version_pb2 import VersionSelector

FactInput = str | bool | float | datetime | None
"""A fact as plain Python; None is the same as leaving it out."""

TIMEOUT: Final = 2.0
"""Seconds that a call may take, unless it is told otherwise."""

_RETRIES: Final = {
    "methodConfig": [
        {
            "name": [{"service": "guidepost.v1.DecisionService"}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.02s",
                "maxBackoff": "0.5s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }
    ]
}
_OPTIONS: Final = (
    ("grpc.service_config", json.dumps(_RETRIES)),
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.keepalive_time_ms", 60_000),
)
_KINDS: Final = {
    FieldDescriptor.TYPE_STRING: (str,),
    FieldDescriptor.TYPE_BOOL: (bool,),
    FieldDescriptor.TYPE_DOUBLE: (float, int),
    FieldDescriptor.TYPE_INT32: (int,),
    FieldDescriptor.TYPE_MESSAGE: (datetime,),
}


def ticket(facts: Mapping[str, FactInput] | None = None, /, **more: FactInput) -> Ticket:
    """Make a ticket of facts: each goes into the field of its name and kind, or else into the map of further facts.

    >>> ticket(impact="high", desk="front").impact
    'high'
    """
    made = Ticket()
    for name, value in {**(facts or {}), **more}.items():
        if value is None:
            continue
        field = made.DESCRIPTOR.fields_by_name.get(name)
        if field is not None and _fits(value, field):
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


class Client:
    """A connection to a server. Further calls, one for each decision, are on ``decisions`` and ``policies``."""

    def __init__(self, address: str, *, credentials: grpc.ChannelCredentials | None = None) -> None:
        """Connect, when the first call is made, to ``host:port``; in the clear unless there are credentials."""
        if credentials is None:
            self.channel = grpc.insecure_channel(address, options=_OPTIONS)
        else:
            self.channel = grpc.secure_channel(address, credentials, options=_OPTIONS)
        self.decisions: Any = DecisionServiceStub(self.channel)
        self.policies: Any = PolicyServiceStub(self.channel)

    def triage(
        self,
        facts: Mapping[str, FactInput] | None = None,
        *,
        version: str = "",
        digest: str = "",
        as_of: datetime | None = None,
        timeout: float = TIMEOUT,
        **more: FactInput,
    ) -> TriageResponse:
        """Make all decisions that a new ticket needs. Facts are keywords, or a mapping where a name is taken.

        Raises:
            grpc.RpcError: the call failed; its code and details say why, and :func:`wrong_fields` where.
        """
        request = TriageRequest(ticket=ticket(facts, **more), version=selector(version, digest, as_of))
        response: TriageResponse = self.decisions.Triage(request, timeout=timeout)
        return response

    def decide(
        self,
        decision: str,
        facts: Mapping[str, FactInput] | None = None,
        *,
        version: str = "",
        digest: str = "",
        as_of: datetime | None = None,
        timeout: float = TIMEOUT,
        **more: FactInput,
    ) -> Decision:
        """Make one decision by name, like :meth:`triage`."""
        chosen = selector(version, digest, as_of)
        request = DecideRequest(decision=decision, ticket=ticket(facts, **more), version=chosen)
        response: DecideResponse = self.decisions.Decide(request, timeout=timeout)
        return response.decision

    def versions(self, *, timeout: float = TIMEOUT) -> ListVersionsResponse:
        """List the policy versions that the server has, and the one in force."""
        response: ListVersionsResponse = self.policies.ListVersions(ListVersionsRequest(), timeout=timeout)
        return response

    def version(
        self, version: str = "", *, digest: str = "", as_of: datetime | None = None, timeout: float = TIMEOUT
    ) -> PolicyVersion:
        """Give one policy version whole: its decisions, facts, assumptions and open questions."""
        request = GetVersionRequest(version=selector(version, digest, as_of))
        found: PolicyVersion = self.policies.GetVersion(request, timeout=timeout).version
        return found

    def close(self) -> None:
        """Close the connection."""
        self.channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient:
    """:class:`Client` for asyncio: the same calls, awaited."""

    def __init__(self, address: str, *, credentials: grpc.ChannelCredentials | None = None) -> None:
        """Connect, when the first call is made, to ``host:port``; in the clear unless there are credentials."""
        if credentials is None:
            self.channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
        else:
            self.channel = grpc.aio.secure_channel(address, credentials, options=_OPTIONS)
        self.decisions: Any = DecisionServiceStub(self.channel)
        self.policies: Any = PolicyServiceStub(self.channel)

    async def triage(
        self,
        facts: Mapping[str, FactInput] | None = None,
        *,
        version: str = "",
        digest: str = "",
        as_of: datetime | None = None,
        timeout: float = TIMEOUT,
        **more: FactInput,
    ) -> TriageResponse:
        """Make all decisions that a new ticket needs."""
        request = TriageRequest(ticket=ticket(facts, **more), version=selector(version, digest, as_of))
        response: TriageResponse = await self.decisions.Triage(request, timeout=timeout)
        return response

    async def decide(
        self,
        decision: str,
        facts: Mapping[str, FactInput] | None = None,
        *,
        version: str = "",
        digest: str = "",
        as_of: datetime | None = None,
        timeout: float = TIMEOUT,
        **more: FactInput,
    ) -> Decision:
        """Make one decision by name."""
        chosen = selector(version, digest, as_of)
        request = DecideRequest(decision=decision, ticket=ticket(facts, **more), version=chosen)
        response: DecideResponse = await self.decisions.Decide(request, timeout=timeout)
        return response.decision

    async def versions(self, *, timeout: float = TIMEOUT) -> ListVersionsResponse:
        """List the policy versions that the server has, and the one in force."""
        response: ListVersionsResponse = await self.policies.ListVersions(ListVersionsRequest(), timeout=timeout)
        return response

    async def version(
        self, version: str = "", *, digest: str = "", as_of: datetime | None = None, timeout: float = TIMEOUT
    ) -> PolicyVersion:
        """Give one policy version whole."""
        request = GetVersionRequest(version=selector(version, digest, as_of))
        found: PolicyVersion = (await self.policies.GetVersion(request, timeout=timeout)).version
        return found

    async def close(self) -> None:
        """Close the connection."""
        await self.channel.close(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def wrong_fields(error: grpc.RpcError) -> dict[str, str]:
    """Give the fields that a server refused, by path, each with what is wrong and what would be right.

    Empty for a call that failed for any other reason than wrong fields.
    """
    status, refused = Status(), BadRequest()
    metadata: Any = error.trailing_metadata() or ()
    for key, value in metadata:
        if key == "grpc-status-details-bin":
            status.ParseFromString(value)
    for detail in status.details:
        detail.Unpack(refused)
    return {violation.field: violation.description for violation in refused.field_violations}


def _fits(value: FactInput, field: Any) -> bool:
    """Whether a value is of the kind that a field of a ticket has."""
    if field.is_repeated or (isinstance(value, bool) and field.type != FieldDescriptor.TYPE_BOOL):
        return False
    return isinstance(value, _KINDS[field.type])


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
