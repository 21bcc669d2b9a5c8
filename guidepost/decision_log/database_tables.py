"""The tables of the log. ``body`` is the record; the other columns of an entry are for searches and for the chain."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata: Final = MetaData()

entries: Final = Table(
    "entries",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("writer", String(200), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("received", String(40), nullable=False),
    Column("caller", String(200), nullable=False),
    Column("request_id", String(200), nullable=True),
    Column("ticket", String(200), nullable=False, index=True),
    Column("version", String(200), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("writer", "sequence", name="one_entry_a_number"),
    UniqueConstraint("caller", "request_id", name="one_record_a_request"),
    Index("ix_entries_caller_id", "caller", "id"),
    Index(
        "ix_entries_request_id",
        "request_id",
        sqlite_where=text("request_id IS NOT NULL"),
        postgresql_where=text("request_id IS NOT NULL"),
    ),
)
"""The entries of all chains. ``request_id`` is NULL without a request id, which is not equal to any other."""

writers: Final = Table(
    "writers",
    metadata,
    Column("writer", String(200), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)
"""The end of each chain; written in the transaction that adds to it."""

heads: Final = Table(
    "heads",
    metadata,
    Column("writer", String(200), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("signed", String(40), nullable=False),
    Column("key", String(32), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("format", Integer, nullable=False),
    Column("since", BigInteger, nullable=False, server_default="0"),
    Column("root", String(64), nullable=False, server_default=""),
)
"""Signed heads of chains, with the roots over the entries that they cover; "" in format 1."""

purges: Final = Table(
    "purges",
    metadata,
    Column("writer", String(200), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("before", String(40), nullable=False),
    Column("purged", String(40), nullable=False),
    Column("by", String(200), nullable=False),
    Column("key", String(32), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("format", Integer, nullable=False),
)
"""Notes of purges, written in the transaction that removes the entries."""
