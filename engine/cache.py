"""A bounded store of values that can be computed again: the only cache implementation of the program.

Reading a value is one dictionary lookup, since every call reads caches. A full cache drops its oldest eighth, by the
time that a value was stored. A dropped value is computed again when it is next needed.
``docs/decisions/0033-one-cache.md`` compares this with other ways to evict.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from itertools import islice
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Holds at most ``bound`` values by key. What it holds changes how long an answer takes, and nothing else.

    ``get`` returns the value of a key, or None if the key is not there; None itself cannot be stored.

    Several threads may use a cache at once. A computed value is returned even if another thread evicts it in between. A
    cache is pickled and copied without its values.

    >>> squares = Cache(2)
    >>> [squares.get(3), squares.put(3, 9), squares.get(3)]
    [None, 9, 9]
    """

    __slots__ = ("_lock", "_making", "_values", "bound", "get")

    def __init__(self, bound: int) -> None:
        if bound < 1:
            raise ValueError(f"expected a bound of at least 1, got {bound}")
        self.bound = bound
        self._values: dict[K, V] = {}
        self._making: dict[K, Future[V]] = {}
        self._lock = Lock()
        # The method of the dictionary itself: no Python code runs for a value that is there.
        self.get: Callable[[K], V | None] = self._values.get

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Cache({len(self)} of {self.bound})"

    def __reduce__(self) -> tuple[type[Cache[K, V]], tuple[int]]:
        return Cache, (self.bound,)

    def put(self, key: K, value: V) -> V:
        """Store a value under a key, and return it; a full cache drops its oldest eighth first."""
        with self._lock:
            values = self._values
            if key not in values and len(values) >= self.bound:
                for oldest in list(islice(values, max(1, self.bound // 8))):
                    del values[oldest]
            values[key] = value
        return value

    def get_or_make(self, key: K, make: Callable[[], V]) -> V:
        """Return the value of a key, and make it if it is missing; other threads that need it wait for it.

        Use it for values that take long to make. If ``make`` raises, the calls of all waiting threads raise the same
        error, and nothing is stored. ``make`` must not read the same key.
        """
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                return found
            making = self._making.get(key)
            if making is None:
                mine = self._making[key] = Future[V]()
        if making is not None:
            return making.result()
        try:
            made = self.put(key, make())
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            mine.set_result(made)
            return made
        finally:
            with self._lock:
                del self._making[key]
