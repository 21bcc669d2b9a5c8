"""Guidepost decides about support tickets by policies. This package has its Python client, its server and its commands.

    import guidepost

    with guidepost.Client("127.0.0.1:50051") as client:
        reply = client.triage(stage="triage", impact="high", urgency="medium")
        print(reply.priority.priority, [rule.source for rule in reply.priority.decision.rules])

``AsyncClient`` has the same methods for asyncio. If you leave out a fact, it is unknown, which is never the same as
false; ``reply.priority.decision.missing`` names the missing facts that matter. The messages are in ``guidepost.v1``.

- ``client.triage_many`` triages many tickets in one call. ``Client(address, coalesce=guidepost.COALESCE)`` sends
  triages that many threads request at the same time as one call.
- ``client.audit`` reads the decision log: ``client.audit.records(guidepost.record_filter(ticket="INC-7"))``.
- If a call fails, it raises ``grpc.RpcError``; ``wrong_fields(error)`` names each field that the server rejected.
- While the service is unavailable, calls fail, or ``Client(address, fallback=guidepost.undecided)`` answers instead.
  After three decisions in a row without an answer the circuit opens: calls fail, or the fallback answers, at once,
  until the service is back. ``client.circuit.state`` is the state of the circuit.
- On the command line: ``python -m guidepost 127.0.0.1:50051 impact=high urgency=medium``.

The client needs grpcio, protobuf and googleapis-common-protos only. Server and commands have requirements of their own.

Modules::

    v1               the messages and stubs that are generated from proto/
    client           asks a server for decisions
    atomic_file      files written whole or not at all
    text_encoding    bytes of a text file -> its text
    source_excerpt   a line of a file with a caret under what is meant
    install_command  the command that installs a missing package
    program          the name of the program, and versions of what is installed
    policies         policy folders: sources, format, cases, releases
    decision_log     records of decisions in SQLite or PostgreSQL
    past_tickets     past tickets of other systems and of the decision log
    replay           past tickets decided again
    render           answers, policies, differences and replays as text, HTML, Markdown, JSON
    server           the gRPC server
    cli              the command ``guidepost``
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guidepost.client import (
        COALESCE,
        TIMEOUT,
        AsyncAudit,
        AsyncClient,
        Audit,
        Circuit,
        CircuitBreaker,
        CircuitOpen,
        Client,
        FactInput,
        Facts,
        Fallback,
        ItemFailed,
        Pauses,
        is_fallback,
        item,
        record_filter,
        selector,
        ticket,
        undecided,
        wrong_fields,
    )

__all__ = [
    "COALESCE",
    "TIMEOUT",
    "AsyncAudit",
    "AsyncClient",
    "Audit",
    "Circuit",
    "CircuitBreaker",
    "CircuitOpen",
    "Client",
    "FactInput",
    "Facts",
    "Fallback",
    "ItemFailed",
    "Pauses",
    "is_fallback",
    "item",
    "record_filter",
    "selector",
    "ticket",
    "undecided",
    "wrong_fields",
]


def __getattr__(name: str) -> object:
    """Import the client when one of its names is first used: the server and the commands do without it."""
    if name in __all__:
        from guidepost import client  # noqa: PLC0415 - gRPC is large

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
