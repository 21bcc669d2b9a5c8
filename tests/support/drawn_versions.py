"""Versions without arrays: of policies that only diagrams can hold."""

from __future__ import annotations

from unittest.mock import patch

from engine.model.policy import Policy
from engine.tables.table_diagram import draw_tables
from engine.tables.tabulate import all_atoms
from engine.version.version import PolicyTables, Version, build
from tests.support.growth import Files


def drawn_version(files: Files) -> Version:
    """Build a version with diagrams only, whatever is wrong with its tables."""
    with (
        patch("engine.version.version.tabulate_policy", _drawn),
        patch("engine.version.version.table_problems", lambda *_: []),
    ):
        return build(files)


def _drawn(policy: Policy) -> PolicyTables:
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
