"""Dense arrays without repeated slices: positions of an axis with equal slices become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.signedinteger]
"""Whole numbers of any width."""


@dataclass(frozen=True, slots=True)
class MergedArray:
    """An array without repeated slices; ``position_of`` maps the positions of each original axis into it."""

    array: Numbers
    position_of: tuple[tuple[int, ...], ...]

    @property
    def members(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """For each axis and position of the small array, the positions of the original array that it replaces."""
        return tuple(
            tuple(tuple(at for at, there in enumerate(positions) if there == position) for position in range(size))
            for positions, size in zip(self.position_of, self.array.shape, strict=True)
        )


def merge_alike(array: Numbers) -> MergedArray:
    """Merge positions with equal slices, axis by axis, until all slices differ.

    >>> small = merge_alike(np.array([[1, 1, 2], [1, 1, 2], [3, 3, 3]], dtype=np.int32))
    >>> small.array.tolist(), small.position_of
    ([[1, 2], [3, 3]], ((0, 0, 1), (0, 0, 1)))
    """
    of = [tuple(range(size)) for size in array.shape]
    for axis in sorted(range(array.ndim), key=lambda axis: array.shape[axis]):
        numbers, first = _numbered(array, axis)
        if len(first) < array.shape[axis]:
            array = np.take(array, first, axis=axis)
            of[axis] = tuple(numbers)
    return MergedArray(np.array(array, order="C"), tuple(of))


def _numbered(array: Numbers, axis: int) -> tuple[list[int], list[int]]:
    """Return a number for each position of an axis, equal for equal slices, and the first position of each number."""
    groups = equal_groups([array.take(at, axis).tobytes() for at in range(array.shape[axis])])
    numbers = {at: number for number, group in enumerate(groups) for at in group}
    return [numbers[at] for at in range(array.shape[axis])], [group[0] for group in groups]


def equal_groups(keys: Sequence[object]) -> tuple[tuple[int, ...], ...]:
    """Return the positions of equal keys in groups, in the order of their first occurrence.

    >>> equal_groups(["a", "b", "a"])
    ((0, 2), (1,))
    """
    found: dict[object, list[int]] = {}
    for at, key in enumerate(keys):
        found.setdefault(key, []).append(at)
    return tuple(map(tuple, found.values()))
