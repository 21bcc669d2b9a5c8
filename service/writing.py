"""Files written whole or not at all: what reads them never sees half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place, then put it there; a file that is replaced keeps its rights, a new one can be read by all.

    Raises OSError, and leaves nothing behind then.
    """
    target = path.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        made.chmod(target.stat().st_mode if target.exists() else 0o644)
        made.replace(target)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
