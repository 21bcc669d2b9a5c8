"""The table of commands: each loads, and its help and that of its options are sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from typer.core import TyperGroup

from guidepost.cli.app import COMMANDS, load_command


def leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Yield a command and the commands of its group, by their names."""
    yield name, command
    if isinstance(command, TyperGroup):
        for inner, one in command.commands.items():
            yield from leaves(f"{name} {inner}", one)


def first_sentence(help_: str) -> str:
    return re.split(r"(?<=\.)\s", help_.strip(), maxsplit=1)[0].replace("\n", " ")


def is_sentence(text: str) -> bool:
    """Return whether a text begins with a capital letter, name in backticks or number, and ends with a full stop."""
    return re.fullmatch(r"[A-Z`0-9$].*\.", text.strip(), re.DOTALL) is not None


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_loads_and_its_help_in_the_table_is_that_of_the_command(name: str) -> None:
    assert COMMANDS[name].help == first_sentence(load_command(name).help or "")


def test_no_help_is_cut_off_in_a_list_of_commands_of_80_columns() -> None:
    lists = [{name: command.help for name, command in COMMANDS.items()}]
    for name in COMMANDS:
        group = load_command(name)
        if isinstance(group, TyperGroup):
            lists.append({inner: first_sentence(one.help or "") for inner, one in group.commands.items()})

    assert [help_ for listed in lists for help_ in listed.values() if len(help_) > 72 - max(map(len, listed))] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_and_option_is_a_sentence(name: str) -> None:
    found = [
        (path, param.name, param.help)
        for path, command in leaves(name, load_command(name))
        for param in command.params
        if not is_sentence(getattr(param, "help", None) or "")
    ]
    commands = [path for path, command in leaves(name, load_command(name)) if not is_sentence(command.help or "")]

    assert (found, commands) == ([], [])
