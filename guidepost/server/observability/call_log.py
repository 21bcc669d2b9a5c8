"""The call log: a message for each call. Also the list of all observers of calls but the metrics.

A message has the caller, the method, the status, the version, and the ids under which the decision log has the records.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import structlog

from guidepost.server.observability.config import ObservabilityConfig
from guidepost.server.observability.logging import CALLS
from guidepost.server.rpc.observation_interceptor import ObservedCall, Observer


class CallLog(Observer):
    """Writes a message for each call that has ended. It contains no facts, and no text of the caller but its name."""

    wants_ids = True

    def __init__(self) -> None:
        self._log: structlog.typing.FilteringBoundLogger = structlog.get_logger().bind(logger=CALLS)

    def ended(self, call: ObservedCall) -> None:
        """Write the message."""
        self._log.info("call", **call_fields(call))


def call_fields(call: ObservedCall) -> dict[str, Any]:
    """Return the fields of a call's message, without those that are empty."""
    found: dict[str, Any] = {
        "method": call.method,
        "status": call.code,
        "milliseconds": round(call.seconds * 1000, 3),
        "caller": call.caller,
        "tickets": call.tickets,
    }
    if call.version is not None:
        found |= {"version": call.version.version, "digest": call.version.digest[:12]}
    found |= {"records": call.records} if call.records else {"decisions": call.decisions}
    return {name: value for name, value in found.items() if value not in ("", None, [])}


@contextmanager
def call_observers(config: ObservabilityConfig) -> Iterator[tuple[Observer, ...]]:
    """Yield the call log and the tracer, if they are configured; close them afterwards."""
    with ExitStack() as stack:
        found: list[Observer] = [CallLog()] if config.log_calls else []
        if config.traces:
            from guidepost.server.observability.tracing import trace_calls  # noqa: PLC0415 - an extra, may be missing

            found.append(stack.enter_context(trace_calls(config.traces, config.sample_ratio)))
        yield tuple(found)
