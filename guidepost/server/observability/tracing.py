"""Traces for OpenTelemetry: a span for each call, below the span that the caller's metadata names.

Needs the extra ``tracing``, and is imported only if traces are configured.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from guidepost.server.rpc.observation_interceptor import ObservedCall, Observer

NAME: Final = "guidepost"

EXPORT_TIMEOUT: Final = 3
"""Seconds within which the collector accepts spans."""

_SERVER_ERRORS: Final = frozenset(
    {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)
"""The statuses that are errors of the server and not of the caller."""

_CONTEXT: Final = TraceContextTextMapPropagator()
_NAMES: Final = frozenset(_CONTEXT.fields)


class Tracing(Observer):
    """Creates a span for each call that has ended. The caller decides whether it is sampled, or else the ratio does."""

    wants_ids = True

    def __init__(self, exporter: SpanExporter, sample_ratio: float = 1.0) -> None:
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
            resource=Resource.create({SERVICE_NAME: NAME}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(NAME)

    def ended(self, call: ObservedCall) -> None:
        """Create the span, with its start and end."""
        ended = time.time_ns()
        parent = {
            name: value
            for name, value in call.context.invocation_metadata() or ()
            if name in _NAMES and isinstance(value, str)
        }
        service, _, method = call.method.lstrip("/").partition("/")
        span = self._tracer.start_span(
            call.method.lstrip("/"),
            _CONTEXT.extract(parent),
            SpanKind.SERVER,
            start_time=ended - int(call.seconds * 1e9),
            attributes={
                "rpc.system": "grpc",
                "rpc.service": service,
                "rpc.method": method,
                "rpc.grpc.status": call.code,
            },
        )
        if span.is_recording():
            span.set_attributes({f"guidepost.{name}": value for name, value in _attributes(call)})
            if call.code in _SERVER_ERRORS:
                span.set_status(Status(StatusCode.ERROR, call.code))
        span.end(ended)

    def flush(self) -> None:
        """Send the spans so far."""
        self._provider.force_flush()

    def close(self) -> None:
        """Send the remaining spans, and stop."""
        self._provider.shutdown()


def _attributes(call: ObservedCall) -> Iterator[tuple[str, str | int | list[str]]]:
    """Yield the attributes of a span in addition to those of gRPC; none contains facts of a ticket."""
    if call.caller:
        yield "caller", call.caller
    if call.version is not None:
        yield "policy.version", call.version.version
        yield "policy.digest", call.version.digest
    if call.decisions:
        yield "decision.ids", call.decisions
    if call.records:
        yield "record.ids", call.records
    if call.tickets is not None:
        yield "tickets", call.tickets


@contextmanager
def trace_calls(address: str, sample_ratio: float) -> Iterator[Tracing]:
    """Trace calls while the block runs, and send the spans to a collector over gRPC.

    ``http:`` addresses do without TLS.
    """
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - slow to import, and not needed by tests

    tracing = Tracing(
        OTLPSpanExporter(endpoint=address, insecure=address.startswith("http:"), timeout=EXPORT_TIMEOUT), sample_ratio
    )
    try:
        yield tracing
    finally:
        tracing.close()
