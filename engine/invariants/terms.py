"""Terms -> one array over the facts that all of them depend on.

A term is an array over sent facts. Terms of one invariant may depend on different facts, in different classes; they are
joined here, and reduced first if they are large.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.tables.cells import sizes_text, too_many
from engine.tables.classes import Axis, joint_axes
from engine.tables.merge_alike import merge_alike
from engine.tables.tabulate import cells

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Term:
    """An array over some facts. Class 0 of an axis has the missing fact."""

    axes: tuple[Axis, ...]
    array: Array

    @property
    def facts(self) -> frozenset[str]:
        """The facts that it depends on."""
        return frozenset(axis.fact for axis in self.axes)


class TooLarge(Exception):
    """Terms together depend on too many cells; the message has their facts, with their sizes."""


def fitting(terms: Sequence[Term]) -> tuple[tuple[Term, ...], tuple[Axis, ...]]:
    """Return the terms and their joint axes, reduced first if these have too many cells. Raises TooLarge."""
    axes = joint_axes(term.axes for term in terms)
    if too_many(axes):
        terms = [merged(term) for term in terms]
        axes = joint_axes(term.axes for term in terms)
        if too_many(axes):
            raise TooLarge(f"{cells(axes):,} cells: {sizes_text({axis.fact: axis.size for axis in axes})}")
    return tuple(terms), axes


def onto(term: Term, axes: tuple[Axis, ...]) -> Array:
    """Bring a term onto axes that include its own, ready to be broadcast."""
    own = {axis.fact: axis for axis in term.axes}
    array = term.array
    for at, axis in enumerate(term.axes):
        target = next(target for target in axes if target.fact == axis.fact)
        if not np.array_equal(axis.class_of, target.class_of):
            array = np.take(array, axis.class_of[list(target.members)], axis=at)
    return array.reshape([target.size if target.fact in own else 1 for target in axes])


def merged(term: Term) -> Term:
    """Merge classes that make no difference to a term, and drop facts that make none."""
    small = merge_alike(term.array)
    axes = tuple(
        Axis(axis.fact, np.array(of, dtype=np.int32)[axis.class_of], tuple(axis.members[group[0]] for group in groups))
        for axis, of, groups in zip(term.axes, small.position_of, small.members, strict=True)
        if len(groups) > 1
    )
    return Term(axes, small.array.reshape([axis.size for axis in axes]))


def private(term: Term, shared: Collection[str]) -> tuple[int, ...]:
    """Return the positions of the axes that no other term has."""
    return tuple(at for at, axis in enumerate(term.axes) if axis.fact not in shared)


def without(term: Term, gone: tuple[int, ...]) -> tuple[Axis, ...]:
    """Return the axes of a term but those at some positions."""
    return tuple(axis for at, axis in enumerate(term.axes) if at not in gone)


def sent(shape: tuple[int, ...], of: Collection[int]) -> Array:
    """Count, for every cell, the facts that are sent among the axes at some positions."""
    counts = [
        np.minimum(np.arange(size), 1).reshape([-1 if other == at else 1 for other in range(len(shape))])
        for at, size in enumerate(shape)
        if at in of
    ]
    total: Array = reduce(np.add, counts, np.zeros([1] * len(shape), dtype=np.int64))
    return np.broadcast_to(total, shape)
