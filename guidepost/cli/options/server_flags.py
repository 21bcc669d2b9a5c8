"""The flags of a server, made from the model of its settings; and the settings that are said by flags, environment and file."""

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
        help="A TOML file of settings, each under the name of its flag. Default: $GUIDEPOST_CONFIG, else none.",
    ),
]
CheckOption = Annotated[
    bool,
    typer.Option(
        "--check", help="Check everything that can be checked without serving, say all problems at once, and end."
    ),
]


def with_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command the flags of all settings, beside its own parameters; those that are not said are None."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[:-1]

    def flagged(**given: Any) -> None:
        command(*(given.pop(one.name) for one in own), given)

    flagged.__doc__, flagged.__name__ = command.__doc__, command.__name__
    # Read by Typer: a flag is declared once, in the model.
    flagged.__signature__ = inspect.Signature([*own, *map(_parameter, settings())])  # type: ignore[attr-defined]
    return flagged


def _parameter(one: Field[Any]) -> inspect.Parameter:
    told = about(one)
    name, default = flag(one.name), told.unset or _shown(one.default)
    help_ = f"{told.help} May be repeated." if told.kind.many else told.help
    # Values are read by the model, so that what is wrong with all of them is said together.
    kind: Any = bool | None if told.kind.flag else list[str] | None if told.kind.many else str | None
    option = typer.Option(
        f"{name}/--no-{name[2:]}" if told.kind.flag else name,
        metavar=told.kind.metavar or None,
        rich_help_panel=told.group,
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
    """Return the settings; end the command if they cannot be used, with every problem."""
    try:
        return read_settings(flags, os.environ, config)
    except WrongSettings as error:
        raise settings_error(error.problems) from None


def setting_message(wrong: WrongSetting, prefix: str = "") -> Message:
    """Return what is wrong with a setting, with its line if it stands in a file."""
    head = Text.assemble((prefix, "bold red"), f"{wrong.origin}: {wrong.message}")
    return Message(head, wrong.place, [f"help: {wrong.help}"] if wrong.help else [])


def settings_error(problems: tuple[WrongSetting, ...]) -> typer.Exit:
    """Describe every problem with settings; give what to raise to end the command."""
    if len(problems) == 1:
        errors().show(setting_message(problems[0], "error: "))
        return typer.Exit(int(ExitCode.USAGE))
    errors().show(*map(setting_message, problems))
    return command_error(f"{count(len(problems), 'problem')} with the settings; nothing is served")
