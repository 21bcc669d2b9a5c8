"""Authenticates a call: its metadata and certificate in, its caller out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from engine.cache import Cache
from guidepost.server.auth.api_keys import key_id, matches
from guidepost.server.auth.callers import Callers
from guidepost.server.auth.errors import Unauthenticated
from guidepost.server.auth.roles import Caller

if TYPE_CHECKING:
    from guidepost.server.auth.jwt import Tokens

AUTHORIZATION: Final = "authorization"
BEARER: Final = "bearer "

CACHE_SIZE: Final = 10_000
"""Number of valid keys and tokens in the cache; to verify a signature takes many times as long as a look-up."""

NAMES: Final = ("x509_subject_alternative_name", "x509_common_name")
"""The properties with the names of a certificate that gRPC has verified."""

Certificate = Mapping[str, Iterable[bytes]]


class Authenticator:
    """Finds the caller of a call, and caches valid credentials until they expire."""

    def __init__(self, callers: Callers, tokens: Tokens | None, clock: Callable[[], float] = time.time) -> None:
        self._callers, self._tokens, self._clock = callers, tokens, clock
        self._cache: Cache[bytes, tuple[Caller, float]] = Cache(CACHE_SIZE)

    def caller(self, metadata: Iterable[tuple[str, str | bytes]], certificate: Callable[[], Certificate]) -> Caller:
        """Return the caller of a call; raises Unauthenticated. A certificate does not make up for a wrong key."""
        values = [value for name, value in metadata if name == AUTHORIZATION]
        if not values:
            return self._certified(certificate)
        text = values[0] if isinstance(values[0], str) else values[0].decode("ascii", "replace")
        if len(values) > 1 or text[: len(BEARER)].lower() != BEARER:
            raise Unauthenticated("expected one `authorization`, with `Bearer` and a key or token")
        return self._bearer(text[len(BEARER) :].strip())

    def _bearer(self, secret: str) -> Caller:
        digest = hashlib.sha256(secret.encode()).digest()
        found = self._cache.get(digest)
        if found is None or found[1] <= self._clock():
            found = self._cache.put(digest, self._by_key(secret) if key_id(secret) else self._by_token(secret))
        return found[0]

    def _by_key(self, secret: str) -> tuple[Caller, float]:
        key = self._callers.keys.get(key_id(secret))
        if key is None or not matches(secret, key.sha256):
            raise Unauthenticated("unknown key")
        expires = float("inf") if key.expires is None else key.expires.timestamp()
        if expires <= self._clock():
            raise Unauthenticated("the key has expired")
        return key.caller, expires

    def _by_token(self, secret: str) -> tuple[Caller, float]:
        if self._tokens is None:
            raise Unauthenticated("unknown key")
        bearer = self._tokens.bearer(secret)
        known = self._callers.subjects.get(bearer.subject)
        return known or Caller(bearer.name, bearer.roles), bearer.expires

    def _certified(self, certificate: Callable[[], Certificate]) -> Caller:
        known = self._callers.certificates
        if known:
            properties = certificate()
            names = [name.decode("utf-8", "replace") for key in NAMES for name in properties.get(key, ())]
            found = {known[name].name: known[name] for name in names if name in known}
            if len(found) == 1:
                return next(iter(found.values()))
        raise Unauthenticated("authentication is required: send `authorization: Bearer` with a key or token")
