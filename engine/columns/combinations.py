"""Numbers for combinations of columns, in the order of their first occurrence. What depends on one is computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.clock.zone import Column

MAX_DENSE: Final = 1 << 22
"""Up to how many possible combinations an array with one entry each is used."""

MAX_KEY: Final = 1 << 62

MAX_MET: Final = 1 << 31
"""More combinations than ever occur."""


class Numbering:
    """Numbers keys in the order of their first occurrence, across all blocks."""

    def __init__(self, size: int) -> None:
        self._dense = np.full(size, -1, np.int64) if size <= MAX_DENSE else None
        self._keys, self._numbers, self._next = np.empty(0, np.int64), np.empty(0, np.int64), 0

    def numbers(self, keys: Column, meet: Callable[[int], None] | None = None) -> Column:
        """Return the numbers of keys; ``meet`` is called with a row of each new key, in the order of their numbers."""
        found = self._look(keys)
        fresh = np.flatnonzero(found < 0)
        if not len(fresh):
            return found
        new, first = np.unique(keys[fresh], return_index=True)
        numbers = np.arange(self._next, self._next + len(new))
        if meet is not None:
            for row in fresh[first].tolist():
                meet(row)
        self._next += len(new)
        if self._dense is not None:
            self._dense[new] = numbers
        else:
            keys_, numbers_ = np.concatenate([self._keys, new]), np.concatenate([self._numbers, numbers])
            order = np.argsort(keys_)
            self._keys, self._numbers = keys_[order], numbers_[order]
        return self._look(keys)

    def _look(self, keys: Column) -> Column:
        if self._dense is not None:
            return self._dense.take(keys, mode="clip")
        if not len(self._keys):
            return np.full(len(keys), -1, np.int64)
        at = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        return np.where(self._keys[at] == keys, self._numbers[at], -1)


class Combinations:
    """Numbers the combinations of several columns."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes = tuple(sizes)
        self._folds: dict[int, Numbering] = {}
        whole = 1
        for at, size in enumerate(self._sizes):
            if whole * size > MAX_KEY:
                self._folds[at] = Numbering(MAX_KEY)
                whole = min(MAX_MET, MAX_KEY // size)
            whole *= size
        self._last = Numbering(whole)

    def numbers(self, parts: Sequence[NDArray[np.integer[Any]]], rows: int, meet: Callable[[int], None]) -> Column:
        """Return the number of each row's combination; ``meet`` is called with a row of each new one, in order."""
        keys = np.zeros(rows, np.int64)
        for at, (part, size) in enumerate(zip(parts, self._sizes, strict=True)):
            if at in self._folds:
                keys = self._folds[at].numbers(keys)
            keys = keys * size + part
        return self._last.numbers(keys, meet)
