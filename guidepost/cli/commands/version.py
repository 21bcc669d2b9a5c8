"""``guidepost version``: the versions of everything that runs."""

from __future__ import annotations

import platform
from typing import Annotated, Final

import typer
from rich.text import Text

from guidepost.cli.options.policies_folder import PoliciesOption, load
from guidepost.program import PROGRAM, installed_version
from guidepost.render.console import TableOrJson, errors, grid, results, ruled_table, show_json

LIBRARIES: Final = ("durable-rules", "grpcio", "numpy", "protobuf", "PyYAML", "typer", "rich")
"""The libraries that a report of a defect should name."""


def version(
    policies: PoliciesOption = None,
    output: Annotated[TableOrJson, typer.Option("-o", "--output", help="The output format.")] = TableOrJson.TABLE,
) -> None:
    """Show the versions of the program, policies and libraries."""
    try:
        loaded = load(policies)
    except typer.Exit:
        # The problems are reported already; reports of defects need the version of the program as well.
        errors().show(f"{PROGRAM} {installed_version(PROGRAM)}")
        raise
    runtime = {"Python": platform.python_version(), **{name: installed_version(name) for name in LIBRARIES}}
    if output is TableOrJson.JSON:
        listed = [
            {
                "name": known.ref.name,
                "version": known.ref.version,
                "digest": known.ref.digest,
                "effective_from": known.policy.manifest.effective_from.isoformat(),
                "in_force": loaded.is_in_force(known),
            }
            for known in loaded.versions
        ]
        show_json({"program": installed_version(PROGRAM), "policies": listed, "runtime": runtime})
        return
    rows = [
        (
            known.ref.name,
            Text(known.ref.version, "bold"),
            Text(known.ref.digest[:12], "dim"),
            f"{known.policy.manifest.effective_from:%Y-%m-%d}",
            loaded.force_text(known),
        )
        for known in loaded.versions
    ]
    screen = results()
    screen.show(Text.assemble((PROGRAM, "bold"), f" {installed_version(PROGRAM)}"), "")
    screen.show(ruled_table(("policies", "version", "digest", "in force from", ""), rows), "")
    screen.show(grid([(Text(name, "cyan"), found) for name, found in runtime.items()]))
