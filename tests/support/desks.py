"""Small desks on disk and in git, for tests of where versions come from."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.support.releases import register

_GOOD: Final = Path(__file__).resolve().parents[1] / "broken" / "good"

GOOD: Final = {
    path.relative_to(_GOOD).as_posix(): path.read_text(encoding="utf-8") for path in sorted(_GOOD.rglob("*.yaml"))
}
"""A bicycle workshop, version 1.0.0."""

CASES: Final = """\
kind: cases
cases:
  - name: A broken bike of a courier is repaired now, and stays here if its brakes are worn
    decision: queue
    facts: {damage: broken, rider: courier, brake_wear: 90}
    expect: {queue: now, safety: unsafe}
"""


def renumbered(files: Mapping[str, str] = GOOD, number: str = "2.0.0", year: str = "2025") -> dict[str, str]:
    """Return a desk under another number, in force from another year."""
    return {**files, "manifest.yaml": files["manifest.yaml"].replace('"1.0.0"', f'"{number}"').replace("2024", year)}


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files to a folder; give the folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def write_desk(folder: Path) -> Path:
    """Write a policies folder of version 2.0.0, with 1.0.0 released beside it."""
    past = {f"past/1.0.0/{name}": text for name, text in GOOD.items()}
    return write(folder, {**renumbered(), **past, "past/frozen.yaml": register(GOOD)})


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, whatever the machine's own settings are; give what it says."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    named = (
        "-c",
        "user.name=Ann",
        "-c",
        "user.email=ann@desk.example",
        "-c",
        "init.defaultBranch=main",
        "-c",
        "protocol.file.allow=always",
    )
    ended = subprocess.run(
        ["git", "-C", str(folder), *named, *arguments], capture_output=True, text=True, check=True, env=environment
    )
    return ended.stdout.strip()


def commit_all(folder: Path, message: str = "a change") -> str:
    """Commit everything in a repository; give the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")
