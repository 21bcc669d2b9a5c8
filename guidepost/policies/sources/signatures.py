"""Ed25519 signatures of bundles, and trusted keys.

The signed text names its purpose, the SHA-256 of the archive and the digest of the policy, so that a signature for
another purpose is never valid for a bundle. The signature is in a small JSON file beside the bundle, NAME``.sig``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from guidepost.atomic_file import PRIVATE, PUBLIC
from guidepost.policies.sources.source import SourceError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

# ruff: noqa: PLC0415 - `cryptography` is large, and workers that sign nothing do not need it

SUFFIX: Final = ".sig"
"""The suffix of a signature file after the name of the bundle."""

MAX_SIGNATURE: Final = 4_096
"""The largest signature file in bytes."""

_PURPOSE: Final = b"guidepost bundle signature, format 1\n"
_ALGORITHM: Final = "Ed25519"
_KEYS: Final = ("format", "algorithm", "key", "digest", "sha256", "signature")
_MAX_KEY: Final = 16_384


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A trusted public key: the name of its file, its id, and the key."""

    name: str
    id: str
    key: Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Trust:
    """The keys whose signatures are accepted for remote bundles."""

    keys: tuple[TrustedKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature: the id of its key, the digest of the policy, and the SHA-256 of the archive."""

    key: str
    digest: str
    sha256: str
    signature: bytes


def key_id(key: Ed25519PublicKey) -> str:
    """Return the id of a key: the first half of the SHA-256 of its 32 bytes, as hex."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:32]


def new_key(private: Path, public: Path) -> str:
    """Write a new pair of keys as PEM, the private one readable by its owner only; return the id.

    Raises SourceError if a file exists or cannot be written.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    for path, content, mode in ((private, private_pem(key), PRIVATE), (public, public_pem(key), PUBLIC)):
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(content)
        except FileExistsError:
            raise SourceError(f"{path} exists, and keys are not overwritten", "choose another name") from None
        except OSError as error:
            raise SourceError(f"{path} cannot be written: {error.strerror}") from error
    return key_id(key.public_key())


def private_pem(key: Ed25519PrivateKey) -> bytes:
    """Return a private key as PEM without a password."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """Return the public half of a key as PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def private_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key; raises SourceError if the file does not contain one."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    pem = _pem(path)
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise SourceError(f"the key in {path} is encrypted", "decrypt it: `openssl pkey -in KEY -out PLAIN`") from None
    except (ValueError, UnsupportedAlgorithm):
        what = "a public key; signing needs the private one" if b"BEGIN PUBLIC KEY" in pem else "no private key in PEM"
        raise SourceError(f"{path} holds {what}", "`guidepost keys new NAME` creates a pair") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SourceError(f"the key in {path} is not an Ed25519 key", "`guidepost keys new NAME` creates a pair")
    return key


def trusted_keys(paths: Iterable[Path]) -> Trust:
    """Read public keys from files, and from the ``*.pem`` files of folders except private keys.

    Raises SourceError for a file or a folder without a public key.
    """
    found: list[TrustedKey] = []
    for path in paths:
        files = sorted(path.glob("*.pem")) if path.is_dir() else [path]
        keys = [_public_key(file) for file in files if not (path.is_dir() and b"PRIVATE KEY" in _pem(file))]
        if not keys:
            raise SourceError(f"no public key in the folder {path}", "a public key is a file that ends in .pem")
        found += keys
    return Trust(tuple(found))


def sign(sha256: str, digest: str, key: Ed25519PrivateKey) -> bytes:
    """Sign the SHA-256 of an archive and the digest of its policy; return the content of the signature file."""
    signature = key.sign(_signed_text(sha256, digest))
    plain = {
        "format": 1,
        "algorithm": _ALGORITHM,
        "key": key_id(key.public_key()),
        "digest": digest,
        "sha256": sha256,
        "signature": base64.b64encode(signature).decode(),
    }
    return (json.dumps(plain, indent=1) + "\n").encode()


def read_signature(content: bytes, name: str) -> Signature:
    """Read a signature file; raises SourceError if it is invalid."""
    try:
        plain: dict[str, Any] = json.loads(content) if len(content) <= MAX_SIGNATURE else {}
        if tuple(plain) == _KEYS and (plain["format"], plain["algorithm"]) == (1, _ALGORITHM):
            return Signature(
                key=str(plain["key"]),
                digest=str(plain["digest"]),
                sha256=str(plain["sha256"]),
                signature=base64.b64decode(plain["signature"], validate=True),
            )
    except (ValueError, TypeError, RecursionError):
        pass
    raise SourceError(f"expected a signature in {name}", "`guidepost sign` writes one")


def verify(sha256: str, signature: Signature, trust: Trust, name: str) -> TrustedKey:
    """Return the trusted key that signed the archive with this SHA-256; raises SourceError if none did.

    :func:`same_digest` compares the digest of the policy once the archive is read.
    """
    from cryptography.exceptions import InvalidSignature

    if signature.sha256 != sha256:
        raise SourceError(
            f"{name} does not match its signature: it was changed, or the signature belongs to another bundle",
            "use the bundle and the signature of the same build",
        )
    for trusted in trust.keys:
        if trusted.id == signature.key:
            try:
                trusted.key.verify(signature.signature, _signed_text(sha256, signature.digest))
            except InvalidSignature:
                raise SourceError(
                    f"the signature of {name} is invalid: it was not made with the key `{trusted.name}`",
                    "do not use the bundle; ask who built it",
                ) from None
            return trusted
    known = ", ".join(f"{trusted.id} ({trusted.name})" for trusted in trust.keys) or "none"
    raise SourceError(f"{name} is signed by the key {signature.key}, which is not trusted", f"trusted: {known}")


def same_digest(signature: Signature, digest: str, name: str) -> None:
    """Raise SourceError if the signed digest is not that of the policy."""
    if signature.digest != digest:
        raise SourceError(
            f"the signature of {name} is for a policy with another digest: {signature.digest}",
            "use the bundle and the signature of the same build",
        )


def _signed_text(sha256: str, digest: str) -> bytes:
    return _PURPOSE + f"sha256 {sha256}\ndigest {digest}\n".encode()


def _public_key(path: Path) -> TrustedKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    pem = _pem(path)
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        if b"PRIVATE KEY" in pem:
            raise SourceError(f"{path} holds a private key; expected a public one", _public_half(path)) from None
        raise SourceError(f"{path} holds no public key in PEM", "`guidepost keys new NAME` creates a pair") from None
    if not isinstance(key, Ed25519PublicKey):
        raise SourceError(f"the key in {path} is not an Ed25519 key", "`guidepost keys new NAME` creates a pair")
    return TrustedKey(path.name, key_id(key), key)


def _public_half(path: Path) -> str:
    """Return the help for a private key in place of a public one: the name of the public file, if it is beside it."""
    name = path.name.replace("private", "public")
    if name != path.name and path.with_name(name).is_file():
        return f"use its public half: {name} beside it"
    return "use its public half; `guidepost keys new NAME` creates a pair"


def _pem(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_KEY)
    except OSError as error:
        raise SourceError(f"the key {path} cannot be read: {error.strerror}") from error
