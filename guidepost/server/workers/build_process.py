"""The program that builds a bundle: ``python -m guidepost.server.workers.build_process FOLDER``.

It checks, draws and cross-checks the policies of FOLDER. It is a process of its own, so that no server waits for a
build and the memory is returned to the system afterwards. On standard output it writes a BuildStep for each step, then
Built, Rejected or Failed. Exit codes: 0 built, 3 the policies have problems, 4 another cause, such as a full disk.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.model.problems import PolicyErrors
from guidepost.policies.sources.folder import build_bundle, cross_check_bundle, default_cache
from guidepost.server.workers.messages import BuildStep, Built, Failed, Message, Rejected, encode
from guidepost.server.workers.pickled_bundle import pickle_bundle


def main(folder: str) -> int:
    """Build the versions of a folder, and return the exit code."""
    try:
        _send(BuildStep("checking and drawing the policy versions"))
        bundle = build_bundle(Path(folder))
        _send(BuildStep("cross-checking them with durable-rules"))
        cross_check_bundle(bundle, default_cache())
        built = Built(bundle.refs, pickle_bundle(bundle))
    except PolicyErrors as error:
        _send(Rejected(tuple(error.problems)))
        return 3
    except MemoryError:
        _send(Failed("memory ran out"))
        return 4
    except OSError as error:
        _send(Failed(error.strerror or str(error)))
        return 4
    _send(built)
    return 0


def _send(message: Message) -> None:
    sys.stdout.buffer.write(encode(message))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
