"""The names of tickets as numbers: the same name is the same number in every file, process and machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Numbers = NDArray[np.uint64]

_SEED: Final = np.uint64(0x9E3779B97F4A7C15)
_ONE, _TWO = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def numbers_of(array: pa.Array) -> Numbers:
    """Return the number of each name of a column; 0 where there is none.

    Two names have the same number by a chance of about one in 2**63.

    >>> numbers_of(pa.array(["INC1", " INC1", None, "", "INC2"])).tolist()[1:4] == [numbers_of(pa.array(["INC1"]))[0], 0, 0]
    True
    """
    if pa.types.is_dictionary(array.type):
        words = np.append(numbers_of(array.dictionary), np.uint64(0))
        found: Numbers = words.take(array.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False), mode="clip")
        return found
    if pa.types.is_null(array.type):
        return np.zeros(len(array), np.uint64)
    text = pc.utf8_trim_whitespace(array.cast(pa.large_string())).fill_null("")
    _, ends, data = text.buffers()
    offsets = np.frombuffer(ends, np.int64)[text.offset: text.offset + len(text) + 1]
    lengths = np.diff(offsets)
    found = np.zeros(len(text), np.uint64)
    given = np.flatnonzero(lengths)
    if len(given):
        letters = np.frombuffer(data, np.uint8)[offsets[0]: offsets[-1]].astype(np.uint64) + np.uint64(1)
        starts = offsets[given] - offsets[0]
        places = np.arange(len(letters)) - np.repeat(starts, lengths[given])
        weights: Numbers = _mixed(np.arange(1, int(lengths.max()) + 1, dtype=np.uint64)) | np.uint64(1)
        sums: Numbers = np.add.reduceat(_mixed(letters * weights.take(places)), starts)
        found[given] = _mixed(sums ^ lengths[given].astype(np.uint64)) | np.uint64(1)
    return found


def numbers_of_texts(names: Sequence[Any]) -> Numbers:
    """Return the numbers of some names."""
    return numbers_of(pa.array([None if name is None else str(name) for name in names], pa.string()))


def _mixed(numbers: Numbers) -> Numbers:
    """Mix the bits of numbers, so that those that are alike lie far apart."""
    found = (numbers + _SEED).astype(np.uint64)
    found = (found ^ (found >> np.uint64(30))) * _ONE
    found = (found ^ (found >> np.uint64(27))) * _TWO
    return found ^ (found >> np.uint64(31))
