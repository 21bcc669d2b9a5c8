"""Freezes the working version: copies its files to ``past/``, and adds its digest to the register.

The policies folder is valid after each step: the files are copied to a temporary folder, which is renamed, and then the
register is replaced. The next release completes one that was interrupted in between.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from engine.load import MANIFEST, load, read_trees
from engine.load.digest import digest
from engine.load.schema import published
from engine.load.yaml_tree import Mapping, Scalar, plain, read
from engine.model.problems import Place
from engine.version.release_register import REGISTER, Frozen, register_text
from engine.version.version import Version
from guidepost.atomic_file import write_atomically
from guidepost.policies.sources.folder import PAST, VersionFolder, frozen_versions, read_folder, version_folders

SCHEMAS: Final = "schemas"


class NotReleased(Exception):
    """The working version cannot be frozen, or its manifest cannot be changed; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Release:
    """The result of a release: the folder of the version, the number of its files, and whether it was frozen before."""

    folder: Path
    files: int
    was_frozen: bool


def freeze(policies: Path, version: Version) -> Release:
    """Freeze the working version of a policies folder; raises NotReleased if its files changed since the check."""
    working = version_folders(policies)[0]
    frozen = frozen_versions(working)
    number = version.ref.version
    target = policies / PAST / number
    files = sorted(read_folder(working))
    if number in frozen:
        return Release(target, len(files), True)
    if not target.exists():
        _put_aside(working, files, target, version.digest)
    since = version.policy.manifest.effective_from
    write_atomically(
        policies / PAST / REGISTER,
        register_text(
            [
                *frozen.values(),
                Frozen(version=number, effective_from=since, digest=version.digest, place=Place(file="")),
            ]
        ).encode(),
    )
    return Release(target, len(files), False)


def _put_aside(working: VersionFolder, files: list[str], target: Path, expected: str) -> None:
    """Copy the files of a version and its schemas to a new folder, which is complete or does not exist."""
    copied = Path(tempfile.mkdtemp(prefix=".release-", dir=working.path))
    try:
        schemas = [
            path.relative_to(working.path).as_posix() for path in sorted((working.path / SCHEMAS).glob("*.json"))
        ]
        for name in (*files, *schemas):
            (copied / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(working.path / name, copied / name)
        if digest(read_trees(read_folder(VersionFolder(copied, working.root)))[0]) != expected:
            raise NotReleased("the policies changed during the release; check them, and release again")
        target.parent.mkdir(exist_ok=True)
        copied.chmod(0o755)
        copied.rename(target)
    finally:
        shutil.rmtree(copied, ignore_errors=True)


def next_manifest(text: str, version: str, effective_from: datetime) -> str:
    r"""Return a manifest with a new version and effective date; every other character stays.

    >>> print(
    ...     next_manifest(
    ...         'version: "1.0.0"  # old\neffective_from: 2020-01-01T00:00:00Z\n',
    ...         "1.1.0",
    ...         datetime.fromisoformat("2021-01-01T00:00:00Z"),
    ...     )
    ... )
    version: "1.1.0"  # old
    effective_from: "2021-01-01T00:00:00Z"
    <BLANKLINE>
    """
    instant = effective_from.isoformat().replace("+00:00", "Z")
    wanted = {"version": version, "effective_from": instant}
    lines = text.splitlines(keepends=True)
    tree = _manifest(text)
    for key, value in wanted.items():
        node = tree.entries[key]
        if isinstance(node, Scalar):
            lines[node.place.line - 1] = _with_value(lines[node.place.line - 1], node, value)
    changed = "".join(lines)
    if plain(_manifest(changed)) != {**plain(tree), **wanted}:
        raise NotReleased(
            "the manifest cannot be changed automatically: set `version` and `effective_from` in it yourself"
        )
    return changed


def start_next(policies: Path, version: str, effective_from: datetime) -> None:
    """Write the next version and effective date into the manifest, and update the published schemas."""
    manifest = policies / MANIFEST
    write_atomically(
        manifest, next_manifest(manifest.read_bytes().decode("utf-8-sig"), version, effective_from).encode()
    )
    working = version_folders(policies)[0]
    if (policies / SCHEMAS).is_dir():
        for name, text in published(load(read_folder(working), working.root)).items():
            write_atomically(policies / SCHEMAS / name, text.encode())


def _manifest(text: str) -> Mapping:
    tree, _ = read(MANIFEST, text)
    if not isinstance(tree, Mapping) or not {"version", "effective_from"} <= set(tree.entries):
        raise NotReleased("the manifest cannot be read")
    return tree


def _with_value(line: str, node: Scalar, value: str) -> str:
    """Return a line with a quoted value in place of a node; unchanged if a quote ends on another line."""
    start = node.place.column - 1
    end = line.find(line[start], start + 1) + 1 if line[start] in "\"'" else start + len(node.text)
    return line if not end else f'{line[:start]}"{value}"{line[end:]}'
