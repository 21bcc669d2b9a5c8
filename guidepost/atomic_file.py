"""Files written whole or not at all, so that nothing reads half of one; and files with facts or keys in them, for their owner only."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TextIO

PRIVATE: Final = 0o600
"""The mode of a file that holds what people sent, or a secret: only its owner reads it."""

PUBLIC: Final = 0o644


def write_atomically(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Write a file beside its place, then put it there; a new file gets this mode, and one that is replaced keeps its own.

    Raises OSError, and leaves nothing behind then.
    """
    with atomic_path(path, mode) as made:
        made.write_bytes(content)


@contextmanager
def atomic_path(path: Path, mode: int = PUBLIC) -> Iterator[Path]:
    """Yield a path beside a file's place to write to; at the end of the block it is put there, unless the block fails. For the mode see :func:`write_atomically`."""
    target = path.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    made = Path(name)
    try:
        yield made
        made.chmod(target.stat().st_mode if target.exists() else mode)
        made.replace(target)
    except BaseException:
        made.unlink(missing_ok=True)
        raise


def create_private(path: Path) -> None:
    """Create an empty file that only its owner reads, unless there is one; raises OSError."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))


def open_private(path: Path) -> TextIO:
    """Open a text file to write it from the start; a new one is for its owner only. Raises OSError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "w", encoding="utf-8")
