"""Inserts many rows with one statement.

Between two statements, and between the rows of ``executemany``, a driver releases the interpreter's lock, and under
load waits each time to get it back. One statement for many rows waits once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from sqlalchemy import Table

from guidepost.decision_log.transaction import Transaction

Values = tuple[object, ...]
"""The values of a row, in the order of the table's columns."""

MOST: Final = 64
"""The most rows in one statement; a power of two.

Fewer rows are split into smaller powers of two, so that the few different statements stay prepared.
"""


def insert_rows(under_way: Transaction, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows in their order."""
    start = 0
    for count in parts(len(rows)):
        under_way.execute(_statement(table, count), list(chain.from_iterable(rows[start : start + count])))
        start += count


def parts(count: int) -> list[int]:
    """Return powers of two, at most ``MOST``, that add up to a number of rows.

    >>> parts(200), parts(7), parts(0)
    ([64, 64, 64, 8], [4, 2, 1], [])
    """
    found = [MOST] * (count // MOST)
    left, part = count % MOST, MOST
    while left:
        part //= 2
        if left >= part:
            found.append(part)
            left -= part
    return found


@lru_cache(1_000)
def _statement(table: Table, count: int) -> str:
    # Names are those of our own tables, plain lower-case words.
    names = table.columns.keys()
    row = f"({', '.join('?' * len(names))})"
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {', '.join([row] * count)}"  # noqa: S608
