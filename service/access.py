"""Who may do what on a server, the one place that says so, and how an auditor is refused. There are no roles yet, so it goes by how the server was started."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What somebody wants to do."""

    READ_LOG = "read the decision log"
    PURGE_LOG = "purge the decision log"


class Forbidden(Exception):
    """Nobody may do this here: what, and what to do about it."""

    def __init__(self, action: Action, help_: str) -> None:
        super().__init__(f"nobody may {action} here; {help_}")


class NoLog(Exception):
    """The server keeps no decision log."""


class UnknownRecord(LookupError):
    """There is no record with this id."""


class NotExplained(Exception):
    """A record cannot be explained or certified here; says why."""


@dataclass(frozen=True, slots=True)
class Access:
    """What callers may do: ``purge`` tells whether they may remove records."""

    purge: bool = False

    def require(self, action: Action) -> None:
        """Raise Forbidden if this may not be done."""
        if action is Action.PURGE_LOG and not self.purge:
            raise Forbidden(action, "start the server with --audit-purge, or use `guidepost audit purge` where the log is")
