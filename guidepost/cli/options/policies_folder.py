"""``--policies``, ``--version``, ``--digest`` and ``--as-of``: the policies folder and a version in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from engine.load import MANIFEST, load_with_trees
from engine.load.digest import digest
from engine.model.answer import UnknownVersion, VersionRef
from engine.model.policy import Policy
from engine.model.problems import PolicyErrors, Problem
from engine.version.build import version_of_policy
from engine.version.bundle import Known, Versions
from engine.version.version import Version
from guidepost.cli.options.moment import read_time
from guidepost.policies.sources.folder import VersionFolder, order_versions, read_folder, version_folders
from guidepost.render.console import ExitCode, command_error, count, errors
from guidepost.render.messages import problem_text

VARIABLE: Final = "GUIDEPOST_POLICIES"
"""The environment variable that names the folder."""

PoliciesOption = Annotated[
    Path | None,
    typer.Option(
        "--policies",
        metavar="DIR",
        help=f"The policies folder. Default: ${VARIABLE}, or else ./policies, or else the folder shipped with the program.",
    ),
]
VersionOption = Annotated[
    str, typer.Option("--version", metavar="VERSION", help="Use this policy version. Default: the version in force.")
]
DigestOption = Annotated[
    str, typer.Option("--digest", metavar="DIGEST", help="Use the policy version with this digest.")
]
AsOfOption = Annotated[
    str,
    typer.Option(
        "--as-of", metavar="INSTANT", help="Use the version in force at this instant, such as 2025-07-01T00:00:00Z."
    ),
]


def utc_now() -> datetime:
    """Return the present time in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


class PoliciesNotFound(Exception):
    """There is no policies folder; the message lists the ways to name one."""


@dataclass(frozen=True, slots=True)
class ReadVersion:
    """A version whose tables are not drawn: enough to choose or show it, in a fraction of the time."""

    policy: Policy
    ref: VersionRef


@dataclass(frozen=True, slots=True)
class LoadedPolicies:
    """The versions of a folder, in the order in which they come into effect, and the present time."""

    folder: Path
    bundle: Versions[Known]
    now: datetime

    @property
    def versions(self) -> tuple[Known, ...]:
        """All versions, the earliest first."""
        return self.bundle.versions

    def select(self, version: str = "", digest: str = "", as_of: str = "") -> Known:
        """Return the version that an option names, or the one in force now."""
        if len([asked for asked in (version, digest, as_of) if asked]) > 1:
            raise command_error("expected one of --version, --digest and --as-of, got several")
        try:
            return self.bundle.select(
                version=version, digest=digest, as_of=_instant(as_of) if as_of else None, now=self.now
            )
        except UnknownVersion as error:
            raise command_error(str(error)) from error

    def build(self, chosen: Known) -> Version:
        """Build a version, so that it can decide; end the command if its tables have problems."""
        try:
            return version_of_policy(chosen.policy, chosen.ref)
        except PolicyErrors as error:
            raise policy_error(self.folder, error.problems) from error

    def is_in_force(self, version: Known) -> bool:
        """Return whether a version is the one in force now."""
        try:
            return self.bundle.select(now=self.now).ref == version.ref
        except UnknownVersion:
            return False

    def force_text(self, version: Known) -> str:
        """Return "in force", "not yet in force", or "" for a past version."""
        if self.is_in_force(version):
            return "in force"
        return "not yet in force" if version.policy.manifest.effective_from > self.now else ""


def load(given: Path | None) -> LoadedPolicies:
    """Read the versions of the policies folder without drawing their tables; end the command if they have problems."""
    folder = find_folder(given)
    folders = version_folders(folder)
    read, problems = _read(folders)
    ordered, clashes = order_versions(folders, read)
    if problems or clashes:
        raise policy_error(folder, tuple(sorted([*problems, *clashes])))
    return LoadedPolicies(folder, ordered, utc_now())


def available_policies() -> tuple[Policy, ...]:
    """Return the versions of the policies folder; none if there is no folder, or it has problems."""
    try:
        read, problems = _read(version_folders(policies_folder(None)))
    except PoliciesNotFound:
        return ()
    return () if problems else tuple(version.policy for version in read if version)


def _read(folders: Sequence[VersionFolder]) -> tuple[list[Known | None], list[Problem]]:
    """Return the versions, None for each that has problems, and all problems."""
    read: list[Known | None] = []
    problems: list[Problem] = []
    for place in folders:
        try:
            policy, trees = load_with_trees(read_folder(place), place.root)
            read.append(ReadVersion(policy, VersionRef(policy.manifest.name, policy.manifest.version, digest(trees))))
        except PolicyErrors as error:
            read.append(None)
            problems.extend(error.problems)
    return read, problems


def find_folder(given: Path | None) -> Path:
    """Return the policies folder; end the command if there is none."""
    try:
        return policies_folder(given)
    except PoliciesNotFound as error:
        raise command_error(str(error)) from error


def policies_folder(given: Path | None) -> Path:
    """Return the given folder, else that of the environment, else the first usual one; raises PoliciesNotFound."""
    if given is not None:
        return _existing(given, "")
    if named := os.environ.get(VARIABLE, ""):
        return _existing(Path(named), f" (from ${VARIABLE})")
    here = Path(__file__).resolve()
    for folder in (Path("policies"), here.parents[3] / "policies", here.parents[2] / "shipped_policies"):
        if (folder / MANIFEST).is_file():
            return folder
    raise PoliciesNotFound(
        f"no policies folder: name one with --policies DIR or ${VARIABLE}, or run this where ./policies is"
    )


def policy_error(folder: Path, problems: tuple[Problem, ...]) -> typer.Exit:
    """Report every problem of the policies on standard error; return the exit to raise."""
    errors().show(*map(problem_text, problems))
    return command_error(f"{count(len(problems), 'problem')} in {folder}; nothing is loaded", code=ExitCode.POLICY)


def _existing(folder: Path, origin: str) -> Path:
    if not folder.is_dir():
        raise PoliciesNotFound(f"no such folder: {folder}{origin}")
    return folder


def _instant(text: str) -> datetime:
    problems: list[str] = []
    instant = read_time("--as-of", text, problems)
    if instant is None:
        raise command_error(*problems)
    return instant
