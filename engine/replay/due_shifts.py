"""The bins in which moves of due times are counted: fixed, so that counts of different tickets add up."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import numpy as np

from engine.clock.zone import MICRO, Column

_EDGES: Final = tuple(timedelta(minutes=minutes) for minutes in (15, 60, 4 * 60, 24 * 60, 7 * 24 * 60))

EDGES: Final = (*(-edge for edge in reversed(_EDGES)), timedelta(0), *_EDGES)
"""The limits of the bins."""

SHIFTS: Final = len(EDGES) + 1
"""The number of bins."""

EARLIER: Final = EDGES.index(timedelta(0)) + 1
"""The number of bins of earlier due times, which come first."""

_MICROS: Final = np.array([edge // MICRO for edge in EDGES], np.int64)


def count_shifts(moves: Column) -> tuple[int, ...]:
    """Count moves, in microseconds, in each bin: from its lower limit to below the upper one.

    >>> [at for at, count in enumerate(count_shifts(np.array([-3_600_000_000, -1, 1, 900_000_000]))) if count]
    [4, 5, 6, 7]
    """
    return tuple(np.bincount(np.searchsorted(_MICROS, moves, side="right"), minlength=SHIFTS).tolist())


def stretch(at: int) -> tuple[timedelta | None, timedelta | None]:
    """Return the limits of a bin; None: unlimited.

    >>> stretch(0)[1], stretch(EARLIER)[0]
    (datetime.timedelta(days=-7), datetime.timedelta(0))
    """
    return EDGES[at - 1] if at else None, EDGES[at] if at < len(EDGES) else None
