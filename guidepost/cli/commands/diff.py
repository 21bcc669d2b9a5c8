"""``guidepost diff``: compare the text and the decisions of two versions."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.model.problems import PolicyErrors
from guidepost.cli.options.budget import ForbidOption, MaxChangedOption, budget_errors, read_budget
from guidepost.cli.options.policies_folder import PoliciesOption
from guidepost.cli.options.report_output import ReportFormatOption, ToOption, output_stream
from guidepost.cli.options.version_spec import SPEC_HELP, KeysOption, build_source, eval_options, open_source
from guidepost.render.console import ExitCode, command_error, count, errors
from guidepost.render.diff_console import diff_parts
from guidepost.render.diff_html import diff_html
from guidepost.render.diff_json import plain_diff
from guidepost.render.diff_markdown import diff_markdown
from guidepost.render.diff_report import make_diff_report
from guidepost.render.messages import problem_text
from guidepost.render.report_format import ReportFormat, ReportWriters


def diff(
    before: Annotated[str, typer.Argument(metavar="BEFORE", help=f"{SPEC_HELP} Default: the last commit.")] = "HEAD",
    after: Annotated[
        str, typer.Argument(metavar="AFTER", help=f"{SPEC_HELP} Default: the policies folder as it is now.")
    ] = "working",
    policies: PoliciesOption = None,
    output: ReportFormatOption = ReportFormat.TEXT,
    to: ToOption = None,
    max_changed: MaxChangedOption = None,
    forbid: ForbidOption = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Also show where each outcome changes by the facts that are sent, every region and every citation.",
        ),
    ] = False,
    key: KeysOption = None,
) -> None:
    """Report every situation that two versions decide differently.

    First the text, then what each changed table decides differently in what it reads, then which outcomes follow. No
    situation is left out, so a report without differences means that both versions decide alike. Exits with 6 if the
    change exceeds --max-changed or --forbid.
    """
    budget = read_budget(max_changed, forbid)
    sources = [open_source(spec, policies=policies, keys=key) for spec in (before, after)]
    sides = [build_source(source) for source in sources]
    try:
        with budget_errors():
            found = make_diff_report(
                sides[0], sides[1], (before, after), budget=budget, options=eval_options(sources[1], sides[1], policies)
            )
    except PolicyErrors as error:
        errors().show(*map(problem_text, error.problems))
        raise command_error("the two versions cannot be compared", code=ExitCode.POLICY) from None
    writers = ReportWriters(
        text=lambda: diff_parts(found, every=every),
        markdown=lambda: diff_markdown(found, every=every),
        html=lambda: diff_html(found),
        json=lambda: plain_diff(found),
    )
    with output_stream(to) as stream:
        writers.write(output, stream)
    if found.excesses:
        errors().show(f"{count(len(found.excesses), 'change')} beyond what --max-changed and --forbid allow")
        raise typer.Exit(int(ExitCode.BUDGET))
