"""``guidepost check``: all problems of the policies at once, and what was verified."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from engine.cases import Case, CaseResult, read_cases, run_cases
from engine.cross_check import CrossCheckReport, Extent, TableCrossCheck
from engine.load.yaml_tree import cut_texts, read
from engine.model.problems import PolicyErrors, Problem
from engine.version.agreement import agreement_problems
from engine.version.build import build
from engine.version.version import Version
from guidepost.cli.options.policies_folder import find_folder
from guidepost.policies.sources.folder import (
    VersionFolder,
    cross_check_version,
    default_cache,
    order_versions,
    read_folder,
    version_folders,
)
from guidepost.render.cases_console import cases_summary
from guidepost.render.console import ExitCode, JsonObject, Screen, TextOrJson, count, errors, grid, results, show_json
from guidepost.render.messages import Message, problem_text
from guidepost.render.policy_json import plain_place
from guidepost.render.sizes_console import plain_sizes, sizes_table

ROUNDED: Final = 10**9
"""From so many cells on, a number of cells is rounded."""

_PERHAPS_CUT: Final = re.compile(r"\S[ \t]+#[^\s#]")


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionCheck:
    """The results for one version; ``version`` is None if it cannot be built.

    ``notes`` are about text that is valid but perhaps not intended; they do not change the exit code.
    """

    root: str
    version: Version | None
    problems: tuple[Problem, ...]
    cross_check: CrossCheckReport | None
    cases: tuple[Case, ...]
    failures: tuple[CaseResult, ...]
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The results for all versions of a folder; ``problems`` are those of each version and those between versions."""

    checked: tuple[VersionCheck, ...]
    problems: tuple[Problem, ...]

    @property
    def failures(self) -> tuple[CaseResult, ...]:
        """The failed cases of all versions."""
        return tuple(failure for one in self.checked for failure in one.failures)

    @property
    def code(self) -> ExitCode:
        """The exit code for these results."""
        return ExitCode.POLICY if self.problems else ExitCode.CASES if self.failures else ExitCode.OK


def check(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="The policies folder; the versions in its past/ are checked too."),
    ] = None,
    output: Annotated[TextOrJson, typer.Option("-o", "--output", help="The output format.")] = TextOrJson.TEXT,
    no_cross_check: Annotated[
        bool, typer.Option("--no-cross-check", help="Do not compare the tables with durable-rules.")
    ] = False,
    no_cases: Annotated[bool, typer.Option("--no-cases", help="Do not run the cases.")] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "-v", "--verbose", help="List every table that durable-rules agrees with, and its number of cells."
        ),
    ] = False,
    sizes: Annotated[
        bool, typer.Option("--sizes", help="List how much of the limit of nodes each table takes, the largest first.")
    ] = False,
) -> None:
    """Check every version: files, tables, cases and invariants.

    Every case is checked, and tables are compared with durable-rules, large ones by a sample. A released version must
    be unchanged, and a policy that changed since its release needs a new version number.

    Exits with 3 if a policy has problems, and with 4 if a case fails.
    """
    found = check_folder(find_folder(folder), cross_check=not no_cross_check, cases=not no_cases)
    if output is TextOrJson.JSON:
        show_json(_plain(found.checked, found.problems, sizes=sizes))
    else:
        show_check(found, results(), verbose=verbose, sizes=sizes)
    if found.problems or found.failures:
        raise typer.Exit(int(found.code))


def check_folder(folder: Path, *, cross_check: bool = True, cases: bool = True) -> CheckReport:
    """Check every version of a folder, and that released versions are unchanged."""
    folders = version_folders(folder, as_typed=True)
    checked: list[VersionCheck] = []
    for version in folders:
        with errors().working(f"checking {version.root}"):
            checked.append(check_version(version, cross_check=cross_check, cases=cases))
    versions = [one.version for one in checked]
    among = order_versions(folders, versions)[1]
    return CheckReport(
        tuple(checked), tuple(sorted({problem for one in checked for problem in one.problems} | set(among)))
    )


