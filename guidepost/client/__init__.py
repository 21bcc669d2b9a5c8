"""The client of a Guidepost server, for threads and for asyncio. It needs gRPC and the messages only.

Modules::

    aio              ``AsyncClient``, the client for asyncio
    aio_audit        ``AsyncAudit``, which reads the decision log
    sync             ``Client``, generated from aio
    sync_audit       ``Audit``, generated from aio_audit
    requests         plain Python values -> requests
    audit_requests   filters and timeouts of requests to the decision log
    errors           how calls fail, and fallbacks
    coalescing       triages requested at the same time -> one call
    calls            calls that are retried on other connections
    connection_pool  which connection a call uses
    circuit_breaker  calls fail at once while the service does not answer
    probes           asks in the background whether the service is back
    channels         gRPC channels and their options
"""

from __future__ import annotations

from guidepost.client.aio import AsyncClient
from guidepost.client.aio_audit import AsyncAudit
from guidepost.client.audit_requests import record_filter
from guidepost.client.channels import TIMEOUT
from guidepost.client.circuit_breaker import Circuit, CircuitBreaker
from guidepost.client.coalescing import WAIT as COALESCE
from guidepost.client.errors import CircuitOpen, Fallback, ItemFailed, is_fallback, undecided, wrong_fields
from guidepost.client.requests import FactInput, Facts, Pauses, item, selector, ticket
from guidepost.client.sync import Client
from guidepost.client.sync_audit import Audit

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
