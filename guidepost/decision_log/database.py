"""Opens a database by its URL, such that commits are on disk when they return, and brings its tables up to date."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from guidepost.atomic_file import create_private
from guidepost.decision_log.log_error import LogError
from guidepost.decision_log.time_limits import TimeLimits
from guidepost.install_command import install_command

SQLITE, POSTGRESQL = "sqlite", "postgresql"

WRITES: Final = "guidepost_writes"
"""The execution option of a connection that writes."""

BUSY: Final = 5.0
"""Seconds that a command waits for a lock, and for a connection to PostgreSQL."""

LOCK: Final = "guidepost_lock"
"""The execution option of an engine: the seconds that it waits for a lock."""

NAME: Final = "guidepost_name"
"""The execution option of an engine: the name of its connections in PostgreSQL."""

PAGES: Final = 4_000
"""The pages of 4 kB that SQLite writes to its write-ahead log before it copies them into the database."""

_MIGRATIONS: Final = Path(__file__).parent / "migrations"

REVISIONS: Final = ("0001", "0002", "0003")
"""The revisions of the tables, oldest first: one for each file of ``migrations/versions``."""

HEAD: Final = REVISIONS[-1]
"""The revision of the tables that this program reads and writes."""


def connect(url: str, limits: TimeLimits | None = None) -> Engine:
    """Return an engine for a URL such as ``sqlite:///decisions.db`` or ``postgresql+psycopg://host/name``.

    It is not connected yet. ``limits`` bounds how long a server waits, so that the database reports a cause before
    calls are rejected; without it, statements have no limit. Raises LogError for a malformed URL, and for other
    databases.
    """
    lock = BUSY if limits is None else limits.lock
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend == SQLITE:
            if parsed.database in (None, "", ":memory:"):
                raise LogError(
                    "expected the file of a decision log, got a database in memory",
                    "name a file: sqlite:///decisions.db",
                )
            engine = create_engine(
                parsed, connect_args={"timeout": lock}, execution_options={LOCK: lock}, pool_size=1, max_overflow=4
            )
            event.listen(engine, "connect", _sqlite_connected)
            event.listen(engine, "begin", _sqlite_begins)
            return engine
        if backend == POSTGRESQL:
            name = f"guidepost {'reader' if limits is None else 'writer'} {os.getpid()}"
            timeouts = {"lock_timeout": lock, "statement_timeout": 0.0 if limits is None else limits.statement}
            options = [
                "-c synchronous_commit=on",
                *(f"-c {name_}={seconds * 1000:.0f}" for name_, seconds in timeouts.items()),
            ]
            arguments = {
                "connect_timeout": int(BUSY),
                "application_name": name,
                "options": " ".join(options),
                "tcp_user_timeout": 10_000,
            }
            return create_engine(
                parsed,
                connect_args=arguments,
                execution_options={NAME: name},
                pool_pre_ping=True,
                pool_size=1,
                max_overflow=4,
            )
    except ArgumentError:
        raise LogError(
            f"expected the URL of a database, got `{url}`",
            "for example sqlite:///decisions.db or postgresql+psycopg://host/name",
        ) from None
    except (NoSuchModuleError, ImportError) as error:
        raise LogError(
            f"there is no driver for {parsed.drivername}: {error}",
            f"PostgreSQL needs the package psycopg: `{install_command('psycopg[binary]')}`",
        ) from error
    raise LogError(f"expected SQLite or PostgreSQL for the decision log, got `{parsed.drivername}`")


def migrate(engine: Engine) -> None:
    """Bring the tables up to date; raises LogError if the database cannot be reached or written."""
    if engine.dialect.name == SQLITE and engine.url.database:
        try:
            Path(engine.url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite gives the files beside it, -wal and -shm, the mode of this one.
            create_private(Path(engine.url.database))
        except OSError as error:
            raise LogError(f"the decision log cannot be made: {error}") from error
    try:
        with engine.connect() as connection:
            if revision(connection) == HEAD:
                return
    except (SQLAlchemyError, OSError) as error:
        raise LogError(f"the decision log {display_url(engine)} cannot be opened: {database_message(error)}") from error
    # Large, and needed for outdated tables only: workers do without.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    # Alembic's messages about each step do not help those who start a server.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", _MIGRATIONS.as_posix().replace("%", "%%"))
            command.upgrade(config, "head")
    except CommandError as error:
        raise LogError(
            f"{display_url(engine)} contains a decision log of a later version of Guidepost: {error}",
            "serve it with that version, or name another log",
        ) from error
    except (SQLAlchemyError, OSError) as error:
        raise LogError(f"the decision log {display_url(engine)} cannot be opened: {database_message(error)}") from error


def revision(connection: Connection) -> str | None:
    """Return the revision of the tables of a database, which Alembic records; None if there are no tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return found


