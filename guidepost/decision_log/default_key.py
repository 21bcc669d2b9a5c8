"""The key that signs heads if no setting names one: a server makes it on its first start, in the state folder.

Processes that start at the same time use the same key: each writes a file and links it to the final name, which
succeeds for only one of them.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from guidepost.atomic_file import write_atomically
from guidepost.policies.sources.signatures import key_id, private_key, private_pem, public_pem
from guidepost.policies.sources.source import SourceError

PRIVATE_FILE: Final = "head.private.pem"
PUBLIC_FILE: Final = "head.public.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultKey:
    """The files of a key pair, the id of the key in heads, and whether it was made just now."""

    private: Path
    public: Path
    id: str
    made: bool


def default_key(folder: Path) -> DefaultKey:
    """Return the key of a state folder; makes the key and the folder if there is none.

    Raises OSError if it cannot be made, SourceError if an existing file does not contain a readable key.
    """
    private, public = folder / PRIVATE_FILE, folder / PUBLIC_FILE
    made = not private.exists() and _make(private)
    key = private_key(private)
    pem = public_pem(key)
    if not _holds(public, pem):
        write_atomically(public, pem)
    return DefaultKey(private=private, public=public, id=key_id(key.public_key()), made=made)


def default_key_problem(folder: Path) -> str:
    """Return why the key of a state folder cannot be used or made, without making it; "" if it can."""
    private = folder / PRIVATE_FILE
    try:
        if private.exists():
            private_key(private)
            return ""
        parent = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    except SourceError as error:
        return error.message
    except OSError as error:
        return f"{folder} cannot be read: {error.strerror}"
    return "" if os.access(parent, os.W_OK | os.X_OK) else f"{parent} cannot be written"


def _make(private: Path) -> bool:
    """Write a new key; returns False if another process has written one first."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - large

    private.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=private.parent, prefix=f".{private.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(private_pem(Ed25519PrivateKey.generate()))
            file.flush()
            os.fsync(file.fileno())
        os.link(name, private)
    except FileExistsError:
        return False
    finally:
        Path(name).unlink()
    return True


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except FileNotFoundError:
        return False
