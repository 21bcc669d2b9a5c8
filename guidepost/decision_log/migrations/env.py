"""Alembic's entry: run the steps on the connection that it is given."""

from __future__ import annotations

from alembic import context


def run() -> None:
    """Run the steps that the database lacks; of several servers that start at once, one after the other."""
    connection = context.config.attributes["connection"]
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(5070127)")
    context.configure(connection=connection)
    context.run_migrations()


if __name__ == "env_py":  # the name under which Alembic loads this file; anything else only looks at it
    run()
