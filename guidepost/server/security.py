"""How a server is protected, as plain values: who may come in, how connections are secured, what is limited, where it may listen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from guidepost.server.auth.config import AuthConfig, TlsFiles
from guidepost.server.rpc.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """What protects a server. It travels to each worker, which opens the files itself."""

    access: AuthConfig = field(default_factory=AuthConfig)
    tls: TlsFiles | None = None
    limits: Limits = field(default_factory=Limits)
    reflection: bool = True
    """Whether callers may ask which services there are."""
    trust_network: bool = False
    """Whether to listen beyond this machine without TLS or callers, since the network lets in only who may come in."""


NO_SECURITY: Final = Security()
"""As a server is that is told nothing: on this machine only."""
