"""``guidepost replay``: decide past tickets again, verify a decision log, draft a mapping of columns to facts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from engine.diff import Limit, read_limit
from engine.records.filter import Filter
from guidepost.cli.command_group import DefaultCommandGroup, command_group
from guidepost.cli.commands.replay_inputs import Tickets, default_unread_file
from guidepost.cli.commands.replay_run import Engine, RunOptions, run_replay
from guidepost.cli.commands.replay_suggest import suggested_mapping
from guidepost.cli.commands.replay_verify import verified_log
from guidepost.cli.options.budget import ForbidOption, MaxChangedOption, budget_errors, read_budget
from guidepost.cli.options.moment import option_instant
from guidepost.cli.options.policies_folder import PoliciesOption
from guidepost.cli.options.report_output import ReportFormatOption, ToOption, output_stream
from guidepost.cli.options.version_spec import SPEC_HELP, KeysOption
from guidepost.past_tickets.from_decision_log import DEFAULT_LOG
from guidepost.render.console import ExitCode, command_error, count, errors
from guidepost.render.replay_console import replay_parts
from guidepost.render.replay_html import replay_html
from guidepost.render.replay_json import plain_replay
from guidepost.render.replay_markdown import replay_markdown
from guidepost.render.replay_verification import (
    plain_verification,
    verification_html,
    verification_markdown,
    verification_parts,
)
from guidepost.render.report_format import ReportFormat, ReportWriters

replay: Final = command_group(
    "Decide past tickets again and report what differs. `replay SOURCE` is short for `replay run SOURCE`.",
    cls=DefaultCommandGroup,
)

SourceArgument = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="The past tickets: `log`, the URL of a decision log, an export of a log, or a Parquet, CSV or JSON Lines "
        "file. Parquet may also be a folder or a pattern.",
    ),
]
LogArgument = Annotated[
    str, typer.Argument(metavar="LOG", help="`log`, the URL of a decision log, or an export of a log.")
]
SinceOption = Annotated[
    str,
    typer.Option(
        "--since", metavar="INSTANT", help="Only records received at or after this instant, such as 2026-01-23T00:00Z."
    ),
]
UntilOption = Annotated[
    str, typer.Option("--until", metavar="INSTANT", help="Only records received before this instant.")
]
LimitOption = Annotated[int | None, typer.Option("--limit", metavar="ROWS", min=1, help="Only the first rows.")]
MaxUnreadOption = Annotated[
    str,
    typer.Option(
        "--max-unread",
        metavar="LIMIT",
        help="Exit with 6 if more rows than this cannot be read: a share such as 2%, or a number.",
    ),
]
UnreadOption = Annotated[
    Path | None,
    typer.Option(
        "--unread",
        metavar="FILE",
        help="Write the rows that cannot be read to this file. Default: a file next to the source. No file is written "
        "if every row can be read.",
    ),
]


@replay.command("run")
def run(
    source: SourceArgument = DEFAULT_LOG,
    against: Annotated[
        str,
        typer.Option(
            "--against",
            metavar="VERSION",
            help=f"The version to decide by; required. {SPEC_HELP} `in-force`: for each ticket, the version that was "
            "in force when it was decided.",
        ),
    ] = "",
    before: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="VERSION",
            help="Compare with the decisions of this version, or of `in-force`. Default: with the recorded decisions.",
        ),
    ] = "",
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--mapping",
            metavar="FILE",
            help="A file that maps the columns of another system to facts. Default: columns named like facts.",
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="FACT",
            help="Count changes by the values of this fact; may be repeated. Default: service, channel and country.",
        ),
    ] = None,
    decision: Annotated[
        list[str] | None,
        typer.Option(
            "--decision",
            metavar="NAME",
            help="Compare only this decision; may be repeated. Default: the recorded decisions, or else those that "
            "a new ticket needs.",
        ),
    ] = None,
    since: SinceOption = "",
    until: UntilOption = "",
    limit: LimitOption = None,
    engine: Annotated[
        Engine,
        typer.Option(
            "--engine",
            help="Where to decide: `embedded`, in this process, or `spark`, on a cluster (Parquet only).",
        ),
    ] = Engine.EMBEDDED,
    max_changed: MaxChangedOption = None,
    forbid: ForbidOption = None,
    max_unread: MaxUnreadOption = "",
    unread: UnreadOption = None,
    policies: PoliciesOption = None,
    key: KeysOption = None,
    output: ReportFormatOption = ReportFormat.TEXT,
    to: ToOption = None,
    every: Annotated[bool, typer.Option("--all", help="Show every change, region and group.")] = False,
) -> None:
    """Decide past tickets by a version, and report changes.

    Exits with 6 if more changes than --max-changed and --forbid allow, and with 2 if no row can be read.
    """
    if not against:
        raise command_error(
            "`--against VERSION` is missing",
            "help: `guidepost replay run SOURCE --against VERSION` decides past tickets by a version; "
            "`guidepost replay verify` checks a decision log against the versions that decided it",
        )
    options = RunOptions(
        tickets=_tickets(source, since, until, limit, unread),
        against=against,
        before=before,
        mapping=mapping,
        by=tuple(by or ()),
        decisions=tuple(decision or ()),
        policies=policies,
        keys=key,
        engine=engine,
    )
    budget, unread_limit = read_budget(max_changed, forbid), _limit(max_unread)
    report = run_replay(options, budget)
    writers = ReportWriters(
        text=lambda: replay_parts(report, every=every),
        markdown=lambda: replay_markdown(report),
        html=lambda: replay_html(report),
        json=lambda: plain_replay(report),
    )
    with output_stream(to, private=True) as stream:
        writers.write(output, stream)
    rows, left_out = report.replay.rows, sum(report.replay.unread.values())
    _check_unread(unread_limit, left_out, rows)
    if report.excesses:
        errors().show(
            f"{count(len(report.excesses), 'change')} beyond what --max-changed and --forbid allow"
            if report.compared
            else report.excesses[0].message
        )
        raise typer.Exit(int(ExitCode.BUDGET))
    if budget and unread_limit is None and left_out and 2 * left_out >= rows:
        # A budget that was kept by less than half of the tickets says little.
        errors().show(
            f"note: {left_out:,} of {rows:,} rows could not be read, and --max-changed and --forbid do not count them; "
            "--max-unread limits them"
        )


@replay.command("verify")
def verify(
    log: LogArgument = DEFAULT_LOG,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="VERSION",
            help="Also use this version, which is not in the policies folder; may be repeated.",
        ),
    ] = None,
    since: SinceOption = "",
    until: UntilOption = "",
    limit: LimitOption = None,
    max_unread: MaxUnreadOption = "",
    unread: UnreadOption = None,
    policies: PoliciesOption = None,
    key: KeysOption = None,
    output: ReportFormatOption = ReportFormat.TEXT,
    to: ToOption = None,
    every: Annotated[bool, typer.Option("--all", help="Show every record that is decided differently.")] = False,
) -> None:
    """Decide the records of a log again, to verify them.

    Each record is decided by its own version and compared with what was recorded. Exits with 7 if a record is decided
    differently or its version is missing, with 6 if more rows than --max-unread cannot be read, and with 2 if no row
    can be read.
    """
    unread_limit = _limit(max_unread)
    found = verified_log(
        _tickets(log, since, until, limit, unread), with_ or (), policies=policies, keys=key, every=every
    )
    writers = ReportWriters(
        text=lambda: verification_parts(found),
        markdown=lambda: verification_markdown(found),
        html=lambda: verification_html(found),
        json=lambda: plain_verification(found),
    )
    with output_stream(to, private=True) as stream:
        writers.write(output, stream)
    left_out = sum(found.rejected.values())
    _check_unread(unread_limit, left_out, found.records + left_out)
    if not found.ok:
        raise typer.Exit(int(ExitCode.LOG))


@replay.command("suggest-mapping")
def suggest_mapping(
    source: Annotated[str, typer.Argument(metavar="FILE", help="A Parquet, CSV or JSON Lines file of past tickets.")],
    against: Annotated[
        str, typer.Option("--against", metavar="VERSION", help=f"The version with the facts to map to. {SPEC_HELP}")
    ] = "working",
    policies: PoliciesOption = None,
    key: KeysOption = None,
    to: ToOption = None,
) -> None:
    """Draft a mapping file from the columns of a file."""
    draft = suggested_mapping(source, against, policies=policies, keys=key)
    with output_stream(to, private=True) as stream:
        stream.write(draft)


def _tickets(source: str, since: str, until: str, limit: int | None, unread: Path | None) -> Tickets:
    return Tickets(
        source=source,
        only=Filter(since=_instant("--since", since), until=_instant("--until", until)),
        limit=limit,
        unread=unread or default_unread_file(source),
    )


def _check_unread(limit: Limit | None, unread: int, rows: int) -> None:
    """Exit with 6 if more rows than the limit allows could not be read."""
    if limit is not None and not limit.allows(unread, rows):
        errors().show(f"{unread:,} of {rows:,} rows could not be read; the limit is {limit}")
        raise typer.Exit(int(ExitCode.BUDGET))


def _limit(text: str) -> Limit | None:
    with budget_errors():
        return read_limit(text) if text else None


def _instant(option: str, text: str) -> datetime | None:
    return option_instant(option, text) if text else None
