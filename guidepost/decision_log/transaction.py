"""Transactions on the driver's own connection: SQLAlchemy's work around a statement takes longer than the statement.

This matters only for commits, for which every call waits.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from guidepost.decision_log.database import BUSY, LOCK, SQLITE

AGAIN: Final = 0.0002
"""Seconds between two attempts to lock SQLite for writing, the time of some commits.

SQLite's own pauses grow to a tenth of a second, while other writers go first.
"""


class Transaction:
    """An open transaction. A value is a ``?`` in a statement; ``locking`` at the end of a query locks its rows."""

    def __init__(self, cursor: Any, *, sqlite: bool) -> None:
        self._cursor, self._sqlite = cursor, sqlite
        # SQLite is locked for writing since the beginning.
        self.locking = "" if sqlite else " FOR UPDATE"

    def execute(self, statement: str, values: Sequence[object] = ()) -> int:
        """Execute a statement, and return the number of rows that it changed."""
        self._cursor.execute(statement if self._sqlite else _as_psycopg(statement), values)
        return int(self._cursor.rowcount)

    def query(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Execute a query, and return its rows."""
        self.execute(statement, values)
        found: list[tuple[Any, ...]] = self._cursor.fetchall()
        return found


@contextmanager
def transaction(engine: Engine) -> Iterator[Transaction]:
    """Begin a transaction that writes, and commit it at the end of the block.

    Raises OperationalError for any database error.
    """
    connection = None
    sqlite = engine.dialect.name == SQLITE
    try:
        connection = engine.raw_connection()
        cursor = connection.cursor()
        if sqlite:
            _begin(cursor, engine.get_execution_options().get(LOCK, BUSY))
        yield Transaction(cursor, sqlite=sqlite)
        connection.commit()
    except engine.dialect.loaded_dbapi.Error as error:
        if connection is not None and engine.dialect.is_disconnect(error, connection.dbapi_connection, None):
            connection.invalidate(error)
        raise OperationalError(None, None, error) from error
    finally:
        if connection is not None:
            connection.close()


def _begin(cursor: Any, seconds: float) -> None:
    """Lock SQLite for writing as soon as no other writer has it; raises the driver's error after so many seconds."""
    end = time.monotonic() + seconds
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                cursor.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
            else:
                return
            time.sleep(AGAIN)
    finally:
        cursor.execute(f"PRAGMA busy_timeout={seconds * 1000:.0f}")


@lru_cache(1_000)
def _as_psycopg(statement: str) -> str:
    return statement.replace("?", "%s")
