"""Versions that a command names: a number, a folder, a bundle, a git revision or an address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from engine.model.problems import PolicyErrors
from engine.version.build import build
from engine.version.version import Version
from guidepost.cli.options.policies_folder import find_folder, utc_now
from guidepost.policies.sources.folder import version_folders
from guidepost.policies.sources.resolve import read_source
from guidepost.policies.sources.signatures import trusted_keys
from guidepost.policies.sources.source import Origin, Source, SourceError
from guidepost.render.console import ExitCode, command_error, count, errors, help_lines
from guidepost.render.messages import problem_text

TRUSTED: Final = "GUIDEPOST_TRUSTED_KEYS"
"""The environment variable that names the trusted keys."""

KeysOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--key",
        metavar="FILE",
        envvar=TRUSTED,
        show_envvar=False,
        help=f"A trusted public key, or a folder of them; may be repeated. Default: ${TRUSTED}. Remote versions are used "
        "only if a trusted key signed them.",
    ),
]

SPEC_HELP: Final = (
    "VERSION is a number, `working`, a folder, a bundle, a git revision (`HEAD~3`, `REV:path`) or an address; "
    "the prefixes `version:`, `folder:`, `bundle:` and `git:` make it unambiguous."
)


def open_source(spec: str, *, policies: Path | None = None, keys: list[Path] | None = None) -> Source:
    """Read the files of the version that a spec names; end the command if there is none."""
    with source_errors(spec):
        return read_source(spec, policies=find_folder(policies), trust=trusted_keys(keys or ()))


def open_version(spec: str, *, policies: Path | None = None, keys: list[Path] | None = None) -> Version:
    """Build the version that a spec names; end the command if there is none, or if it has problems."""
    return build_source(open_source(spec, policies=policies, keys=keys))


def build_source(source: Source) -> Version:
    """Build the version of a source; end the command if it has problems."""
    with source_errors(source.label), errors().working(f"loading {source.label}"):
        return build(source.files, source.root)


def eval_options(source: Source, version: Version, policies: Path | None) -> tuple[str, ...]:
    """Return the options with which ``guidepost eval`` decides under the version of a folder; none if it cannot."""
    if source.origin is not Origin.FOLDER:
        return ()
    is_folder = Path(source.label).is_dir() and source.root == Path(source.label).as_posix()
    folder = Path(source.label) if is_folder else find_folder(policies)
    is_working = source.root == version_folders(folder)[0].root
    manifest = version.policy.manifest
    return (
        *(("--policies", str(folder)) if is_folder or policies else ()),
        *(() if is_working and manifest.effective_from <= utc_now() else ("--version", manifest.version)),
    )


@contextmanager
def source_errors(what: str, code: ExitCode = ExitCode.USAGE) -> Iterator[None]:
    """End the command if a source does not exist (with this exit code), or if its policies have problems (with 3)."""
    try:
        yield
    except SourceError as error:
        raise command_error(error.message, *help_lines(error.help), code=code) from error
    except PolicyErrors as error:
        errors().show(*map(problem_text, error.problems))
        raise command_error(
            f"{count(len(error.problems), 'problem')} in {what}; nothing was done", code=ExitCode.POLICY
        ) from error
