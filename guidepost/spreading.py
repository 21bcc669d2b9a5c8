"""Which connection a call goes over: one with the fewest calls under way, and among equals each in its turn.

A server of several workers has connections spread over these by the kernel, often unevenly: turns alone would have most calls
wait for one worker while another has nothing to do.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any


class Spread:
    """Stubs of one service, each over a connection of its own; for one event loop, or many threads.

    >>> spread = Spread(["a", "b"])
    >>> with spread.one() as first, spread.one() as second:
    ...     first, second
    ('a', 'b')
    """

    def __init__(self, stubs: Iterable[Any]) -> None:
        self._stubs = tuple(stubs)
        self._under_way = [0] * len(self._stubs)
        self._turn = 0
        self._lock = threading.Lock()

    def enter(self) -> int:
        """Begin a call; give which stub it is to go over, for ``leave`` when the call has ended."""
        with self._lock:
            turn, under_way = self._turn, self._under_way
            chosen = min((*range(turn, len(under_way)), *range(turn)), key=under_way.__getitem__)
            under_way[chosen] += 1
            self._turn = (chosen + 1) % len(under_way)
            return chosen

    def leave(self, chosen: int) -> None:
        """End a call."""
        with self._lock:
            self._under_way[chosen] -= 1

    def __getitem__(self, chosen: int) -> Any:
        """Give a stub."""
        return self._stubs[chosen]

    @contextmanager
    def one(self) -> Iterator[Any]:
        """Give the stub to make a call with, which has ended when the block does."""
        chosen = self.enter()
        try:
            yield self._stubs[chosen]
        finally:
            self.leave(chosen)
