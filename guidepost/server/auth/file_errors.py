"""What keeps a server from letting anybody in: files that cannot be used, settings that do not fit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.model.problems import Place, Problem

MAX_BYTES = 4_000_000
"""The most that a file of callers, keys or certificates may have."""


class AccessRefused(Exception):
    """A file that says who may come in cannot be used; holds every problem found, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def refused(file: Path, message: str, help_: str = "") -> AccessRefused:
    """Refuse a file as a whole."""
    return AccessRefused([Problem(place=Place(file=str(file)), code="bad-format", message=message, help=help_)])


def content(file: Path) -> bytes:
    """Read a file; raises AccessRefused."""
    try:
        with file.open("rb") as opened:
            found = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise refused(file, f"cannot be read: {error.strerror}") from error
    if len(found) > MAX_BYTES:
        raise refused(file, f"has more than {MAX_BYTES:,} bytes")
    return found
