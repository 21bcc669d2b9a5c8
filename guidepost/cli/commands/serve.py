"""``guidepost serve``: serve the policies of a folder over gRPC."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from engine.model.policy import Form, Policy
from engine.model.vocabulary import FactType
from engine.version.bundle import Bundle, Versions
from guidepost.cli.options.policies_folder import LoadedPolicies, find_folder, policy_error, utc_now
from guidepost.cli.options.server_flags import CheckOption, ConfigOption, load_settings, settings_error, with_flags
from guidepost.decision_log.database import connect, display_url
from guidepost.decision_log.log_error import LogError
from guidepost.decision_log.settings import LogSettings, default_url
from guidepost.policies.sources.source import SourceError
from guidepost.program import PROGRAM
from guidepost.render.console import command_error, count, errors, grid, help_lines, results
from guidepost.server.observability import logging as server_logging
from guidepost.server.settings.build import log_format, log_settings, supervisor_config
from guidepost.server.settings.checks import UNIX, setting_problems
from guidepost.server.settings.file_modes import file_mode_warnings
from guidepost.server.settings.model import ServerSettings
from guidepost.server.settings.signing_key import SigningKey, signing_key
from guidepost.server.workers.lifecycle import Ready, supervise
from guidepost.server.workers.messages import Rejected
from guidepost.server.workers.process import CannotServe
from guidepost.server.workers.supervisor import cores
from guidepost.v1 import ticket_pb2

log = logging.getLogger("guidepost.serve")

METHOD: Final = "guidepost.v1.DecisionService/Decide"
"""The RPC for any decision of any policy."""

EVERYWHERE: Final = ("0.0.0.0", "[::]")  # noqa: S104 - compared with, not bound
"""Hosts that mean every address; an example call needs one address."""


@with_flags
def serve(config: ConfigOption = None, check: CheckOption = False, flags: dict[str, Any] | None = None) -> None:
    """Check the policies, then serve them over gRPC.

    Serves until interrupted. Every decision is recorded in the decision log, unless --log-durability off is given.
    """
    found = load_settings(flags or {}, config)
    settings = found.settings
    server_logging.set_up(log_format(settings.messages))
    if check:
        from guidepost.cli.commands.serve_check import check_server  # noqa: PLC0415 - a start needs nothing of it

        raise check_server(found, utc_now())
    if wrong := setting_problems(found):
        raise settings_error(tuple(wrong))
    folder = find_folder(settings.policies)
    for one in file_mode_warnings(found):
        log.warning("a file is open to others: %s: %s; mend it with %s", one.origin, one.message, one.help)
    try:
        key = signing_key(settings)
    except SourceError as error:
        raise command_error(
            error.message,
            "help: restore the key, name another one with --log-sign-key, or turn signing off with --no-log-sign",
        ) from error
    if key.why_not:
        log.warning("the heads of the decision log are not signed: %s", key.why_not)
    with ExitStack() as waiting:
        waiting.enter_context(errors().working("checking the policies, and starting the workers"))

        def ready(address: str, admin: str, url: str, bundle: Bundle) -> None:
            waiting.close()
            loaded = LoadedPolicies(folder, Versions(bundle.versions), utc_now())
            results().show(*_welcome(loaded, address, (admin, url), settings, key))

        try:
            refusal = _run(settings, folder, key.private, ready)
        except CannotServe as error:
            raise command_error(str(error), *help_lines(error.help)) from error
        except LogError as error:
            raise command_error(error.message, *help_lines(error.help)) from error
        except OSError as error:
            raise command_error(f"{error}: is a server already running there? --port 0 takes any free port") from error
    if refusal is not None:
        raise policy_error(folder, refusal.problems) if refusal.problems else command_error(refusal.message)


def _run(settings: ServerSettings, policies: Path, sign_key: str, ready: Ready) -> Rejected | None:
    """Serve until interrupted, from workers or from this process alone."""
    parts = supervisor_config(settings, policies, sign_key)
    if parts.workers:
        return asyncio.run(supervise(parts, settings.host, settings.port, watch=settings.watch, ready=ready))
    from guidepost.server.workers.single_process import serve_single_process  # noqa: PLC0415 - a supervisor needs no gRPC

    address = settings.host if settings.host.startswith(UNIX) else f"{settings.host}:{settings.port}"
    return serve_single_process(parts, address, ready, watch=settings.watch)


def _welcome(
    loaded: LoadedPolicies, address: str, beside: tuple[str, str], settings: ServerSettings, key: SigningKey
) -> Iterator[RenderableType]:
    options = [] if settings.policies is None else ["--policies", str(settings.policies)]
    kept, workers = log_settings(settings), cores() if settings.workers is None else settings.workers
    rows = [
        (
            f"  {version.ref.name} {version.ref.version}",
            f"in force from {version.policy.manifest.effective_from:%Y-%m-%d}",
            Text(f"digest {version.ref.digest[:12]}", "dim"),
            loaded.force_text(version),
        )
        for version in loaded.versions
    ]
    yield Text.assemble((count(len(rows), "policy version"), "bold"), ", checked and proved")
    yield grid(rows)
    yield ""
    yield Text(f"decision log {_log_name(kept)}, {kept.durability}" if kept else "no decision log", no_wrap=True)
    if kept:
        yield Text(_signed(key), no_wrap=True)
    yield Text.assemble(
        "listening on ",
        (address, "bold green"),
        f" with {count(workers, 'worker') if workers else 'a single process'}; end it with Ctrl-C",
    )
    for what, where in zip(("the admin service listens on ", "metrics are on "), beside, strict=True):
        if where:
            yield Text(f"{what}{where}", no_wrap=True)
    yield ""
    yield from _calls(loaded.versions[-1].policy, address, options, settings)


def _log_name(options: LogSettings) -> str:
    """Return the URL of a log without its password."""
    return display_url(connect(options.url or default_url()))


def _signed(key: SigningKey) -> str:
    """Return a sentence on the key that signs the heads of the log, and the command that verifies them."""
    if not key.id:
        return f"its heads are not signed{f': {key.why_not}' if key.why_not else ''}"
    made = ", made just now" if key.made else ""
    verifying = shlex.join([*program(), "audit", "verify", "--key", _near(key.public)]) if key.public else ""
    return f"its heads are signed by the key {key.id}{made}" + (
        f"; verify them with `{verifying}`" if verifying else ""
    )


def _calls(policy: Policy, address: str, options: Sequence[str], settings: ServerSettings) -> Iterator[RenderableType]:
    """Yield example calls for the shell: one without the server, and those that this server accepts."""
    facts = example_facts(policy)
    decision = next(iter(policy.manifest.triage), next(iter(policy.decisions)))
    request = json.dumps({"decision": decision, "ticket": _ticket(facts)})
    host, _, port = address.rpartition(":")
    target = f"127.0.0.1:{port}" if host in EVERYWHERE else address
    pairs = [f"{name}={value}" for name, value in facts.items()]
    yield Text("try it in another terminal", "bold")
    yield Text("  without the server:", "cyan")
    yield _command(*program(), "eval", decision, *pairs, *options)
    secured, named = settings.tls_certificate is not None, settings.callers is not None or settings.jwt_keys is not None
    if not (secured or named):
        yield Text("  a call to the server:", "cyan")
        yield _command(_near(sys.executable), "-m", "guidepost", target, *pairs)
    yield Text(
        "  a call to the server with grpcurl, if it is installed"
        + (", with a caller's key for KEY:" if named else ":"),
        "cyan",
    )
    yield _command(
        "grpcurl",
        *([] if secured else ["-plaintext"]),
        *(["-H", "authorization: Bearer KEY"] if named else []),
        "-d",
        request,
        target,
        METHOD,
    )
    if named and not secured:
        yield Text("  the same with the key in a file:", "cyan")
        yield _command(_near(sys.executable), "-m", "guidepost", "--token-file", "FILE", target, *pairs)


def _command(*words: str) -> Text:
    """Return a command on one line, so that it can be copied."""
    return Text(f"    {shlex.join(words)}", no_wrap=True)


def program() -> list[str]:
    """Return the words that run this program from the working directory."""
    started = Path(sys.argv[0])
    if started.name != PROGRAM:
        return [_near(sys.executable), "-m", "guidepost.cli"]
    found = shutil.which(PROGRAM)
    return [PROGRAM if found and Path(found).resolve() == started.resolve() else _near(started)]


def _near(path: str | Path) -> str:
    """Return a path relative to the working directory if it is below it."""
    from_here = os.path.relpath(path)
    return str(path) if from_here.startswith("..") else from_here


def example_facts(policy: Policy) -> dict[str, str]:
    """Return facts that decide something: of a cell of the first matrix, or else of a rule on choices only."""
    for table in policy.tables.values():
        if table.form is Form.MATRIX and table.matrix and set(table.reads) <= set(policy.facts):
            matrix = table.matrix
            return {matrix.down: matrix.rows[0], matrix.across: matrix.columns[len(matrix.columns) // 2]}
    for table in policy.tables.values():
        for rule in table.rules:
            words = {condition.fact: min(condition.words, default="") for condition in rule.when}
            facts = [policy.facts.get(name) for name in words]
            if words and all(fact and fact.type is FactType.CHOICE for fact in facts) and all(words.values()):
                return words
    return {}


def _ticket(facts: dict[str, str]) -> dict[str, object]:
    """Return facts as a ticket in JSON: in its fields, or in its map if it has no such field."""
    fields = ticket_pb2.Ticket.DESCRIPTOR.fields_by_name
    typed: dict[str, object] = {name: value for name, value in facts.items() if name in fields}
    others = {name: {"text": value} for name, value in facts.items() if name not in fields}
    return {**typed, **({"facts": others} if others else {})}
