"""``guidepost release``: the working version frozen beside the old ones, and the next one begun."""

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
        str, typer.Option("--next", metavar="VERSION", help="Then give the working version this number.")
    ] = "",
    effective_from: Annotated[
        str,
        typer.Option("--effective-from", metavar="INSTANT", help="With --next: from when on the next version counts."),
    ] = "",
    output: Annotated[TextOrJson, typer.Option("-o", "--output", help="How to write what was done.")] = TextOrJson.TEXT,
) -> None:
    """Freeze the working version: put its files aside in past/, with its digest, so that it is never changed again.

    Nothing is frozen that has a problem or a failed case.
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
        raise command_error("nothing is released", *reasons, code=found.code or ExitCode.USAGE)
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
    """Return whether a problem is only that a release of this very version was cut off before the register had it."""
    version = found.checked[0].version
    if version is None or problem.code != "not-frozen":
        return False
    root = f"{found.checked[0].root}/{PAST}/{version.ref.version}"
    return any(
        one.root == root and one.version is not None and one.version.ref == version.ref for one in found.checked
    ) and problem.place.file.startswith(f"{root}/")


def _reasons(version: Version | None, folder: Path, following: str, effective_from: str) -> list[str]:
    """Return every reason why the next version cannot be as asked for."""
    if bool(following) != bool(effective_from):
        return ["--next and --effective-from go together: a version counts from an instant on"]
    if not following or version is None:
        return []
    reasons = []
    number = version.ref.version
    if not re.fullmatch(r"\d+\.\d+\.\d+", following, re.ASCII):
        reasons.append(f"--next {following} is not a version such as 2.1.0")
    elif _parts(following) <= _parts(number):
        reasons.append(f"--next {following} does not come after {number}")
    if (folder / PAST / following).exists():
        reasons.append(f"there is a version {following} in {folder / PAST} already")
    try:
        since = datetime.fromisoformat(effective_from)
        if since.tzinfo is None:
            reasons.append(f"--effective-from {effective_from} has no offset from UTC: add Z, or one such as +10:00")
        elif since <= version.policy.manifest.effective_from:
            reasons.append(
                f"--effective-from {effective_from} is not after that of {number}, {version.policy.manifest.effective_from.isoformat()}"
            )
    except ValueError:
        reasons.append(f"--effective-from {effective_from} is not an instant such as 2026-07-01T00:00:00Z")
    return reasons


def _parts(number: str) -> tuple[int, ...]:
    return tuple(map(int, number.split(".")))


def _show(version: Version, made: Release, folder: Path, following: str, effective_from: str) -> None:
    screen = results()
    number = version.ref.version
    if made.was_frozen:
        screen.show(f"{number} is frozen already in {made.folder}, and is as it was released")
    else:
        screen.show(f"froze {number} in {made.folder}: {count(made.files, 'file')}, digest {version.digest}")
    if following:
        screen.show(f"{folder} is now {following}, in force from {effective_from}")
    else:
        screen.show(
            f"before you change it: `guidepost release --next VERSION --effective-from INSTANT`; `guidepost build {number}` makes its bundle"
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
