"""``guidepost diff``: what the text of two versions says, and what it does, exactly."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from engine.model.problems import PolicyErrors
from guidepost.cli.options.budget import ForbidOption, MaxChangedOption, budget_as_usage, read_budget
from guidepost.cli.options.policies_folder import PoliciesOption
from guidepost.cli.options.version_spec import SPEC_HELP, KeysOption, open_version
from guidepost.render.console import ExitCode, Screen, count, errors, json_text, refused
from guidepost.render.diff_console import terminal_parts
from guidepost.render.diff_html import html_page
from guidepost.render.diff_json import plain_report
from guidepost.render.diff_markdown import markdown_text
from guidepost.render.diff_report import Report, report
from guidepost.render.messages import problem_text


class DiffForm(StrEnum):
    """How a difference is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


def diff(
    before: Annotated[str, typer.Argument(metavar="BEFORE", help=f"{SPEC_HELP} Default: the last commit.")] = "HEAD",
    after: Annotated[
        str, typer.Argument(metavar="AFTER", help=f"{SPEC_HELP} Default: the policies folder as it is now.")
    ] = "working",
    policies: PoliciesOption = None,
    output: Annotated[DiffForm, typer.Option("-o", "--output", help="How to write it.")] = DiffForm.TEXT,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write it to a file.")] = None,
    max_changed: MaxChangedOption = None,
    forbid: ForbidOption = None,
    every: Annotated[bool, typer.Option("--all", help="Show every region and every citation.")] = False,
    key: KeysOption = None,
) -> None:
    """Print what a change of policies does: every situation that is decided differently, and no other.

    Ends with 6 if the change does more than --max-changed and --forbid allow.
    """
    budget = read_budget(max_changed, forbid)
    sides = [open_version(spec, policies=policies, keys=key) for spec in (before, after)]
    try:
        with budget_as_usage():
            found = report(sides[0], sides[1], (before, after), budget)
    except PolicyErrors as error:
        errors().show(*map(problem_text, error.problems))
        raise refused("the two versions cannot be compared", code=ExitCode.POLICY) from None
    try:
        _write(found, output, to, every=every)
    except OSError as error:
        if to is None:
            raise
        raise refused(f"{to} cannot be written: {error.strerror}") from error
    if found.excesses:
        errors().show(f"{count(len(found.excesses), 'change')} beyond what --max-changed and --forbid allow")
        raise typer.Exit(int(ExitCode.BUDGET))


def _write(found: Report, output: DiffForm, to: Path | None, *, every: bool) -> None:
    with to.open("w", encoding="utf-8") if to is not None else nullcontext(sys.stdout) as stream:
        match output:
            case DiffForm.TEXT:
                Screen(stream).show(*terminal_parts(found, every=every))
            case DiffForm.MARKDOWN:
                stream.write(markdown_text(found))
            case DiffForm.HTML:
                stream.write(html_page(found))
            case DiffForm.JSON:
                stream.write(json_text(plain_report(found)))
