"""The ``guidepost`` command: its sub-commands, and the function that the console script calls."""

from __future__ import annotations

import sys
from typing import Final

import typer

from service.cli.check import check
from service.cli.evaluate import WORDS_ALLOWED, evaluate
from service.cli.schema import schema
from service.cli.serve import serve
from service.cli.show import show
from service.cli.version import version

app: Final = typer.Typer(
    name="guidepost",
    help="Decide support tickets by policies that people edit as YAML.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("serve")(serve)
app.command("check")(check)
app.command("eval", context_settings=WORDS_ALLOWED)(evaluate)
app.command("show")(show)
app.command("schema")(schema)
app.command("version")(version)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app(prog_name="guidepost")
