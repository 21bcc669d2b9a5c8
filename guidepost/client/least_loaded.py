"""Which connection a call goes over: one that answers, among these one with the fewest calls under way, and among equals each in its turn.

A server of several workers has connections spread over these by the kernel, often unevenly: turns alone would have most calls
wait for one worker while another has nothing to do. A connection on which a call was lost is doubted until something is
answered on it again; it is chosen only if all others are doubted, too. That it is connected is not enough: the connection to
a server that hangs is, as far as gRPC can see, ready.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Connection = TypeVar("Connection")


class Spread(Generic[Connection]):
    """The connections of a client; for one event loop, or many threads.

    >>> spread = Spread(["a", "b"])
    >>> with spread.one() as first, spread.one() as second:
    ...     first, second
    ('a', 'b')
    """

    def __init__(self, connections: Iterable[Connection]) -> None:
        self._connections = tuple(connections)
        if not self._connections:
            raise ValueError("a client needs at least one channel")
        self._under_way = [0] * len(self._connections)
        self._doubted = [False] * len(self._connections)
        self._turn = 0
        self._lock = threading.Lock()

    def enter(self, tried: Collection[int] = ()) -> int:
        """Begin a call; returns the connection it is to go over, for ``leave`` when the call has ended.

        Those that were ``tried`` are left out, as long as there is another one.
        """
        with self._lock:
            chosen = self._best(tried)
            self._under_way[chosen] += 1
            self._turn = (chosen + 1) % len(self._connections)
            return chosen

    def leave(self, chosen: int) -> None:
        """End a call."""
        with self._lock:
            self._under_way[chosen] -= 1

    def doubt(self, chosen: int) -> None:
        """Take note that a call over a connection was lost."""
        with self._lock:
            self._doubted[chosen] = True

    def trust(self, chosen: int) -> None:
        """Take note that something was answered over a connection."""
        if self._doubted[chosen]:
            with self._lock:
                self._doubted[chosen] = False

    @property
    def doubted(self) -> tuple[int, ...]:
        """The connections that are doubted."""
        return tuple(one for one, doubted in enumerate(self._doubted) if doubted)

    def trusted(self, tried: Collection[int] = ()) -> bool:
        """Whether there is a connection that is not doubted, and not among these."""
        return any(not doubted and one not in tried for one, doubted in enumerate(self._doubted))

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._connections)

    def __len__(self) -> int:
        return len(self._connections)

    def __getitem__(self, chosen: int) -> Connection:
        return self._connections[chosen]

    @contextmanager
    def one(self) -> Iterator[Connection]:
        """Yield the connection to make a call over, which has ended when the block does."""
        chosen = self.enter()
        try:
            yield self._connections[chosen]
        finally:
            self.leave(chosen)

    def _best(self, tried: Collection[int]) -> int:
        count, turn = len(self._connections), self._turn
        in_turn = (*range(turn, count), *range(turn))
        left: Iterable[int] = in_turn if not tried else [one for one in in_turn if one not in tried] or in_turn
        if not any(self._doubted):
            return min(left, key=self._under_way.__getitem__)
        busy: Callable[[int], tuple[bool, int]] = lambda one: (self._doubted[one], self._under_way[one])  # noqa: E731
        return min(left, key=busy)
