"""Dictionary-encoded columns, in which each distinct value is translated once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.cache import Cache
from engine.columns.fact_columns import Mask

MISSING: Final = -1
"""The code of a row without a value."""

INVALID: Final = -2
"""The code of a row whose value cannot be translated."""

_KEPT: Final = 100_000
"""How many translations are cached between batches."""

Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class InvalidValue:
    """A value that cannot be translated; ``reason`` is the text that follows the value in a message."""

    reason: str


@dataclass(slots=True)
class Translator:
    """Translates values and caches them; ``translate`` returns the translation, None for no value, or InvalidValue."""

    translate: Callable[[Any], Any]
    cache: Cache[tuple[type, Any], tuple[Any]] = field(default_factory=lambda: Cache(_KEPT))

    def read(self, codes: Codes, values: Sequence[Any]) -> tuple[Codes, tuple[Any, ...], dict[int, InvalidValue]]:
        """Return the code of each row (or INVALID), the translated values, and the invalid values by their old code."""
        targets: dict[tuple[type, Any], int] = {}
        wrong: dict[int, InvalidValue] = {}
        table = np.full(len(values) + 1, MISSING, np.int32)  # the last is for rows without a value, whose code is -1
        for at, value in enumerate(values):
            found = self._of(value)
            if isinstance(found, InvalidValue):
                table[at] = INVALID
                wrong[at] = found
            elif found is not None:
                table[at] = targets.setdefault((found.__class__, found), len(targets))
        return table.take(codes), tuple(target for _, target in targets), wrong

    def _of(self, value: Any) -> Any:
        if value is None:
            return None
        key = (value.__class__, value)
        # The cache holds tuples, since a translation may be None.
        (found,) = self.cache.get(key) or self.cache.put(key, (self.translate(value),))
        return found


def dictionary_codes(array: pa.Array) -> tuple[Codes, list[Any]]:
    """Return the code of each row and the values by code; a row without a value has the code MISSING."""
    if pa.types.is_null(array.type):
        return np.full(len(array), MISSING, np.int32), []
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    indices = array.indices
    codes = (indices.fill_null(MISSING) if indices.null_count else indices).to_numpy(zero_copy_only=False)
    return codes.astype(np.int32, copy=False), array.dictionary.to_pylist()


def invalid_rows(codes: Codes) -> Mask | None:
    """Return which rows have an invalid value, or None if no row does."""
    found = codes == INVALID
    return found if found.any() else None


class LazyTexts(Sequence[Any]):
    """The values of a column as text, each decoded on access: a replay shows a few of millions of names."""

    def __init__(self, array: pa.Array) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, at: Any) -> Any:
        """Return a value, as text."""
        value = self._array[at].as_py()
        return value if value is None or isinstance(value, str) else str(value)
