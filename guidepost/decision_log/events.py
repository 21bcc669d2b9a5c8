"""What happens to a decision log, for whoever measures it."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """Why a decision was not given, since it could not be recorded."""

    FULL = "full"
    LATE = "late"
    STOPPING = "stopping"


class Events:
    """Is told what happens; this one does nothing with it. The methods are called on several threads, and must not block."""

    def committed(self, records: int, seconds: float) -> None:
        """So many records are in the log now; the commit took so long."""

    def failed(self) -> None:
        """A commit failed; it is tried again."""

    def refused(self, why: Refusal) -> None:
        """A decision was not given."""

    def repeated(self) -> None:
        """A call came again, and got its recorded decision."""

    def signed(self, number: int) -> None:
        """A head was signed, as far as this entry."""
