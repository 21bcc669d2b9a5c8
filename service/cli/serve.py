"""``guidepost serve``: the policies of a folder, answered over gRPC until interrupted."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from engine.bundle import Bundle, Versions
from engine.policy import Form, Policy
from engine.problems import PolicyErrors
from engine.vocabulary import FactType
from service import app
from service.access import Access
from service.cli.folder import Loaded, PoliciesOption, find_folder, refused_policies, utc_now
from service.cli.logged import (
    ClearOption,
    DurabilityOption,
    LogOption,
    MaskKeyOption,
    MaskOption,
    MillisecondsOption,
    PatienceOption,
    RecordsOption,
    SignOption,
    WriterOption,
    log_settings,
    refusing_log,
)
from service.cli.terminal import count, errors, grid, refused, results
from service.cli.version import PROGRAM
from service.log.database import connect, shown
from service.log.settings import Durability, LogSettings
from service.metrics import Metrics, exposed
from service.store import load_bundle
from service.wire import TYPED_FACTS

METHOD: Final = "guidepost.v1.DecisionService/Decide"
"""The call that answers any decision of any policy."""

EVERYWHERE: Final = ("0.0.0.0", "[::]")  # noqa: S104 - compared with, not bound
"""Hosts that mean every address; calls need one."""


def serve(
    policies: PoliciesOption = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0 is every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 is any free one.")] = 50051,
    log: LogOption = "",
    durability: DurabilityOption = Durability.SYNC,
    records: RecordsOption = 1_000,
    milliseconds: MillisecondsOption = 200,
    writer: WriterOption = "main",
    patience: PatienceOption = 5.0,
    mask_key: MaskKeyOption = None,
    mask: MaskOption = None,
    clear: ClearOption = None,
    sign_key: SignOption = None,
    metrics: Annotated[
        str, typer.Option("--metrics", metavar="ADDRESS", help="Serve metrics for Prometheus on this host:port, such as 127.0.0.1:9464, to whoever reaches it. Default: not at all.")
    ] = "",
    audit_purge: Annotated[bool, typer.Option("--audit-purge", help="Let callers remove old records from the decision log, over gRPC.")] = False,
) -> None:
    """Check and prove the policies, then serve them over gRPC until interrupted, with every decision in the decision log."""
    settings = log_settings(log, durability, records, milliseconds, writer, patience, mask_key, mask, clear, sign_key)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    folder = find_folder(policies)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        with errors().working("checking and proving the policies"):
            bundle = load_bundle(folder)
    except PolicyErrors as error:
        raise refused_policies(folder, error.problems) from error
    try:
        with refusing_log(), _exposed(metrics) as (measured, url):
            loaded = Loaded(folder, Versions(bundle.versions), utc_now())
            asyncio.run(_serve(bundle, loaded, address, _options(policies), settings, Access(purge=audit_purge), measured, url))
    except OSError as error:
        raise refused(f"{error}: is a server already running there? --port 0 takes any free port") from error


async def _serve(
    bundle: Bundle, loaded: Loaded, address: str, options: Sequence[str], log: LogSettings, access: Access, metrics: Metrics | None, url: str,
) -> None:
    await app.serve(bundle, address, log=log, access=access, metrics=metrics, ready=lambda bound: results().show(*_welcome(loaded, bound, options, log, url)))


@contextmanager
def _exposed(address: str) -> Iterator[tuple[Metrics | None, str]]:
    """Serve metrics while the block runs, if there is an address for them; give them, and their URL."""
    if not address:
        yield None, ""
        return
    metrics = Metrics()
    with ExitStack() as stack:
        try:
            url = stack.enter_context(exposed(metrics.registry, address))
        except (ValueError, OSError) as error:
            raise refused(f"metrics cannot be served on {address}: {error}") from error
        yield metrics, url


def _options(policies: Path | None) -> list[str]:
    return [] if policies is None else ["--policies", str(policies)]


def _welcome(loaded: Loaded, address: str, options: Sequence[str], log: LogSettings, metrics: str = "") -> Iterator[RenderableType]:
    rows = [
        (
            f"  {version.ref.name} {version.ref.version}",
            f"in force from {version.policy.manifest.effective_from:%Y-%m-%d}",
            Text(f"digest {version.ref.digest[:12]}", "dim"),
            loaded.standing(version),
        )
        for version in loaded.versions
    ]
    yield Text.assemble((count(len(rows), "policy version"), "bold"), ", checked and proved")
    yield grid(rows)
    yield ""
    yield Text(f"decision log {shown(connect(log.url))}, {log.durability}" if log.durability is not Durability.OFF else "no decision log", no_wrap=True)
    if metrics:
        yield Text(f"metrics on {metrics}", no_wrap=True)
    yield Text.assemble("listening on ", (address, "bold green"), "; end it with Ctrl-C")
    yield ""
    yield from _calls(loaded.versions[-1].policy, address, options)


def _calls(policy: Policy, address: str, options: Sequence[str]) -> Iterator[RenderableType]:
    """Give calls to try, for the shell: one without the server, and two that ask it."""
    facts = example_facts(policy)
    decision = next(iter(policy.manifest.triage), next(iter(policy.decisions)))
    request = json.dumps({"decision": decision, "ticket": _ticket(facts)})
    host, _, port = address.rpartition(":")
    target = f"127.0.0.1:{port}" if host in EVERYWHERE else address
    pairs = [f"{name}={value}" for name, value in facts.items()]
    yield Text("try it in another terminal", "bold")
    yield Text("  without the server:", "cyan")
    yield _command(*program(), "eval", decision, *pairs, *options)
    yield Text("  a call to the server:", "cyan")
    yield _command(_near(sys.executable), "-m", "guidepost", target, *pairs)
    yield Text("  the same with grpcurl, if it is installed:", "cyan")
    yield _command("grpcurl", "-plaintext", "-d", request, target, METHOD)


def _command(*words: str) -> Text:
    """Give a command on one line, however long, so that it can be copied."""
    return Text(f"    {shlex.join(words)}", no_wrap=True)


def program() -> list[str]:
    """Give this program as one would type it here."""
    started = Path(sys.argv[0])
    if started.name != PROGRAM:
        return [_near(sys.executable), "-m", "service.cli"]
    found = shutil.which(PROGRAM)
    return [PROGRAM if found and Path(found).resolve() == started.resolve() else _near(started)]


def _near(path: str | Path) -> str:
    """Give a path as it is from here, if it lies below."""
    from_here = os.path.relpath(path)
    return str(path) if from_here.startswith("..") else from_here


def example_facts(policy: Policy) -> dict[str, str]:
    """Give facts that decide something: those of a cell of the first matrix, else of a rule that asks for plain words."""
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
    """Give facts as a ticket in JSON: in its fields where it has them, else in its map."""
    typed: dict[str, object] = {name: value for name, value in facts.items() if name in TYPED_FACTS}
    others = {name: {"text": value} for name, value in facts.items() if name not in TYPED_FACTS}
    return {**typed, **({"facts": others} if others else {})}
