"""``guidepost access``: make API keys for callers, check the file of callers."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from engine.model.problems import Place
from engine.model.quoting import visible
from guidepost.cli.command_group import command_group
from guidepost.cli.options.policies_folder import utc_now
from guidepost.render.console import ExitCode, TextOrJson, command_error, count, errors, grid, results, show_json
from guidepost.render.messages import problem_text
from guidepost.server.auth import InvalidAuthFiles
from guidepost.server.auth.api_keys import hash_key, key_id, new_key
from guidepost.server.auth.callers import Callers, expired_keys
from guidepost.server.auth.callers_file import NAME, read_callers
from guidepost.server.auth.errors import read_file
from guidepost.server.auth.roles import Role
from guidepost.text_encoding import decode_text

access: Final = command_group("Make API keys for callers, and check the file of callers.")

OutputOption = Annotated[TextOrJson, typer.Option("-o", "--output", help="The output format.")]


@access.command("new-key")
def new_key_command(
    name: Annotated[str, typer.Argument(metavar="CALLER", help="The caller the key is for.")],
    role: Annotated[
        list[Role] | None, typer.Option("--role", help="A role of the caller; may be repeated. Default: decide.")
    ] = None,
    expires: Annotated[
        str,
        typer.Option(
            "--expires", metavar="DAY", help="The first day on which the key is not valid, such as 2027-07-01."
        ),
    ] = "",
    output: OutputOption = TextOrJson.TEXT,
) -> None:
    """Make an API key for a caller.

    Prints the key, which is not shown again, and the entry for the file of callers.
    """
    if not NAME.fullmatch(name):
        raise command_error(
            f"expected the name of a caller, got `{visible(name)}`",
            "help: use 1 to 64 letters, digits and `. _ @ -`, beginning with a letter or a digit",
        )
    if expires and not _is_day(expires):
        raise command_error(f"expected a day, got `{visible(expires)}`", "help: write it like 2027-07-01")
    made, roles = new_key(), [one.value for one in role or [Role.DECIDE]]
    if output is TextOrJson.JSON:
        show_json(
            {
                "caller": name,
                "roles": roles,
                "key": made.text,
                "id": made.id,
                "sha256": made.sha256,
                "expires": expires or None,
            }
        )
        return
    until = f", expires: {expires}" if expires else ""
    results().show(
        Text("the key; it is not shown again, so pass it to the caller now", "bold"),
        Text(f"  {made.text}", no_wrap=True),
        "",
        Text("for the file of callers", "bold"),
        Text(
            f"  - name: {name}\n    roles: [{', '.join(roles)}]\n    keys:\n      - {{id: {made.id}, sha256: {made.sha256}{until}}}",
            no_wrap=True,
        ),
    )


@access.command("hash")
def hash_command(output: OutputOption = TextOrJson.TEXT) -> None:
    """Print the id and hash of a key read from standard input.

    The key is not an argument, so that it stays out of the shell's history.
    """
    text = sys.stdin.readline().strip()
    id_ = key_id(text)
    if not id_:
        raise command_error(
            "expected a key on standard input", "help: keys begin with gpk_; `guidepost access new-key` makes one"
        )
    if output is TextOrJson.JSON:
        show_json({"id": id_, "sha256": hash_key(text)})
    else:
        results().show(Text(f"{{id: {id_}, sha256: {hash_key(text)}}}", no_wrap=True))


@access.command("check")
def check_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file of callers.")],
    output: OutputOption = TextOrJson.TEXT,
) -> None:
    """Check a file of callers and list the callers in it.

    Exits with 3 if it has problems.
    """
    try:
        text = decode_text(str(file), read_file(file))
    except InvalidAuthFiles as error:
        raise command_error(str(error)) from error
    found, problems = (
        read_callers(str(file), text)
        if isinstance(text, str)
        else (Callers(), [replace(text, place=Place(file=str(file)))])
    )
    if problems:
        errors().show(*map(problem_text, problems))
        raise typer.Exit(ExitCode.POLICY)
    for one in expired_keys(found, utc_now()):
        errors().show(Text.assemble(("warning: ", "bold yellow"), one))
    rows = _rows(found)
    if output is TextOrJson.JSON:
        show_json(
            [
                {"caller": name, "roles": roles.split(", ") if roles else [], "proved_by": by.split(", ")}
                for name, roles, by in rows
            ]
        )
    else:
        results().show(
            Text(count(len(rows), "caller"), "bold"),
            grid([(f"  {name}", roles or "no role", by) for name, roles, by in rows], "cyan"),
        )


def _rows(found: Callers) -> list[tuple[str, str, str]]:
    """Return each caller with their roles and the credentials that identify them; never a hash."""
    proofs: dict[str, list[str]] = {name: [] for name in found.names}
    roles: dict[str, str] = {}
    credentials = (
        *(
            (key.caller, f"key {id_}" + (f" until {key.expires:%Y-%m-%d}" if key.expires else ""))
            for id_, key in found.keys.items()
        ),
        *((who, f"certificate {name}") for name, who in found.certificates.items()),
        *((who, f"token of {subject}") for subject, who in found.subjects.items()),
    )
    for who, by in credentials:
        proofs[who.name].append(by)
        roles[who.name] = ", ".join(role for role in Role if role in who.roles)
    return [(name, roles.get(name, ""), ", ".join(by)) for name, by in proofs.items()]


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
