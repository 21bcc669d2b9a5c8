"""``guidepost diff``: its examples are commands that decide under the later version."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.command import run_command
from tests.support.desks import GOOD, renumbered, write
from tests.support.releases import register


def desk(folder: Path, year: str) -> None:
    """Write a desk whose version 2.0.0 has a dearer chain, and comes into effect in a year."""
    files = renumbered(year=year)
    files["parts.yaml"] = files["parts.yaml"].replace("price: 25", "price: 30")
    past = {f"past/1.0.0/{name}": text for name, text in GOOD.items()}
    write(folder, {**files, **past, "past/frozen.yaml": register(GOOD)})


def examples(*words: str) -> list[list[str]]:
    """Return the commands that a difference prints, as lists of words."""
    found = run_command("diff", *words, "--all")
    assert found.exit_code == 0, found.stderr
    return [shlex.split(line) for line in re.findall(r"guidepost (eval .*)", found.stdout)]


@pytest.mark.parametrize(
    ("year", "words", "options"),
    [
        ("2025", ("1.0.0", "2.0.0"), []),
        ("2999", ("1.0.0", "2.0.0"), ["--version", "2.0.0"]),
        ("2999", ("1.0.0", "working"), ["--version", "2.0.0"]),
        ("2025", ("2.0.0", "1.0.0"), ["--version", "1.0.0"]),
        ("2025", ("1.0.0", "policies"), ["--policies", "policies"]),
        ("2999", ("1.0.0", "policies"), ["--policies", "policies", "--version", "2.0.0"]),
    ],
)
def test_an_example_is_decided_under_the_later_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, year: str, words: tuple[str, str], options: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    desk(tmp_path / "policies", year)

    found = examples(*words)

    assert found
    for command in found:
        assert command[len(command) - len(options) :] == options
        assert ("--version" in command) == ("--version" in options)
        assert run_command(*command).exit_code == 0
    price = run_command(*next(command for command in found if "part=chain" in command)).stdout
    assert ("30" if words[1] != "1.0.0" else "25") in price


def test_examples_of_another_policies_folder_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    desk(tmp_path / "desk", "2025")

    assert all(command[-2:] == ["--policies", "desk"] for command in examples("1.0.0", "working", "--policies", "desk"))
