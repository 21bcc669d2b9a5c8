"""The file of what could not be read: a row each, written as they come, and put in its place when all are there."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from engine.replay.nouns import Unread

HEADER: Final = ("row", "ticket", "field", "message", "content")


class UnreadWriter:
    """Writes unread rows as CSV; nothing is left if there are none, or if the block ends with an error.

    >>> folder = tempfile.TemporaryDirectory()
    >>> with UnreadWriter(Path(folder.name) / "unread.csv") as unread:
    ...     unread.add([Unread(7, "INC1", "impact", "`9` is not listed", "{}")])
    >>> (Path(folder.name) / "unread.csv").read_text().splitlines()[1]
    '7,INC1,impact,`9` is not listed,{}'
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        self._made: Path | None = None
        self._file: Any = None
        self._rows: Any = None

    def __enter__(self) -> Self:
        return self

    def add(self, unread: Iterable[Unread]) -> None:
        """Write rows; raises OSError."""
        for one in unread:
            if self._file is None:
                self._begin()
            self._rows.writerow((one.row, one.name, one.field, one.message, one.content))
            self.written += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is None or self._made is None:
            return
        try:
            self._file.close()
            if kind is None:
                self._made.chmod(self.path.stat().st_mode if self.path.exists() else 0o644)
                self._made.replace(self.path)
        finally:
            with suppress(OSError):
                self._made.unlink(missing_ok=True)

    def _begin(self) -> None:
        target = self.path.resolve()
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        self._made = Path(name)
        self._file = os.fdopen(handle, "w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._rows.writerow(HEADER)


def write_unread(path: Path, unread: Iterable[Unread]) -> int:
    """Write rows that could not be read; give how many. Without any, no file is made; raises OSError."""
    with UnreadWriter(path) as writer:
        writer.add(unread)
    return writer.written
