"""Where the files stand that say who may call, as plain values: of callers, tokens and certificates."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthConfig:
    """Who may come in: paths of files, "" for none.

    ``purge`` lets everybody remove old records where nobody has to say who he is.
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
        """Whether callers have to prove who they are."""
        return bool(self.callers or self.jwt_keys)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the certificate chain, its key, and the authorities of clients stand; "" for none of the last."""

    certificate: str
    key: str
    client_ca: str = ""
