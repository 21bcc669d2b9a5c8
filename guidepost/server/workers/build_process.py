"""The program that builds a bundle: ``python -m guidepost.server.workers.build_process FOLDER FILE``.

Policies are checked, tabulated and proved here, in a process that then ends, so that no server ever waits for it and its
memory is given back. It writes one line of JSON for each step to standard output, and one for what came of it. Exit codes:
0 the file is written, 3 the policies have problems, 4 something else is in the way, such as a disk that is full.
"""

from __future__ import annotations

import errno
import json
import sys
from pathlib import Path

from engine.model.problems import PolicyErrors
from guidepost.policies.sources.folder import build_bundle, cross_check_bundle, default_cache
from guidepost.server.workers.bundle_file import write_bundle

NO_SPACE = {
    errno.ENOSPC: "no space is left",
    errno.EDQUOT: "the quota is used up",
    errno.EFBIG: "a file may not become so large",
}


def main(folder: str, file: str) -> int:
    """Build the versions of a folder."""
    path = Path(file)
    try:
        _say(step="checking and tabulating the policy versions")
        built = build_bundle(Path(folder))
        _say(step="proving them with durable-rules")
        cross_check_bundle(built, default_cache())
        write_bundle(built, path)
    except PolicyErrors as error:
        _say(
            problems=[
                {
                    "place": {"file": one.place.file, "line": one.place.line, "column": one.place.column},
                    "code": one.code,
                    "message": one.message,
                    "help": one.help,
                }
                for one in error.problems
            ]
        )
        return 3
    except MemoryError:
        path.unlink(missing_ok=True)
        _say(failed="memory ran out")
        return 4
    except OSError as error:
        path.unlink(missing_ok=True)
        _say(failed=failure(error))
        return 4
    _say(versions=[{"name": ref.name, "version": ref.version, "digest": ref.digest} for ref in built.refs])
    return 0


def failure(error: OSError) -> str:
    """Return what is in the way; of a full disk also where, and how to mend it."""
    if error.errno in NO_SPACE:
        return f"{NO_SPACE[error.errno]} for the built versions in the folder for temporary files; make room there, or name another folder in $TMPDIR"
    return error.strerror or str(error)


def _say(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
