"""Outcomes that are the same text for every ticket: a mailbox, a help text.

A change of such a text does not change the decision on a ticket.
"""

from __future__ import annotations

from engine.model.vocabulary import FactType
from engine.tables.missing_facts import Codes
from engine.version.version import Version


def texts_for_all(version: Version) -> frozenset[str]:
    """Return the outcomes that are texts or lists of texts and the same in every cell of their table."""
    return frozenset(
        name
        for name, table in version.producer.items()
        if version.policy.outcomes[name].type in (FactType.TEXT, FactType.LIST)
        and _one_value(version.partial_tables[table].codes[name])
    )


def _one_value(codes: Codes) -> bool:
    first = int(codes.low.flat[0])
    return first < codes.not_covered and bool((codes.low == first).all() and (codes.high == first).all())
