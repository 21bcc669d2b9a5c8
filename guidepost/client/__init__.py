"""The client: decisions from a server, in threads or under asyncio."""

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
