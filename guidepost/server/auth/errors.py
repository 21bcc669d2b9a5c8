"""Errors of authentication and authorization, for callers, and for operators when a server cannot start."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.model.problems import Place, Problem
from guidepost.server.errors import CallError

MAX_BYTES = 4_000_000
"""The maximum size of a file of callers, keys or certificates."""


class Unauthenticated(CallError):
    """The credentials of a call are missing or not valid. The message never reveals which part of a secret is wrong."""

    status = "UNAUTHENTICATED"
    reason = "UNAUTHENTICATED"


class PermissionDenied(CallError):
    """The caller lacks the role that a call needs."""

    status = "PERMISSION_DENIED"
    reason = "PERMISSION_DENIED"


class InvalidAuthFiles(Exception):
    """Files or settings of authentication cannot be used; ``problems`` has every one, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def invalid_file(file: Path, message: str, help_: str = "") -> InvalidAuthFiles:
    """Return the error for a file that cannot be used as a whole."""
    return InvalidAuthFiles([Problem(place=Place(file=str(file)), code="bad-format", message=message, help=help_)])


def read_file(file: Path) -> bytes:
    """Read a file of at most MAX_BYTES; raises InvalidAuthFiles."""
    try:
        with file.open("rb") as opened:
            found = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise invalid_file(file, f"cannot be read: {error.strerror}") from error
    if len(found) > MAX_BYTES:
        raise invalid_file(file, f"expected at most {MAX_BYTES:,} bytes, found more")
    return found
