"""The flags of a server, made from the model of its settings; settings from flags, environment and file."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import Field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from guidepost.render.console import ExitCode, command_error, count, errors
from guidepost.render.messages import Message
from guidepost.server.settings.load import LoadedSettings, WrongSetting, WrongSettings, read_settings
from guidepost.server.settings.model import about, flag, settings

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="A TOML file of settings, each named like its flag. Default: $GUIDEPOST_CONFIG, or else none.",
    ),
]
CheckOption = Annotated[
    bool,
    typer.Option(
        "--check", help="Check settings, keys, decision log, ports and policies, report all problems, and exit."
    ),
]


def with_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with the flags of all settings after its own parameters; flags that are not used are None."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[:-1]

    def flagged(**given: Any) -> None:
        command(*(given.pop(one.name) for one in own), given)

    flagged.__doc__, flagged.__name__ = command.__doc__, command.__name__
    # Typer reads the signature, so that a flag is declared once, in the model.
    flagged.__signature__ = inspect.Signature([*own, *map(_parameter, settings())])  # type: ignore[attr-defined]
    return flagged


def _parameter(one: Field[Any]) -> inspect.Parameter:
    spec = about(one)
    name, default = flag(one.name), spec.unset or _shown(one.default)
    help_ = f"{spec.help} May be repeated." if spec.kind.many else spec.help
    # The model reads the values, so that the problems of all of them are reported together.
    kind: Any = bool | None if spec.kind.flag else list[str] | None if spec.kind.many else str | None
    option = typer.Option(
        f"{name}/--no-{name[2:]}" if spec.kind.flag else name,
        metavar=spec.kind.metavar or None,
        rich_help_panel=spec.group,
        help=f"{help_} Default: {default}.",
        show_default=False,
    )
    return inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])


def _shown(default: object) -> str:
    return (
        ("yes" if default else "no")
        if isinstance(default, bool)
        else f"{default:g}"
        if isinstance(default, float)
        else str(default)
    )


def load_settings(flags: dict[str, Any], config: Path | None) -> LoadedSettings:
    """Return the settings; end the command with every problem if they cannot be used."""
    try:
        return read_settings(flags, os.environ, config)
    except WrongSettings as error:
        raise settings_error(error.problems) from None


def setting_message(wrong: WrongSetting, prefix: str = "") -> Message:
    """Return the message about a wrong setting, with its line if it is in a file."""
    head = Text.assemble((prefix, "bold red"), f"{wrong.origin}: {wrong.message}")
    return Message(head, wrong.place, [f"help: {wrong.help}"] if wrong.help else [])


def settings_error(problems: tuple[WrongSetting, ...]) -> typer.Exit:
    """Report every problem with settings; return the exit to raise."""
    if len(problems) == 1:
        errors().show(setting_message(problems[0], "error: "))
        return typer.Exit(int(ExitCode.USAGE))
    errors().show(*map(setting_message, problems))
    return command_error(f"{count(len(problems), 'problem')} with the settings; nothing is served")
