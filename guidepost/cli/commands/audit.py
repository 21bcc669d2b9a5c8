"""``guidepost audit``: search, export and verify the decision log."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer

from engine.records.chain import Entry
from engine.records.filter import Filter
from engine.records.record import Record
from guidepost.atomic_file import open_private
from guidepost.cli.command_group import command_group
from guidepost.cli.commands.audit_certificate import certificate, check
from guidepost.cli.commands.audit_explain import explain
from guidepost.cli.commands.audit_filter_check import unknown_names
from guidepost.cli.commands.audit_purge import purge_command
from guidepost.cli.options.decision_log import LogOption, open_log
from guidepost.cli.options.moment import option_instant
from guidepost.cli.options.policies_folder import available_policies
from guidepost.cli.options.version_spec import KeysOption, source_errors
from guidepost.decision_log.export_jsonl import entry_line, note_line, read_export
from guidepost.decision_log.paging import InvalidPageToken, page
from guidepost.decision_log.signed_heads import PurgeNote, SignedHead
from guidepost.decision_log.verify import verify_export, verify_store
from guidepost.policies.sources.signatures import trusted_keys
from guidepost.render.console import (
    ExitCode,
    TableOrJson,
    TextOrJson,
    cannot_read,
    cannot_write,
    command_error,
    count,
    errors,
    results,
    show_json,
)
from guidepost.render.records_console import (
    last_vouched,
    log_verification_parts,
    plain_coverage,
    record_page,
    record_rows,
)

audit: Final = command_group("Search, explain, export and verify the decision log.")

audit.command("explain")(explain)
audit.command("certificate")(certificate)
audit.command("check")(check)
audit.command("purge")(purge_command)

TicketOption = Annotated[
    str, typer.Option("--ticket", metavar="ID", help="Only records of this ticket, as the caller named it.")
]
RequestOption = Annotated[str, typer.Option("--request-id", metavar="ID", help="Only the call with this request id.")]
CallerOption = Annotated[str, typer.Option("--caller", metavar="NAME", help="Only calls of this caller.")]
VersionOption = Annotated[
    str,
    typer.Option(
        "--version",
        metavar="VERSION",
        help="Only decisions by this version: its number, or the beginning of its digest.",
    ),
]
RuleOption = Annotated[str, typer.Option("--rule", metavar="ID", help="Only decisions in which this rule fired.")]
OutcomeOption = Annotated[
    str,
    typer.Option(
        "--outcome",
        metavar="NAME=VALUE",
        help="Only decisions with this outcome; VALUE may also be `undecided` or `not_covered`.",
    ),
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


class ExportFormat(StrEnum):
    """The formats of an export."""

    JSONL = "jsonl"
    PARQUET = "parquet"


@audit.command("get")
def get(
    record: Annotated[str, typer.Argument(metavar="RECORD", help="The id of a record.")],
    log: LogOption = "",
    output: Annotated[TableOrJson, typer.Option("-o", "--output", help="The output format.")] = TableOrJson.TABLE,
) -> None:
    """Show one record in full."""
    with open_log(log) as store:
        entry = store.get(record)
    if entry is None:
        raise command_error(
            f"no record `{record}`", "help: `guidepost audit query` lists records by ticket, time and more"
        )
    if not entry.holds:
        errors().show(f"this record was altered: entry {entry.sequence} of {entry.writer} does not match its hash")
    try:
        if output is TableOrJson.JSON:
            show_json(json.loads(entry_line(entry)))
        else:
            results().show(*record_page(entry, Record.read(entry.body)))
    except ValueError as error:
        errors().show(f"the rest of the record cannot be read: {error}")
    if not entry.holds:
        raise typer.Exit(int(ExitCode.LOG))


@audit.command("query")
def query(
    ticket: TicketOption = "",
    request_id: RequestOption = "",
    caller: CallerOption = "",
    version: VersionOption = "",
    rule: RuleOption = "",
    outcome: OutcomeOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most this many records.")] = 50,
    token: Annotated[
        str, typer.Option("--page", metavar="TOKEN", help="The next page, by the token of the previous one.")
    ] = "",
    log: LogOption = "",
    output: Annotated[TableOrJson, typer.Option("-o", "--output", help="The output format.")] = TableOrJson.TABLE,
) -> None:
    """List records in the order in which they were received."""
    records_filter = _records_filter(
        ticket=ticket,
        request_id=request_id,
        caller=caller,
        version=version,
        rule=rule,
        outcome=outcome,
        since=since,
        until=until,
    )
    with open_log(log) as store:
        try:
            found = page(store, records_filter, limit, token)
        except InvalidPageToken as error:
            raise command_error(f"--page {token}: {error}") from error
    unknown = [] if found.records or not (rule or outcome) else unknown_names(records_filter, available_policies())
    if output is TableOrJson.JSON:
        show_json({"entries": [json.loads(entry_line(entry)) for entry, _ in found.records], "next": found.next_token})
        if unknown:
            errors().show("; ".join(unknown))
        return
    if not found.records:
        results().show("; ".join(["no records", *unknown]))
        return
    results().show(record_rows(found.records))
    if found.next_token:
        errors().show(f"there are more records: --page {found.next_token}")


@audit.command("export")
def export(
    ticket: TicketOption = "",
    request_id: RequestOption = "",
    caller: CallerOption = "",
    version: VersionOption = "",
    rule: RuleOption = "",
    outcome: OutcomeOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    heads: Annotated[
        bool, typer.Option("--heads", help="Export the signed heads of the chains instead of records.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write to this file. Default: standard output.")
    ] = None,
    form: Annotated[
        ExportFormat | None,
        typer.Option("--format", help="The format. Default: Parquet if FILE ends in .parquet, or else JSON Lines."),
    ] = None,
    log: LogOption = "",
) -> None:
    """Export records as JSON Lines or Parquet.

    Without a filter, exports whole chains, which can be verified; with one, the matching records in the order in which
    they were received.
    """
    records_filter = _records_filter(
        ticket=ticket,
        request_id=request_id,
        caller=caller,
        version=version,
        rule=rule,
        outcome=outcome,
        since=since,
        until=until,
    )
    if form is ExportFormat.PARQUET or (form is None and not heads and to is not None and to.suffix == ".parquet"):
        if to is None or heads:
            raise command_error(
                "signed heads are exported as JSON Lines only" if heads else "Parquet needs a file",
                "help: leave --format out" if heads else "help: add --to FILE",
            )
        _export_parquet(records_filter, to, log)
        return
    with open_log(log) as store:
        lines: Iterable[str]
        if heads:
            lines = (signed.line() for signed in store.signed_heads())
        elif records_filter == Filter():
            lines = chain(map(note_line, store.purge_notes()), map(entry_line, store.entries()))
        else:
            lines = (entry_line(entry) for entry, _ in store.search(records_filter))
        if to is None:
            _write(lines, sys.stdout)
            return
        try:
            with open_private(to) as file:
                written = _write(lines, file)
        except OSError as error:
            raise cannot_write(to, error) from error
    errors().show(f"{count(written, 'line')} in {to}")


def _export_parquet(records_filter: Filter, to: Path, log: str) -> None:
    # Loaded here, since pyarrow takes a while to load and nothing else needs it.
    from guidepost.decision_log.export_parquet import write_parquet  # noqa: PLC0415

    with open_log(log) as store:
        entries = (
            store.entries() if records_filter == Filter() else (entry for entry, _ in store.search(records_filter))
        )
        try:
            written = write_parquet(entries, to, store.purge_notes() if records_filter == Filter() else ())
        except OSError as error:
            raise cannot_write(to, error) from error
    errors().show(f"{count(written, 'entry', 'entries')} in {to}")


@audit.command("verify")
def verify_log(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="An export without a filter. Default: the log itself.")
    ] = None,
    heads: Annotated[
        Path | None,
        typer.Option(
            "--heads", metavar="FILE", help="Signed heads that were exported earlier and kept in a safe place."
        ),
    ] = None,
    key: KeysOption = None,
    log: LogOption = "",
    output: Annotated[TextOrJson, typer.Option("-o", "--output", help="The output format.")] = TextOrJson.TEXT,
) -> None:
    """Verify that no entry of the log was altered.

    Names every entry that was changed, removed, inserted or moved. With --key or --heads, reports how many entries a
    trusted head covers. Exits with 7 if the log is not whole, or if a chain has no trusted head.
    """
    with source_errors("keys"):
        trust = trusted_keys(key or ())
    kept = _heads(heads) if heads else []
    if file is not None:
        report = verify_export(_entries(file), trust, kept)
    else:
        with open_log(log) as store:
            report = verify_store(store, trust, kept)
    found = report.found
    if output is TextOrJson.JSON:
        show_json(
            {
                "whole": report.whole,
                "entries": found.entries,
                "breaks": [asdict(one) for one in found.breaks],
                "doubts": report.doubts,
                "heads": [asdict(head) for head in found.heads],
                "unheld": [asdict(head) for head in found.unheld],
                "signed": last_vouched(report),
                "covered": None if report.coverage is None else report.covered,
                "coverage": plain_coverage(report),
                "purges": [note.plain for note in report.notes],
            }
        )
    else:
        results().show(*log_verification_parts(report))
        if report.signed and not trust.keys:
            errors().show(
                f"{count(len(report.signed), 'signed head')} compared with the chains; --key FILE verifies the signatures too"
            )
    if not report.whole:
        raise typer.Exit(int(ExitCode.LOG))


def _write(lines: Iterable[str], to: TextIO) -> int:
    written = 0
    with suppress(BrokenPipeError):
        for text in lines:
            to.write(text + "\n")
            written += 1
        to.flush()
    return written


def _entries(file: Path) -> Iterable[Entry | PurgeNote]:
    try:
        with file.open("rb") as start:
            parquet = start.read(4) == b"PAR1"
        if parquet:
            from guidepost.decision_log.export_parquet import read_parquet  # noqa: PLC0415

            yield from read_parquet(file)
            return
        with file.open(encoding="utf-8") as lines:
            yield from read_export(lines)
    except OSError as error:
        raise cannot_read(file, error) from error
    except ValueError as error:
        raise command_error(f"{file}: {error}") from error


def _heads(file: Path) -> list[SignedHead]:
    try:
        return [SignedHead.read(text) for text in file.read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise cannot_read(file, error) from error
    except ValueError as error:
        raise command_error(f"expected signed heads in {file}: {error}") from error


def _records_filter(
    *, ticket: str, request_id: str, caller: str, version: str, rule: str, outcome: str, since: str, until: str
) -> Filter:
    return Filter(
        ticket=ticket,
        request_id=request_id,
        caller=caller,
        version=version,
        rule=rule,
        outcome=outcome,
        since=_instant("--since", since),
        until=_instant("--until", until),
    )


def _instant(option: str, text: str) -> datetime | None:
    return option_instant(option, text) if text else None
