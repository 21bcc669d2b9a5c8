"""``guidepost analyze``: mistakes, needless rules, unused words and assumptions of a version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from engine.analysis import analyse
from engine.load import load
from engine.model.policy import Policy
from engine.model.problem_codes import CODES, Level
from engine.model.problems import PolicyErrors, Problem
from engine.version.build import draw_policy
from guidepost.cli.options.policies_folder import PoliciesOption, find_folder
from guidepost.policies.sources.folder import VersionFolder, read_folder, version_folders
from guidepost.policies.sources.resolve import known_versions
from guidepost.program import PROGRAM, installed_version
from guidepost.render.console import ExitCode, command_error, count, errors, results, show_json, suggestion
from guidepost.render.github import repository_path
from guidepost.render.sarif import sarif

STYLES = {Level.ERROR: "bold red", Level.WARNING: "yellow", Level.NOTE: "cyan"}


class Output(StrEnum):
    """The formats of findings."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


class FailOn(StrEnum):
    """The lowest level of a finding that makes the command fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class VersionAnalysis:
    """The findings of one version; ``policy`` is None if it could not be read."""

    root: str
    policy: Policy | None
    findings: tuple[Problem, ...]

    @property
    def name(self) -> str:
        """The name and number of the version, or "not loaded"."""
        return f"{self.policy.manifest.name} {self.policy.manifest.version}" if self.policy else "not loaded"


def analyze(
    policies: PoliciesOption = None,
    version: Annotated[
        str,
        typer.Option("--version", metavar="VERSION", help="Analyze this version. Default: the working version."),
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="Analyze the past versions too.")] = False,
    output: Annotated[Output, typer.Option("-o", "--output", help="The format of the findings.")] = Output.TEXT,
    level: Annotated[Level, typer.Option("--level", help="Leave out findings below this level.")] = Level.NOTE,
    code: Annotated[
        list[str] | None, typer.Option("--code", metavar="CODE", help="Only findings with this code; may be repeated.")
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Exit with 3 if a finding has this level or a higher one.")
    ] = FailOn.ERROR,
) -> None:
    """Find mistakes, needless rules and assumptions in a version.

    Every finding has a place, and a witness ticket if the cells of a table show it; docs/analysis.md explains each
    code.
    """
    asked = _codes(code or [])
    analysed = []
    for folder in _folders(find_folder(policies), version, every=every):
        with errors().working(f"analysing {folder.root}"):
            found = _analysed(folder)
        kept = tuple(
            one for one in found.findings if one.level.weight >= level.weight and (not asked or one.code in asked)
        )
        analysed.append(VersionAnalysis(found.root, found.policy, kept))
    findings = sorted({finding for one in analysed for finding in one.findings})
    match output:
        case Output.SARIF:
            show_json(sarif(findings, installed_version(PROGRAM), repository_path))
        case Output.JSON:
            show_json({"versions": [_plain(one) for one in analysed], "counts": _counts(findings)})
        case Output.TEXT:
            results().show(*_parts(findings, analysed))
    if fail_on is not FailOn.NEVER and any(one.level.weight >= Level(fail_on.value).weight for one in findings):
        raise typer.Exit(int(ExitCode.POLICY))


def _codes(asked: Sequence[str]) -> frozenset[str]:
    unknown = [code for code in asked if code not in CODES]
    if unknown:
        raise command_error(
            *(f"unknown code `{code}`{suggestion(code, CODES)}" for code in unknown), f"codes: {', '.join(CODES)}"
        )
    return frozenset(asked)


def _folders(folder: Path, version: str, *, every: bool) -> tuple[VersionFolder, ...]:
    folders = version_folders(folder, as_typed=True)
    if version and every:
        raise command_error("expected one of --version and --all, got both")
    if not version:
        return folders if every else folders[:1]
    known = known_versions(folder)
    if version not in known:
        raise command_error(
            f"unknown policy version `{version}`{suggestion(version, known)}; known: {', '.join(sorted(known)) or 'none'}"
        )
    wanted = {one.path for one in known[version]}
    return tuple(one for one in folders if one.path in wanted)


def _analysed(folder: VersionFolder) -> VersionAnalysis:
    """Analyze one version; the findings of a version that cannot be read are its problems."""
    policy = None
    try:
        policy = load(read_folder(folder), folder.root)
        return VersionAnalysis(folder.root, policy, analyse(policy, draw_policy(policy)))
    except PolicyErrors as error:
        return VersionAnalysis(folder.root, policy, error.problems)


def _parts(findings: Sequence[Problem], analysed: Sequence[VersionAnalysis]) -> Iterator[RenderableType]:
    order = list(CODES)
    grouped = sorted(findings, key=lambda one: (-one.level.weight, order.index(one.code), one))
    for code, group in groupby(grouped, key=lambda one: one.code):
        several, kind = list(group), CODES[code]
        yield Text.assemble(
            (code, f"bold {STYLES[kind.level]}"),
            f"  {kind.about}",
            (f"  ({kind.level.value}, {len(several):,})", "dim"),
        )
        for one in several:
            yield from _lines(one)
        yield ""
    for version in analysed:
        yield Text.assemble((version.root, "bold"), f"  {version.name}: ", _said(version.findings))


def _lines(finding: Problem) -> Iterator[Text]:
    place, help_ = str(finding.place), CODES[finding.code].help
    yield Text.assemble("  ", (place, "bold"), f": {finding.message}", no_wrap=True)
    if finding.witness:
        yield Text(f"      witness: {', '.join(f'{fact}={value}' for fact, value in finding.witness)}", "dim")
    for other in finding.also:
        yield Text(f"      see {other.place}: {other.what}", "dim", no_wrap=True)
    if finding.help and finding.help != help_:
        yield Text(f"      help: {finding.help}", "dim")


def _said(findings: Sequence[Problem]) -> Text:
    numbers = Counter(one.level for one in findings)
    parts = [
        (count(numbers[level], level.value), STYLES[level] if numbers[level] else "green")
        for level in sorted(Level, key=lambda one: one.weight, reverse=True)
    ]
    return Text(", ").join(Text(words, style) for words, style in parts)


def _counts(findings: Sequence[Problem]) -> dict[str, int]:
    numbers = Counter(one.level for one in findings)
    return {level.value: numbers[level] for level in Level}


def _plain(one: VersionAnalysis) -> dict[str, object]:
    manifest = one.policy.manifest if one.policy else None
    return {
        "folder": one.root,
        "name": manifest.name if manifest else None,
        "version": manifest.version if manifest else None,
        "findings": [finding.as_plain() for finding in one.findings],
        "counts": _counts(one.findings),
    }
