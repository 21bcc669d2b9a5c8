"""Policies folders: the working version, the past versions, and the cached cross-checks.

:func:`load_bundle` returns a complete, checked and cross-checked bundle, or raises PolicyErrors.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.cross_check import CrossCheckCache, CrossCheckReport, cross_check_key, cross_check_tables
from engine.load import policy_files
from engine.load.files import ENDINGS, of_a_version
from engine.model.problems import Place, PolicyErrors, Problem
from engine.version.agreement import agreement_problems, tables_to_cross_check
from engine.version.build import build
from engine.version.bundle import Bundle, Known, V, Versions, bundle, other_desks
from engine.version.release_register import REGISTER, Folder, Frozen, frozen_problems, read_register
from engine.version.version import Version
from guidepost.text_encoding import decode_text

PAST: Final = "past"
"""The subfolder with earlier versions."""

MAX_BYTES: Final = 64_000_000
"""The largest policy file in bytes; a larger one is not read."""


@dataclass(frozen=True, slots=True)
class VersionFolder:
    """The folder of one version, and its name in problems and answers."""

    path: Path
    root: str


def default_cache() -> Path:
    """Return the cache folder of cross-checks: $GUIDEPOST_CACHE, or a folder in the user's cache."""
    named = os.environ.get("GUIDEPOST_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "guidepost" / "cross-checks"


def version_folders(folder: Path, *, as_typed: bool = False) -> tuple[VersionFolder, ...]:
    """Return the folders of all versions: the policies folder itself, and each folder below ``past/``.

    By default answers use the name of a folder, so that they do not depend on its location; with ``as_typed`` its path
    stays whole, so that an editor can open the place of a problem.
    """
    root = folder.as_posix() if as_typed or not folder.is_absolute() else folder.name
    past = sorted(path for path in (folder / PAST).glob("*") if path.is_dir() and not path.name.startswith("."))
    return (VersionFolder(folder, root), *(VersionFolder(path, f"{root}/{PAST}/{path.name}") for path in past))


def read_folder(version: VersionFolder) -> dict[str, str]:
    """Read the YAML files of a version (path in the folder to text); raises PolicyErrors for unreadable files."""
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for pattern in (f"{folder}*{end}" for folder in ("", "holidays/", "cases/") for end in ENDINGS):
        for path in sorted(version.path.glob(pattern)):
            name = path.relative_to(version.path).as_posix()
            if not of_a_version(name):
                continue
            place = Place(file=f"{version.root}/{name}")
            try:
                size = path.stat().st_size
                if size > MAX_BYTES:
                    problems.append(
                        Problem(place=place, code="too-large", message=f"{size:,} bytes; a file may have {MAX_BYTES:,}")
                    )
                    continue
                text = decode_text(place.file, path.read_bytes())
                if isinstance(text, Problem):
                    problems.append(text)
                else:
                    files[name] = text
            except OSError as error:
                problems.append(Problem(place=place, code="yaml", message=f"cannot be read: {error.strerror}"))
    if problems:
        raise PolicyErrors(problems)
    return files


def build_bundle(folder: Path) -> Bundle:
    """Build all versions of a folder without the cross-check; raises PolicyErrors with the problems of all of them."""
    folders = version_folders(folder)
    versions: list[Version | None] = []
    problems: list[Problem] = []
    built: list[tuple[dict[str, str], Version]] = []
    with _no_garbage_collection():
        for version in folders:
            try:
                files = read_folder(version)
                made = _built_already(files, built) or build(files, version.root)
                built.append((policy_files(files), made))
                versions.append(made)
            except PolicyErrors as error:
                problems.extend(error.problems)
                versions.append(None)
    ordered, clashes = order_versions(folders, versions)
    if problems or clashes:
        raise PolicyErrors([*problems, *clashes])
    return ordered


def _built_already(files: Mapping[str, str], built: list[tuple[dict[str, str], Version]]) -> Version | None:
    """Return the built version with the same files, if any: a released version is in two folders."""
    return next((version for those, version in built if those == policy_files(files)), None)


def order_versions(folders: Sequence[VersionFolder], known: Sequence[V | None]) -> tuple[Versions[V], list[Problem]]:
    """Return the versions of a folder in order, and the problems of clashes and of altered frozen versions.

    ``known`` has the working version first; of a version that cannot be loaded (None) only the freezing is checked.
    """
    strangers = other_desks([version.policy.manifest for version in known if version is not None])
    # For a version of another desk, problems of its number and its freezing do not matter.
    beside = ("not-frozen", "version-unchanged") if strangers else ()
    problems = [one for one in _freezing_problems(folders, known) if one.code not in beside]
    # A version that needs a new number also clashes with its past self: report only one of them.
    counted = known[1:] if any(problem.code == "version-unchanged" for problem in problems) else known
    ordered, clashes = bundle(tuple(version for version in counted if version is not None))
    return ordered, [*clashes, *problems]


def _freezing_problems(folders: Sequence[VersionFolder], known: Sequence[Known | None]) -> list[Problem]:
    """Return the problems of versions that do not match the register of frozen versions."""
    working, *past = (
        Folder(folder.path.name, folder.root, version) for folder, version in zip(folders, known, strict=True)
    )
    try:
        return frozen_problems(frozen_versions(folders[0]), working, past)
    except PolicyErrors as error:
        return list(error.problems)


def frozen_versions(working: VersionFolder) -> dict[str, Frozen]:
    """Read the frozen versions of a policies folder by number; raises PolicyErrors if the register is invalid."""
    name = f"{working.root}/{PAST}/{REGISTER}"
    try:
        content = (working.path / PAST / REGISTER).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyErrors(
            [Problem(place=Place(file=name), code="yaml", message=f"cannot be read: {error}")]
        ) from error
    register, problems = read_register(name, content)
    if problems:
        raise PolicyErrors(problems)
    return register


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Pause garbage collection: a build creates millions of values that stay, and searching them doubles the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def cross_check_bundle(made: Bundle, cache: Path | None) -> Mapping[str, CrossCheckReport]:
    """Cross-check every version with durable-rules, or read the cached report; return the reports by version.

    Raises PolicyErrors if it disagrees or fails anywhere.
    """
    reports: dict[str, CrossCheckReport] = {}
    problems: list[Problem] = []
    for version in made.versions:
        report = cross_check_version(version, cache)
        reports[version.ref.version] = report
        problems.extend(agreement_problems(version, report))
    if problems:
        raise PolicyErrors(problems)
    return reports


def cross_check_version(version: Version, cache: Path | None) -> CrossCheckReport:
    """Cross-check one version with durable-rules, or read the cached report for its tables."""
    tables = tables_to_cross_check(version)
    key = cross_check_key(tables)
    kept = CrossCheckCache(cache).load(key) if cache is not None else None
    if kept is not None:
        return kept
    report = cross_check_tables(tables)
    if cache is not None and report.ok:
        CrossCheckCache(cache).store(key, report)
    return report


def load_bundle(folder: Path, cache: Path | None = None) -> Bundle:
    """Load the versions of a folder for a server: built, checked, and cross-checked with durable-rules.

    ``cache`` is the folder of cached reports, by default :func:`default_cache`. Raises PolicyErrors with all problems.
    """
    made = build_bundle(folder)
    cross_check_bundle(made, cache if cache is not None else default_cache())
    return made
