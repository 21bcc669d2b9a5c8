"""``guidepost unpack``: make a policies folder from bundles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from guidepost.cli.commands.keys import read_verified_bundle
from guidepost.cli.options.version_spec import KeysOption, source_errors
from guidepost.policies.sources.bundle_archive import BuiltBundle, read_bundle
from guidepost.policies.sources.remote import split_pin
from guidepost.policies.sources.signatures import Trust, trusted_keys
from guidepost.policies.sources.zip_tar import local_bytes
from guidepost.policies.unpack import NotUnpacked, unpack
from guidepost.render.console import ExitCode, TableOrJson, cannot_write, command_error, count, grid, results, show_json

ENDING: Final = ".zip"


def unpack_command(
    bundles: Annotated[
        list[str],
        typer.Argument(
            metavar="BUNDLE...",
            help="Bundles that `guidepost build` made: files, folders of files, or addresses; a suffix `#sha256=...` pins the "
            "bytes.",
        ),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The policies folder to make.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace the folder if it exists.")] = False,
    key: KeysOption = None,
    output: Annotated[TableOrJson, typer.Option("-o", "--output", help="The output format.")] = TableOrJson.TABLE,
) -> None:
    """Make a policies folder from bundles, one for each version.

    The last version to come into effect becomes the working version, the others become past versions. With --key, every
    bundle must be signed by a trusted key; without it, only remote bundles are verified. Nothing is written if a bundle
    is rejected.
    """
    with source_errors("keys"):
        trust = trusted_keys(key or ())
    made = [_read(spec, trust) for spec in _listed(bundles)]
    try:
        with source_errors("these bundles"):
            ordered = unpack(made, to, replace=replace)
    except NotUnpacked as error:
        raise command_error(
            str(error), *(["help: --replace replaces it"] if to.exists() and not replace else [])
        ) from error
    except OSError as error:
        raise cannot_write(to, error) from error
    rows = [
        {
            "name": one.ref.name,
            "version": one.ref.version,
            "effective_from": one.effective_from.isoformat(),
            "digest": one.ref.digest,
        }
        for one in ordered
    ]
    if output is TableOrJson.JSON:
        show_json({"folder": to.as_posix(), "versions": rows})
    else:
        results().show(
            f"{count(len(rows), 'version')} in {to}",
            grid(
                [
                    (
                        f"  {row['name']} {row['version']}",
                        f"from {row['effective_from'][:10]}",
                        f"digest {row['digest'][:12]}",
                    )
                    for row in rows
                ]
            ),
        )


def _listed(bundles: list[str]) -> list[str]:
    """Return the specs with each folder replaced by its bundles."""
    listed: list[str] = []
    for spec in bundles:
        folder = Path(spec)
        if "://" in spec or not folder.is_dir():
            listed.append(spec)
            continue
        found = sorted(path.as_posix() for path in folder.glob(f"*{ENDING}"))
        if not found:
            raise command_error(f"expected files that end with {ENDING} in {spec}, got none")
        listed += found
    return listed


def _read(spec: str, trust: Trust) -> BuiltBundle:
    with source_errors(spec, ExitCode.POLICY):
        name, pin = split_pin(spec)
        if trust.keys or "://" in name:
            return read_verified_bundle(name, pin, trust, None)[0]
        return read_bundle(local_bytes(Path(name), pin), name)
