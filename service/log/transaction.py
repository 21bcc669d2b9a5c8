"""A transaction on the driver's own connection: what SQLAlchemy does around a statement takes longer than to execute it.

A commit is what every call waits for, and the only place where that matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from service.log.database import SQLITE


class Transaction:
    """A transaction that is under way; a value is a ``?`` in a statement. ``locking`` ends a query whose rows stay locked until the end."""

    def __init__(self, cursor: Any, *, sqlite: bool) -> None:
        self._cursor, self._sqlite = cursor, sqlite
        # SQLite has let nobody else write since the beginning.
        self.locking = "" if sqlite else " FOR UPDATE"

    def tell(self, statement: str, values: Sequence[object] = ()) -> int:
        """Execute a statement; give how many rows it changed."""
        self._cursor.execute(statement if self._sqlite else _as_psycopg(statement), values)
        return int(self._cursor.rowcount)

    def ask(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Execute a query; give its rows."""
        self.tell(statement, values)
        found: list[tuple[Any, ...]] = self._cursor.fetchall()
        return found


@contextmanager
def transaction(engine: Engine) -> Iterator[Transaction]:
    """Begin a transaction that writes, and commit it at the end, or leave nothing of it; raises OperationalError for whatever the database says."""
    connection = None
    sqlite = engine.dialect.name == SQLITE
    try:
        connection = engine.raw_connection()
        cursor = connection.cursor()
        if sqlite:
            cursor.execute("BEGIN IMMEDIATE")
        yield Transaction(cursor, sqlite=sqlite)
        connection.commit()
    except engine.dialect.loaded_dbapi.Error as error:
        if connection is not None and engine.dialect.is_disconnect(error, connection.dbapi_connection, None):
            connection.invalidate(error)
        raise OperationalError(None, None, error) from error
    finally:
        if connection is not None:
            connection.close()


@cache
def _as_psycopg(statement: str) -> str:
    return statement.replace("?", "%s")
