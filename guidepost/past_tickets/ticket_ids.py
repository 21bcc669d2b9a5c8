"""The names of tickets as 64-bit hashes, equal in every file, process and machine."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

_SHORT: Final = 64
"""The longest name, in bytes, that is hashed with whole columns; longer names are hashed one by one."""

_SEED: Final = np.uint64(0x9E3779B97F4A7C15)
_ONE, _TWO = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def hash_names(array: pa.Array) -> Hashes:
    """Return the hash of each name of a column, 0 for an empty name.

    Two names have the same hash with a probability of about 2**-63.

    >>> hash_names(pa.array(["INC1", " INC1", None, "", "INC2"])).tolist()[1:4] == [
    ...     hash_names(pa.array(["INC1"]))[0],
    ...     0,
    ...     0,
    ... ]
    True
    """
    if pa.types.is_dictionary(array.type):
        words = np.append(hash_names(array.dictionary), np.uint64(0))
        found: Hashes = words.take(array.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False), mode="clip")
        return found
    if pa.types.is_null(array.type):
        return np.zeros(len(array), np.uint64)
    text = pc.utf8_trim_whitespace(array.cast(pa.large_string())).fill_null("")
    _, ends, data = text.buffers()
    offsets = np.frombuffer(ends, np.int64)[text.offset : text.offset + len(text) + 1]
    lengths = np.diff(offsets)
    found = np.zeros(len(text), np.uint64)
    short = (lengths > 0) & (lengths <= _SHORT)
    if short.any():
        width = -(-int(lengths[short].max()) // 8) * 8
        places = np.arange(len(text)) if short.all() else np.flatnonzero(short)
        letters = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]
        if len(places) < len(text):
            letters = letters[np.repeat(short, lengths)]
        words = np.zeros((len(places), width), np.uint8)
        words[np.arange(width) < lengths[places, None]] = letters
        number: Hashes = _mix(lengths[places].astype(np.uint64))
        for word in words.view("<u8").T:
            number = _mix(number ^ word.astype(np.uint64))
        found[places] = number | np.uint64(1)
    for row in np.flatnonzero(lengths > _SHORT).tolist():
        found[row] = int.from_bytes(blake2b(text[row].as_py().encode(), digest_size=8).digest(), "little") | 1
    return found


def hash_texts(names: Sequence[Any]) -> Hashes:
    """Return the hash of each name, 0 for an empty name or None."""
    return hash_names(pa.array([None if name is None else str(name) for name in names], pa.string()))


def _mix(numbers: Hashes) -> Hashes:
    """Mix the bits of numbers (splitmix64), so that similar numbers have very different hashes."""
    found = (numbers + _SEED).astype(np.uint64)
    found = (found ^ (found >> np.uint64(30))) * _ONE
    found = (found ^ (found >> np.uint64(27))) * _TWO
    return found ^ (found >> np.uint64(31))
