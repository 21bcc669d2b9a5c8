"""The bundle that answers now. Whoever answers a call takes it once, so that no answer mixes two."""

from __future__ import annotations

from dataclasses import dataclass

from engine.version.bundle import Bundle


@dataclass(slots=True)
class LiveBundle:
    """Holds a bundle, until it is replaced by another one, whole; ``refused`` says why the last reload failed, if it did."""

    bundle: Bundle
    reload_error: str = ""
