"""Monotone: finds two tickets in which raising one thing lowers (or raises) another.

Raising a fact compares two tickets that differ in that fact only; raising an outcome compares every two tickets. Cases
in which one of the outcomes has no value are not compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from engine.diagrams.store import Diagrams, Node
from engine.invariants.case_space import CaseSpace
from engine.model.invariants import Monotone, Order, Way

Tickets = tuple[dict[str, int], dict[str, int]]
"""Two tickets (fact to atom): the one before, and the raised one."""

Rank = tuple[float, ...] | None
"""The ranks of some outcomes, the first one most significant; None where one has none."""


def find_lowered(space: CaseSpace, claim: Monotone) -> tuple[Tickets, str] | None:
    """Return two tickets with the fewest facts that break a claim, and what is raised, or None."""
    ranks = _ranks(space, claim)
    if claim.raised[0].name in space.tables:
        found = _by_outcome(space, space.ranks(claim.raised[0]), ranks)
        return (found, claim.raised[0].name) if found else None
    shown = [(found, order.name) for order in claim.raised if (found := _by_fact(space, ranks, order))]
    return min(shown, key=lambda one: len(one[0][1]), default=None)


def _ranks(space: CaseSpace, claim: Monotone) -> Node:
    """Draw one rank for all outcomes: a claim is broken where the rank goes down."""
    sign = -1 if claim.way is Way.NEVER_RAISES else 1

    def joined(*ranks: float | None) -> Rank:
        known = tuple(sign * rank for rank in ranks if rank is not None)
        return known if len(known) == len(ranks) else None

    return space.store.combine(joined, *(space.ranks(order) for order in claim.outcomes))


def _by_fact(space: CaseSpace, ranks: Node, order: Order) -> Tickets | None:
    """Raise one fact with all else equal, and find where the rank goes down."""
    atoms = space.ordered_atoms(order)
    steps = [space.class_of[order.name][atom] for atom in atoms]
    others = space.store.shortest(_lowered(space.store, ranks, order.name, steps))
    if others is None:
        return None
    climb: list[Rank] = [space.store.value_at(ranks, {**others, order.name: step}) for step in steps]
    highest = accumulate(climb, _higher)
    after = next(at for at, (rank, most) in enumerate(zip(climb, highest, strict=True)) if _less(rank, most))
    before = next(at for at, rank in enumerate(climb) if _less(climb[after], rank))
    facts = space.atoms_of(others)
    return {**facts, order.name: atoms[before]}, {**facts, order.name: atoms[after]}


def _lowered(store: Diagrams, ranks: Node, fact: str, steps: Sequence[int]) -> Node:
    """Draw where the rank is at some step of a fact lower than at one before it."""
    no = store.leaf(False)
    known: dict[Node, Node] = {}

    def visit(here: Node) -> Node:
        if store.is_leaf(here) or store.level[store.asks(here)] > store.level[fact]:
            return no
        if here not in known:
            below = store.children(here)
            if store.asks(here) == fact:
                known[here] = climbed([below[step] for step in steps])
            else:
                known[here] = store.node(store.asks(here), [visit(child) for child in below])
        return known[here]

    def climbed(climb: Sequence[Node]) -> Node:
        found, highest = no, climb[0]
        for here in climb[1:]:
            if here != highest:
                found = store.combine(lambda old, one, most: old or _less(one, most), found, here, highest)
                highest = store.combine(_higher, highest, here)
        return found

    return visit(ranks)


def _less(one: Rank, other: Rank) -> bool:
    return one is not None and other is not None and one < other


def _higher(one: Rank, other: Rank) -> Rank:
    return other if one is None or _less(one, other) else one


def _by_outcome(space: CaseSpace, heights: Node, ranks: Node) -> Tickets | None:
    """Compare every two cases by the raised outcome and by the rank of the others."""
    store = space.store
    both = store.combine(lambda height, rank: None if None in (height, rank) else (height, rank), heights, ranks)
    tickets = {store.value(leaf): facts for leaf, facts in store.fewest(both).items() if store.value(leaf) is not None}
    by_height: dict[float, list[tuple[float, Rank]]] = {}
    for pair in sorted(tickets):
        by_height.setdefault(pair[0], []).append(pair)
    # The highest rank of all that is lower, for each number of facts: a ticket is compared with the shortest above it.
    highest: dict[int, tuple[float, Rank]] = {}
    found: list[tuple[int, object, object]] = []
    for pairs in by_height.values():
        for pair in pairs:
            above = [count for count, other in sorted(highest.items()) if _less(pair[1], other[1])]
            if above:
                found.append((above[0] + len(tickets[pair]), highest[above[0]], pair))
        for pair in pairs:
            count = len(tickets[pair])
            if count not in highest or _less(highest[count][1], pair[1]):
                highest[count] = pair
    if not found:
        return None
    _, before, after = min(found)
    return space.atoms_of(tickets[before]), space.atoms_of(tickets[after])
