"""The server's entry: ``python server.py`` is ``guidepost serve``, with the same settings and the same exit codes.

It serves the shipped policies on 127.0.0.1:50051 unless it is told otherwise.
"""

from __future__ import annotations

import typer

from service.cli.configured import with_flags
from service.cli.serve import serve


def main() -> None:
    """Read the settings, and serve."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown", context_settings={"help_option_names": ["-h", "--help"]})
    app.command()(with_flags(serve))
    app(prog_name="server.py")


if __name__ == "__main__":
    main()
