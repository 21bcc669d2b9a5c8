"""The policies folder: found by option, environment or habit, loaded once, and asked for a version."""

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
from engine.version.bundle import Known, Versions
from engine.version.version import Version, version_of_policy
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
        help=f"Folder of the policies. Default: ${VARIABLE}, ./policies, or the one that came with the program.",
    ),
]
VersionOption = Annotated[
    str, typer.Option("--version", metavar="VERSION", help="Use this policy version, not the one in force.")
]
DigestOption = Annotated[
    str, typer.Option("--digest", metavar="DIGEST", help="Use the policy version with this digest.")
]
AsOfOption = Annotated[
    str,
    typer.Option("--as-of", metavar="INSTANT", help="Use the version in force at an instant, as 2025-07-01T00:00:00Z."),
]


def utc_now() -> datetime:
    """Read the clock, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


class PoliciesNotFound(Exception):
    """There is no policies folder; says where it was looked for."""


@dataclass(frozen=True, slots=True)
class ReadVersion:
    """A version that is read and not yet tabulated: enough to choose and to show it, in a fraction of the time."""

    policy: Policy
    ref: VersionRef


@dataclass(frozen=True, slots=True)
class LoadedPolicies:
    """The versions of a folder, in the order in which they come into effect, and the instant of this call."""

    folder: Path
    bundle: Versions[Known]
    now: datetime

    @property
    def versions(self) -> tuple[Known, ...]:
        """All of them."""
        return self.bundle.versions

    def select(self, version: str = "", digest: str = "", as_of: str = "") -> Known:
        """Return the version asked for, or the one in force now."""
        if len([asked for asked in (version, digest, as_of) if asked]) > 1:
            raise command_error("choose a version by one of --version, --digest and --as-of")
        try:
            return self.bundle.select(
                version=version, digest=digest, as_of=_instant(as_of) if as_of else None, now=self.now
            )
        except UnknownVersion as error:
            raise command_error(str(error)) from error

    def tabulate(self, chosen: Known) -> Version:
        """Make a version ready to answer; say what is wrong with its tables otherwise."""
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

    def standing(self, version: Known) -> str:
        """Return whether a version is in force now, or will be."""
        if self.is_in_force(version):
            return "in force"
        return "not yet in force" if version.policy.manifest.effective_from > self.now else ""


def load(given: Path | None) -> LoadedPolicies:
    """Read the versions of the policies folder, without tabulating them; say what is wrong with them otherwise."""
    folder = find_folder(given)
    folders = version_folders(folder)
    read, problems = _read(folders)
    ordered, clashes = order_versions(folders, read)
    if problems or clashes:
        raise policy_error(folder, tuple(sorted([*problems, *clashes])))
    return LoadedPolicies(folder, ordered, utc_now())


def available_policies() -> tuple[Policy, ...]:
    """Return the versions of the policies folder, for a command that does without; none if there is no folder, or it has problems."""
    try:
        read, problems = _read(version_folders(policies_folder(None)))
    except PoliciesNotFound:
        return ()
    return () if problems else tuple(version.policy for version in read if version)


def _read(folders: Sequence[VersionFolder]) -> tuple[list[Known | None], list[Problem]]:
    """Read versions, None for each that has problems; give these too."""
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
    """Return the policies folder: the one given, else the one in the environment, else the first usual one. Raises PoliciesNotFound."""
    if given is not None:
        return _existing(given, "")
    if named := os.environ.get(VARIABLE, ""):
        return _existing(Path(named), f" (from ${VARIABLE})")
    here = Path(__file__).resolve()
    for folder in (Path("policies"), here.parents[3] / "policies", here.parents[2] / "shipped_policies"):
        if (folder / MANIFEST).is_file():
            return folder
    raise PoliciesNotFound(
        f"no policies here: give a folder with --policies DIR or ${VARIABLE}, or run where ./policies is"
    )


def policy_error(folder: Path, problems: tuple[Problem, ...]) -> typer.Exit:
    """Describe every problem of the policies on standard error; give what to raise to end the command."""
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
