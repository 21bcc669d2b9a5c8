"""``guidepost keys``, ``sign`` and ``verify``: signatures of bundles."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from guidepost.cli.command_group import command_group
from guidepost.cli.options.version_spec import KeysOption, source_errors
from guidepost.policies.sources.bundle_archive import BuiltBundle, read_bundle
from guidepost.policies.sources.remote import Fetched, check_pin, fetch, redacted, split_pin
from guidepost.policies.sources.signatures import (
    MAX_SIGNATURE,
    SUFFIX,
    Trust,
    new_key,
    private_key,
    read_signature,
    same_digest,
    sign,
    trusted_keys,
    verify,
)
from guidepost.policies.sources.source import SourceError
from guidepost.policies.sources.zip_tar import local_bytes
from guidepost.render.console import ExitCode, command_error, grid, results, show_json

keys: Final = command_group("Make and show the keys that sign bundles.")

BundleArgument = Annotated[str, typer.Argument(metavar="BUNDLE", help="A bundle that `guidepost build` made.")]


@keys.command("new")
def keys_new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The name of the two files, NAME.private.pem and NAME.public.pem.")
    ],
) -> None:
    """Make a pair of Ed25519 keys as PEM files.

    Sign with the private key, and give the public key to those who verify.
    """
    private, public = Path(f"{name}.private.pem"), Path(f"{name}.public.pem")
    with source_errors(name):
        made = new_key(private, public)
    results().show(
        grid(
            [("private", f"{private}  keep it secret: it signs in your name"), ("public", str(public)), ("key", made)],
            "cyan",
        )
    )


@keys.command("show")
def keys_show(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Public keys, or folders of them.")],
) -> None:
    """Show the ids of public keys, which signatures refer to."""
    with source_errors("keys"):
        trusted = trusted_keys(files)
    results().show(grid([(key.id, key.name) for key in trusted.keys], "cyan"))


def sign_command(
    bundle: BundleArgument,
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="The private key.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write the signature to this file. Default: BUNDLE.sig.",
        ),
    ] = None,
) -> None:
    """Sign a bundle with a private key.

    Writes a file with the signature of its bytes and the id of the key.
    """
    path = output or Path(bundle + SUFFIX)
    with source_errors(bundle):
        made = read_bundle(local_bytes(Path(bundle)), Path(bundle).as_posix())
        content = sign(made.sha256, made.ref.digest, private_key(key))
        try:
            path.write_bytes(content)
        except OSError as error:
            raise SourceError(f"{path} cannot be written: {error.strerror}") from error
        by = read_signature(content, str(path)).key
    results().show(f"signed {bundle}", grid([("signature", str(path)), ("key", by), *_rows(made)], "cyan"))


def verify_bundle(
    bundle: Annotated[
        str,
        typer.Argument(
            metavar="BUNDLE",
            help="A bundle that `guidepost build` made, or its address; a suffix `#sha256=...` pins its bytes.",
        ),
    ],
    key: KeysOption = None,
    signature: Annotated[
        Path | None,
        typer.Option("--signature", metavar="FILE", help="The file with the signature. Default: BUNDLE.sig."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Verify the content and the signature of a bundle.

    The content must be as built, and a trusted key must have signed it. Exits with 3 if it must not be used.
    """
    with source_errors("keys"):
        trust = trusted_keys(key or ())
        name, pin = split_pin(bundle)
    if not trust.keys and not pin:
        raise command_error(
            "a key or a hash is missing to verify the bundle",
            "help: name a trusted public key with --key, or add `#sha256=...` to the bundle",
        )
    with source_errors(bundle, ExitCode.POLICY):
        made, by = read_verified_bundle(name, pin, trust, signature)
    if as_json:
        show_json(
            {
                "bundle": bundle,
                "verified_by": by,
                "name": made.ref.name,
                "version": made.ref.version,
                "digest": made.ref.digest,
                "sha256": made.sha256,
            }
        )
    else:
        results().show(
            Text.assemble((bundle, "bold"), f" is {made.ref.name} {made.ref.version}, as it was built, {by}"),
            grid(_rows(made), "cyan"),
        )


def read_verified_bundle(name: str, pin: str, trust: Trust, signature: Path | None) -> tuple[BuiltBundle, str]:
    """Return a bundle that is as built, and how it was verified; the key and the hash must match if both are given."""
    if "://" in name:
        fetched = fetch(name, "" if trust.keys else pin, trust)
    else:
        data = local_bytes(Path(name))
        fetched = (
            _signed(data, name, trust, signature or Path(name + SUFFIX))
            if trust.keys
            else Fetched(data, f"pinned by sha256 {pin}", None)
        )
    if pin:
        check_pin(fetched.data, pin, redacted(name))
    made = read_bundle(fetched.data, redacted(name))
    if fetched.signature is not None:
        same_digest(fetched.signature, made.ref.digest, redacted(name))
    return made, fetched.by


def _signed(data: bytes, name: str, trust: Trust, path: Path) -> Fetched:
    found = read_signature(local_bytes(path)[: MAX_SIGNATURE + 1], str(path))
    by = verify(hashlib.sha256(data).hexdigest(), found, trust, name)
    return Fetched(data, f"signed by {by.id} ({by.name})", found)


def _rows(made: BuiltBundle) -> list[tuple[str, str]]:
    return [("version", f"{made.ref.name} {made.ref.version}"), ("digest", made.ref.digest), ("sha256", made.sha256)]
