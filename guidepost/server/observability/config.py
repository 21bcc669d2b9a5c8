"""How a server is watched, as plain values that travel to its workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservabilityConfig:
    """Whether calls are measured; how messages are written (``text`` or ``json``), and whether each call is one; where traces go ("" for nowhere), and which share."""

    metrics: bool = False
    messages: str = "text"
    calls: bool = False
    traces: str = ""
    share: float = 1.0


NO_OBSERVABILITY: Final = ObservabilityConfig()
"""Neither measured nor traced."""
