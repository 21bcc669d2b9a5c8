"""The program that builds a bundle: ``python -m service.workers.build FOLDER FILE``.

Policies are checked, tabulated and proved here, in a process that then ends, so that no server ever waits for it and its
memory is given back. Exit codes: 0 the file is written, 3 the policies have problems, which stand on standard output as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from engine.problems import PolicyErrors
from service.store import load_bundle
from service.workers.built import write_built


def main(folder: str, file: str) -> int:
    """Build the versions of a folder."""
    try:
        built = load_bundle(Path(folder))
    except PolicyErrors as error:
        json.dump({"problems": [{"place": [one.place.file, one.place.line, one.place.column], "code": one.code, "message": one.message, "help": one.help} for one in error.problems]}, sys.stdout)
        return 3
    write_built(built, Path(file))
    json.dump({"versions": [{"name": ref.name, "version": ref.version, "digest": ref.digest} for ref in built.refs]}, sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
