"""The tables of a version that is built already, as those of a policy."""

from __future__ import annotations

from engine.version.build import PolicyTables
from engine.version.version import Version


def policy_tables(version: Version) -> PolicyTables:
    """Return the tables of a version."""
    return PolicyTables(
        atoms=version.atoms,
        producer=version.producer,
        diagrams=version.diagrams,
        deadline_diagrams=version.deadline_diagrams,
    )
