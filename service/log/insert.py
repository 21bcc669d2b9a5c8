"""Rows into a table, many in one statement.

Between two statements, and between two rows of one that is executed for each, a driver lets other threads run, and
under load waits each time until they let go again. One statement for many rows waits once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Table

MOST: Final = 64
"""The most rows in one statement; a power of two. Fewer are parted into smaller ones, so that the statements are always the same few, and kept prepared."""


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, in their order."""
    names = tuple(table.columns.keys())
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    start = 0
    for count in parts(len(rows)):
        values = [row[name] for row in rows[start : start + count] for name in names]
        connection.exec_driver_sql(_statement(table.name, names, count, mark), tuple(values))
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


@cache
def _statement(table: str, names: tuple[str, ...], count: int, mark: str) -> str:
    # Names are those of our own tables, plain lower-case words.
    row = f"({', '.join([mark] * len(names))})"
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES {', '.join([row] * count)}"  # noqa: S608
