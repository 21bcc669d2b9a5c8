"""JSON Web Tokens: a token in, its subject and roles out.

The issuer's public keys come from a JWKS file, never from a URL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import jwt

from guidepost.server.auth.errors import Unauthenticated
from guidepost.server.auth.roles import Role

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Algorithms with a public verifying key, so that nobody who reads the file can create tokens."""

MAX_LENGTH: Final = 8_192
MAX_SUBJECT: Final = 100
MAX_NAME: Final = 150
REQUIRED: Final = ("exp", "iss", "aud", "sub")


@dataclass(frozen=True, slots=True)
class Bearer:
    """The subject and roles of a token, and when it expires, in seconds since 1970."""

    subject: str
    roles: frozenset[Role]
    expires: float

    @property
    def name(self) -> str:
        """The name of a caller that is not in the file of callers.

        >>> Bearer("auth0|anna/7", frozenset(), 0).name
        'jwt:auth0|anna%2F7'
        """
        return f"jwt:{quote(self.subject, safe='@|.:-_+')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Verifies tokens of one issuer for one audience.

    ``leeway`` is the maximum difference between clocks, in seconds.
    """

    keys: dict[str, jwt.PyJWK]
    issuer: str
    audience: str
    leeway: float
    roles_claim: str

    def bearer(self, token: str) -> Bearer:
        """Return the bearer of a token that is valid now; raises Unauthenticated."""
        if len(token) > MAX_LENGTH:
            raise Unauthenticated("the token is too long")
        try:
            header = jwt.get_unverified_header(token)
            key = self.keys.get(str(header.get("kid", "")))
            if key is None:
                raise Unauthenticated("the token is signed with an unknown key of its issuer")
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
            # The exact reason would help attackers only.
            raise Unauthenticated(
                "the token is not valid: its signature, issuer, audience or times are wrong"
            ) from None
        return self._read(claims)

    def _read(self, claims: dict[str, Any]) -> Bearer:
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable():
            raise Unauthenticated(f"expected a subject of 1 to {MAX_SUBJECT} printable characters in the token")
        claim = claims.get(self.roles_claim, ())
        words = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else ()
        # A token may contain roles of other services, too.
        roles = frozenset(Role(word) for word in words if isinstance(word, str) and word in set(Role))
        found = Bearer(subject, roles, float(claims["exp"]) + self.leeway)
        if len(found.name) > MAX_NAME:
            raise Unauthenticated("the subject of the token is too long")
        return found


def read_keys(content: dict[str, Any]) -> dict[str, jwt.PyJWK]:
    """Return the signing keys of a JWKS by id; raises ValueError if a key cannot be used, or if there is none."""
    found = dict(_keys(content))
    if not found:
        raise ValueError("expected a key that can verify a token, found none")
    return found


def _keys(content: dict[str, Any]) -> Iterator[tuple[str, jwt.PyJWK]]:
    for number, plain in enumerate(content["keys"] if isinstance(content.get("keys"), list) else (), 1):
        if not isinstance(plain, dict) or plain.get("use", "sig") != "sig":
            continue
        if plain.get("kty") == "oct" or "d" in plain:
            raise ValueError(f"expected public keys only, but key {number} is secret")
        try:
            key = jwt.PyJWK(plain)
        except jwt.PyJWTError:
            raise ValueError(f"key {number} cannot be used") from None
        if key.algorithm_name not in ALGORITHMS:
            raise ValueError(
                f"expected an algorithm of {', '.join(ALGORITHMS)}, but key {number} has `{key.algorithm_name}`"
            )
        if not key.key_id:
            raise ValueError(f"key {number} has no `kid`")
        yield key.key_id, key
