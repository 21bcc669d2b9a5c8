"""How a server is protected, as plain values: who may come in, how connections are secured, what is limited, where it may listen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from service.limits import Limits


@dataclass(frozen=True, slots=True)
class AccessSettings:
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
    def named(self) -> bool:
        """Whether callers have to prove who they are."""
        return bool(self.callers or self.jwt_keys)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the certificate chain, its key, and the authorities of clients stand; "" for none of the last."""

    certificate: str
    key: str
    client_ca: str = ""


@dataclass(frozen=True, slots=True)
class Protection:
    """What protects a server. It travels to each worker, which opens the files itself."""

    access: AccessSettings = field(default_factory=AccessSettings)
    tls: TlsFiles | None = None
    limits: Limits = field(default_factory=Limits)
    reflection: bool = True
    """Whether callers may ask which services there are."""
    trust_network: bool = False
    """Whether to listen beyond this machine without TLS or callers, since the network lets in only who may come in."""


UNPROTECTED: Final = Protection()
"""As a server is that is told nothing: on this machine only."""
