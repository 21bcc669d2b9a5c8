"""Rows into a table, many in one statement.

Between two statements, and between two rows of one that is executed for each, a driver lets other threads run, and
under load waits each time until they let go again. One statement for many rows waits once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from sqlalchemy import Table

from guidepost.decision_log.transaction import Transaction

Values = tuple[object, ...]
"""A row: its values in the order of the table's columns."""

MOST: Final = 64
"""The most rows in one statement; a power of two. Fewer are parted into smaller ones, so that the statements are always the same few, and kept prepared."""


def insert_rows(under_way: Transaction, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows, in their order."""
    start = 0
    for count in parts(len(rows)):
        under_way.execute(_statement(table, count), list(chain.from_iterable(rows[start : start + count])))
        start += count


def parts(count: int) -> list[int]:
    """Part a number of rows into powers of two.

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
