"""The base of a change: a git revision and a policies folder in, the version at their merge base out.

The merge base is the last common commit of the revision and the working tree, so that later commits of the target
branch are not reported as reverted. Without a version at the base, the MergeBase has the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from engine.load import MANIFEST
from engine.model.problems import PolicyErrors
from engine.version.build import build
from engine.version.release_register import REGISTER, Frozen, read_register
from engine.version.version import Version
from guidepost.policies.sources.folder import PAST
from guidepost.policies.sources.git import SHALLOW, Repository, read_revision, repository
from guidepost.policies.sources.source import SourceError

SHORT: Final = 12
"""The characters of a commit in messages."""


class NoVersion(StrEnum):
    """Why there is no version at the base."""

    NOTHING = ""
    NOT_FOUND = "not found"
    NO_POLICIES = "no policies yet"
    NOT_LOADED = "not loaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeBase:
    """The version that a change is compared with, or ``message`` and ``help`` on why there is none.

    ``frozen`` are the released versions at the base; ``dirty`` is whether the policies have uncommitted changes.
    """

    revision: str
    commit: str = ""
    dirty: bool = False
    version: Version | None = None
    frozen: Mapping[str, Frozen] = field(default_factory=dict)
    reason: NoVersion = NoVersion.NOTHING
    message: str = ""
    help: str = ""

    @property
    def name(self) -> str:
        """The revision and its commit, for messages."""
        return f"{self.revision} ({self.commit[:SHORT]})" if self.commit else self.revision


def find_merge_base(revision: str, policies: Path) -> MergeBase:
    """Return the version that the changes of a policies folder are compared with."""
    try:
        return _base(revision, policies)
    except SourceError as error:
        return MergeBase(revision=revision, reason=NoVersion.NOT_FOUND, message=error.message, help=error.help)


def _base(revision: str, policies: Path) -> MergeBase:
    within = repository(policies)
    if within is None or within.prefix is None:
        raise SourceError(
            f"{policies} is not in a git repository with a working tree, so there is nothing to compare with",
            "run `guidepost ci` in a checkout",
        )
    commit = _merge_base(within, revision)
    base = MergeBase(revision=revision, commit=commit, dirty=within.dirty, frozen=_frozen(within, commit, policies))
    if within.content(commit, MANIFEST) is None:
        where = within.prefix or "the top of the repository"
        return replace(
            base,
            reason=NoVersion.NO_POLICIES,
            message=f"{where} has no policies at the base yet, so all of them are new",
        )
    try:
        return replace(base, version=_version(commit, policies))
    except PolicyErrors as error:
        first, more = error.problems[0], len(error.problems) - 1
        and_more = f", and {more:,} more" if more else ""
        return replace(
            base,
            reason=NoVersion.NOT_LOADED,
            help=f"its first problem: {first.place}: {first.message} [{first.code}]{and_more}",
            message="this program cannot load the policies at the base, so the change cannot be compared; "
            "they may be in an older form of the language",
        )


def _merge_base(within: Repository, revision: str) -> str:
    """Return the last common commit of a revision and the working tree."""
    commit = within.commit(revision)
    if commit is None:
        raise SourceError(
            f"no git revision `{revision}` here",
            SHALLOW
            if within.shallow
            else f"`git fetch origin {revision.removeprefix('origin/')}` fetches a branch of the remote",
        )
    common = within.merge_base(commit)
    if common is None:
        raise SourceError(
            f"`{revision}` and the working tree have no commit in common",
            SHALLOW if within.shallow else "name the branch that the change is for",
        )
    return common


def _version(commit: str, policies: Path) -> Version:
    source = read_revision(commit[:SHORT], policies)
    return build(source.files, source.root)


def _frozen(within: Repository, commit: str, policies: Path) -> dict[str, Frozen]:
    """Return the released versions at a commit; none if the register cannot be read."""
    content = within.content(commit, f"{PAST}/{REGISTER}")
    return read_register(f"{policies.as_posix()}/{PAST}/{REGISTER}", content)[0] if content is not None else {}