def check_readable(engine: Engine) -> None:
    """Raise LogError unless there is a log that this program can read; changes nothing."""
    name = engine.url.database
    if engine.dialect.name == SQLITE and not (name and Path(name).is_file()):
        raise LogError(
            f"there is no decision log {display_url(engine)}",
            "`guidepost serve` makes one; --decision-log names another",
        )
    try:
        with engine.connect() as connection:
            found = revision(connection)
    except SQLAlchemyError as error:
        raise LogError(f"the decision log {display_url(engine)} cannot be opened: {database_message(error)}") from error
    if found != HEAD:
        raise LogError(
            f"expected a decision log of state {HEAD} in {display_url(engine)}, got state {found or 'none'}",
            "`guidepost serve` brings it up to date",
        )


def check_usable(engine: Engine) -> None:
    """Raise LogError unless a server can use this log, update its tables, or make it; changes nothing."""
    name = engine.url.database
    if engine.dialect.name == SQLITE and name and not Path(name).exists():
        folder = next(parent for parent in Path(name).absolute().parents if parent.exists())
        if not os.access(folder, os.W_OK | os.X_OK):
            raise LogError(f"the decision log {display_url(engine)} cannot be made: {folder} cannot be written")
        return
    if (
        engine.dialect.name == SQLITE
        and name
        and not (os.access(name, os.W_OK) and os.access(Path(name).absolute().parent, os.W_OK))
    ):
        raise LogError(f"the decision log {display_url(engine)} cannot be written")
    try:
        with engine.connect() as connection:
            found = revision(connection)
    except SQLAlchemyError as error:
        raise LogError(f"the decision log {display_url(engine)} cannot be opened: {database_message(error)}") from error
    finally:
        engine.dispose()
    if found is not None and found not in REVISIONS:
        raise LogError(
            f"{display_url(engine)} contains a decision log of a later version of Guidepost (state {found})",
            "serve it with that version, or name another log",
        )


def display_url(engine: Engine) -> str:
    """Return the URL of an engine without its password."""
    return engine.url.render_as_string(hide_password=True)


def database_message(error: BaseException) -> str:
    """Return the first line of the database's message for an error."""
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def blocked_by(engine: Engine) -> str:
    """Return what the connections of an engine wait for in PostgreSQL: a lock and its holder, a standby, the disk.

    It is "" if PostgreSQL does not report anything, and for SQLite. This call may hang as well.
    """
    if engine.dialect.name != POSTGRESQL:
        return ""
    asked = text(
        "SELECT wait_event_type, wait_event, pg_blocking_pids(pid) FROM pg_stat_activity"
        " WHERE application_name = :name AND datname = current_database() AND pid <> pg_backend_pid()"
        " AND state <> 'idle' AND wait_event_type <> 'Client' ORDER BY state_change LIMIT 1"
    )
    try:
        with engine.connect() as connection, connection.begin():
            # Without the limit: a slow answer is better than none here.
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            found = connection.execute(asked, {"name": engine.get_execution_options()[NAME]}).one_or_none()
    except (SQLAlchemyError, OSError) as error:
        return database_message(error)
    if found is None:
        return ""
    kind, what, blocking = found
    return f"PostgreSQL waits for {kind} {what}{f', held by process {blocking[0]}' if blocking else ''}"


def _sqlite_connected(connection: Any, _: Any) -> None:
    # Turns the driver's own transactions off: it would begin them late, and not for writing.
    connection.isolation_level = None
    # Possible only before there are tables: lets a purge free the space of what it removes.
    if connection.execute("PRAGMA page_count").fetchone()[0] == 0:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    # Pages that change often are copied into the database once, not at each commit; a larger write-ahead log is slower
    # to open.
    connection.execute(f"PRAGMA wal_autocheckpoint={PAGES}")


def _sqlite_begins(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
