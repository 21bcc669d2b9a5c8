"""``guidepost audit purge``: remove old records, so that the rest of the log still verifies."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from guidepost.cli.options.decision_log import LogOption, log_errors, open_log
from guidepost.cli.options.moment import option_instant
from guidepost.cli.options.policies_folder import utc_now
from guidepost.decision_log.default_key import PRIVATE_FILE
from guidepost.decision_log.purge import PurgeError, PurgePlan, plan_purge, purge
from guidepost.decision_log.settings import default_url, state_folder
from guidepost.decision_log.store import Store
from guidepost.policies.sources.signatures import key_id, private_key
from guidepost.render.console import (
    ExitCode,
    TableOrJson,
    command_error,
    count,
    errors,
    results,
    ruled_table,
    show_json,
)

MAX_NAME = 200


def purge_command(
    before: Annotated[
        str,
        typer.Option(
            "--before",
            metavar="INSTANT",
            help="Remove records received before this instant, such as 2025-01-01T00:00Z.",
        ),
    ],
    sign_key: Annotated[
        Path | None,
        typer.Option(
            "--sign-key",
            metavar="FILE",
            help="The private key that signs the note of the purge. Default: the server's key in your state folder.",
        ),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="NAME", help="Who removes them, for the note. Default: your user name.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
    log: LogOption = "",
    output: Annotated[TableOrJson, typer.Option("-o", "--output", help="The output format.")] = TableOrJson.TABLE,
) -> None:
    """Remove old records for good.

    Removes all records of each chain before the first one that was received at or after an instant, and leaves a note
    from which the rest of the chain verifies. Lists the records and asks first; without a terminal, removes nothing
    unless --yes is given.
    """
    instant = option_instant("--before", before)
    if instant > utc_now():
        raise command_error(f"expected an instant in the past for --before, got {before}")
    name = by or _user()
    if not (0 < len(name) <= MAX_NAME and name.isprintable()):
        raise command_error(f"expected 1 to {MAX_NAME} printable characters for --by")
    with log_errors():
        file = sign_key or _own_key()
        key = private_key(file) if file else None
    with open_log(log) as store:
        going = plan_purge(store, instant)
        signers = store.signers() if going else frozenset()
    if not going:
        _show(going, [], output, done=False)
        return
    if not yes and output is TableOrJson.TABLE:
        results().show(*_page(going))
    for line in _doubted("" if key is None else key_id(key.public_key()), signers):
        errors().show(line)
    if not (yes or (sys.stdin.isatty() and typer.confirm("Remove them for good?"))):
        if output is TableOrJson.JSON:
            _show(going, [], output, done=False)
        errors().show("nothing was removed; --yes removes without asking")
        return
    with log_errors():
        writing = Store.open(log or default_url())
    try:
        notes = purge(writing, instant, utc_now(), name, key=key)
    except PurgeError as error:
        raise command_error(error.message, f"help: {error.help}", code=ExitCode.LOG) from error
    finally:
        writing.close()
    _show(going, [note.plain for note in notes], output, done=True)


def _own_key() -> Path | None:
    """Return the file of the server's key, or None; a new key made for a purge would be trusted by nobody."""
    file = state_folder() / PRIVATE_FILE
    return file if file.exists() else None


def _doubted(key: str, signers: frozenset[str]) -> Iterator[str]:
    """Yield warnings about a note that `verify --key` will doubt: unsigned, or signed by a key that signed no head."""
    if not key:
        yield (
            f"warning: the note of this purge is not signed, so `verify --key` will doubt it; "
            f"there is no {PRIVATE_FILE} in your state folder"
        )
    elif signers and key not in signers:
        yield (
            f"warning: the key {key} signed no head of this log, so `verify --key` with the key of its heads will doubt "
            "the note of this purge"
        )
    else:
        return
    yield "help: --sign-key FILE names the private key that signs the heads"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _show(going: Sequence[PurgePlan], notes: Sequence[object], output: TableOrJson, *, done: bool) -> None:
    if output is TableOrJson.JSON:
        chains = [
            {
                "writer": one.writer,
                "entries": one.entries,
                "last": one.last,
                "received": {"first": one.received[0], "last": one.received[1]},
            }
            for one in going
        ]
        show_json({"removed": done, "chains": chains, "notes": list(notes)})
    elif not going:
        results().show("no record is that old")
    else:
        results().show(
            f"{count(sum(one.entries for one in going), 'record')} removed from {count(len(going), 'chain')}"
        )


def _page(going: Sequence[PurgePlan]) -> Iterator[RenderableType]:
    yield Text(f"{count(sum(one.entries for one in going), 'record')} would be removed", "bold")
    yield ruled_table(
        ("chain", "records", "up to entry", "received from", "to"),
        [(one.writer, f"{one.entries:,}", f"{one.last:,}", *one.received) for one in going],
    )
