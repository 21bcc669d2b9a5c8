"""What is signed of the log: how far a chain had come at an instant, and what of it was purged. Kept in the log, and exported.

What is signed is a text that names its purpose and every field, so that a signature of anything else never counts for it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

from engine.decision_log.chain import Head, Purge
from engine.decision_log.merkle import Covered
from guidepost.policies.sources.signatures import Trust, key_id

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FORMAT: Final = 2
"""The form of the heads that this program signs; those of form 1 have no tree, and are still verified."""

PURGE_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHead:
    """A head, the instant and the key of its signature.

    ``root`` is that of the tree over the hashes of the entries behind the number ``since``; heads of form 1 have none.
    """

    head: Head
    signed: str
    key: str
    signature: bytes
    since: int = 0
    root: str = ""

    @property
    def covered(self) -> Covered | None:
        """What its root covers."""
        return (
            Covered(writer=self.head.writer, since=self.since, last=self.head.sequence, root=self.root)
            if self.root
            else None
        )

    @property
    def plain(self) -> dict[str, Any]:
        """The head as plain data, for JSON."""
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
        """Write it as one line of JSON."""
        return json.dumps(self.plain)

    @classmethod
    def read(cls, line: str) -> Self:
        """Read it back; raises ValueError if the line is none."""
        return cls.of(json.loads(line))

    @classmethod
    def of(cls, plain: Any) -> Self:
        """Read plain data; raises ValueError if it is no signed head."""
        try:
            if plain["format"] not in (1, FORMAT):
                raise ValueError("the head is in a form that this program does not know")
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
    """The note of a purge, and the key and signature of whoever vouches for it ("" for nobody)."""

    purge: Purge
    key: str = ""
    signature: bytes = b""

    @property
    def plain(self) -> dict[str, Any]:
        """The note as plain data, for JSON."""
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
        """Read plain data; raises ValueError if it is no note of a purge."""
        try:
            if plain["format"] != PURGE_FORMAT:
                raise ValueError("the note of a purge is in a form that this program does not know")
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


def sign_head(head: Head, at: str, key: Ed25519PrivateKey, covered: Covered | None = None) -> SignedHead:
    """Sign a head at an instant, and what it covers."""
    since, root = (covered.since, covered.root) if covered else (0, "")
    unsigned = SignedHead(head=head, signed=at, key=key_id(key.public_key()), signature=b"", since=since, root=root)
    return replace(unsigned, signature=key.sign(_signed(unsigned)))


def sign_purge(purge: Purge, key: Ed25519PrivateKey) -> PurgeNote:
    """Sign the note of a purge."""
    return PurgeNote(purge, key_id(key.public_key()), key.sign(_purged(purge)))


def signature_problem(signed: SignedHead | PurgeNote, trust: Trust) -> str:
    """Return why no trusted key vouches for a head, or for the note of a purge; "" if one does."""
    if not signed.key:
        return "nobody signed it"
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - large, and only for what was signed

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
    start = f"guidepost decision log head, format {FORMAT if one.root else 1}\nwriter {json.dumps(one.head.writer)}\nsequence {one.head.sequence}\nhash {one.head.hash}\n"
    tree = f"since {one.since}\nroot {one.root}\n" if one.root else ""
    return f"{start}{tree}signed {one.signed}\n".encode()


def _purged(one: Purge) -> bytes:
    what = f"writer {json.dumps(one.writer)}\nsequence {one.sequence}\nhash {one.hash}\nbefore {one.before}\npurged {one.purged}\nby {json.dumps(one.by)}\n"
    return f"guidepost decision log purge, format {PURGE_FORMAT}\n{what}".encode()
