"""The temporary folder of a server's built bundles, locked while the server runs."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

PREFIX: Final = "guidepost-serve-"
"""The folders are named by this prefix, the process id and start time of the server, and random letters."""

_SELF: Final = (str(os.getpid()), str(time.time_ns()))


def make_folder() -> Path:
    """Create a folder for built bundles, and remove those of servers that were killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        number, _, rest = left.name.removeprefix(PREFIX).partition("-")
        # In a container, every server has the same process id as the one before.
        gone = not _is_running(number) or (number == _SELF[0] and rest.partition("-")[0] != _SELF[1])
        # Containers that share a folder for temporary files see each other's locks, but not each other's processes.
        if gone and not _is_locked(left):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{'-'.join(_SELF)}-"))


def _is_running(number: str) -> bool:
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError, OverflowError):
        return True
    return True


class BundleStorage:
    """The folder of a server's built bundles. Programs that remove old temporary files skip a locked folder."""

    def __init__(self) -> None:
        self.folder = make_folder()
        self._count = 0
        self._lock = _lock(self.folder)

    def file(self) -> Path:
        """Return a path for the next bundle, in a folder that exists; raises OSError."""
        self.ensure()
        self._count += 1
        return self.folder / f"{self._count}.built"

    def ensure(self) -> None:
        """Create the folder again if it was removed; raises OSError."""
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700)
            os.close(self._lock)
            self._lock = _lock(self.folder)

    def close(self) -> None:
        """Remove the folder with its files."""
        os.close(self._lock)
        shutil.rmtree(self.folder, ignore_errors=True)


class StoredBundle:
    """The file of a built bundle. It stays open, so that it can be written again if it is removed."""

    def __init__(self, storage: BundleStorage, path: Path) -> None:
        self._storage, self.path = storage, path
        self._file = path.open("rb")

    def restore(self) -> None:
        """Write the file again if it is gone. Raises OSError, and then leaves no partial file."""
        if self.path.exists():
            return
        self._storage.ensure()
        part = self.path.with_suffix(".part")
        try:
            with part.open("wb") as copy:
                self._file.seek(0)
                shutil.copyfileobj(self._file, copy)
            part.rename(self.path)
        except OSError:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise

    def remove(self) -> None:
        """Remove the file; call this when no worker will read it again."""
        self._file.close()
        self.path.unlink(missing_ok=True)


def _is_locked(folder: Path) -> bool:
    """Return whether a running server holds the folder.

    True also for one that cannot be opened, which is another user's.
    """
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def _lock(folder: Path) -> int:
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock
