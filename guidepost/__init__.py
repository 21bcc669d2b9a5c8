"""Guidepost's client: ask a policy decision service about support tickets.

    import guidepost

    with guidepost.Client("127.0.0.1:50051") as desk:
        reply = desk.triage(stage="triage", impact="high", urgency="medium")
        print(reply.priority.priority, [rule.source for rule in reply.priority.decision.rules])

``AsyncClient`` does the same under asyncio. A fact that is left out is not known, which is never the same as false;
what is missing and matters is named in ``reply.priority.decision.missing``. ``guidepost.v1`` has the wire messages.
``desk.audit`` asks the decision log: ``desk.audit.records(guidepost.record_filter(ticket="INC-7"))``.
``desk.triage_many`` asks for many tickets in one call. ``Client(address, coalesce=guidepost.COALESCE)`` sends triages that many
threads ask for at the same time as one.
On the command line: ``python -m guidepost 127.0.0.1:50051 impact=high urgency=medium``.

While the service is away, ``Client(address, fallback=guidepost.undecided)`` answers in its place; without a fallback, calls
raise ``grpc.RpcError``. After three decisions in a row without an answer the circuit opens: callers no longer wait for the
timeout, but get the fallback (or ``CircuitOpen``) at once, while the client asks in the background whether the service is
back. ``client.circuit.state`` is the state. The first decision comes within 3 seconds of the service's return.

A wrong request raises ``grpc.RpcError``; ``wrong_fields(error)`` names each wrong field and what it may be.
This package needs grpcio, protobuf and googleapis-common-protos only; the server is a separate installation.
"""

from __future__ import annotations

from guidepost.client.aio import AsyncClient
from guidepost.client.audit import AsyncAudit, Audit, record_filter
from guidepost.client.batching import WAIT as COALESCE
from guidepost.client.channels import TIMEOUT
from guidepost.client.circuit_breaker import Circuit, CircuitBreaker
from guidepost.client.errors import CircuitOpen, Fallback, ItemFailed, is_fallback, undecided, wrong_fields
from guidepost.client.requests import FactInput, Facts, Pauses, item, selector, ticket
from guidepost.client.sync import Client

__all__ = [
    "COALESCE", "TIMEOUT", "AsyncAudit", "AsyncClient", "Audit", "Circuit", "CircuitBreaker", "CircuitOpen", "Client", "FactInput", "Facts", "Fallback", "ItemFailed", "Pauses", "is_fallback", "item",
    "record_filter", "selector", "ticket", "undecided", "wrong_fields",
]
