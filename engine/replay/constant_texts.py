"""Outcomes that are the same text for every ticket: a mailbox, a help text.

A change of such a text does not change the decision on a ticket.
"""

from __future__ import annotations

from engine.model.vocabulary import FactType
from engine.tables.table_diagram import TableDiagram
from engine.version.version import Version


def texts_for_all(version: Version) -> frozenset[str]:
    """Return the outcomes that are texts or lists of texts and the same for every ticket."""
    return frozenset(
        name
        for table in version.diagrams.tables.values()
        for name in table.table.produces
        if version.policy.outcomes[name].type in (FactType.TEXT, FactType.LIST) and _one_value(name, table, version)
    )


def _one_value(name: str, table: TableDiagram, version: Version) -> bool:
    store = version.diagrams.store
    if name in table.items:
        parts = [one.possible for one in table.items[name]]
        return all(store.is_leaf(one) and isinstance(store.value(one), int) for one in parts)
    only = table.possible[name]
    return store.is_leaf(only) and store.value(only) in range(len(table.domain[name]))
