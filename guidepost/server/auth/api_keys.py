"""API keys: ``gpk_ID_SECRET``. The id finds the key in the file of callers; the secret is 256 random bits.

A plain hash is enough: nobody can guess such a secret, and a slow hash would let attackers keep the server busy.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "gpk"
"""The beginning of every key, so that scanners for leaked secrets recognize it."""

MAX_LENGTH: Final = 200

_KEY: Final = re.compile(r"gpk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new key: the text is for the caller, id and hash are for the file of callers."""

    text: str
    id: str
    sha256: str


def new_key() -> NewKey:
    """Return a new random key."""
    id_ = secrets.token_hex(6)
    text = f"{PREFIX}_{id_}_{secrets.token_urlsafe(32)}"
    return NewKey(text, id_, hash_key(text))


def key_id(text: str) -> str:
    """Return the id of a key; "" for any other text.

    >>> key_id("gpk_0123456789ab_" + "x" * 43), key_id("gpk_0123456789ab_short"), key_id("Bearer")
    ('0123456789ab', '', '')
    """
    found = _KEY.fullmatch(text)
    return found[1] if found else ""


def hash_key(text: str) -> str:
    """Return the SHA-256 hash of a key in hexadecimal digits, as in the file of callers."""
    return hashlib.sha256(text.encode()).hexdigest()


def matches(text: str, sha256: str) -> bool:
    """Return whether a key has this hash, in constant time."""
    return hmac.compare_digest(hash_key(text), sha256)
