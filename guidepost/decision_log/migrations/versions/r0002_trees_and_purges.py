"""What a signed head covers, by the root of a tree; and the notes of what was purged."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    """Add to the heads, of which those that are there have no tree, and make the table of purges."""
    op.add_column("heads", sa.Column("since", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("heads", sa.Column("root", sa.String(64), nullable=False, server_default=""))
    op.create_table(
        "purges",
        sa.Column("writer", sa.String(200), primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("before", sa.String(40), nullable=False),
        sa.Column("purged", sa.String(40), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("format", sa.Integer, nullable=False),
    )
