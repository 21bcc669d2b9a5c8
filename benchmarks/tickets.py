"""Tickets for the shipped policies, drawn at random from their own vocabulary; always the same for a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from engine.model.vocabulary import Fact, FactType
from engine.version.version import Version

Facts = dict[str, object]

KNOWN: Final[Mapping[str, float]] = {
    "received_at": 0.99,
    "channel": 0.98,
    "stage": 0.95,
    "country": 0.9,
    "requester": 0.9,
    "request_type": 0.85,
    "impact": 0.85,
    "urgency": 0.85,
    "service": 0.8,
    "plan": 0.7,
    "partner_legal_name": 0.9,
    "technical_contact": 0.85,
    "explanation": 0.98,
    "tenant_company": 0.8,
    "tenant_domain": 0.75,
    "affected_accounts": 0.6,
    "troubleshooting_steps": 0.5,
    "language": 0.5,
    "region": 0.4,
    "business_impact": 0.4,
    "workaround": 0.35,
    "error_details": 0.3,
    "affected_percent": 0.25,
    "screenshots": 0.2,
    "feature": 0.05,
    "assigned_priority": 0.05,
}
"""How likely it is that a new ticket says this; facts that are not listed belong to the later life of a case."""

USUAL: Final[Mapping[str, str]] = {
    "channel": "email",
    "stage": "triage",
    "country": "AU",
    "requester": "partner",
    "request_type": "incident",
    "impact": "medium",
    "urgency": "medium",
    "service": "microsoft.service_request",
    "plan": "partner",
    "language": "en",
    "region": "AU-NSW",
    "business_impact": "medium",
    "workaround": "available",
}
"""What most tickets say; the others are drawn from all values alike."""

MOSTLY: Final = 0.6
"""How likely a ticket that says something says the usual; real desks are more one-sided still."""

PER_MINUTE: Final = 30
"""How many tickets come in each minute."""

START: Final = datetime(2026, 1, 19, tzinfo=UTC)


def draw(version: Version, count: int, seed: int) -> list[Facts]:
    """Draw tickets, in the order in which they come in."""
    chance = random.Random(seed)
    facts = [(fact, KNOWN[name]) for name, fact in sorted(version.policy.facts.items()) if name in KNOWN]
    return [
        {
            fact.name: _value(fact, START + timedelta(minutes=at / PER_MINUTE), chance)
            for fact, known in facts
            if chance.random() < known
        }
        for at in range(count)
    ]


def _value(fact: Fact, now: datetime, chance: random.Random) -> object:
    """Draw a value of a fact; where it is not the usual one, one word in ten is another spelling, and one in a
    hundred of an open list is not in it.
    """
    match fact.type:
        case FactType.INSTANT:
            return now
        case FactType.BOOLEAN:
            return chance.random() < 0.5
        case FactType.NUMBER | FactType.INTEGER:
            return float(chance.randint(0, 100))
        case FactType.TEXT:
            return "" if chance.random() < 0.02 else f"some words about the {fact.name}"
    if fact.name in USUAL and chance.random() < MOSTLY:
        return USUAL[fact.name]
    if fact.open and chance.random() < 0.01:
        return "something else"
    value = chance.choice(fact.values)
    return chance.choice(value.aliases) if value.aliases and chance.random() < 0.1 else value.value
