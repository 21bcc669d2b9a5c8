"""``guidepost ci``: check a change of policies before it is merged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from guidepost.cli.commands.ci_github import annotation_lines
from guidepost.cli.commands.ci_json import plain_ci_report
from guidepost.cli.commands.ci_markdown import compared, summary_text
from guidepost.cli.commands.ci_report import CiReport, CiStep, make_ci_report
from guidepost.cli.options.budget import ForbidOption, MaxChangedOption, budget_errors, read_budget
from guidepost.cli.options.policies_folder import PoliciesOption, find_folder
from guidepost.policies.merge_base import NoVersion
from guidepost.program import PROGRAM, installed_version
from guidepost.render.cases_console import failure_parts
from guidepost.render.console import ExitCode, TextOrJson, cannot_write, errors, grid, results, show_json
from guidepost.render.diff_console import diff_parts
from guidepost.render.diff_html import diff_html
from guidepost.render.github import is_github, repository_path, step_summary
from guidepost.render.junit import junit
from guidepost.render.messages import problem_text
from guidepost.render.sarif import sarif

ENDS: Final = {
    ExitCode.POLICY: "problems",
    ExitCode.CASES: "failed",
    ExitCode.USAGE: "no base",
    ExitCode.BUDGET: "too much",
}
"""The result of a failed step in a word or two."""


def ci(
    base: Annotated[
        str,
        typer.Option(
            "--base",
            metavar="REVISION",
            help="The target of the change: a branch such as origin/main, a tag or a commit.",
        ),
    ],
    policies: PoliciesOption = None,
    summary: Annotated[
        Path | None,
        typer.Option(
            "--summary",
            metavar="FILE",
            help="Write the Markdown summary to this file. Default: $GITHUB_STEP_SUMMARY, if it is set.",
        ),
    ] = None,
    max_changed: MaxChangedOption = None,
    forbid: ForbidOption = None,
    sarif_file: Annotated[
        Path | None,
        typer.Option(
            "--sarif", metavar="FILE", help="Write problems and findings to this file as SARIF, for code scanning."
        ),
    ] = None,
    junit_file: Annotated[
        Path | None,
        typer.Option("--junit", metavar="FILE", help="Write the results of the cases to this file as JUnit XML."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            help="Write the difference to this file as an HTML page, if there is a base to compare with.",
        ),
    ] = None,
    output: Annotated[TextOrJson, typer.Option("-o", "--output", help="The format of the report.")] = TextOrJson.TEXT,
) -> None:
    """Check a change of policies as a pull request does.

    Runs check, test, analyze, fmt and diff. Compares the working tree with the merge base: the last commit that it has
    in common with --base. In a job of GitHub Actions, each problem also becomes an annotation at its place.

    Exits with the code of the worst step: 3 for problems or files that are not formatted, then 4 for failed cases, then
    2 if the base does not exist, then 6 if the change exceeds its limits. A base without policies, or with policies
    that this program cannot load, is not a failure, unless a limit was set that needs it.
    """
    with budget_errors():
        found = make_ci_report(find_folder(policies), base, read_budget(max_changed, forbid))
    try:
        _write(found, summary, sarif_file, junit_file, html)
    except OSError as error:
        raise cannot_write(error.filename, error) from error
    if output is TextOrJson.JSON:
        show_json(plain_ci_report(found))
    else:
        results().show(*_parts(found))
    if is_github():
        errors().show(*(Text(line, no_wrap=True) for line in annotation_lines(found, repository_path)))
    if found.code is not ExitCode.OK:
        raise typer.Exit(int(found.code))


def _write(
    found: CiReport, summary: Path | None, sarif_file: Path | None, junit_file: Path | None, html: Path | None
) -> None:
    """Write the requested files; the summary is appended to that of a GitHub step."""
    if summary is not None:
        _to(summary, summary_text(found))
    elif (step := step_summary()) is not None:
        with step.open("a", encoding="utf-8") as stream:
            stream.write(summary_text(found))
    if sarif_file is not None:
        _to(
            sarif_file,
            json.dumps(sarif(found.findings, installed_version(PROGRAM), repository_path), indent=2, ensure_ascii=False)
            + "\n",
        )
    if junit_file is not None:
        _to(junit_file, junit(found.trials))
    if html is not None and found.report is not None:
        _to(html, diff_html(found.report))


def _to(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _parts(found: CiReport) -> Iterator[RenderableType]:
    yield Text(found.name, "bold")
    yield Text(compared(found).replace("`", ""), "dim")
    if found.base.reason is not NoVersion.NOTHING and found.base.help:
        yield Text(f"    help: {found.base.help}", "dim")
    yield ""
    yield Padding(grid([_row(step) for step in found.steps], "cyan"), (0, 0, 0, 2))
    if found.problems:
        yield ""
        yield from map(problem_text, found.problems)
    for trial in found.trials:
        for result in trial.failed:
            yield ""
            yield from failure_parts(result, trial)
    if found.layout.changed or found.layout.left_alone:
        yield ""
        yield from (f"{name}: not formatted" for name in found.layout.changed)
        yield from (f"{reason} (left unchanged)" for reason in found.layout.left_alone)
    if found.report is not None and not (found.report.diff.same_decisions and not found.report.diff.wording):
        yield ""
        yield from diff_parts(found.report, every=False)


def _row(step: CiStep) -> tuple[RenderableType, ...]:
    if step.code is not ExitCode.OK:
        return step.name, Text(ENDS[step.code], "bold red"), step.summary.replace("`", "")
    return step.name, Text("note", "yellow") if step.warned else Text("ok", "green"), step.summary.replace("`", "")
