"""How many nodes the tables of a version take, for the terminal and as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from engine.tables.node_limit import TableSize
from engine.version.version import Version
from guidepost.render.console import ruled_table

MOST_LISTED: Final = 3
"""How many facts are listed for a table."""


def table_sizes(version: Version) -> list[TableSize]:
    """Return the sizes of all tables and deadlines, the largest first."""
    return sorted(version.diagrams.sizes.values(), key=lambda size: (-size.nodes, size.table))


def sizes_table(version: Version) -> RenderableType:
    """Return a table of the sizes, with the facts that most nodes of each table ask."""
    rows: list[list[RenderableType]] = [
        [size.table, _right(f"{size.nodes:,}"), _right(f"{size.share:.1%}"), _named(size.widest)]
        for size in table_sizes(version)
    ]
    return ruled_table(["table", "nodes", "of limit", "most nodes ask"], rows)


def _right(text: str) -> Text:
    return Text(text, justify="right")


def _named(facts: Sequence[str]) -> str:
    """Return a few of many facts.

    >>> _named(["contact", "plan", "region", "site", "tier"])
    'contact, plan, region and 2 more'
    """
    listed = ", ".join(facts[:MOST_LISTED])
    return listed if len(facts) <= MOST_LISTED else f"{listed} and {len(facts) - MOST_LISTED} more"


def plain_sizes(version: Version) -> list[dict[str, object]]:
    """Return the sizes as plain data."""
    return [
        {
            "table": size.table,
            "nodes": size.nodes,
            "limit": size.most,
            "share": round(size.share, 4),
            "widest": list(size.widest),
        }
        for size in table_sizes(version)
    ]
