"""Files that are read again when they change; what cannot be read changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from guidepost.server.auth.errors import InvalidAuthFiles

log = logging.getLogger("guidepost.access")

Value = TypeVar("Value")


class ReloadingFile(Generic[Value]):
    """What some files say, as of the last time that all of it could be read."""

    def __init__(self, files: Sequence[Path], read: Callable[[], Value]) -> None:
        """Read them for the first time; raises InvalidAuthFiles."""
        self._files, self._read = files, read
        self._seen = self._marks()
        self.value = read()

    def renew(self) -> bool:
        """Read the files again if they changed; tell whether there is a new value. What is wrong with them is logged once."""
        marks = self._marks()
        if marks == self._seen:
            return False
        self._seen = marks
        try:
            self.value = self._read()
        except InvalidAuthFiles as error:
            log.error("%s changed and cannot be used, what it said before still holds: %s", self, error)  # noqa: TRY400 - it says all there is
            return False
        log.info("%s changed, and was read again", self)
        return True

    def __str__(self) -> str:
        return ", ".join(str(file) for file in self._files)

    def _marks(self) -> list[tuple[int, int, int] | None]:
        """Return the files apart from what they will be once they change."""
        return [_mark(file) for file in self._files]


def _mark(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
