"""The nouns: a source of a version, where it came from, and what is wrong when there is none."""

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
    """The files of one version (path in its folder to text), worked examples and holiday lists among them.

    ``root`` is put before the paths in problems and answers; ``label`` is how people named it. ``detail`` says more of
    the origin: the commit, or what the bytes were verified by.
    """

    files: Mapping[str, str] = field(repr=False)
    root: str
    label: str
    origin: Origin
    detail: str = ""


class SourceError(Exception):
    """There is no such source, or it may not be used: a message, and what to do about it.

    It is the caller's fault or the world's; what is wrong with the policies in a source is PolicyErrors.
    """

    def __init__(self, message: str, help: str = "") -> None:  # noqa: A002 - as Problem calls it
        super().__init__(message)
        self.message, self.help = message, help

    def __str__(self) -> str:
        """Return message and help as people read them.

        >>> print(SourceError("no version `1.0`", "did you mean `1.0.0`?"))
        no version `1.0`
            help: did you mean `1.0.0`?
        """
        return f"{self.message}\n    help: {self.help}" if self.help else self.message
