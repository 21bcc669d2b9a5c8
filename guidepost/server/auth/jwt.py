"""JSON Web Tokens: a token in, what its issuer says of its bearer out. The issuer's public keys stand in a JWKS file; nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import jwt

from guidepost.server.auth.errors import Unauthenticated
from guidepost.server.auth.roles import Role

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Only those whose verifying key is public: whoever can read the file cannot make a token."""

MAX_LENGTH: Final = 8_192
MAX_SUBJECT: Final = 100
MAX_NAME: Final = 150
REQUIRED: Final = ("exp", "iss", "aud", "sub")


@dataclass(frozen=True, slots=True)
class Bearer:
    """What a token says: whose it is, which roles it gives, and until when (seconds of the epoch)."""

    subject: str
    roles: frozenset[Role]
    expires: float

    @property
    def name(self) -> str:
        """How somebody is called whom no file of callers names.

        >>> Bearer("auth0|anna/7", frozenset(), 0).name
        'jwt:auth0|anna%2F7'
        """
        return f"jwt:{quote(self.subject, safe='@|.:-_+')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Verifies tokens of one issuer for one audience; ``leeway`` is how far clocks may be apart, in seconds."""

    keys: dict[str, jwt.PyJWK]
    issuer: str
    audience: str
    leeway: float
    roles_claim: str

    def bearer(self, token: str) -> Bearer:
        """Verify a token by the present time; raises Unproven."""
        if len(token) > MAX_LENGTH:
            raise Unauthenticated("the token is too long")
        try:
            header = jwt.get_unverified_header(token)
            key = self.keys.get(str(header.get("kid", "")))
            if key is None:
                raise Unauthenticated("the token names no key of its issuer that this server knows")
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                issuer=self.issuer,
                audience=self.audience,
                leeway=self.leeway,
                options={"require": list(REQUIRED)},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("the token has expired") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError, OverflowError):
            # What exactly is wrong helps nobody who has a right to call.
            raise Unauthenticated(
                "the token is not valid here: its signature, issuer, audience or times are wrong"
            ) from None
        return self._read(claims)

    def _read(self, claims: dict[str, Any]) -> Bearer:
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable():
            raise Unauthenticated(f"expected a subject of 1 to {MAX_SUBJECT} printable characters in the token")
        given = claims.get(self.roles_claim, ())
        words = given.split() if isinstance(given, str) else given if isinstance(given, list) else ()
        # A token may carry the roles of other services, too.
        roles = frozenset(Role(word) for word in words if isinstance(word, str) and word in set(Role))
        found = Bearer(subject, roles, float(claims["exp"]) + self.leeway)
        if len(found.name) > MAX_NAME:
            raise Unauthenticated("the subject of the token is too long")
        return found


def read_keys(content: dict[str, Any]) -> dict[str, jwt.PyJWK]:
    """Take the keys that sign out of a JWKS, by their ids; raises ValueError if one cannot be used or none is there."""
    found = dict(_keys(content))
    if not found:
        raise ValueError("expected a key that can verify a token, found none")
    return found


def _keys(content: dict[str, Any]) -> Iterator[tuple[str, jwt.PyJWK]]:
    for number, plain in enumerate(content["keys"] if isinstance(content.get("keys"), list) else (), 1):
        if not isinstance(plain, dict) or plain.get("use", "sig") != "sig":
            continue
        if plain.get("kty") == "oct" or "d" in plain:
            raise ValueError(f"key {number} is secret; the file holds public keys only")
        try:
            key = jwt.PyJWK(plain)
        except jwt.PyJWTError:
            raise ValueError(f"key {number} cannot be used") from None
        if key.algorithm_name not in ALGORITHMS:
            raise ValueError(f"key {number} is for `{key.algorithm_name}`; one of {', '.join(ALGORITHMS)} is needed")
        if not key.key_id:
            raise ValueError(f"key {number} has no `kid`")
        yield key.key_id, key
