"""Where ``guidepost`` and ``python server.py`` begin: a server, which runs for long, loads what it serves with; all else loads every command."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

import typer

from guidepost.cli.commands.serve import serve
from guidepost.cli.commands.version import PROGRAM
from guidepost.cli.options.server_flags import with_flags
from guidepost.render.console import help_markup

SERVE: Final = "serve"


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        if sys.argv[1:2] == [SERVE]:
            run_server(f"{PROGRAM} {SERVE}", sys.argv[2:])
        else:
            from guidepost.cli.app import app  # noqa: PLC0415 - half of what it loads is of no use to a server

            app(prog_name=PROGRAM)
    finally:
        _flush()


def _flush() -> None:
    """Write what is left of the results; a reader that has closed its pipe wants none of it, and the interpreter is not to complain."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run_server(name: str, arguments: Sequence[str]) -> None:
    """Run ``guidepost serve`` under a name, with the same settings and the same exit codes."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=help_markup(), context_settings={"help_option_names": ["-h", "--help"]})
    app.command()(with_flags(serve))
    app(list(arguments), prog_name=name)
