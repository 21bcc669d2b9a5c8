"""The command ``guidepost``: the table of its commands, each loaded when it is run.

The table contains what ``guidepost -h`` shows, so that the help loads no command.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from guidepost.cli.command_group import HELP, command_group, help_markup
from guidepost.program import PROGRAM, installed_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command: the module and name of its function or group, and its help in ``guidepost -h``."""

    panel: str
    target: str
    help: str
    options: Mapping[str, Any] = field(default_factory=dict)
    """Settings for Typer that its function does not express."""


WRITE, COMPARE, SERVE, AUDIT = "Write policies", "Compare versions", "Serve decisions", "Audit decisions"

COMMANDS: Final = {
    "check": Command(
        panel=WRITE,
        target="check:check",
        help="Check every version: files, tables, cases and invariants.",
    ),
    "eval": Command(
        panel=WRITE,
        target="eval:evaluate",
        help="Decide one ticket from its facts, and show the reasons.",
        options={
            "context_settings": {**HELP, "ignore_unknown_options": True, "allow_extra_args": True},
            "options_metavar": "[DECISION] [--FACT VALUE | FACT=VALUE]... [OPTIONS]",
        },
    ),
    "show": Command(panel=WRITE, target="show:show", help="Show a policy, or one of its parts."),
    "test": Command(panel=WRITE, target="test:test", help="Run the cases of the policies, or propose new ones."),
    "analyze": Command(
        panel=WRITE,
        target="analyze:analyze",
        help="Find mistakes, needless rules and assumptions in a version.",
    ),
    "prove": Command(panel=WRITE, target="prove:prove", help="Prove the invariants of every version, over all cases."),
    "fmt": Command(
        panel=WRITE,
        target="fmt:fmt",
        help="Format policy files without changing their meaning.",
    ),
    "schema": Command(
        panel=WRITE, target="schema:schema", help="Write the JSON Schemas that editors use for policy files."
    ),
    "clock": Command(
        panel=WRITE, target="clock:clock", help="Add and count business time, draw a calendar, follow the sun."
    ),
    "holidays": Command(panel=WRITE, target="holidays:holidays", help="Show the holiday lists, or draft them again."),
    "diff": Command(
        panel=COMPARE, target="diff:diff", help="Report every situation that two versions decide differently."
    ),
    "ci": Command(
        panel=COMPARE,
        target="ci:ci",
        help="Check a change of policies as a pull request does.",
    ),
    "replay": Command(panel=COMPARE, target="replay:replay", help="Decide past tickets again and report what differs."),
    "release": Command(
        panel=COMPARE,
        target="release:release",
        help="Freeze the working version, and start the next one.",
    ),
    "build": Command(
        panel=COMPARE,
        target="build:build",
        help="Build a bundle: the files of a version in one archive.",
    ),
    "sign": Command(
        panel=COMPARE,
        target="keys:sign_command",
        help="Sign a bundle with a private key.",
    ),
    "verify": Command(
        panel=COMPARE,
        target="keys:verify_bundle",
        help="Verify the content and the signature of a bundle.",
    ),
    "unpack": Command(
        panel=COMPARE, target="unpack:unpack_command", help="Make a policies folder from bundles, one for each version."
    ),
    "keys": Command(panel=COMPARE, target="keys:keys", help="Make and show the keys that sign bundles."),
    "serve": Command(panel=SERVE, target="serve:serve", help="Check the policies, then serve them over gRPC."),
    "health": Command(panel=SERVE, target="health:health", help="Ask a server for its health."),
    "access": Command(
        panel=SERVE, target="access:access", help="Make API keys for callers, and check the file of callers."
    ),
    "version": Command(
        panel=SERVE,
        target="version:version",
        help="Show the versions of the program, policies and libraries.",
    ),
    "audit": Command(panel=AUDIT, target="audit:audit", help="Search, explain, export and verify the decision log."),
}


def load_command(name: str) -> TyperCommand | TyperGroup:
    """Import a command and return it as Typer runs it."""
    one = COMMANDS[name]
    module, _, attribute = one.target.partition(":")
    found: Any = getattr(import_module(f"guidepost.cli.commands.{module}"), attribute)
    if isinstance(found, typer.Typer):
        return _built(found, name)
    own = command_group("", no_args_is_help=False)
    own.command(name, **one.options)(found)
    return _built(own, name)


def _built(app: typer.Typer, name: str) -> TyperCommand | TyperGroup:
    command: Any = get_command(app)
    command.name = name
    return command  # type: ignore[no-any-return]


class LazyGroup(TyperGroup):
    """The commands of the table, each imported when it runs."""

    def __init__(self, **settings: Any) -> None:
        listed = {name: TyperCommand(name, help=one.help, rich_help_panel=one.panel) for name, one in COMMANDS.items()}
        super().__init__(**settings | {"commands": listed})

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """Import the command that the first word names."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and load_command(str(name)), rest


app: Final = typer.Typer(
    name=PROGRAM,
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=help_markup(),
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=HELP,
)


@app.callback()
def guidepost(
    version: Annotated[bool, typer.Option("--version", help="Show the version of the program and exit.")] = False,
) -> None:
    """Decide support tickets by policies that people edit as YAML."""
    if version:
        sys.stdout.write(f"{PROGRAM} {installed_version(PROGRAM)}\n")
        raise typer.Exit
