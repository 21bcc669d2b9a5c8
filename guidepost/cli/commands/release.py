"""``guidepost release``: freeze the working version, start the next one."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from engine.model.problems import Problem
from engine.version.version import Version
from guidepost.cli.commands.check import CheckReport, check_folder, show_check
from guidepost.cli.options.policies_folder import PoliciesOption, find_folder
from guidepost.policies.release import NotReleased, Release, freeze, start_next
from guidepost.policies.sources.folder import PAST
from guidepost.render.console import ExitCode, TextOrJson, command_error, count, errors, results, show_json


def release(
    policies: PoliciesOption = None,
    following: Annotated[
        str, typer.Option("--next", metavar="VERSION", help="Start a version with this number after the release.")
    ] = "",
    effective_from: Annotated[
        str,
        typer.Option(
            "--effective-from", metavar="INSTANT", help="With --next: when the next version comes into force."
        ),
    ] = "",
    output: Annotated[TextOrJson, typer.Option("-o", "--output", help="The output format.")] = TextOrJson.TEXT,
) -> None:
    """Freeze the working version, and start the next one.

    Copies its files to past/ and records their digest. A version with problems or failed cases is not released.
    """
    folder = find_folder(policies)
    found = check_folder(folder)
    version = found.checked[0].version
    found = CheckReport(found.checked, tuple(problem for problem in found.problems if not _is_cut_off(problem, found)))
    reasons = _reasons(version, folder, following, effective_from)
    if found.problems or found.failures:
        show_check(found, errors())
        reasons += [
            count(len(some), noun)
            for some, noun in ((found.problems, "problem"), (found.failures, "failed case"))
            if some
        ]
    if version is None or reasons:
        raise command_error("nothing was released", *reasons, code=found.code or ExitCode.USAGE)
    try:
        made = freeze(folder, version)
        if following:
            start_next(folder, following, datetime.fromisoformat(effective_from))
    except (NotReleased, OSError) as error:
        raise command_error(str(error), code=ExitCode.POLICY) from error
    if output is TextOrJson.JSON:
        show_json(_plain(version, made, following))
    else:
        _show(version, made, folder, following, effective_from)


def _is_cut_off(problem: Problem, found: CheckReport) -> bool:
    """Return whether a problem is only that an earlier release of this version stopped before it was registered."""
    version = found.checked[0].version
    if version is None or problem.code != "not-frozen":
        return False
    root = f"{found.checked[0].root}/{PAST}/{version.ref.version}"
    return any(
        one.root == root and one.version is not None and one.version.ref == version.ref for one in found.checked
    ) and problem.place.file.startswith(f"{root}/")


def _reasons(version: Version | None, folder: Path, following: str, effective_from: str) -> list[str]:
    """Return every reason why the next version cannot start."""
    if bool(following) != bool(effective_from):
        return ["expected both --next and --effective-from, got one of them"]
    if not following or version is None:
        return []
    reasons = []
    number = version.ref.version
    if not re.fullmatch(r"\d+\.\d+\.\d+", following, re.ASCII):
        reasons.append(f"expected a version such as 2.1.0 for --next, got `{following}`")
    elif _parts(following) <= _parts(number):
        reasons.append(f"expected a version after {number} for --next, got {following}")
    if (folder / PAST / following).exists():
        reasons.append(f"{folder / PAST} contains a version {following} already")
    try:
        since = datetime.fromisoformat(effective_from)
        if since.tzinfo is None:
            reasons.append(
                f"expected an offset from UTC in --effective-from, such as Z or +10:00, got {effective_from}"
            )
        elif since <= version.policy.manifest.effective_from:
            reasons.append(
                f"expected --effective-from after that of {number}, "
                f"{version.policy.manifest.effective_from.isoformat()}, got {effective_from}"
            )
    except ValueError:
        reasons.append(f"expected an instant such as 2026-07-01T00:00:00Z for --effective-from, got `{effective_from}`")
    return reasons


def _parts(number: str) -> tuple[int, ...]:
    return tuple(map(int, number.split(".")))


def _show(version: Version, made: Release, folder: Path, following: str, effective_from: str) -> None:
    screen = results()
    number = version.ref.version
    if made.was_frozen:
        screen.show(f"{number} was frozen already in {made.folder}, and is unchanged")
    else:
        screen.show(f"froze {number} in {made.folder}: {count(made.files, 'file')}, digest {version.digest}")
    if following:
        screen.show(f"{folder} is now {following}, in force from {effective_from}")
    else:
        screen.show(
            "before you change it: `guidepost release --next VERSION --effective-from INSTANT`; "
            f"`guidepost build {number}` makes its bundle"
        )


def _plain(version: Version, made: Release, following: str) -> dict[str, object]:
    return {
        "name": version.ref.name,
        "version": version.ref.version,
        "digest": version.digest,
        "folder": made.folder.as_posix(),
        "files": made.files,
        "was_frozen": made.was_frozen,
        "next": following or None,
    }
