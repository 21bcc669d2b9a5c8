"""Signatures of heads (how long a chain was at an instant) and of purges. They are in the log, and can be exported.

The signed text names its purpose and every field, so that a signature of another text is never valid for it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

from engine.records.chain import Head, Purge
from engine.records.merkle import CoveredRange
from guidepost.policies.sources.signatures import Trust, key_id

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FORMAT: Final = 2
"""The format of the heads that this program signs. Heads of format 1 have no tree, and can still be verified."""

PURGE_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHead:
    """A head with the instant and the key of its signature.

    ``root`` is the root of the tree over the hashes of the entries after number ``since``; "" in format 1.
    """

    head: Head
    signed: str
    key: str
    signature: bytes
    since: int = 0
    root: str = ""

    @property
    def covered(self) -> CoveredRange | None:
        """The entries that the root covers; None in format 1."""
        return (
            CoveredRange(writer=self.head.writer, since=self.since, last=self.head.sequence, root=self.root)
            if self.root
            else None
        )

    @property
    def plain(self) -> dict[str, Any]:
        """The signed head as data for JSON."""
        start = {
            "format": FORMAT if self.root else 1,
            "writer": self.head.writer,
            "sequence": self.head.sequence,
            "hash": self.head.hash,
        }
        tree = {"since": self.since, "root": self.root} if self.root else {}
        return {
            **start,
            **tree,
            "signed": self.signed,
            "key": self.key,
            "signature": base64.b64encode(self.signature).decode(),
        }

    def line(self) -> str:
        """Return one line of JSON."""
        return json.dumps(self.plain)

    @classmethod
    def read(cls, line: str) -> Self:
        """Return the signed head of a line of JSON; raises ValueError if it is not one."""
        return cls.of(json.loads(line))

    @classmethod
    def of(cls, plain: Any) -> Self:
        """Return the signed head of parsed JSON; raises ValueError if it is not one."""
        try:
            if plain["format"] not in (1, FORMAT):
                raise ValueError(f"expected a head of format 1 or {FORMAT}, got `{plain['format']}`")
            head = Head(str(plain["writer"]), int(plain["sequence"]), str(plain["hash"]))
            since, root = (int(plain["since"]), str(plain["root"])) if plain["format"] == FORMAT else (0, "")
            return cls(
                head=head,
                signed=str(plain["signed"]),
                key=str(plain["key"]),
                signature=base64.b64decode(plain["signature"], validate=True),
                since=since,
                root=root,
            )
        except (KeyError, TypeError) as error:
            raise ValueError("expected a signed head") from error


@dataclass(frozen=True, slots=True)
class PurgeNote:
    """The note of a purge, with the key and the signature; "" if it is not signed."""

    purge: Purge
    key: str = ""
    signature: bytes = b""

    @property
    def plain(self) -> dict[str, Any]:
        """The note as data for JSON."""
        one = self.purge
        return {
            "format": PURGE_FORMAT,
            "writer": one.writer,
            "sequence": one.sequence,
            "hash": one.hash,
            "before": one.before,
            "purged": one.purged,
            "by": one.by,
            "key": self.key,
            "signature": base64.b64encode(self.signature).decode(),
        }

    @classmethod
    def of(cls, plain: Any) -> Self:
        """Return the note of parsed JSON; raises ValueError if it is not one."""
        try:
            if plain["format"] != PURGE_FORMAT:
                raise ValueError(f"expected a note of a purge of format {PURGE_FORMAT}, got `{plain['format']}`")
            purge = Purge(
                writer=str(plain["writer"]),
                sequence=int(plain["sequence"]),
                hash=str(plain["hash"]),
                before=str(plain["before"]),
                purged=str(plain["purged"]),
                by=str(plain["by"]),
            )
            return cls(purge, str(plain["key"]), base64.b64decode(plain["signature"], validate=True))
        except (KeyError, TypeError) as error:
            raise ValueError("expected a note of a purge") from error


def sign_head(head: Head, at: str, key: Ed25519PrivateKey, covered: CoveredRange | None = None) -> SignedHead:
    """Sign a head at an instant, with the entries that it covers."""
    since, root = (covered.since, covered.root) if covered else (0, "")
    unsigned = SignedHead(head=head, signed=at, key=key_id(key.public_key()), signature=b"", since=since, root=root)
    return replace(unsigned, signature=key.sign(_signed(unsigned)))


def sign_purge(purge: Purge, key: Ed25519PrivateKey) -> PurgeNote:
    """Sign the note of a purge."""
    return PurgeNote(purge, key_id(key.public_key()), key.sign(_purged(purge)))


def signature_problem(signed: SignedHead | PurgeNote, trust: Trust) -> str:
    """Return why no trusted key signed a head or the note of a purge; "" if one did."""
    if not signed.key:
        return "it is not signed"
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - large

    for trusted in trust.keys:
        if trusted.id == signed.key:
            try:
                trusted.key.verify(
                    signed.signature, _signed(signed) if isinstance(signed, SignedHead) else _purged(signed.purge)
                )
            except InvalidSignature:
                return f"its signature is invalid: it was not made with the key `{trusted.name}`"
            return ""
    return f"it is signed by the key {signed.key}, which is not trusted"


def _signed(one: SignedHead) -> bytes:
    form, writer = FORMAT if one.root else 1, json.dumps(one.head.writer)
    head = f"writer {writer}\nsequence {one.head.sequence}\nhash {one.head.hash}\n"
    tree = f"since {one.since}\nroot {one.root}\n" if one.root else ""
    return f"guidepost decision log head, format {form}\n{head}{tree}signed {one.signed}\n".encode()


def _purged(one: Purge) -> bytes:
    head = f"writer {json.dumps(one.writer)}\nsequence {one.sequence}\nhash {one.hash}\n"
    what = f"{head}before {one.before}\npurged {one.purged}\nby {json.dumps(one.by)}\n"
    return f"guidepost decision log purge, format {PURGE_FORMAT}\n{what}".encode()
