"""What a server measures, logs and traces, as plain values that can be sent to its workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservabilityConfig:
    """What a server measures, logs and traces.

    Attributes:
        metrics: whether calls are measured.
        log_format: how messages are written, ``text`` or ``json``.
        log_calls: whether each call is logged.
        traces: the address of an OpenTelemetry collector; "" for no traces.
        sample_ratio: the share of calls that is traced if the caller does not decide, from 0 to 1.
    """

    metrics: bool = False
    log_format: str = "text"
    log_calls: bool = False
    traces: str = ""
    sample_ratio: float = 1.0


NO_OBSERVABILITY: Final = ObservabilityConfig()
"""Neither metrics, nor a call log, nor traces."""
