"""How a server is protected, as plain values: authentication, TLS and limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from guidepost.server.auth.config import AuthConfig, TlsFiles
from guidepost.server.rpc.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """The security of a server. It is sent to each worker, which opens the files itself.

    Attributes:
        access: who may call.
        tls: the certificate; None for no TLS.
        limits: how much callers may use.
        reflection: whether clients may list the services.
        trust_network: whether to listen beyond this machine without TLS or callers, because the network admits only
            authorized clients.
    """

    access: AuthConfig = field(default_factory=AuthConfig)
    tls: TlsFiles | None = None
    limits: Limits = field(default_factory=Limits)
    reflection: bool = True
    trust_network: bool = False


NO_SECURITY: Final = Security()
"""No authentication and no TLS, for a server that listens on this machine only."""
