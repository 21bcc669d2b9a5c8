"""The order in which diagrams ask facts.

For each table that no other table reads: first the facts of the tables that produce what it reads, the deepest first,
then its own facts, as its rules mention them. So facts that decide an outcome together are neighbours, and diagrams
stay small. The order changes the size of diagrams, and no answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.model.policy import Table


def reads_of(table: Table) -> tuple[str, ...]:
    """Return the facts and outcomes that a table's rules test, as they mention them first."""
    return tuple(dict.fromkeys(condition.fact for rule in table.rules for condition in rule.when))


def fact_order(tables: Iterable[Table]) -> tuple[str, ...]:
    """Return the sent facts that tables depend on, in the order in which diagrams ask them."""
    listed = tuple(tables)
    maker = {name: table for table in listed for name in table.produces}
    read = {name for table in listed for name in table.reads}
    depth: dict[str, int] = {}
    # Tables come behind those that they read.
    for table in listed:
        depth[table.name] = 1 + max((depth[maker[name].name] for name in table.reads if name in maker), default=0)
    found: dict[str, None] = {}
    seen: set[str] = set()

    def visit(table: Table) -> None:
        if table.name in seen:
            return
        seen.add(table.name)
        reads = reads_of(table)
        makers = list(dict.fromkeys(maker[name].name for name in reads if name in maker))
        by_name = {maker[name].name: maker[name] for name in reads if name in maker}
        for name in sorted(makers, key=lambda one: -depth[one]):
            visit(by_name[name])
        found.update(dict.fromkeys(name for name in reads if name not in maker))

    for table in listed:
        if not read & set(table.produces):
            visit(table)
    for table in listed:
        visit(table)
    return tuple(found)
