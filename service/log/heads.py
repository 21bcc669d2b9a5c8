"""Signed heads: who vouches, at which instant, for how far a chain had come. Kept in the log, and exported.

What is signed is a line that names its purpose, the writer, the number and the hash, so that a signature of anything
else never counts for a head.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine.decisionlog.chain import Head
from service.sources.signatures import Trust, key_id

FORMAT = 1


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head, the instant and the key of its signature."""

    head: Head
    signed: str
    key: str
    signature: bytes

    def line(self) -> str:
        """Write it as one line of JSON."""
        return json.dumps({
            "format": FORMAT, "writer": self.head.writer, "sequence": self.head.sequence, "hash": self.head.hash, "signed": self.signed,
            "key": self.key, "signature": base64.b64encode(self.signature).decode(),
        })

    @classmethod
    def read(cls, line: str) -> Self:
        """Read it back; raises ValueError if the line is none."""
        try:
            plain: dict[str, Any] = json.loads(line)
            if plain["format"] != FORMAT:
                raise ValueError("the head is in a form that this program does not know")
            head = Head(str(plain["writer"]), int(plain["sequence"]), str(plain["hash"]))
            return cls(head, str(plain["signed"]), str(plain["key"]), base64.b64decode(plain["signature"], validate=True))
        except (KeyError, TypeError) as error:
            raise ValueError("this is no signed head") from error


def sign_head(head: Head, at: str, key: Ed25519PrivateKey) -> SignedHead:
    """Sign a head at an instant."""
    return SignedHead(head, at, key_id(key.public_key()), key.sign(_signed(head, at)))


def unvouched(signed: SignedHead, trust: Trust) -> str:
    """Say why no trusted key vouches for a head; "" if one does."""
    for trusted in trust.keys:
        if trusted.id == signed.key:
            try:
                trusted.key.verify(signed.signature, _signed(signed.head, signed.signed))
            except InvalidSignature:
                return f"its signature is wrong: the key `{trusted.name}` never made it"
            return ""
    return f"it is signed by the key {signed.key}, which is not trusted"


def _signed(head: Head, at: str) -> bytes:
    return f"guidepost decision log head, format 1\nwriter {json.dumps(head.writer)}\nsequence {head.sequence}\nhash {head.hash}\nsigned {at}\n".encode()
