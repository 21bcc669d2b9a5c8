"""Guidepost's client: ask a policy decision service about support tickets.

    import guidepost

    with guidepost.Client("127.0.0.1:50051") as desk:
        reply = desk.triage(stage="triage", impact="high", urgency="medium")
        print(reply.priority.priority, [rule.source for rule in reply.priority.decision.rules])

``AsyncClient`` does the same under asyncio. A fact that is left out is not known, which is never the same as false;
what is missing and matters is named in ``reply.priority.decision.missing``. ``guidepost.v1`` has the wire messages.
``desk.audit`` asks the decision log: ``desk.audit.records(guidepost.record_filter(ticket="INC-7"))``.
On the command line: ``python -m guidepost 127.0.0.1:50051 impact=high urgency=medium``.

A wrong request raises ``grpc.RpcError``; ``wrong_fields(error)`` names each wrong field and what it may be.
This package needs grpcio, protobuf and googleapis-common-protos only; the server is a separate installation.
"""

from __future__ import annotations

from guidepost.audit import AsyncAudit, Audit, record_filter
from guidepost.client import TIMEOUT, AsyncClient, Client, wrong_fields
from guidepost.requests import FactInput, Facts, Pauses, selector, ticket

__all__ = ["TIMEOUT", "AsyncAudit", "AsyncClient", "Audit", "Client", "FactInput", "Facts", "Pauses", "record_filter", "selector", "ticket", "wrong_fields"]
