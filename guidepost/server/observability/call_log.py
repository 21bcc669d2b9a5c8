"""What looks at calls beside the metrics, where it is asked for: a message for each call, and traces.

A message says who called what, how it ended, under which version, and the ids by which the decision log finds it.
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
    """Writes a message for each call that has ended. It holds no fact, and no text of the caller but its name."""

    names = True

    def __init__(self) -> None:
        self._log: structlog.typing.FilteringBoundLogger = structlog.get_logger().bind(logger=CALLS)

    def ended(self, call: ObservedCall) -> None:
        """Write it."""
        self._log.info("call", **call_fields(call))


def call_fields(call: ObservedCall) -> dict[str, Any]:
    """Return what is said of a call; what there is not is left out."""
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
def call_observers(watching: ObservabilityConfig) -> Iterator[tuple[Observer, ...]]:
    """Yield what looks at calls beside the metrics, while the block runs."""
    with ExitStack() as stack:
        found: list[Observer] = [CallLog()] if watching.calls else []
        if watching.traces:
            from guidepost.server.observability.tracing import trace_calls  # noqa: PLC0415 - an extra, which need not be installed

            found.append(stack.enter_context(trace_calls(watching.traces, watching.share)))
        yield tuple(found)
