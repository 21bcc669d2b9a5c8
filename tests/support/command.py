"""The command `guidepost` in this process and in one of its own, and what it prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from typer.testing import CliRunner, Result

from guidepost.cli.app import app
from tests.support.paths import ROOT

ESCAPE: Final = "\x1b["
"""The start of every sequence that colours a terminal."""

_DIGEST: Final = re.compile(r"\b[0-9a-f]{12}\b")


def run_command(*arguments: object, text: str | None = None) -> Result:
    """Run the command in this process, with ``text`` as its standard input; exceptions of the command are raised."""
    return CliRunner().invoke(app, [*map(str, arguments)], input=text, catch_exceptions=False, prog_name="guidepost")


def run_process(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with more environment variables, for at most two minutes."""
    return subprocess.run(
        [sys.executable, "-m", "guidepost.cli", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def transcript(result: Result) -> str:
    """Return both streams and the exit code as one text, with one digest for all."""
    streams = [result.stdout, "--- errors ---\n" + result.stderr if result.stderr else ""]
    return _DIGEST.sub("0123456789ab", "".join(streams)) + f"--- exit {result.exit_code} ---\n"


def replace_text(path: Path, old: str, new: str) -> None:
    """Replace a text in a file, which must contain it."""
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new), encoding="utf-8")
