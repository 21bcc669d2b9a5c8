"""The tables of a version that is built already, as a policy is tabulated."""

from __future__ import annotations

from collections.abc import Mapping
from unittest.mock import patch

from engine.model.policy import Policy
from engine.tables.missing_facts import PartialTable
from engine.tables.table_diagram import draw_tables
from engine.tables.tabulate import all_atoms
from engine.version.version import PolicyTables, Version, build


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


def drawn_tables(policy: Policy) -> PolicyTables:
    """Return the tables of a policy as diagrams alone, which also hold what arrays could never hold."""
    atoms = all_atoms(policy)
    return PolicyTables(
        atoms=atoms,
        grids={},
        partial_tables={},
        producer={name: table.name for table in policy.tables.values() for name in table.produces},
        diagrams=draw_tables(list(policy.tables.values()), policy.outcomes, atoms),
        deadline_diagrams={
            name: draw_tables([one.table], policy.outcomes, atoms) for name, one in policy.deadlines.items()
        },
    )


def build_drawn(files: dict[str, str]) -> Version:
    """Build a version from diagrams alone, although it has rules that never fire."""
    with (
        patch("engine.version.version.tabulate_policy", drawn_tables),
        patch("engine.version.version.table_problems", lambda *_: []),
    ):
        return build(files)
