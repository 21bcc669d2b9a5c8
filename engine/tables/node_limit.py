"""A table whose diagram has too many nodes: the facts that make it large, and what helps.

A diagram asks facts in an order. At each fact it has one node for every combination of earlier facts that still makes a
difference. Where it is widest, the earlier facts have to be remembered together until the later ones are asked. A table
that reduces some of them to one outcome leaves only the values of that outcome to remember.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.model.policy import HitPolicy, Table
from engine.model.problems import Problem

MOST_NODES_A_TABLE: Final = 250_000
"""How many nodes drawing one table may take."""

MOST_NAMED: Final = 6
"""How many facts are named."""

GROWS: Final = 1.2
"""By how much a fact has to widen a diagram to be named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSize:
    """How many nodes drawing a table took, of ``most``; ``asking`` has how many of them ask each fact."""

    table: str
    nodes: int
    most: int
    asking: Mapping[str, int]

    @property
    def share(self) -> float:
        """The part of the limit that it takes, from 0 to 1."""
        return self.nodes / self.most

    @property
    def widest(self) -> tuple[str, ...]:
        """The facts that most nodes ask, sorted.

        >>> TableSize(table="t", nodes=9, most=100, asking={"plan": 1, "tier": 4, "site": 4}).widest
        ('site', 'tier')
        """
        most = max(self.asking.values(), default=0)
        return tuple(sorted(fact for fact, count in self.asking.items() if count == most > 0))


def remembered_together(asking: Mapping[str, int]) -> tuple[tuple[str, ...], str]:
    """Return the facts that make a diagram wide, the most first, and the fact until which they are remembered.

    ``asking`` has for each fact, in order, how many nodes ask it. The second is "" if no node asks a fact.

    >>> remembered_together({"plan": 1, "site": 4, "tier": 5, "age": 20, "kind": 21, "vip": 3})
    (('plan', 'tier', 'site'), 'kind')
    """
    counts = [(fact, count) for fact, count in asking.items() if count]
    if not counts:
        return (), ""
    widest = max(range(len(counts)), key=lambda at: counts[at][1])
    growth = [
        (counts[at + 1][1] / counts[at][1], counts[at][0])
        for at in range(widest)
        if counts[at + 1][1] > GROWS * counts[at][1]
    ]
    named = [fact for _, fact in sorted(growth, key=lambda pair: (-pair[0], pair[1]))]
    return tuple(named[:MOST_NAMED]), counts[widest][0]


def remembered_text(asking: Mapping[str, int]) -> str:
    """Return what makes a diagram wide, in words; ``asking`` as in :func:`remembered_together`.

    >>> remembered_text({"plan": 1, "site": 4, "tier": 5, "age": 20, "kind": 21, "vip": 3})
    '`plan`, `tier` and `site` have to be remembered together until `kind` is read'
    >>> remembered_text({"plan": 1, "site": 4})
    '`plan` has to be remembered until `site` is read'
    """
    facts, until = remembered_together(asking)
    if not facts:
        return "it has too many different results"
    *others, last = (f"`{one}`" for one in facts)
    if not others:
        return f"{last} has to be remembered until `{until}` is read"
    return f"{', '.join(others)} and {last} have to be remembered together until `{until}` is read"


def node_problem(table: Table, asking: Mapping[str, int], most: int) -> Problem:
    """Return the problem of a table that takes more than ``most`` nodes."""
    facts, _ = remembered_together(asking)
    reduced = f"`{facts[0]}`" if len(facts) == 1 else "some of these facts"
    where = f"`{table.name}`" if set(facts) <= set(table.reads) else f"the tables that `{table.name}` depends on"
    if shared := _shared_text(table):
        text, one, other = shared
        return Problem(
            place=table.place,
            code="space-too-large",
            message=f"the table `{table.name}` takes more than the limit of {most:,} nodes: "
            f"the rules `{one}` and `{other}` both give `{text}`, with many rules between them",
            help=f"put the rules that give `{text}` next to each other, or let one rule give it",
        )
    return Problem(
        place=table.place,
        code="space-too-large",
        message=f"the table `{table.name}` takes more than the limit of {most:,} nodes: {remembered_text(asking)}",
        help=f"let a table of its own reduce {reduced} to one outcome with few values, "
        f"and read this outcome instead in {where}"
        if facts
        else "let rules that mean the same produce the same values",
    )


def _shared_text(table: Table) -> tuple[str, str, str] | None:
    """Return a text that two rules of a collect table give, the furthest apart, with these rules."""
    seen: dict[tuple[str, str], int] = {}
    found: list[tuple[int, str, int, int]] = []
    for at, rule in enumerate(table.rules if table.hit is HitPolicy.COLLECT else ()):
        for name, value in sorted(rule.then.items()):
            for text in value if isinstance(value, tuple) else ():
                first = seen.setdefault((name, text), at)
                if first < at:
                    found.append((at - first, text, first, at))
    if not found:
        return None
    _, text, one, other = max(found)
    return text, table.rules[one].id, table.rules[other].id
