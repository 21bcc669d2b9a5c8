"""The client: decisions from a server, in threads or under asyncio.

Modules::

    aio              call a Guidepost server under asyncio: what ``client`` does, awaited
    audit            ask a server's decision log: what was decided, why, and is the log whole
    batching         calls that are made at about the same time, sent as one
    calls            how a client makes a call while servers come and go
    channels         how clients connect
    circuit_breaker  the circuit breaker of a client
    errors           how calls fail, what that says about the service, and what a client answers by itself when the
                     service is away
    least_loaded     which connection a call goes over
    probes           ask in the background whether a service that stopped answering is back, so that no caller has to
                     wait to find out
    requests         requests to a Guidepost server, made of plain Python
    sync             call a Guidepost server: plain Python facts in, wire messages out
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
