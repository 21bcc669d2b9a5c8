"""Covers a set of cells with few boxes: each a set of positions on every axis, together exactly these cells.

Finding the fewest is as hard as minimising logic, so this is a greedy search: a box grows from the cell with the least
room around it until it can grow no more, then from the next uncovered cell; at the end, boxes that others cover are
removed. The result is always exact, and no box is redundant.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

Box = tuple[tuple[int, ...], ...]
"""For each axis the positions that belong to it."""

_WANTED: Final = 2
"""The mark of a cell that must be covered; 1 is a cell that may be, 0 one that must not."""


def cover(wanted: Mask, room: Mask | None = None) -> tuple[Box, ...]:
    """Return boxes that together hold all cells of a mask and none outside ``room``, the largest first.

    Without ``room``, they are exactly the cells of the mask. Positions at which no cell is wanted are in no box.

    >>> cover(np.array([[True, True, False], [True, True, True]]))
    (((0, 1), (0, 1)), ((1,), (0, 1, 2)))
    """
    code = np.asarray(wanted).astype(np.int8) * _WANTED
    if room is not None:
        code = np.maximum(code, np.asarray(room).astype(np.int8))
    used = [np.flatnonzero(np.bincount(there)).tolist() for there in np.nonzero(code == _WANTED)] if code.ndim else []
    small, members = _merged(code[inside(tuple(map(tuple, used)))] if all(used) else code)
    boxes = _boxes(small.tobytes(), small.shape)
    groups = [[tuple(used[axis][at] for at in group) for group in found] for axis, found in enumerate(members)]
    whole = (
        tuple(
            tuple(sorted(at for position in positions for at in groups[axis][position]))
            for axis, positions in enumerate(box)
        )
        for box in boxes
    )
    return tuple(sorted(whole, key=lambda box: (-size(box), box)))


def _merged(code: npt.NDArray[np.int8]) -> tuple[npt.NDArray[np.int8], list[list[list[int]]]]:
    """Merge positions with equal slices, axis by axis; return for each axis the positions that became one.

    >>> small, members = _merged(np.array([[1, 1, 2], [1, 1, 2], [3, 3, 3]], dtype=np.int8))
    >>> small.tolist(), members
    ([[1, 2], [3, 3]], [[[0, 1], [2]], [[0, 1], [2]]])
    """
    members: list[list[list[int]]] = []
    for axis in range(code.ndim):
        groups: dict[bytes, list[int]] = {}
        for at in range(code.shape[axis]):
            groups.setdefault(code.take(at, axis).tobytes(), []).append(at)
        code = code.take([group[0] for group in groups.values()], axis)
        members.append(list(groups.values()))
    return np.array(code, order="C"), members


def size(box: Box) -> int:
    """Count the cells of a box."""
    return math.prod(map(len, box))


def inside(box: Box) -> Any:
    """Return the index of the cells of a box: slices if its positions are adjacent."""
    if all(positions[-1] - positions[0] + 1 == len(positions) for positions in box):
        return tuple(slice(positions[0], positions[-1] + 1) for positions in box)
    return np.ix_(*(np.array(positions, dtype=np.intp) for positions in box))


def tight(box: Box, changed: Mask) -> Box:
    """Remove positions at which nothing changes from a box, but keep an axis that it spans whole.

    A fact whose axis is whole does not matter.

    >>> tight(((0, 1), (0, 1)), np.array([[True, False, False], [False, False, False]]))
    ((0, 1), (0,))
    """
    there = np.asarray(changed)[inside(box)]
    return tuple(
        positions
        if len(positions) == whole
        else tuple(
            at
            for at, any_change in zip(
                positions, there.any(axis=tuple(other for other in range(there.ndim) if other != axis)), strict=True
            )
            if any_change
        )
        for axis, (positions, whole) in enumerate(zip(box, np.asarray(changed).shape, strict=True))
    )


def forget() -> None:
    """Clear the cache of patterns; it affects only the time of the next cover."""
    _boxes.cache_clear()


@lru_cache(maxsize=4096)
def _boxes(code: bytes, shape: tuple[int, ...]) -> tuple[Box, ...]:
    """Cover one small array; cached, since the same pattern occurs in many places and under many outcomes."""
    array = np.frombuffer(code, dtype=np.int8).reshape(shape)
    wanted, room = array == _WANTED, array > 0
    left = np.array(wanted)
    crowded = _room_around(room)
    chosen: list[Box] = []
    while left.any():
        first = int(np.where(left, crowded, np.iinfo(np.int64).max).argmin())
        seed = tuple(int(at) for at in np.unravel_index(first, left.shape))
        box = max(
            (_grow(room, seed, order) for order in _orders(room, seed)),
            key=lambda box: (int(left[inside(box)].sum()), size(box)),
        )
        chosen.append(box)
        left[inside(box)] = False
    return tuple(_needed(np.asarray(wanted), chosen))


def _room_around(room: Mask) -> npt.NDArray[np.int64]:
    """Count for every cell the cells in line with it."""
    found = np.zeros(room.shape, dtype=np.int64)
    for axis in range(room.ndim):
        found += room.sum(axis=axis, keepdims=True)
    return found


def _orders(room: Mask, seed: tuple[int, ...]) -> Iterable[list[int]]:
    """Return two orders in which to widen a cell: the axes with the most room first, and those with the least first."""
    lines = [tuple(slice(None) if other == axis else at for other, at in enumerate(seed)) for axis in range(room.ndim)]
    share = [float(room[line].mean()) for line in lines]
    order = sorted(range(room.ndim), key=lambda axis: -share[axis])
    return order, order[::-1]


def _grow(room: Mask, seed: tuple[int, ...], order: Iterable[int]) -> Box:
    """Widen a cell along one axis after the other, each time by every position that fits all others.

    A finished axis is reduced: the remaining room holds for all its chosen positions together.
    """
    box: list[tuple[int, ...]] = [(at,) for at in seed]
    axes = list(range(room.ndim))
    for axis in order:
        at = axes.index(axis)
        fits = np.flatnonzero(room[tuple(slice(None) if one == axis else seed[one] for one in axes)])
        box[axis] = tuple(fits.tolist())
        room = np.logical_and.reduce(room.take(fits, axis=at), axis=at)
        axes.remove(axis)
    return tuple(box)


def _needed(wanted: Mask, boxes: list[Box]) -> list[Box]:
    """Remove the boxes whose wanted cells others also cover, the smallest first."""
    covered = np.zeros(wanted.shape, dtype=np.int32)
    for box in boxes:
        covered[inside(box)] += 1
    kept = list(boxes)
    for box in sorted(boxes, key=size):
        if (covered[inside(box)] > 1)[wanted[inside(box)]].all():
            covered[inside(box)] -= 1
            kept.remove(box)
    return kept