def show_check(found: CheckReport, screen: Screen, *, verbose: bool = False, sizes: bool = False) -> None:
    """Show the results as text; if verbose, with every table that was compared in all cells."""
    for problem in found.problems:
        screen.show(problem_text(problem))
    for failure in found.failures:
        case = failure.case
        screen.show(Text.assemble((f"{case.place}: ", "bold"), case.name, (" [failed case]", "red")))
        screen.show(*(f"    {difference}" for difference in failure.differences))
    notes = [note for one in found.checked for note in one.notes]
    for note in notes:
        screen.show(note)
    if found.problems or found.failures or notes:
        screen.show()
    for one in found.checked:
        screen.show(*_version_parts(one, verbose=verbose))
        if sizes and one.version is not None:
            screen.show(sizes_table(one.version), "")
    screen.show(_summary(found))


def check_version(folder: VersionFolder, *, cross_check: bool, cases: bool) -> VersionCheck:
    """Check one version; a problem of its files leaves out the checks that need them."""
    try:
        files = read_folder(folder)
    except PolicyErrors as error:
        return VersionCheck(
            root=folder.root, version=None, problems=error.problems, cross_check=None, cases=(), failures=()
        )
    return check_files(files, folder.root, cross_check=cross_check, cases=cases)


def check_files(files: Mapping[str, str], root: str, *, cross_check: bool = True, cases: bool = True) -> VersionCheck:
    """Check one version, given the texts of its files by path."""
    try:
        version = build(files, root)
    except PolicyErrors as error:
        return VersionCheck(root=root, version=None, problems=error.problems, cross_check=None, cases=(), failures=())
    problems: list[Problem] = []
    examples: tuple[Case, ...] = ()
    if cases:
        examples, wrong = read_cases(files, version.policy, root)
        problems.extend(wrong)
    report = cross_check_version(version, default_cache()) if cross_check else None
    if report is not None:
        problems.extend(agreement_problems(version, report))
    return VersionCheck(
        root=root,
        version=version,
        problems=tuple(problems),
        cross_check=report,
        cases=examples,
        failures=run_cases(version, examples),
        notes=tuple(_notes(files, root)),
    )


def _notes(files: Mapping[str, str], root: str) -> Iterator[Message]:
    """Yield notes about text that is valid but perhaps not intended."""
    for path, text in sorted(files.items()):
        tree, _ = read(f"{root}/{path}" if root else path, text) if _PERHAPS_CUT.search(text) else (None, [])
        for place, whole in cut_texts(tree) if tree is not None else ():
            rest = place.text[place.column - 1 :].rstrip()
            head = Text.assemble(
                (f"{place}", "bold"),
                f": the text ends here, because a comment begins with `{rest}` ",
                ("[note]", "yellow"),
            )
            yield Message(
                head,
                place,
                [f'help: put the text in quotes: `"{whole}"`; if it is a comment, write a space after `#`'],
            )


def _summary(found: CheckReport) -> Text:
    run, failed = sum(len(one.cases) for one in found.checked), len(found.failures)
    # If any case was run, a version whose cases were not run could not be loaded.
    broken = [one.root for one in found.checked if one.version is None] if run else []
    return Text.assemble(
        f"{count(len(found.checked), 'version')}: ",
        (count(len(found.problems), "problem"), "bold red" if found.problems else "green"),
        "; " if broken else ", ",
        (cases_summary(failed, run, broken), "bold red" if failed else "yellow" if broken else "green"),
    )


