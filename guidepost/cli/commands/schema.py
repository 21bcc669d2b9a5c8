"""``guidepost schema``: write or check the JSON Schemas of every version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.load import load
from engine.load.schema import published
from engine.model.policy import Policy
from engine.model.problems import PolicyErrors
from guidepost.cli.options.policies_folder import PoliciesOption, find_folder, policy_error
from guidepost.policies.sources.folder import VersionFolder, read_folder, version_folders
from guidepost.render.console import ExitCode, command_error, count, results


def schema(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 3 if a file would change.")] = False,
    policies: PoliciesOption = None,
) -> None:
    """Write the JSON Schemas that editors use for policy files.

    They contain the facts, values and outcomes of each version, so write them again after a change of its vocabulary.
    """
    written = 0
    stale: list[str] = []
    screen = results()
    for version in version_folders(find_folder(policies)):
        for name, text in published(_policy(version)).items():
            written += 1
            path = version.path / "schemas" / name
            if _read(path) == text:
                continue
            stale.append(str(path))
            if not check:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="\n")
                screen.show(f"wrote {path}")
    if check and stale:
        raise command_error(
            f"{count(len(stale), 'schema')} out of date; `guidepost schema` writes them",
            *stale,
            code=ExitCode.POLICY,
        )
    screen.show(f"{count(written, 'schema')} up to date")


def _policy(version: VersionFolder) -> Policy:
    try:
        return load(read_folder(version), version.root)
    except PolicyErrors as error:
        raise policy_error(version.path, error.problems) from error


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
