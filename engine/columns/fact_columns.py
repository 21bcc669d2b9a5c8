"""Columns of facts, as callers send them: dictionary-encoded words, numbers and instants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.clock.zone import EPOCH, MICRO
from engine.request.ticket import Sent

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Words:
    """A dictionary-encoded column; ``codes`` are positions in ``values``. Negative codes and None are not sent.

    ``values`` may be any sequence, such as one that decodes the names of tickets one by one.
    """

    codes: NDArray[np.integer[Any]]
    values: Sequence[Sent]

    def __len__(self) -> int:
        return len(self.codes)

    def sent(self, row: int) -> Sent:
        """Return the value of a row."""
        code = int(self.codes[row])
        return self.values[code] if code >= 0 else None


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers; rows in which ``given`` is false are not sent."""

    values: NDArray[np.float64]
    given: Mask | None = None

    def __len__(self) -> int:
        return len(self.values)

    def sent(self, row: int) -> Sent:
        """Return the value of a row."""
        return float(self.values[row]) if self.given is None or self.given[row] else None


@dataclass(frozen=True, slots=True)
class Instants:
    """A column of instants in microseconds since 1970-01-01T00:00Z; rows in which ``given`` is false are not sent."""

    micros: NDArray[np.int64]
    given: Mask | None = None

    def __len__(self) -> int:
        return len(self.micros)

    def sent(self, row: int) -> Sent:
        """Return the value of a row: an instant, or the number itself if it is outside the range of instants."""
        if self.given is not None and not self.given[row]:
            return None
        micros = int(self.micros[row])
        try:
            return EPOCH + micros * MICRO
        except OverflowError:
            return micros


SentColumn = Words | Numbers | Instants


def words_of(values: list[Sent]) -> Words:
    """Return values as a column; equal values of different types stay different.

    >>> words_of(["high", None, "low", "high"]).codes.tolist()
    [0, -1, 1, 0]
    """
    numbers: dict[tuple[type, Sent], int] = {}
    codes = [-1 if value is None else numbers.setdefault((value.__class__, value), len(numbers)) for value in values]
    return Words(np.array(codes, np.int32), tuple(value for _, value in numbers))


def facts_of(columns: Mapping[str, SentColumn], row: int) -> dict[str, Sent]:
    """Return the facts of one row as a caller would send them.

    >>> facts_of({"impact": words_of(["high", None])}, 1)
    {}
    """
    found = {name: column.sent(row) for name, column in columns.items()}
    return {name: value for name, value in found.items() if value is not None}
