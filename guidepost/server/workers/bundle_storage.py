"""Where a server keeps its built bundles: a temporary folder of its own, made again if something removes it."""

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
"""How the folders of built bundles are called: this, the number of the process and when it began, and letters."""

_SELF: Final = (str(os.getpid()), str(time.time_ns()))


def make_folder() -> Path:
    """Make a folder for built bundles, and remove those of servers that were killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        number, _, rest = left.name.removeprefix(PREFIX).partition("-")
        # In a container each server has the same number as the one before.
        gone = not _runs(number) or (number == _SELF[0] and rest.partition("-")[0] != _SELF[1])
        # Containers that share a folder for temporary files do not see each other's processes, but each other's locks.
        if gone and not _is_locked(left):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{'-'.join(_SELF)}-"))


def _runs(number: str) -> bool:
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError, OverflowError):
        return True
    return True


class BundleStorage:
    """The folder of a server's built bundles, locked while the server runs: what clears away old temporary files leaves a locked folder alone."""

    def __init__(self) -> None:
        self.folder = make_folder()
        self._count = 0
        self._lock = _locked(self.folder)

    def file(self) -> Path:
        """Return a path for the next bundle, in a folder that is there; raises OSError."""
        self.ensure()
        self._count += 1
        return self.folder / f"{self._count}.built"

    def ensure(self) -> None:
        """Make the folder again if something removed it; raises OSError."""
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700)
            os.close(self._lock)
            self._lock = _locked(self.folder)

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        os.close(self._lock)
        shutil.rmtree(self.folder, ignore_errors=True)


class StoredBundle:
    """A built bundle that workers read from its file. It is kept open, so that the file can be written again if something removes it."""

    def __init__(self, storage: BundleStorage, path: Path) -> None:
        self._storage, self.path = storage, path
        self._file = path.open("rb")

    def restore(self) -> None:
        """Write the file again if it is gone; raises OSError, and leaves no part of a file behind."""
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
        """Remove the file, once no worker is to read it any more."""
        self._file.close()
        self.path.unlink(missing_ok=True)


def _is_locked(folder: Path) -> bool:
    """Return whether a server that runs holds a folder; one that cannot be opened is not ours to remove."""
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


def _locked(folder: Path) -> int:
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock
