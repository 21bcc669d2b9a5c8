"""``guidepost replay``: past tickets decided again, by another version, or by the one under which they were recorded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer

from engine.decision_log.filter import Filter
from engine.diff import Limit, read_limit
from guidepost.atomic_file import open_private
from guidepost.cli.commands.replay_setup import Asked, Engine, beside, proof_of, report_of, suggestion_of
from guidepost.cli.options.budget import ForbidOption, MaxChangedOption, budget_as_usage, read_budget
from guidepost.cli.options.moment import option_instant
from guidepost.cli.options.policies_folder import PoliciesOption
from guidepost.cli.options.version_spec import SPEC_HELP, KeysOption
from guidepost.render.console import ExitCode, Screen, count, errors, json_text, refused
from guidepost.render.replay_console import terminal_parts
from guidepost.render.replay_html import html_page
from guidepost.render.replay_json import plain_report
from guidepost.render.replay_markdown import markdown_text
from guidepost.render.replay_verification import html_proof, markdown_proof, plain_proof, terminal_proof
from guidepost.replay.report import ReplayReport
from guidepost.replay.verify_log import LogVerification
from guidepost.tickets.from_decision_log import DEFAULT_LOG

SOURCE_HELP: Final = "`log`, the URL of a decision log, or a file: what `guidepost audit export` wrote, Parquet (a folder or a pattern, too), CSV or JSON lines."


class ReplayForm(StrEnum):
    """How a replay is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


def replay(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=f"The past tickets: {SOURCE_HELP}")] = DEFAULT_LOG,
    against: Annotated[
        str,
        typer.Option(
            "--against",
            metavar="VERSION",
            help=f"The version under trial. {SPEC_HELP} `in-force`: for each ticket, the version that was in force when it was decided. Without it, a log is proved: each record decided again under its own version.",
        ),
    ] = "",
    before: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="VERSION",
            help="Compare with what this version decides; `in-force`, as for --against. Default: with what is recorded.",
        ),
    ] = "",
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--mapping",
            metavar="FILE",
            help="From the columns of another system to facts. Default: columns that are called like facts are facts.",
        ),
    ] = None,
    suggest_mapping: Annotated[
        bool,
        typer.Option("--suggest-mapping", help="Look at the columns, and write a draft of a mapping file instead."),
    ] = False,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="VERSION",
            help="A version to prove records by that is not in the policies folder. May be repeated.",
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="FACT",
            help="Count by the values of this fact, too. May be repeated. Default: service, channel and country.",
        ),
    ] = None,
    decision: Annotated[
        list[str] | None,
        typer.Option(
            "--decision",
            metavar="NAME",
            help="Only this decision. May be repeated. Default: what is recorded, else what a new ticket needs.",
        ),
    ] = None,
    since: Annotated[
        str,
        typer.Option(
            "--since",
            metavar="INSTANT",
            help="Of a log, only what was received from this instant on, as 2026-01-23T00:00Z.",
        ),
    ] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="INSTANT", help="Of a log, only what was received before this instant.")
    ] = "",
    limit: Annotated[int | None, typer.Option("--limit", metavar="ROWS", min=1, help="Only the first rows.")] = None,
    engine: Annotated[
        Engine,
        typer.Option(
            "--engine",
            help="Where tickets are decided: `embedded`, by this process; `spark`, where one machine is not enough (Parquet only).",
        ),
    ] = Engine.EMBEDDED,
    max_changed: MaxChangedOption = None,
    forbid: ForbidOption = None,
    max_unread: Annotated[
        str,
        typer.Option(
            "--max-unread",
            metavar="LIMIT",
            help="End with 6 if more rows cannot be read: a share such as 2%, or a number.",
        ),
    ] = "",
    unread: Annotated[
        Path | None,
        typer.Option(
            "--unread",
            metavar="FILE",
            help="Where rows go that cannot be read. Default: beside the source; no file is made if there are none.",
        ),
    ] = None,
    policies: PoliciesOption = None,
    key: KeysOption = None,
    output: Annotated[ReplayForm, typer.Option("-o", "--output", help="How to write it.")] = ReplayForm.TEXT,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write it to a file.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every change, region and group.")] = False,
) -> None:
    """Decide past tickets again: what would have changed under another version; without --against, whether a log and the policies belong together.

    Ends with 6 if more changes than --max-changed and --forbid allow, with 7 if a log does not belong to the policies, with 2 if no row can be read.
    """
    only = Filter(since=_instant("--since", since), until=_instant("--until", until))
    asked = Asked(
        source=source,
        against=against,
        before=before,
        mapping=mapping,
        by=tuple(by or ()),
        decisions=tuple(decision or ()),
        only=only,
        limit=limit,
        unread=unread or beside(source),
        policies=policies,
        keys=key,
        engine=engine,
    )
    if suggest_mapping:
        draft = suggestion_of(asked)
        _write(to, lambda stream: stream.write(draft))
        return
    limits = read_budget(max_changed, forbid), _limit(max_unread)
    if not against:
        _refuse_without_version(
            {
                "--from": before,
                "--mapping": mapping,
                "--by": by,
                "--decision": decision,
                "--max-changed": max_changed,
                "--forbid": forbid,
            }
        )
        found = proof_of(asked, with_ or (), every=every)
        _write(to, lambda stream: _put_proof(found, output, stream))
        _hold_unread(limits[1], sum(found.rejected.values()), found.records + sum(found.rejected.values()))
        if not found.ok:
            raise typer.Exit(int(ExitCode.LOG))
        return
    if with_:
        raise refused("--with is for proving a log; --against and --from name the versions of a replay")
    shown = report_of(asked, limits[0])
    _write(to, lambda stream: _put(shown, output, stream, every=every))
    _hold_unread(limits[1], sum(shown.replay.unread.values()), shown.replay.rows)
    if shown.excesses:
        errors().show(
            f"{count(len(shown.excesses), 'change')} beyond what --max-changed and --forbid allow"
            if shown.compared
            else shown.excesses[0].message
        )
        raise typer.Exit(int(ExitCode.BUDGET))
    if limits[0] and limits[1] is None:
        _point_to_max_unread(sum(shown.replay.unread.values()), shown.replay.rows)


def _put(shown: ReplayReport, output: ReplayForm, stream: TextIO, *, every: bool) -> None:
    match output:
        case ReplayForm.TEXT:
            Screen(stream).show(*terminal_parts(shown, every=every))
        case ReplayForm.MARKDOWN:
            stream.write(markdown_text(shown))
        case ReplayForm.HTML:
            stream.write(html_page(shown))
        case ReplayForm.JSON:
            stream.write(json_text(plain_report(shown)))


def _put_proof(found: LogVerification, output: ReplayForm, stream: TextIO) -> None:
    match output:
        case ReplayForm.TEXT:
            Screen(stream).show(*terminal_proof(found))
        case ReplayForm.MARKDOWN:
            stream.write(markdown_proof(found))
        case ReplayForm.HTML:
            stream.write(html_proof(found))
        case ReplayForm.JSON:
            stream.write(json_text(plain_proof(found)))


def _write(to: Path | None, put: Callable[[TextIO], object]) -> None:
    """Write to a file, or to standard output."""
    if to is None:
        put(sys.stdout)
        return
    try:
        with open_private(to) as stream:
            put(stream)
    except OSError as error:
        raise refused(f"{to} cannot be written: {error.strerror}") from error


def _refuse_without_version(options: Mapping[str, object]) -> None:
    given = [name for name, value in options.items() if value]
    if given:
        raise refused(
            f"{' and '.join(given)} {'needs' if len(given) == 1 else 'need'} --against VERSION",
            "help: `guidepost replay FILE --mapping FILE --against VERSION` decides the tickets of a file; without --against, the decision log is proved",
        )


def _hold_unread(limit: Limit | None, unread: int, rows: int) -> None:
    """End with 6 if more rows could not be read than may."""
    if limit is not None and not limit.allows(unread, rows):
        errors().show(f"{unread:,} of {rows:,} rows could not be read; the limit is {limit}")
        raise typer.Exit(int(ExitCode.BUDGET))


def _point_to_max_unread(unread: int, rows: int) -> None:
    """Print where a budget is kept of which half of the rows or more are no part."""
    if unread and 2 * unread >= rows:
        errors().show(
            f"note: {unread:,} of {rows:,} rows could not be read, and --max-changed and --forbid do not count them; --max-unread limits them"
        )


def _limit(text: str) -> Limit | None:
    with budget_as_usage():
        return read_limit(text) if text else None


def _instant(option: str, text: str) -> datetime | None:
    return option_instant(option, text) if text else None
