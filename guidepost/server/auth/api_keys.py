"""API keys: ``gpk_ID_SECRET``. The id says where to look, and the secret is 256 random bits, so a plain hash keeps it safe.

Slow hashes are for secrets that people make up. A key cannot be guessed, and a slow hash would only help whoever wants
to keep the server busy.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "gpk"
"""What a key begins with, so that tools which look for leaked secrets know it."""

MAX_LENGTH: Final = 200

_KEY: Final = re.compile(r"gpk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made: the text goes to the caller, and only id and hash stay."""

    text: str
    id: str
    sha256: str


def new_key() -> NewKey:
    """Make a key."""
    id_ = secrets.token_hex(6)
    text = f"{PREFIX}_{id_}_{secrets.token_urlsafe(32)}"
    return NewKey(text, id_, hash_key(text))


def key_id(text: str) -> str:
    """Return the id of a key; "" for what is none.

    >>> key_id("gpk_0123456789ab_" + "x" * 43), key_id("gpk_0123456789ab_short"), key_id("Bearer")
    ('0123456789ab', '', '')
    """
    found = _KEY.fullmatch(text)
    return found[1] if found else ""


def hash_key(text: str) -> str:
    """Return the hash of a key, as the file of callers has it."""
    return hashlib.sha256(text.encode()).hexdigest()


def matches(text: str, sha256: str) -> bool:
    """Return whether a key has this hash; takes the same time whatever differs."""
    return hmac.compare_digest(hash_key(text), sha256)
