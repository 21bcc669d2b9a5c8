"""``guidepost audit certificate`` and ``check``: one record with the path to a signed head, checked without the log."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from engine.decide.answer_times_json import iso
from engine.records.chain import Entry, Head
from engine.records.merkle import CoveredRange
from engine.records.record import Record
from guidepost.atomic_file import PRIVATE, write_atomically
from guidepost.cli.options.decision_log import LogOption, log_errors, open_log
from guidepost.cli.options.policies_folder import PoliciesOption, utc_now
from guidepost.cli.options.version_spec import SPEC_HELP, KeysOption, open_version, source_errors
from guidepost.decision_log.certificate import (
    MAX_SIZE,
    Certificate,
    CheckStep,
    InvalidCertificate,
    StepResult,
    certify,
    check_certificate,
)
from guidepost.decision_log.settings import default_url
from guidepost.decision_log.signed_heads import SignedHead, sign_head
from guidepost.decision_log.store import Store
from guidepost.policies.sources.signatures import private_key, trusted_keys
from guidepost.render.console import (
    ExitCode,
    TableOrJson,
    cannot_read,
    cannot_write,
    command_error,
    errors,
    grid,
    results,
    show_json,
)

STYLES: Final = {StepResult.OK: "bold green", StepResult.WRONG: "bold red", StepResult.NOT_SHOWN: "yellow"}

RecordArgument = Annotated[str, typer.Argument(metavar="RECORD", help="The id of a record.")]


def certificate(
    record: RecordArgument,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write to this file. Default: standard output.")
    ] = None,
    sign_key: Annotated[
        Path | None,
        typer.Option(
            "--sign-key",
            metavar="FILE",
            help="If no signed head covers the record yet, sign the present head of its chain with this private key.",
        ),
    ] = None,
    log: LogOption = "",
) -> None:
    """Write a certificate that a record is in the log.

    The file contains the record and the evidence; `guidepost audit check` checks it without the log.
    """
    with open_log(log) as store:
        entry = read_entry(store, record)
        made = certify(store, entry)
    if made.head is None and sign_key is not None:
        made = _signed_now(log, entry, sign_key)
    if to is None:
        sys.stdout.write(made.text)
    else:
        try:
            write_atomically(to, made.text.encode(), PRIVATE)
        except OSError as error:
            raise cannot_write(to, error) from error
    if made.head is None:
        errors().show(
            "no signed head covers this record yet, so the certificate proves only that its content matches its hash",
            "help: a server signs every minute, unless it runs with --no-log-sign; --sign-key FILE signs now",
        )
    elif to is not None:
        errors().show(
            f"{to}: entry {entry.sequence} of {entry.writer}, covered by the head at "
            f"{made.head.head.sequence}, which {made.head.key} signed on {made.head.signed}"
        )


def check(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A certificate that `guidepost audit certificate` wrote.")
    ],
    against: Annotated[
        str, typer.Option("--against", metavar="VERSION", help=f"Check that this version decides the same. {SPEC_HELP}")
    ] = "",
    key: KeysOption = None,
    policies: PoliciesOption = None,
    output: Annotated[TableOrJson, typer.Option("-o", "--output", help="The output format.")] = TableOrJson.TABLE,
) -> None:
    """Check a certificate without the log.

    Checks its hash, path, signature and version. With --against, also decides the record again. Exits with 7 if a check
    fails, or if nothing proves that the record was in the log because a signed head or --key is missing.
    """
    try:
        made = Certificate.read(_text(file))
    except InvalidCertificate as error:
        raise command_error(
            f"{file}: {error}", "help: use the file as `guidepost audit certificate` wrote it", code=ExitCode.LOG
        ) from error
    with source_errors("keys"):
        trust = trusted_keys(key or ())
    version = open_version(against, policies=policies, keys=key) if against else None
    steps = check_certificate(made, trust, version)
    if output is TableOrJson.JSON:
        show_json(
            {
                "record": _id(made),
                "sound": _sound(steps),
                "proved": is_proved(steps),
                "complete": _complete(steps),
                "steps": [{"step": one.name, "found": one.result.value, "said": one.detail} for one in steps],
            }
        )
    else:
        results().show(*_page(made, steps))
    if not is_proved(steps):
        raise typer.Exit(int(ExitCode.LOG))


def read_entry(store: Store, record: str) -> Entry:
    """Return the entry of a record; end the command if there is none, or if it was altered."""
    entry = store.get(record)
    if entry is None:
        raise command_error(
            f"no record `{record}`", "help: `guidepost audit query` lists records by ticket, time and more"
        )
    if not entry.holds:
        raise command_error(
            f"this record was altered: entry {entry.sequence} of {entry.writer} does not match its hash",
            "help: `guidepost audit get` shows the rest of it; `guidepost audit verify` lists everything that was altered",
            code=ExitCode.LOG,
        )
    return entry


def _signed_now(log: str, entry: Entry, sign_key: Path) -> Certificate:
    """Sign the head of an entry's chain, unless it is signed already, and make the certificate again."""
    with log_errors():
        signer = private_key(sign_key)
        store = Store.open(log or default_url())

    def sign(head: Head, covered: CoveredRange | None) -> SignedHead:
        return sign_head(head, iso(utc_now()), signer, covered)

    try:
        store.sign(entry.writer, sign)
        return certify(store, entry)
    finally:
        store.close()


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_SIZE + 1)
    except OSError as error:
        raise cannot_read(file, error) from error
    if len(content) > MAX_SIZE:
        raise command_error(f"{file} is too large to be a certificate")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidCertificate("expected text in UTF-8") from error


def _id(made: Certificate) -> str:
    try:
        return Record.read(made.entry.body).id
    except ValueError:
        return ""


def _sound(steps: Sequence[CheckStep]) -> bool:
    return all(step.result is not StepResult.WRONG for step in steps)


def _complete(steps: Sequence[CheckStep]) -> bool:
    return all(step.result is StepResult.OK for step in steps)


def is_proved(steps: Sequence[CheckStep]) -> bool:
    """Return whether a trusted key signed the head that covers the record, and no step is wrong."""
    found = {step.name: step.result for step in steps}
    return _sound(steps) and all(found[name] is StepResult.OK for name in ("entry", "path", "signature"))


def _page(made: Certificate, steps: Sequence[CheckStep]) -> Iterator[RenderableType]:
    yield Text.assemble("certificate of record ", (_id(made), "bold"))
    yield grid(
        [(f"  {step.name}", Text(step.result.value, STYLES[step.result]), step.detail) for step in steps], "cyan"
    )
    missing = [step.name for step in steps if step.result is StepResult.NOT_SHOWN]
    wrong = [step.name for step in steps if step.result is StepResult.WRONG]
    if wrong:
        yield Text(f"do not rely on it: wrong in {', '.join(wrong)}", "bold red")
    elif not is_proved(steps):
        yield Text(f"nothing proves that this record was in the log; not shown: {', '.join(missing)}", "bold red")
    elif missing:
        yield Text(
            f"proved: this record was in the log when its head was signed; not shown: {', '.join(missing)}",
            "bold yellow",
        )
    else:
        version = Record.read(made.entry.body).version
        yield Text(
            f"proved: the record was in the log, and {version.name} {version.version} decides the same again",
            "bold green",
        )
