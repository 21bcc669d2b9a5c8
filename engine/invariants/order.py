"""Monotone: finds two tickets in which raising one thing lowers (or raises) another.

Raising a fact compares two tickets that differ in that fact only; raising an outcome compares every two tickets. Cases
in which one of the outcomes has no value are not compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.invariants.case_space import UNRANKED, CaseSpace
from engine.invariants.terms import Array, Term, fitting, onto, sent
from engine.model.invariants import Monotone, Order, Way
from engine.tables.classes import Axis

Tickets = tuple[dict[str, int], dict[str, int]]
"""Two tickets (fact to atom): the one before, and the raised one."""


def find_lowered(ground: CaseSpace, claim: Monotone) -> tuple[Tickets, str] | None:
    """Return two tickets with the fewest facts that break a claim, and what is raised, or None. Raises TooLarge."""
    raised = claim.raised[0].name
    if raised in ground.cells.producer:
        found = _by_outcome(ground, claim)
        return (found, raised) if found else None
    ranks, axes = _ranks(ground, claim.outcomes, claim.way)
    shown = [
        (found, order.name)
        for order in claim.raised
        if (found := _by_fact(ranks, axes, order, ground.ordered_atoms(order)))
    ]
    return min(shown, key=lambda one: sum(1 for atom in one[0][1].values() if atom), default=None)


def _ranks(ground: CaseSpace, outcomes: Sequence[Order], way: Way) -> tuple[Array, tuple[Axis, ...]]:
    """Return one rank for all outcomes, the first one most significant: a claim is broken where the rank goes down."""
    terms, axes = fitting([ground.ranks(order) for order in outcomes])
    return _joined(terms, axes, way), axes


def _joined(terms: Sequence[Term], axes: tuple[Axis, ...], way: Way) -> Array:
    shape = [axis.size for axis in axes]
    ranks: Array = np.zeros(shape, dtype=np.int64)
    ranked = np.ones(shape, dtype=np.bool_)
    for term in terms:
        own = onto(term, axes)
        ranks = ranks * (int(term.array.max(initial=0)) + 1) + own
        ranked &= own != UNRANKED
    if way is Way.NEVER_RAISES:
        ranks = ranks.max(initial=0) - ranks
    return np.where(ranked, ranks, UNRANKED)


def _by_fact(ranks: Array, axes: tuple[Axis, ...], order: Order, atoms: Sequence[int]) -> Tickets | None:
    """Raise one fact with all else equal, and find where the rank goes down."""
    at = next((at for at, axis in enumerate(axes) if axis.fact == order.name), None)
    if at is None:
        return None
    others = tuple(axis for axis in axes if axis.fact != order.name)
    steps = np.moveaxis(ranks, at, 0)[axes[at].class_of[list(atoms)]]
    highest = np.maximum.accumulate(steps, axis=0)
    down = (steps != UNRANKED) & (steps < highest)
    if not down.any():
        return None
    count = np.where(down, sent(down.shape, range(1, down.ndim)), np.iinfo(np.int64).max)
    step, *cell = (int(one) for one in np.unravel_index(int(np.argmin(count)), count.shape))
    climb = steps.reshape(len(atoms), -1)[:, int(np.ravel_multi_index(cell, steps.shape[1:])) if cell else 0]
    before = int(np.argmax(climb > climb[step]))
    facts = {axis.fact: axis.members[position] for axis, position in zip(others, cell, strict=True)}
    return {**facts, order.name: atoms[before]}, {**facts, order.name: atoms[step]}


def _by_outcome(ground: CaseSpace, claim: Monotone) -> Tickets | None:
    """Compare every two cases by the raised outcome and by the rank of the others."""
    terms, axes = fitting([ground.ranks(claim.raised[0]), *(ground.ranks(order) for order in claim.outcomes)])
    heights = np.broadcast_to(onto(terms[0], axes), [axis.size for axis in axes])
    ranks = _joined(terms[1:], axes, claim.way)
    ranked = (heights != UNRANKED) & (ranks != UNRANKED)
    width = int(ranks.max(initial=0)) + 1
    keys = np.where(ranked, heights * np.int64(width) + ranks, UNRANKED)
    pairs = [divmod(key, width) for key in _distinct(keys) if key != UNRANKED]
    if not _goes_down(pairs):
        return None
    one, other = _shown(pairs, _least(keys, width))
    return _ticket(keys, one[0] * width + one[1], axes), _ticket(keys, other[0] * width + other[1], axes)


def _distinct(keys: Array) -> list[int]:
    """Return the distinct numbers of an array, sorted; without sorting the array if they are close together."""
    if int(keys.max(initial=0)) < keys.size:
        return [int(key) + UNRANKED for key in np.flatnonzero(np.bincount(keys.ravel() - UNRANKED))]
    return [int(key) for key in np.unique(keys)]


def _goes_down(pairs: Sequence[tuple[int, int]]) -> bool:
    """Return whether a pair of a higher height has a lower rank than one of a lower height."""
    highest: dict[int, int] = {}
    for height, rank in pairs:
        highest[height] = max(rank, highest.get(height, rank))
    below = {
        height: max((rank for other, rank in highest.items() if other < height), default=UNRANKED) for height in highest
    }
    return any(rank < below[height] for height, rank in pairs)


def _least(keys: Array, width: int) -> dict[tuple[int, int], int]:
    """Return, for every pair of height and rank, the number of facts of the smallest ticket that has it."""
    count = sent(keys.shape, range(keys.ndim)).ravel()
    order = np.argsort(count, kind="stable")
    distinct, first = np.unique(keys.ravel()[order], return_index=True)
    return {
        divmod(int(key), width): int(count[order[at]])
        for key, at in zip(distinct, first, strict=True)
        if key != UNRANKED
    }


def _shown(
    pairs: Sequence[tuple[int, int]], least: Mapping[tuple[int, int], int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the two tickets with the fewest facts of all pairs that go down."""
    heights, ranks = np.array(pairs, dtype=np.int64).T
    counts = np.array([least[pair] for pair in pairs], dtype=np.int64)
    best: tuple[int, int, int] | None = None
    for at in range(len(pairs)):
        wrong = np.flatnonzero((heights > heights[at]) & (ranks < ranks[at]))
        if len(wrong):
            other = int(wrong[np.argmin(counts[wrong])])
            best = min(
                best or (int(counts[at] + counts[other]), at, other), (int(counts[at] + counts[other]), at, other)
            )
    if best is None:
        raise ValueError("nothing goes down")
    return pairs[best[1]], pairs[best[2]]


def _ticket(keys: Array, key: int, axes: tuple[Axis, ...]) -> dict[str, int]:
    count = np.where(keys == key, sent(keys.shape, range(keys.ndim)), np.iinfo(np.int64).max)
    cell = np.unravel_index(int(np.argmin(count)), keys.shape)
    return {axis.fact: axis.members[int(at)] for axis, at in zip(axes, cell, strict=True)}
