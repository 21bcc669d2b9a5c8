"""What an outcome is in every cell: a value, not covered, or undecided with the exact set of what is still possible.

Tables keep the least and the greatest code that is still possible; here the whole set is worked out, in bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.classes import Indices
from engine.settle import Codes, Flat

_BITS: Final = 63
"""How many codes a word of bits holds."""


@dataclass(frozen=True, slots=True)
class States:
    """A number for each cell, and the codes that each number stands for: one if it is decided, several if it is not."""

    array: Indices
    possible: tuple[tuple[int, ...], ...]


def states(flat: Flat, codes: Codes) -> States:
    """Give the codes that are possible in every cell."""
    decided = codes.low == codes.high
    single = tuple((code,) for code in range(codes.not_covered + 1))
    if decided.all():
        return States(codes.low, single)
    open_cells = ~decided
    rows = np.stack([word[open_cells] for word in _bits(flat, codes)], axis=1)
    distinct, inverse = np.unique(rows, axis=0, return_inverse=True)
    array = np.where(decided, codes.low, 0).astype(np.int32)
    array[open_cells] = (inverse.ravel() + len(single)).astype(np.int32)
    return States(array, single + tuple(map(_codes, distinct)))


def _bits(flat: Flat, codes: Codes) -> list[npt.NDArray[np.int64]]:
    """Work out the possible codes of every cell as bits, one array for each 63 codes."""
    words = []
    for word in range(codes.not_covered // _BITS + 1):
        here = flat.settled & (codes.low // _BITS == word)
        words.append(_carried(flat, np.where(here, np.int64(1) << (codes.low % _BITS), np.int64(0))))
    return words


def _carried(flat: Flat, bits: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Carry the bits of settled cells to the cells that lead to them, one open fact at a time, until nothing changes."""
    changed = True
    while changed:
        changed = False
        for axis, mask in enumerate(flat.open):
            missing = (slice(None),) * axis + (0,)
            if not mask[missing].any():
                continue
            known = np.bitwise_or.reduce(bits[(slice(None),) * axis + (slice(1, None),)], axis=axis)
            more = bits[missing] | np.where(mask[missing], known, 0)
            changed = changed or bool((more != bits[missing]).any())
            bits[missing] = more
    return bits


def _codes(row: npt.NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(word * _BITS + bit for word, bits in enumerate(row.tolist()) for bit in range(_BITS) if bits >> bit & 1)
