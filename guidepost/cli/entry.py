"""The entry points of ``guidepost`` and ``python server.py``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from guidepost.cli.app import app, load_command
from guidepost.program import PROGRAM


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app(prog_name=PROGRAM)
    finally:
        _flush()


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
    load_command("serve")(list(arguments), prog_name=name)
