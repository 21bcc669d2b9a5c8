"""The connections of a client, and which of them the next call uses.

A call uses a connection that works, of these the one with the fewest calls under way, and of equals the next in turn.
The kernel spreads connections over a server's workers, often unevenly: with turns alone, most calls would wait for one
worker while another is idle. A connection on which a call was lost is doubted until a server answers on it again, and
is used only if all others are doubted, too. That gRPC is connected does not suffice: it reports the connection to a
server that hangs as ready.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Connection = TypeVar("Connection")


class ConnectionPool(Generic[Connection]):
    """The connections of a client; used by one event loop, or by many threads.

    >>> pool = ConnectionPool(["a", "b"])
    >>> with pool.one() as first, pool.one() as second:
    ...     first, second
    ('a', 'b')
    """

    def __init__(self, connections: Iterable[Connection]) -> None:
        self._connections = tuple(connections)
        if not self._connections:
            raise ValueError("expected at least 1 channel, got 0")
        self._under_way = [0] * len(self._connections)
        self._doubted = [False] * len(self._connections)
        self._turn = 0
        self._lock = threading.Lock()

    def enter(self, tried: Collection[int] = ()) -> int:
        """Begin a call, and return the number of its connection; pass it to ``leave`` when the call has ended.

        Connections in ``tried`` are left out as long as there is another one.
        """
        with self._lock:
            chosen = self._best(tried)
            self._under_way[chosen] += 1
            self._turn = (chosen + 1) % len(self._connections)
            return chosen

    def leave(self, chosen: int) -> None:
        """End a call that ``enter`` began."""
        with self._lock:
            self._under_way[chosen] -= 1

    def doubt(self, chosen: int) -> None:
        """Record that a call on a connection was lost."""
        with self._lock:
            self._doubted[chosen] = True

    def trust(self, chosen: int) -> None:
        """Record that a server answered on a connection."""
        if self._doubted[chosen]:
            with self._lock:
                self._doubted[chosen] = False

    @property
    def doubted(self) -> tuple[int, ...]:
        """The numbers of the connections on which a call was lost, and no server answered since."""
        return tuple(one for one, doubted in enumerate(self._doubted) if doubted)

    def trusted(self, tried: Collection[int] = ()) -> bool:
        """Return whether a connection outside ``tried`` is not doubted."""
        return any(not doubted and one not in tried for one, doubted in enumerate(self._doubted))

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._connections)

    def __len__(self) -> int:
        return len(self._connections)

    def __getitem__(self, chosen: int) -> Connection:
        return self._connections[chosen]

    @contextmanager
    def one(self) -> Iterator[Connection]:
        """Yield the connection for a call that ends with the block."""
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
