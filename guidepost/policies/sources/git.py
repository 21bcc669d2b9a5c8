"""Versions in a revision of a git repository, read from its objects without touching the working tree or the index."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.load import MANIFEST
from engine.load.files import of_a_version
from engine.model.did_you_mean import did_you_mean, nearest
from guidepost.policies.sources.source import Origin, Source, SourceError
from guidepost.policies.sources.text_files import decode_files, size_problem

_WITHIN_A_HOOK: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")
"""The variables that git sets for hooks, which would direct a command in another folder to the wrong repository."""

SHALLOW: Final = (
    "the clone is shallow: fetch more of its history with `git fetch --unshallow` (in GitHub Actions `fetch-depth: 0`)"
)
_PLAIN_FILE: Final = ("100644", "100755")


@dataclass(frozen=True, slots=True)
class Repository:
    """A folder of a git repository; ``prefix`` is its path in the repository, or None in a bare one."""

    folder: Path
    prefix: str | None

    def commit(self, revision: str) -> str | None:
        """Return the commit of a revision, or None; a text that git would read as an option has none."""
        if not revision or revision.startswith("-") or "\0" in revision:
            return None
        found = _ask(self.folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return found.decode().strip() if found else None

    def names(self) -> tuple[str, ...]:
        """Return the names of branches and tags."""
        listed = _git(
            self.folder, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", "refs/tags", "refs/remotes"
        )
        return tuple(name for name in listed.decode(errors="replace").split("\n") if name)

    def merge_base(self, commit: str, other: str = "HEAD") -> str | None:
        """Return the last common commit of two commits, or None."""
        found = _ask(self.folder, "merge-base", commit, other)
        return found.decode().strip() if found else None

    def content(self, commit: str, path: str) -> str | None:
        """Return the text of a file of the folder at a commit, or None if it does not exist."""
        found = _ask(
            self.folder, "cat-file", "blob", f"{commit}:{self.prefix}/{path}" if self.prefix else f"{commit}:{path}"
        )
        return None if found is None else found.decode("utf-8-sig", errors="replace")

    @property
    def dirty(self) -> bool:
        """Whether the folder has uncommitted changes."""
        return bool(_git(self.folder, "status", "--porcelain", "--", "."))

    @property
    def shallow(self) -> bool:
        """Whether the repository is a shallow clone."""
        return _git(self.folder, "rev-parse", "--is-shallow-repository") == b"true\n"


def repository(folder: Path) -> Repository | None:
    """Return the repository of a folder, or None."""
    inside = _ask(folder, "rev-parse", "--is-bare-repository")
    if inside is None:
        return None
    if inside == b"true\n":
        return Repository(folder, None)
    return Repository(folder, _git(folder, "rev-parse", "--show-prefix").decode().rstrip("\n").rstrip("/"))


def split_spec(spec: str) -> tuple[str, str | None]:
    """Split `REV:path`; the path is None without a colon.

    >>> split_spec("HEAD~3"), split_spec("main:policies/past/1.0.0"), split_spec("HEAD:")
    (('HEAD~3', None), ('main', 'policies/past/1.0.0'), ('HEAD', ''))
    """
    revision, colon, path = spec.partition(":")
    return (revision, path.strip("/")) if colon else (revision, None)


def read_revision(spec: str, policies: Path) -> Source:
    """Read the policies folder of a repository at a revision; `REV:path` names another folder.

    Raises SourceError without git, a repository, the revision or a version in the folder.
    """
    found = repository(policies)
    if found is None:
        raise SourceError(
            f"{policies} is in no git repository, so `{spec}` cannot be read as a revision",
            "name a folder, a bundle or a version instead",
        )
    revision, path = split_spec(spec)
    commit = found.commit(revision)
    if commit is None:
        raise SourceError(f"no git revision `{revision}`", _revision_help(found, revision))
    path = found.prefix if path is None else path
    if path is None:
        raise SourceError(
            f"the repository of {policies} is bare, so the folder of the policies is unknown",
            f"name the folder: `{revision}:policies`",
        )
    return Source(
        files=decode_files(_contents(found, revision, commit, path), f"{revision}:{path}"),
        root=f"{revision}:{path}",
        label=spec,
        origin=Origin.GIT,
        detail=f"commit {commit}",
    )


def _revision_help(found: Repository, revision: str) -> str:
    if found.shallow:
        return SHALLOW
    return did_you_mean(revision, (*found.names(), "HEAD"))


def _contents(found: Repository, revision: str, commit: str, path: str) -> dict[str, bytes]:
    """Return the bytes of the files of a version in a folder of a commit."""
    listed = _ask(found.folder, "ls-tree", "-r", "-z", "-l", "--full-tree", f"{commit}:{path}")
    entries: dict[str, tuple[str, int]] = {}
    links = []
    for line in (listed or b"").split(b"\0"):
        about, _, name = line.partition(b"\t")
        file = name.decode(errors="replace")
        if not of_a_version(file):
            continue
        mode, _, object_id, size = about.decode().split()
        if mode in _PLAIN_FILE:
            entries[file] = (object_id, int(size))
        else:
            links.append(file)
    if links:
        raise SourceError(f"`{path}/{links[0]}` is a link at `{revision}`, not a file", "put the file itself there")
    if MANIFEST not in entries:
        raise SourceError(
            f"no policies in `{path or '.'}` at `{revision}`: there is no {MANIFEST}",
            _folder_help(found, revision, commit),
        )
    if refused := size_problem(len(entries), sum(size for _, size in entries.values()), f"{revision}:{path}"):
        raise refused
    return _blobs(found, entries)


def _folder_help(found: Repository, revision: str, commit: str) -> str:
    """Return the help with the folders that contain a version at a revision, the most similar first."""
    listed = _git(found.folder, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
    folders = [
        name.rpartition("/")[0]
        for name in listed.decode(errors="replace").split("\0")
        if name == MANIFEST or name.endswith(f"/{MANIFEST}")
    ]
    if not folders:
        return "that revision has none in any folder"
    shown = nearest(found.prefix or "", folders) or tuple(sorted(folders)[:3])
    return "there is one in " + ", ".join(f"`{revision}:{folder}`" for folder in shown)


def _blobs(found: Repository, entries: dict[str, tuple[str, int]]) -> dict[str, bytes]:
    """Return the bytes of objects by file; git writes a line with the name of each, its bytes, and a newline."""
    asked = "".join(f"{object_id}\n" for object_id, _ in entries.values())
    answer = _git(found.folder, "cat-file", "--batch", given=asked.encode())
    contents, at = {}, 0
    for file, (object_id, size) in entries.items():
        head = f"{object_id} blob {size}\n".encode()
        if not answer.startswith(head, at):
            raise SourceError(f"git did not return the content of `{file}`", "run `git fsck` for details")
        at += len(head)
        contents[file] = answer[at : at + size]
        at += size + 1
    return contents


def _git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    """Return the output of a git command in a folder; raises SourceError if it fails."""
    ended = _run(folder, arguments, given)
    if ended.returncode:
        raise SourceError(f"git {arguments[0]} failed: {_reason(ended)}")
    return ended.stdout


def _ask(folder: Path, *arguments: str) -> bytes | None:
    """Return the output of a git command, or None if it fails; raises SourceError if git rejects the repository."""
    ended = _run(folder, arguments, b"")
    if b"dubious ownership" in ended.stderr:
        raise SourceError(
            f"git rejects the repository of {folder}: {_reason(ended)}",
            "it belongs to another user; add it to `git config safe.directory` if you trust it",
        )
    return None if ended.returncode else ended.stdout


def _run(folder: Path, arguments: tuple[str, ...], given: bytes) -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in _WITHIN_A_HOOK}
    environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
    try:
        return subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *arguments],  # noqa: S607
            input=given,
            capture_output=True,
            check=False,
            env=environment,
        )
    except FileNotFoundError:
        raise SourceError(
            "git is not installed, so revisions cannot be read",
            "install git, or name a folder, a bundle or a version",
        ) from None


def _reason(ended: subprocess.CompletedProcess[bytes]) -> str:
    said = ended.stderr.decode(errors="replace").strip().splitlines()
    return said[0].removeprefix("fatal: ") if said else f"it ended with {ended.returncode}"
