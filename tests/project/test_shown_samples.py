"""What README.md, the tour and the page of the client show is what the program prints."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from guidepost.cli.app import app
from tests.support.paths import ROOT
from tests.support.servers import serving, shipped_bundle

PAGES: Final = ("README.md", "docs/tour.md", "docs/client.md")
FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def fences(page: str) -> list[tuple[str, str]]:
    """Return the kind and the text of every block of code of a page, in order."""
    return FENCE.findall((ROOT / page).read_text(encoding="utf-8"))


OUTPUTS: Final = [
    pytest.param(shlex.split(before.splitlines()[0], comments=True), shown, id=f"{page}:{before.split(maxsplit=1)[1]}")
    for page in PAGES
    if (ROOT / page).exists()
    for (shell, before), (kind, shown) in zip(fences(page), fences(page)[1:], strict=False)
    if (shell, kind) == ("sh", "") and before.startswith(".venv/bin/guidepost ")
]
"""Each command that is followed by what it prints."""

SAMPLES: Final = [
    pytest.param(sample, id=f"{page}:{at}")
    for page in PAGES
    if (ROOT / page).exists()
    for at, (kind, sample) in enumerate(fences(page))
    if kind == "python"
]


def missing(shown: str, printed: str) -> list[str]:
    """Return the lines of a sample that are not printed in this order; ``...`` stands for any text.

    >>> missing("a\\n...\\nc ...\\n", "a\\nb\\nc d\\n"), missing("b\\na", "a\\nb")
    ([], ['a'])
    """
    lines = iter(line.rstrip() for line in printed.splitlines())
    return [
        line
        for line in shown.splitlines()
        if line.strip() not in ("", "...")
        and not any(re.fullmatch(re.escape(line.rstrip()).replace(r"\.\.\.", ".*"), one) for one in lines)
    ]


@cache
def output(command: tuple[str, ...]) -> str:
    """Run a command in the working folder, and return what it prints."""
    return CliRunner().invoke(app, command).output


@pytest.mark.parametrize(("command", "shown"), OUTPUTS)
def test_a_command_prints_what_the_page_shows(
    command: list[str], shown: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    if "hihg" in shown:
        monkeypatch.chdir(mistyped(tmp_path))

    assert missing(shown, output(tuple(command[1:]))) == []


def mistyped(folder: Path) -> Path:
    """Copy the shipped policies with the mistake that the tour asks for."""
    shutil.copytree(ROOT / "policies", folder / "policies")
    policy = folder / "policies" / "priority.yaml"
    policy.write_text(
        policy.read_text(encoding="utf-8").replace("        high: ", "        hihg: ", 1), encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(shipped_bundle()) as served:
        yield served


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_in_python_runs_and_prints_its_comments(sample: str, address: str) -> None:
    printed = io.StringIO()
    called = "127.0.0.1:9" if "fallback=" in sample else address  # nothing listens on the port of RFC 863

    with contextlib.redirect_stdout(printed):
        exec(sample.replace("127.0.0.1:50051", called), {})

    assert missing("\n".join(re.findall(r"^ *print\(.*\)  # (.+)$", sample, re.MULTILINE)), printed.getvalue()) == []


def test_the_readme_shows_the_matrix_of_the_shipped_policy() -> None:
    matrix = next(block for kind, block in fences("README.md") if kind == "yaml")

    assert matrix in (ROOT / "policies" / "priority.yaml").read_text(encoding="utf-8").replace("\n  ", "\n")


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 130
