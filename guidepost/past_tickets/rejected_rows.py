"""The CSV file of the rows that cannot be read, renamed to its place when it is complete."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

from engine.replay.nouns import RejectedRow
from guidepost.atomic_file import PRIVATE, atomic_path

HEADER: Final = ("row", "ticket", "field", "message", "content")


class RejectedRowsWriter:
    """Writes rejected rows as CSV; creates no file without rows, or if the block raises.

    >>> from tempfile import TemporaryDirectory
    >>> folder = TemporaryDirectory()
    >>> with RejectedRowsWriter(Path(folder.name) / "unread.csv") as unread:
    ...     unread.add([RejectedRow(row=7, name="INC1", field="impact", message="`9` is not listed", content="{}")])
    >>> (Path(folder.name) / "unread.csv").read_text().splitlines()[1]
    '7,INC1,impact,`9` is not listed,{}'
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        self._open = ExitStack()
        self._rows: Any = None

    def __enter__(self) -> Self:
        return self

    def add(self, unread: Iterable[RejectedRow]) -> None:
        """Write rows; raises OSError."""
        for one in unread:
            if self._rows is None:
                made = self._open.enter_context(atomic_path(self.path, PRIVATE))
                self._rows = csv.writer(
                    self._open.enter_context(made.open("w", encoding="utf-8", newline="")), lineterminator="\n"
                )
                self._rows.writerow(HEADER)
            self._rows.writerow((one.row, one.name, one.field, one.message, one.content))
            self.written += 1

    def __exit__(self, *error: object) -> None:
        self._open.__exit__(*error)  # type: ignore[arg-type]


def write_rejected_rows(path: Path, unread: Iterable[RejectedRow]) -> int:
    """Write rejected rows, and return how many; creates no file without rows. Raises OSError."""
    with RejectedRowsWriter(path) as writer:
        writer.add(unread)
    return writer.written