def _version_parts(one: VersionCheck, *, verbose: bool) -> Iterator[RenderableType]:
    version = one.version
    if version is None:
        yield Text.assemble((one.root, "bold"), (f"  not loaded: {count(len(one.problems), 'problem')}", "red"))
        yield ""
        return
    manifest = version.policy.manifest
    since = f"in force from {manifest.effective_from:%Y-%m-%d}"
    yield Text.assemble(
        (one.root, "bold"), f"  {manifest.name} {manifest.version}, {since}", (f", digest {version.digest[:12]}", "dim")
    )
    rows: list[tuple[RenderableType, RenderableType]] = [*_cross_check_rows(one.cross_check, verbose=verbose)]
    if version.invariants:
        rows.append(("invariants", f"{len(version.invariants):,} proved over all cases"))
    passed = len(one.cases) - len(one.failures)
    rows.append(("cases", f"{passed:,} of {count(len(one.cases), 'case')} passed" if one.cases else "none run"))
    yield Padding(grid(rows, "cyan"), (0, 0, 0, 2))
    yield ""


def _cross_check_rows(cross_check: CrossCheckReport | None, *, verbose: bool) -> Iterator[tuple[str, Text]]:
    if cross_check is None:
        yield "not compared", Text("with durable-rules", "yellow")
        return
    whole, sampled = (
        [table for table in cross_check.tables if not table.disagreements and table.extent is extent]
        for extent in (Extent.WHOLE, Extent.SAMPLED)
    )
    extents = [f"{len(whole):,} compared whole"] if whole else []
    extents += [f"{len(sampled):,} sampled: {', '.join(map(_cells, sampled))}"] if sampled else []
    if extents:
        yield "tables", Text(", ".join(extents), "yellow" if sampled else "")
    if verbose and whole:
        yield "compared whole", Text(", ".join(map(_cells, whole)))
    for table in cross_check.tables:
        if table.disagreements:
            yield "disagrees", Text(f"`{table.table}` ({count(table.disagreements, 'cell')} of {table.cells:,})", "red")
    for failure in cross_check.failures:
        yield "failed", Text(f"{failure.table or 'before the first table'}: {failure.reason}", "red")


def _cells(table: TableCrossCheck) -> str:
    covered = f"{table.covered:,} of " if table.covered < table.cells else ""
    return f"`{table.table}` ({covered}{_cell_count(table.cells)})"


def _cell_count(cells: int) -> str:
    """Return a number of cells; a large one with two digits.

    >>> _cell_count(1), _cell_count(3**40)
    ('1 cell', '1.2e19 cells')
    """
    if cells < ROUNDED:
        return count(cells, "cell")
    digits, _, power = f"{cells:.1e}".partition("e+")
    return f"{digits}e{int(power)} cells"


def _plain(checked: Sequence[VersionCheck], problems: Iterable[Problem], *, sizes: bool = False) -> JsonObject:
    listed = [problem.as_plain() for problem in problems]
    failed = any(one.failures for one in checked)
    return {
        "ok": not listed and not failed,
        "problems": listed,
        "versions": [_plain_version(one, sizes=sizes) for one in checked],
    }


def _plain_version(one: VersionCheck, *, sizes: bool) -> JsonObject:
    version, cross_check = one.version, one.cross_check
    return {
        "folder": one.root,
        "name": version.ref.name if version else None,
        "version": version.ref.version if version else None,
        "digest": version.digest if version else None,
        "effective_from": version.policy.manifest.effective_from.isoformat() if version else None,
        "cross_check": None
        if cross_check is None
        else {
            "ok": cross_check.ok,
            "tables": [
                {
                    "table": table.table,
                    "extent": table.extent.value,
                    "cells": table.cells,
                    "covered": table.covered,
                    "asked": table.asked,
                    "disagreements": table.disagreements,
                }
                for table in cross_check.tables
            ],
        },
        **({"sizes": plain_sizes(version)} if sizes and version else {}),
        "invariants": {"proved": len(version.invariants) if version else None},
        "cases": {
            "run": len(one.cases),
            "failed": [
                {
                    "name": failure.case.name,
                    "place": plain_place(failure.case.place),
                    "differences": list(failure.differences),
                }
                for failure in one.failures
            ],
        },
    }
