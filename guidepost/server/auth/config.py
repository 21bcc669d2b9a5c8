"""The files and settings of authentication, as plain values that can be sent to another process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthConfig:
    """How callers are authenticated. Files are paths; "" for none.

    Attributes:
        callers: the file of callers.
        jwt_keys: the public keys of the issuer of tokens, as JWKS.
        jwt_issuer: the issuer that tokens must have.
        jwt_audience: the audience that tokens must have.
        jwt_leeway: the maximum difference between clocks, in seconds.
        jwt_roles_claim: the claim that contains the roles.
        purge: whether every caller may remove old records; only without authentication.
    """

    callers: str = ""
    jwt_keys: str = ""
    jwt_issuer: str = ""
    jwt_audience: str = ""
    jwt_leeway: float = 30.0
    jwt_roles_claim: str = "guidepost_roles"
    purge: bool = False

    @property
    def requires_authentication(self) -> bool:
        """Whether every call needs a key, a token or a certificate."""
        return bool(self.callers or self.jwt_keys)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The certificate chain, its key, and the authorities of client certificates ("" for any client)."""

    certificate: str
    key: str
    client_ca: str = ""
