"""The classes of a source: its files, its origin, and the error of a source that cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Origin(StrEnum):
    """Where the files of a version came from."""

    FOLDER = "folder"
    GIT = "git"
    BUNDLE = "bundle"
    ARCHIVE = "archive"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The files of one version (path in its folder to text), including cases and holiday lists.

    ``root`` is the prefix of paths in problems and answers, ``label`` the name that the user wrote. ``detail`` is the
    commit, or how the bytes were verified.
    """

    files: Mapping[str, str] = field(repr=False)
    root: str
    label: str
    origin: Origin
    detail: str = ""


class SourceError(Exception):
    """A source does not exist or may not be used; ``help`` is what to do about it.

    Problems of the policies in a source are PolicyErrors.
    """

    def __init__(self, message: str, help: str = "") -> None:  # noqa: A002 - as Problem calls it
        super().__init__(message)
        self.message, self.help = message, help

    def __str__(self) -> str:
        """Return the message and, below it, the help.

        >>> print(SourceError("no version `1.0`", "did you mean `1.0.0`?"))
        no version `1.0`
            help: did you mean `1.0.0`?
        """
        return f"{self.message}\n    help: {self.help}" if self.help else self.message
