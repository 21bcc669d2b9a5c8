"""The tables of a version that is built already, as a policy is tabulated."""

from __future__ import annotations

from collections.abc import Mapping

from engine.tables.missing_facts import PartialTable
from engine.tables.table_diagram import draw_tables
from engine.version.version import PolicyTables, Version


def policy_tables(version: Version, deadline_tables: Mapping[str, PartialTable] | None = None) -> PolicyTables:
    """Return the tables of a version, with its arrays as they are and its diagrams drawn again."""
    policy = version.policy
    return PolicyTables(
        atoms=version.atoms,
        grids=version.grids,
        partial_tables=version.partial_tables,
        producer=version.producer,
        diagrams=draw_tables(list(policy.tables.values()), policy.outcomes, version.atoms),
        deadline_tables=deadline_tables or {},
    )
