"""``guidepost build``: one version as a bundle, with the same bytes for the same files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.load import load as load_policy
from engine.model.problems import Place, PolicyErrors, Problem
from engine.version.bundle import same_desk
from engine.version.version import Version
from guidepost.atomic_file import write_atomically
from guidepost.cli.commands.check import CheckReport, VersionCheck, check_files, show_check
from guidepost.cli.options.policies_folder import PoliciesOption, find_folder
from guidepost.cli.options.version_spec import SPEC_HELP, KeysOption, open_source, source_errors
from guidepost.policies.sources.bundle_archive import BuiltBundle, make_bundle
from guidepost.policies.sources.folder import frozen_versions, read_folder, version_folders
from guidepost.policies.sources.source import Source
from guidepost.render.console import cannot_write, command_error, count, errors, grid, results, show_json


def build(
    spec: Annotated[str, typer.Argument(metavar="VERSION", help=f"The version to build. {SPEC_HELP}")] = "working",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write the bundle to this file or folder. Default: NAME-VERSION.zip."
        ),
    ] = None,
    policies: PoliciesOption = None,
    keys: KeysOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary of the bundle as JSON.")] = False,
) -> None:
    """Build a bundle: the files of a version in one archive.

    The archive also contains the digest and the list of rules. The same files yield the same bytes. A version with
    problems is rejected, and so is a changed policy under the number of a released version.
    """
    folder = find_folder(policies)
    source = open_source(spec, policies=folder, keys=keys)
    with errors().working(f"checking {source.root}"):
        checked = check_files(source.files, source.root)
    with source_errors(spec):
        found = CheckReport((checked,), tuple(sorted({*checked.problems, *_unreleased(checked, folder)})))
    if found.problems or found.failures:
        show_check(found, errors())
        raise command_error(f"{spec} was not built", code=found.code)
    made = make_bundle(source.files, source.root)
    path = _written(made, output)
    if as_json:
        show_json(_plain(made, path, source))
    else:
        results().show(f"built {path}", grid(_rows(made, source), "cyan"))


def _unreleased(checked: VersionCheck, folder: Path) -> list[Problem]:
    """Return a problem if the version's number was released with another digest."""
    version = checked.version
    frozen = frozen_versions(version_folders(folder, as_typed=True)[0]).get(version.ref.version) if version else None
    if version is None or frozen is None or frozen.digest == version.digest or not _is_of_this_desk(version, folder):
        return []
    return [
        Problem(
            place=Place(file=version.policy.manifest.place.file),
            code="version-unchanged",
            message=f"{frozen.version} was released with digest {frozen.digest[:12]}, "
            f"but these files have {version.digest[:12]}",
            help="build the released version, or change the number of this one",
        )
    ]


def _is_of_this_desk(version: Version, folder: Path) -> bool:
    """Return whether a version belongs to the desk of the policies folder; other desks have numbers of their own."""
    try:
        working = load_policy(read_folder(version_folders(folder)[0]))
    except PolicyErrors:
        return True
    return same_desk(working.manifest, version.policy.manifest)


def _written(made: BuiltBundle, output: Path | None) -> Path:
    """Write the bundle atomically; return its path."""
    path = output / made.file_name if output is not None and output.is_dir() else output or Path(made.file_name)
    try:
        write_atomically(path, made.data)
    except OSError as error:
        raise cannot_write(path, error) from error
    return path


def _rows(made: BuiltBundle, source: Source) -> list[tuple[str, str]]:
    return [
        ("version", f"{made.ref.name} {made.ref.version}, in force from {made.effective_from:%Y-%m-%d}"),
        ("from", f"{source.root}" + (f", {source.detail}" if source.detail else "")),
        ("contains", f"{count(len(made.files), 'file')}, {count(made.rules, 'rule')}, {len(made.data):,} bytes"),
        ("digest", made.ref.digest),
        ("sha256", made.sha256),
    ]


def _plain(made: BuiltBundle, path: Path, source: Source) -> dict[str, object]:
    return {
        "bundle": path.as_posix(),
        "name": made.ref.name,
        "version": made.ref.version,
        "effective_from": made.effective_from.isoformat(),
        "digest": made.ref.digest,
        "sha256": made.sha256,
        "files": len(made.files),
        "rules": made.rules,
        "bytes": len(made.data),
        "source": {"root": source.root, "origin": source.origin.value, "detail": source.detail},
    }
