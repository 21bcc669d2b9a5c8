"""The exact set of possible outcomes in every cell: one if the outcome is decided, several if it is not.

Partial tables have the least and the greatest code that is still possible. This module computes the whole set, in bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.tables.classes import Indices
from engine.tables.missing_facts import Codes, PartialTable

_WORDS: Final = (np.uint8, np.uint16, np.uint32, np.uint64)
"""Types for bit sets, narrow ones first: an outcome seldom has more than eight values."""

Bits = npt.NDArray[np.unsignedinteger]


@dataclass(frozen=True, slots=True)
class PossibleSets:
    """The number of a set for each cell, and the codes of each set."""

    set_numbers: Indices
    sets: tuple[tuple[int, ...], ...]


def possible_sets(partial: PartialTable, codes: Codes) -> PossibleSets:
    """Return the codes that are possible in every cell."""
    decided = codes.low == codes.high
    single = tuple((code,) for code in range(codes.not_covered + 1))
    if decided.all():
        return PossibleSets(codes.low, single)
    open_cells = ~decided
    rows = np.stack([word[open_cells] for word in _bits(partial, codes)], axis=1)
    distinct, inverse = np.unique(rows, axis=0, return_inverse=True) if rows.shape[1] > 1 else _unique(rows[:, 0])
    array = np.where(decided, codes.low, 0).astype(np.int32)
    array[open_cells] = (inverse.ravel() + len(single)).astype(np.int32)
    return PossibleSets(array, single + tuple(map(_codes, distinct)))


def _unique(column: Bits) -> tuple[Bits, Indices]:
    """Return the distinct values of a column as rows, and the number of each cell's value."""
    distinct, inverse = np.unique(column, return_inverse=True)
    return distinct.reshape(-1, 1), inverse.astype(np.int32)


def _bits(partial: PartialTable, codes: Codes) -> list[Bits]:
    """Return the possible codes of every cell as bits, in as many words as needed."""
    width = codes.not_covered + 1
    kind = next((kind for kind in _WORDS if width <= 8 * kind().itemsize), _WORDS[-1])
    size = 8 * kind().itemsize
    words = []
    for word in range(-(-width // size)):
        ones = np.array([1 << code % size if code // size == word else 0 for code in range(width)], dtype=kind)
        words.append(
            _spread_bits(partial, np.where(partial.settled, ones[np.minimum(codes.low, codes.not_covered)], kind(0)))
        )
    return words


def _spread_bits(partial: PartialTable, bits: Bits) -> Bits:
    """Spread the bits of settled cells to the cells that lead to them, until nothing changes."""
    changed = True
    while changed:
        changed = False
        for axis, mask in enumerate(partial.open):
            missing = (slice(None),) * axis + (0,)
            if not mask[missing].any():
                continue
            known = np.zeros_like(bits[missing])
            for position in np.moveaxis(bits, axis, 0)[1:]:
                known |= position
            more = bits[missing] | (known * mask[missing])
            changed = changed or not np.array_equal(more, bits[missing])
            bits[missing] = more
    return bits


def _codes(row: Bits) -> tuple[int, ...]:
    size = 8 * row.dtype.itemsize
    return tuple(word * size + bit for word, bits in enumerate(row.tolist()) for bit in range(size) if bits >> bit & 1)
