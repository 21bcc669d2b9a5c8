"""A column of words in, a dictionary-encoded column out: each distinct value is translated once, and its rows by their codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.cache import Cache
from engine.columns.sent import Mask

MISSING: Final = -1
"""The code of a row that says nothing."""

INVALID: Final = -2
"""The code of a row whose value cannot be translated."""

_KEPT: Final = 100_000
"""How many translations are kept from one batch to the next."""

Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class InvalidValue:
    """A value that cannot be translated: why, in words that follow the value."""

    reason: str


@dataclass(slots=True)
class Translator:
    """Translates values: ``translate`` gives what one comes to, None for nothing, or that it is wrong."""

    translate: Callable[[Any], Any]
    cache: Cache[tuple[type, Any], tuple[Any]] = field(default_factory=lambda: Cache(_KEPT))

    def read(self, codes: Codes, values: Sequence[Any]) -> tuple[Codes, tuple[Any, ...], dict[int, InvalidValue]]:
        """Return the code of each row (WRONG among them), what the codes stand for, and which of the values are wrong."""
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
        # In a tuple, since a value may come to nothing.
        (found,) = self.cache.get(key) or self.cache.keep(key, (self.translate(value),))
        return found


def dictionary_codes(array: pa.Array) -> tuple[Codes, list[Any]]:
    """Return a column as codes and the values they stand for; a row without a value has the code NOTHING."""
    if pa.types.is_null(array.type):
        return np.full(len(array), MISSING, np.int32), []
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    indices = array.indices
    codes = (indices.fill_null(MISSING) if indices.null_count else indices).to_numpy(zero_copy_only=False)
    return codes.astype(np.int32, copy=False), array.dictionary.to_pylist()


def invalid_rows(codes: Codes) -> Mask | None:
    """Return where something is wrong; None: nowhere."""
    found = codes == INVALID
    return found if found.any() else None


class LazyTexts(Sequence[Any]):
    """The values of a column, each decoded when it is asked for: of millions of names a replay shows a few."""

    def __init__(self, array: pa.Array) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, at: Any) -> Any:
        """Return a value, as text."""
        value = self._array[at].as_py()
        return value if value is None or isinstance(value, str) else str(value)
