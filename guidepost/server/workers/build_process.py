"""The program that builds a bundle: ``python -m guidepost.server.workers.build_process FOLDER FILE``.

It checks, tabulates and cross-checks the policies of FOLDER and writes the bundle to FILE. It is a process of its own,
so that no server waits for a build and the memory is returned to the system afterwards. On standard output it writes a
BuildStep for each step, then Reloaded, Rejected or Failed. Exit codes: 0 the file is written, 3 the policies have
problems, 4 another cause, such as a full disk.
"""

from __future__ import annotations

import errno
import sys
from pathlib import Path

from engine.model.problems import PolicyErrors
from guidepost.policies.sources.folder import build_bundle, cross_check_bundle, default_cache
from guidepost.server.workers.bundle_file import write_bundle
from guidepost.server.workers.messages import BuildStep, Failed, Message, Rejected, Reloaded, encode

NO_SPACE = {
    errno.ENOSPC: "no space is left",
    errno.EDQUOT: "the quota is used up",
    errno.EFBIG: "the file would exceed the size limit",
}


def main(folder: str, file: str) -> int:
    """Build the versions of a folder, and return the exit code."""
    path = Path(file)
    try:
        _send(BuildStep("checking and tabulating the policy versions"))
        bundle = build_bundle(Path(folder))
        _send(BuildStep("cross-checking them with durable-rules"))
        cross_check_bundle(bundle, default_cache())
        write_bundle(bundle, path)
    except PolicyErrors as error:
        _send(Rejected(tuple(error.problems)))
        return 3
    except MemoryError:
        path.unlink(missing_ok=True)
        _send(Failed("memory ran out"))
        return 4
    except OSError as error:
        path.unlink(missing_ok=True)
        _send(Failed(describe(error)))
        return 4
    _send(Reloaded(bundle.refs))
    return 0


def describe(error: OSError) -> str:
    """Return the cause of an error; for a full disk, also how to mend it."""
    if error.errno in NO_SPACE:
        return (
            f"{NO_SPACE[error.errno]} for the built versions in the folder for temporary files; "
            "free some space there, or set $TMPDIR to another folder"
        )
    return error.strerror or str(error)


def _send(message: Message) -> None:
    sys.stdout.buffer.write(encode(message))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
