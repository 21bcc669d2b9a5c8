"""The events of a decision log, for metrics."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """Why a decision could not be recorded: too many wait, the timeout is over, or the server stops."""

    FULL = "full"
    LATE = "late"
    STOPPING = "stopping"


class Events:
    """Receives the events of a log, and ignores them.

    Override its methods; they run on several threads and must not block.
    """

    def committed(self, records: int, seconds: float) -> None:
        """Records were committed; the commit took so many seconds."""

    def failed(self) -> None:
        """A commit failed, and will be retried."""

    def refused(self, why: Refusal) -> None:
        """A decision was rejected, since it could not be recorded."""

    def repeated(self) -> None:
        """A call was repeated, and got its recorded decision."""

    def signed(self, number: int) -> None:
        """A head was signed, at the entry with this number."""
