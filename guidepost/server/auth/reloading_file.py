"""Files that are read again when they change. If that fails, the previous content stays in effect."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from guidepost.server.auth.errors import InvalidAuthFiles

log = logging.getLogger("guidepost.auth")

Value = TypeVar("Value")


class ReloadingFile(Generic[Value]):
    """The value of some files, as of the last time that all of them could be read."""

    def __init__(self, files: Sequence[Path], read: Callable[[], Value]) -> None:
        """Read the files for the first time; raises InvalidAuthFiles."""
        self._files, self._read = files, read
        self._read_marks = self._marks()
        self.value = read()

    def renew(self) -> bool:
        """Read the files if they have changed; return whether the value is new. Problems are logged once."""
        marks = self._marks()
        if marks == self._read_marks:
            return False
        self._read_marks = marks
        try:
            self.value = self._read()
        except InvalidAuthFiles as error:
            log.error("%s changed and cannot be used, the previous content stays in effect: %s", self, error)  # noqa: TRY400 - a traceback adds nothing
            return False
        log.info("%s changed and was read again", self)
        return True

    def __str__(self) -> str:
        return ", ".join(str(file) for file in self._files)

    def _marks(self) -> list[tuple[int, int, int] | None]:
        """Return values that differ after the files have changed."""
        return [_mark(file) for file in self._files]


def _mark(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
