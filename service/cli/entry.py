"""Where ``guidepost`` and ``python server.py`` begin: a server, which runs for long, loads what it serves with; all else loads every command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

import typer

from service.cli.configured import with_flags
from service.cli.serve import serve
from service.cli.terminal import help_markup
from service.cli.version import PROGRAM

SERVE: Final = "serve"


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if sys.argv[1:2] == [SERVE]:
        run_server(f"{PROGRAM} {SERVE}", sys.argv[2:])
    else:
        from service.cli.main import app  # noqa: PLC0415 - half of what it loads is of no use to a server

        app(prog_name=PROGRAM)


def run_server(name: str, arguments: Sequence[str]) -> None:
    """Run ``guidepost serve`` under a name, with the same settings and the same exit codes."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=help_markup(), context_settings={"help_option_names": ["-h", "--help"]})
    app.command()(with_flags(serve))
    app(list(arguments), prog_name=name)
