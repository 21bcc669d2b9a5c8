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

The server and the command line are here, too.

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
    tickets          past tickets of other systems and of the decision log
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
    """Load the client when it is first asked for: the server and the command line are in this package, too, and need none of it."""
    if name in __all__:
        from guidepost import client  # noqa: PLC0415 - so that gRPC is loaded by those who call it

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
