"""Resolves the name of a version to its files: a number, a folder, a bundle, a git revision or an address.

The first of these that matches counts:

1. ``working`` (or ``current``): the policies folder itself; the number of a version in it, such as ``1.0.0``;
2. an address, with ``://`` or ``::`` in it;
3. a path: a folder with a manifest.yaml, or a bundle file;
4. a git revision: ``HEAD~3``, a tag, a branch, a commit; ``REV:path`` names another folder of it.

A name that is both a path and a revision is rejected; the prefixes ``version:``, ``folder:``, ``bundle:`` and ``git:``
make it unambiguous. ``#sha256=`` after a bundle or an address pins its bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.load import MANIFEST, read_trees
from engine.load.digest import digest
from engine.load.node_readers import text
from engine.load.yaml_tree import read
from engine.model.did_you_mean import nearest
from engine.version.build import build
from engine.version.version import Version
from guidepost.policies.sources import git
from guidepost.policies.sources.bundle_archive import read_bundle
from guidepost.policies.sources.folder import VersionFolder, read_folder, version_folders
from guidepost.policies.sources.remote import read_address, split_pin
from guidepost.policies.sources.signatures import Trust
from guidepost.policies.sources.source import Origin, Source, SourceError
from guidepost.policies.sources.zip_tar import local_bytes, read_archive

WORKING: Final = ("working", "current")
"""The names of the policies folder itself."""

NO_TRUST: Final = Trust()
"""No trusted keys: a remote source needs a SHA-256."""


def load_source(spec: str, *, policies: Path, trust: Trust = NO_TRUST) -> Version:
    """Build the version of a name; raises SourceError if it does not exist, PolicyErrors if it has problems."""
    source = read_source(spec, policies=policies, trust=trust)
    return build(source.files, source.root)


def read_source(spec: str, *, policies: Path, trust: Trust = NO_TRUST) -> Source:
    """Read the files of the version of a name; numbers and revisions are looked up in the policies folder.

    A remote source must be signed by a key of ``trust``, or have the SHA-256 of its name. Raises SourceError if the
    name is unknown or the source is not verified, PolicyErrors if its files or its bundle are invalid.
    """
    if "::" in spec:
        return read_archive(spec, trust)
    if "://" in spec and not spec.startswith("file://"):
        return read_address(spec, trust)
    kind, colon, name = spec.removeprefix("file://").partition(":")
    if colon and kind in _FORCED:
        return _FORCED[kind](name, policies)
    return _resolve(spec.removeprefix("file://"), policies)


def _resolve(spec: str, policies: Path) -> Source:
    if spec in WORKING or spec in known_versions(policies):
        return _version(spec, policies)
    revision = _is_revision(spec, policies)
    path = Path(split_pin(spec)[0])
    if _is_there(path):
        if revision:
            raise SourceError(
                f"`{spec}` is both a path and a git revision",
                f"write `{'folder' if path.is_dir() else 'bundle'}:{spec}` or `git:{spec}`",
            )
        return _folder(spec, policies) if path.is_dir() else _bundle(spec, policies)
    if revision or ":" in spec:
        return git.read_revision(spec, policies)
    raise SourceError(
        f"unknown version `{spec}`: not a version in {policies}, a folder, a bundle or a git revision",
        _unknown_help(spec, policies),
    )


def _is_there(path: Path) -> bool:
    """Return whether a path exists; a name that is too long or contains NUL does not."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def known_versions(policies: Path) -> dict[str, tuple[VersionFolder, ...]]:
    """Return the folders of the versions in a policies folder, by the numbers of their manifests."""
    found: dict[str, tuple[VersionFolder, ...]] = {}
    for folder in version_folders(policies):
        number = _number(folder.path / MANIFEST)
        if number:
            found[number] = (*found.get(number, ()), folder)
    return found


def _number(manifest: Path) -> str:
    try:
        tree, _ = read(manifest.name, manifest.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return ""
    return text(tree, "version")


def _version(name: str, policies: Path) -> Source:
    if name in WORKING:
        return Source(
            files=read_folder(version_folders(policies)[0]),
            root=version_folders(policies)[0].root,
            label=name,
            origin=Origin.FOLDER,
        )
    known = known_versions(policies)
    if name not in known:
        raise SourceError(f"no version `{name}` in {policies}", _unknown_help(name, policies))
    first, *others = known[name]
    files = read_folder(first)
    if any(digest_of(read_folder(other)) != digest_of(files) for other in others):
        raise SourceError(
            f"there are several versions `{name}` in {policies}",
            "name the folder: " + ", ".join(f"`{one.root}`" for one in known[name]),
        )
    return Source(files=files, root=first.root, label=name, origin=Origin.FOLDER)


def digest_of(files: Mapping[str, str]) -> str:
    """Return the digest of the policy in these files, even if it cannot be loaded."""
    return digest(read_trees(files)[0])


def _folder(name: str, policies: Path) -> Source:  # noqa: ARG001 - all readers are called alike
    path = Path(name)
    if not (path / MANIFEST).is_file():
        raise SourceError(f"the folder `{name}` does not contain a version: there is no {MANIFEST}", _nested_help(path))
    return Source(
        files=read_folder(VersionFolder(path, path.as_posix())), root=path.as_posix(), label=name, origin=Origin.FOLDER
    )


def _nested_help(path: Path) -> str:
    below = sorted(found.parent.as_posix() for found in path.glob(f"*/{MANIFEST}"))
    return (
        "there is one in " + ", ".join(f"`{one}`" for one in below[:3])
        if below
        else "name the folder of a version, with its manifest"
    )


def _bundle(name: str, policies: Path) -> Source:  # noqa: ARG001
    file, pin = split_pin(name)
    made = read_bundle(local_bytes(Path(file), pin), Path(file).as_posix())
    return Source(
        files=made.files, root=Path(file).as_posix(), label=name, origin=Origin.BUNDLE, detail=f"sha256 {made.sha256}"
    )


_FORCED: Final[dict[str, Callable[[str, Path], Source]]] = {
    "version": _version,
    "folder": _folder,
    "bundle": _bundle,
    "git": git.read_revision,
}


def _is_revision(spec: str, policies: Path) -> bool:
    try:
        found = git.repository(policies)
    except SourceError:
        return False
    return found is not None and found.commit(git.split_spec(spec)[0]) is not None


def _unknown_help(name: str, policies: Path) -> str:
    """Return the help for an unknown name: a similar one, and the versions in the folder."""
    names: tuple[str, ...] = ()
    shallow = False
    with suppress(SourceError):
        found = git.repository(policies)
        names, shallow = (found.names(), found.shallow) if found is not None else ((), False)
    versions = tuple(known_versions(policies))
    close = nearest(name, (*versions, *WORKING, *names), limit=1)
    parts = (
        f"did you mean `{close[0]}`?" if close else "",
        f"versions here: {', '.join(sorted(versions)) or 'none'}",
        git.SHALLOW if shallow else "",
    )
    return "; ".join(part for part in parts if part)
