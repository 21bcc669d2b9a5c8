"""Unpacks bundles into a policies folder: the latest version is the working one, the others are frozen.

The folder is written under a temporary name and renamed, so that a server never reads half of one.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from engine.model.problems import Place, PolicyErrors
from engine.version.bundle import other_desks
from engine.version.release_register import REGISTER, Frozen, register_text
from guidepost.policies.sources.bundle_archive import BuiltBundle
from guidepost.policies.sources.folder import PAST


class NotUnpacked(Exception):
    """Bundles do not fit into one policies folder, or the folder exists; the text is the reason."""


def unpack(bundles: Sequence[BuiltBundle], folder: Path, *, replace: bool = False) -> tuple[BuiltBundle, ...]:
    """Write the policies folder of these versions; return them in the order of their effective dates.

    Raises NotUnpacked if two versions have the same number or instant, or if the folder exists and ``replace`` is
    false; PolicyErrors if they belong to different desks; OSError if it cannot be written. Errors change nothing.
    """
    ordered = tuple(sorted(bundles, key=lambda one: one.effective_from))
    if problems := other_desks([one.manifest for one in reversed(ordered)]):
        raise PolicyErrors(problems)
    _check_distinct(ordered)
    if folder.exists() and not replace:
        raise NotUnpacked(f"{folder} exists")
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(made, ordered)
        _replace_folder(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return ordered


def _check_distinct(ordered: Sequence[BuiltBundle]) -> None:
    if not ordered:
        raise NotUnpacked("there is no bundle to unpack")
    for at, one in enumerate(ordered):
        for other in ordered[:at]:
            if other.ref.version == one.ref.version:
                raise NotUnpacked(f"two bundles are of version {one.ref.version}")
            if other.effective_from == one.effective_from:
                raise NotUnpacked(
                    f"the versions {other.ref.version} and {one.ref.version} take effect at the same instant"
                )


def _write(made: Path, ordered: Sequence[BuiltBundle]) -> None:
    """Write all files to an existing folder."""
    *past, working = ordered
    for one, place in ((working, made), *((one, made / PAST / one.ref.version) for one in past)):
        for name, text in one.files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
    if past:
        frozen = [
            Frozen(
                version=one.ref.version, effective_from=one.effective_from, digest=one.ref.digest, place=Place(file="")
            )
            for one in past
        ]
        (made / PAST / REGISTER).write_text(register_text(frozen), encoding="utf-8")
    made.chmod(0o755)


def _replace_folder(made: Path, folder: Path) -> None:
    """Rename the new folder to its place; an existing folder is moved away first and deleted afterwards."""
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            folder.rename(old)
            made.rename(folder)
        finally:
            shutil.rmtree(old, ignore_errors=True)
    else:
        made.rename(folder)
