"""Files written whole or not at all: what reads them never sees half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place, then put it there; a file that is replaced keeps its rights, a new one can be read by all.

    Raises OSError, and leaves nothing behind then.
    """
    with placed_whole(path) as made:
        made.write_bytes(content)


@contextmanager
def placed_whole(path: Path) -> Iterator[Path]:
    """Give a path beside a file's place to write to; at the end of the block it is put there, unless the block fails."""
    target = path.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    made = Path(name)
    try:
        yield made
        made.chmod(target.stat().st_mode if target.exists() else 0o644)
        made.replace(target)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
