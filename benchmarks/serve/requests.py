"""The bytes of requests to Guidepost and to Cerbos for the same tickets."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice, product
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from guidepost.client.requests import triage_request
from guidepost.v1 import decision_service_pb2 as pb

LEVELS: Final = ("high", "medium", "low")
PRIORITIES: Final = (("P1", "P2", "P3"), ("P2", "P3", "P4"), ("P3", "P4", "P5"))
"""The matrix: impact down, urgency across."""

TRIAGE: Final = "/guidepost.v1.DecisionService/Triage"
TRIAGE_BATCH: Final = "/guidepost.v1.DecisionService/TriageBatch"
CHECK: Final = "/cerbos.svc.v1.CerbosService/CheckResources"

FACTS: Final = {
    "channel": "email",
    "stage": "triage",
    "country": "AU",
    "plan": "partner",
    "language": "en",
    "service": "prism.login",
    "requester": "partner",
    "request_type": "incident",
}


def tickets(number: int) -> Iterator[dict[str, Any]]:
    """Yield tickets for every cell of the matrix over and over, each received a minute before the last one."""
    now = datetime.now(UTC).replace(microsecond=0)
    for at, (impact, urgency) in enumerate(islice(cycle(product(LEVELS, LEVELS)), 1, number + 1)):
        yield {**FACTS, "impact": impact, "urgency": urgency, "received_at": now - timedelta(minutes=at + 1)}


def triage() -> bytes:
    """Return a request for all decisions of a new ticket with its due times."""
    return triage_request(next(tickets(1)), None, (), None).SerializeToString()


def triage_batch(number: int) -> bytes:
    """Return a request for all decisions of many tickets."""
    items = [
        pb.TriageItem(ticket=triage_request(facts, None, (), None).ticket, ticket_id=f"INC-{at}")
        for at, facts in enumerate(tickets(number))
    ]
    return pb.TriageBatchRequest(items=items).SerializeToString()


def check(number: int = 1) -> bytes:
    """Return a request to Cerbos for the priority of many tickets: one action on each resource."""
    request: Any = _message("CheckResourcesRequest")()
    request.request_id = "r"
    request.principal.id = "desk"
    request.principal.roles.append("desk")
    for at, facts in enumerate(tickets(number)):
        entry = request.resources.add(actions=["assess"])
        entry.resource.kind, entry.resource.id = "ticket", f"INC-{at}"
        for name in ("impact", "urgency"):
            entry.resource.attr.add(key=name).value.string_value = facts[name]
    wire: bytes = request.SerializeToString()
    return wire


def framed(message: bytes) -> bytes:
    """Return the body of an HTTP request with one message of gRPC, not compressed."""
    return b"\0" + struct.pack(">I", len(message)) + message


def policy() -> str:
    """Write the matrix as a resource policy of Cerbos, each cell a rule with an output."""
    lines = ["apiVersion: api.cerbos.dev/v1", "resourcePolicy:", "  resource: ticket", "  version: default", "  rules:"]
    for impact, row in zip(LEVELS, PRIORITIES, strict=True):
        for urgency, priority in zip(LEVELS, row, strict=True):
            lines += [
                f"    - name: matrix.{impact}.{urgency}",
                "      actions: [assess]",
                "      effect: EFFECT_ALLOW",
                "      roles: [desk]",
                "      condition:",
                "        match:",
                "          all:",
                "            of:",
                f'              - expr: request.resource.attr.impact == "{impact}"',
                f'              - expr: request.resource.attr.urgency == "{urgency}"',
                "      output:",
                "        when:",
                f"          ruleActivated: '\"{priority}\"'",
            ]
    return "\n".join(lines) + "\n"


# Only as much of Cerbos' request as is sent, so that its package is not needed.
_FIELDS: Final = {
    "Attribute": (("key", 1, ""), ("value", 2, ".google.protobuf.Value")),
    "Principal": (("id", 1, ""), ("roles", 3, "*")),
    "Resource": (("kind", 1, ""), ("id", 3, ""), ("attr", 4, "*.bench.Attribute")),
    "ResourceEntry": (("actions", 1, "*"), ("resource", 2, ".bench.Resource")),
    "CheckResourcesRequest": (
        ("request_id", 1, ""),
        ("principal", 3, ".bench.Principal"),
        ("resources", 4, "*.bench.ResourceEntry"),
    ),
}
"""Message to fields: name, number and type (text where none is named); * for repeated."""


def _message(name: str) -> type[Any]:
    pool = descriptor_pool.Default()
    try:
        found = pool.FindMessageTypeByName(f"bench.{name}")
    except KeyError:
        from google.protobuf import struct_pb2  # noqa: F401, PLC0415 - the file below needs it

        file = descriptor_pb2.FileDescriptorProto(
            name="bench.proto", package="bench", syntax="proto3", dependency=["google/protobuf/struct.proto"]
        )
        for message, fields in _FIELDS.items():
            made = file.message_type.add(name=message)
            for field, number, kind in fields:
                type_ = kind.removeprefix("*")
                made.field.add(
                    name=field,
                    number=number,
                    label=3 if kind.startswith("*") else 1,
                    type=11 if type_ else 9,
                    type_name=type_ or None,
                )
        pool.Add(file)
        found = pool.FindMessageTypeByName(f"bench.{name}")
    return message_factory.GetMessageClass(found)
