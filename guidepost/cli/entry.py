"""The entry points of ``guidepost`` and ``python server.py``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from guidepost.install_command import install_command
from guidepost.program import PROGRAM


def main() -> None:
    """Run the command line."""
    try:
        from guidepost.cli.app import app  # noqa: PLC0415 - what it needs may not be installed
    except ModuleNotFoundError as error:
        if (error.name or "engine").partition(".")[0] in ("guidepost", "engine"):
            raise
        sys.exit(_without_server(str(error.name)))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app(prog_name=PROGRAM)
    finally:
        _flush()


def _without_server(missing: str) -> str:
    return (
        f"error: `{missing}` is not installed: this environment has the client only\n"
        f"help: in a checkout of Guidepost, run `{install_command('.[server]')}`"
    )


def _flush() -> None:
    """Write the rest of the results; if the reader closed the pipe, discard it without an error at exit."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def run_server(name: str, arguments: Sequence[str]) -> None:
    """Run ``guidepost serve`` under another name, with the same settings and exit codes."""
    from guidepost.cli.app import load_command  # noqa: PLC0415 - as above

    load_command("serve")(list(arguments), prog_name=name)
