"""A table whose diagram has too many nodes: the facts that make it large, and what helps.

A diagram asks facts in an order. At each fact it has one node for every combination of earlier facts that still makes a
difference. Where it is widest, the earlier facts have to be remembered together until the later ones are asked. A table
that reduces some of them to one outcome leaves only the values of that outcome to remember.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.model.problems import Place, Problem

MOST_NODES_A_TABLE: Final = 250_000
"""How many nodes drawing one table may take."""

MOST_NAMED: Final = 6
"""How many facts are named."""

GROWS: Final = 1.2
"""By how much a fact has to widen a diagram to be named."""


def remembered_together(asking: Mapping[str, int]) -> tuple[tuple[str, ...], str]:
    """Return the facts that make a diagram wide, the most first, and the fact until which they are remembered.

    ``asking`` has for each fact, in order, how many nodes ask it.

    >>> remembered_together({"plan": 1, "site": 4, "tier": 5, "age": 20, "kind": 21, "vip": 3})
    (('plan', 'tier', 'site'), 'kind')
    """
    counts = [(fact, count) for fact, count in asking.items() if count]
    widest = max(range(len(counts)), key=lambda at: counts[at][1])
    growth = [
        (counts[at + 1][1] / counts[at][1], counts[at][0])
        for at in range(widest)
        if counts[at + 1][1] > GROWS * counts[at][1]
    ]
    named = [fact for _, fact in sorted(growth, key=lambda pair: (-pair[0], pair[1]))]
    return tuple(named[:MOST_NAMED]), counts[widest][0]


def remembered_text(asking: Mapping[str, int]) -> str:
    """Return which facts make a diagram wide, and until when, in words; ``asking`` as in :func:`remembered_together`.

    >>> remembered_text({"plan": 1, "site": 4, "tier": 5, "age": 20, "kind": 21, "vip": 3})
    '`plan`, `tier` and `site` have to be remembered together until `kind` is read'
    """
    facts, until = remembered_together(asking)
    listed = " and ".join(
        filter(None, (", ".join(f"`{one}`" for one in facts[:-1]), *(f"`{one}`" for one in facts[-1:])))
    )
    return f"{listed} have to be remembered together until `{until}` is read"


def node_problem(table: str, place: Place, asking: Mapping[str, int], most: int) -> Problem:
    """Return the problem of a table that takes more than ``most`` nodes."""
    return Problem(
        place=place,
        code="space-too-large",
        message=f"the table `{table}` takes more than the limit of {most:,} nodes: {remembered_text(asking)}",
        help=f"let a table of its own decide what matters of some of these facts, and read its outcome in `{table}`",
    )
