"""``guidepost prove``: prove the invariants of every version, or show a ticket that breaks one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from engine.invariants.prove import invariant_problems
from engine.invariants.sentence import sentence
from engine.load import load
from engine.model.invariants import DecidedTicket, InvariantResult
from engine.model.policy import Policy
from engine.model.problems import PolicyErrors
from engine.version.build import draw_and_check, invariant_results
from guidepost.cli.options.policies_folder import find_folder, policy_error
from guidepost.policies.sources.folder import VersionFolder, read_folder, version_folders
from guidepost.render.console import ExitCode, JsonObject, TableOrJson, count, errors, results, ruled_table, show_json
from guidepost.render.messages import problem_text
from guidepost.render.policy_json import plain_place


@dataclass(frozen=True, slots=True)
class ProvedVersion:
    """The invariants of one version with their results."""

    root: str
    policy: Policy
    proofs: tuple[InvariantResult, ...]


def prove(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="The policies folder; the versions in its past/ are proved too."),
    ] = None,
    output: Annotated[TableOrJson, typer.Option("-o", "--output", help="The output format.")] = TableOrJson.TABLE,
) -> None:
    """Prove the invariants of every version, over all cases.

    `guidepost check` proves them too, and a version with a failing invariant is not served. Exits with 3 if one fails.
    """
    found = [_proved(version) for version in version_folders(find_folder(folder), as_typed=True)]
    if output is TableOrJson.JSON:
        show_json([_plain(one) for one in found])
    else:
        results().show(*(part for one in found for part in _parts(one)), _summary(found))
    if not all(proof.holds for one in found for proof in one.proofs):
        raise typer.Exit(int(ExitCode.POLICY))


def _proved(version: VersionFolder) -> ProvedVersion:
    try:
        with errors().working(f"proving {version.root}"):
            policy = load(read_folder(version), version.root)
            return ProvedVersion(version.root, policy, invariant_results(policy, draw_and_check(policy)))
    except PolicyErrors as error:
        raise policy_error(version.path, error.problems) from error


def _parts(one: ProvedVersion) -> Iterator[RenderableType]:
    manifest = one.policy.manifest
    yield Text.assemble((one.root, "bold"), f"  {manifest.name} {manifest.version}")
    if not one.proofs:
        yield Text("  no invariants", "dim")
    else:
        yield ruled_table(("invariant", "says", "cases", ""), [_row(proof) for proof in one.proofs])
    yield ""
    for problem in invariant_problems(one.proofs):
        yield problem_text(problem)
    if not all(proof.holds for proof in one.proofs):
        yield ""


def _row(proof: InvariantResult) -> tuple[RenderableType, ...]:
    invariant = proof.invariant
    says = Text.assemble(invariant.about, ("\n" + sentence(invariant), "dim"))
    stands = Text("proved", "green") if proof.holds else Text("too large" if proof.too_large else "fails", "bold red")
    return Text(invariant.id, "bold"), says, Text(f"{proof.cases:,}", justify="right"), stands


def _summary(found: list[ProvedVersion]) -> Text:
    proofs = [proof for one in found for proof in one.proofs]
    if not proofs:
        return Text.assemble(f"{count(len(found), 'version')}: ", ("no invariants", "yellow"))
    failed = sum(not proof.holds for proof in proofs)
    return Text.assemble(
        f"{count(len(found), 'version')}: {len(proofs) - failed:,} of {count(len(proofs), 'invariant')} ",
        ("proved", "bold red" if failed else "green"),
    )


def _plain(one: ProvedVersion) -> JsonObject:
    manifest = one.policy.manifest
    return {
        "folder": one.root,
        "name": manifest.name,
        "version": manifest.version,
        "invariants": [plain_invariant(proof) for proof in one.proofs],
    }


def plain_invariant(proof: InvariantResult) -> JsonObject:
    """Return an invariant and its result as data, with the tickets that break it."""
    invariant, shown = proof.invariant, proof.counterexample
    return {
        "id": invariant.id,
        "form": invariant.form,
        "about": invariant.about,
        "says": sentence(invariant),
        "source": invariant.source,
        "place": plain_place(invariant.place),
        "cases": proof.cases,
        "proved": proof.holds,
        "too_large": proof.too_large or None,
        "counterexample": [_plain_ticket(ticket) for ticket in shown.tickets] if shown else None,
    }


def _plain_ticket(ticket: DecidedTicket) -> JsonObject:
    return {"facts": dict(ticket.facts), "outcomes": dict(ticket.outcomes)}
