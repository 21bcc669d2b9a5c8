"""Indexes for searches by caller, page by page, and by request id."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"


def upgrade() -> None:
    """Add the indexes.

    The one on caller and request id can do neither: it does not know the order of receipt, and does not begin with the
    request id.
    """
    op.create_index("ix_entries_caller_id", "entries", ["caller", "id"])
    given = sa.text("request_id IS NOT NULL")
    op.create_index("ix_entries_request_id", "entries", ["request_id"], sqlite_where=given, postgresql_where=given)
