"""Groups of commands, such as ``guidepost audit``; in some, the command ``run`` may be left out."""

from __future__ import annotations

import sys
from typing import Any, Final, Literal

import typer
from typer.core import TyperGroup

HELP: Final[dict[str, Any]] = {"help_option_names": ["-h", "--help"]}
"""The settings of Typer for the help options of every command."""

DEFAULT: Final = "run"
"""The command that runs when the arguments do not name one."""


def help_markup() -> Literal["markdown"] | None:
    """Return how Typer formats help: in boxes on a terminal, else as plain text without padding."""
    return "markdown" if sys.stdout.isatty() else None


class DefaultCommandGroup(TyperGroup):
    """A group whose command ``run`` may be left out: ``guidepost test DIR`` is ``guidepost test run DIR``."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put ``run`` before arguments that do not begin with a command, unless no arguments show the help."""
        named = bool(args) and args[0] in (*self.commands, *HELP["help_option_names"])
        if not named and (args or not self.no_args_is_help):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


def command_group(help_: str, *, cls: type[TyperGroup] = TyperGroup, no_args_is_help: bool = True) -> typer.Typer:
    """Return a group without commands; its help is a sentence."""
    return typer.Typer(
        cls=cls,
        help=help_,
        no_args_is_help=no_args_is_help,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=help_markup(),
        context_settings=HELP,
    )
