"""Atomic writes, so that no reader sees half of a file, and private files that only their owner can read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TextIO

PRIVATE: Final = 0o600
"""The mode of a file with facts of tickets or with secrets: only its owner can read it."""

PUBLIC: Final = 0o644


def write_atomically(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Write a temporary file and rename it to ``path``; a new file gets ``mode``, a replaced file keeps its own.

    Raises OSError, without leaving a file behind.
    """
    with atomic_path(path, mode) as made:
        made.write_bytes(content)


@contextmanager
def atomic_path(path: Path, mode: int = PUBLIC) -> Iterator[Path]:
    """Yield a temporary path, which is renamed to ``path`` at the end of the block unless the block raises.

    See :func:`write_atomically` for the mode.
    """
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
    """Create an empty file that only its owner can read, unless the file exists; raises OSError."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))


def open_private(path: Path) -> TextIO:
    """Open a text file for writing; only its owner can read a new one. Raises OSError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "w", encoding="utf-8")
