"""What a server measures, for Prometheus: calls, and the decision log. Every metric is made in a registry that is given.

Nothing here is global: several servers in one process measure apart, and a test reads what it caused.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

import grpc
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, start_http_server

from service.log.events import Events, Refusal

PATH: Final = "/metrics"

SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The buckets of times: a decision takes well under a millisecond, and waits for its record for seconds at most."""

RECORDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)
"""The buckets of how many records share a commit."""

Handler = Any
"""A method as grpc keeps it; it has no public type."""


class Log(Protocol):
    """A decision log, as far as it is looked at."""

    @property
    def waiting(self) -> int:
        """How many records are not in the log yet."""

    @property
    def at_risk(self) -> int:
        """How many answers left before their records are in the log."""

    @property
    def failure(self) -> str:
        """Why it cannot be written; "" if it can."""


class Calls(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Measures every call that has one answer: how many, with which status, and how long they took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter("guidepost_calls", "Calls that ended, by method and status.", ("method", "code"), registry=registry)
        self._seconds = Histogram("guidepost_call_seconds", "How long calls took, by method.", ("method",), buckets=SECONDS, registry=registry)
        self._measured: dict[str, Handler] = {}

    async def intercept_service(self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]], handler_call_details: grpc.HandlerCallDetails) -> Handler:
        """Give the handler of a call, measured; a method that is not there, or that streams, is left as it is."""
        method = handler_call_details.method
        found = self._measured.get(method)
        if found is None:
            handler = await continuation(handler_call_details)
            if handler is None or not handler.unary_unary:
                return handler
            found = self._measured[method] = self._measure(method, handler)
        return found

    def _measure(self, method: str, handler: Handler) -> Handler:
        answer, seconds = handler.unary_unary, self._seconds.labels(method)
        codes = {code.value[0]: code.name for code in grpc.StatusCode}
        # A label is looked up once for each status, not once for each call.
        counted: dict[str, Any] = {}

        async def measured(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            start, code = time.perf_counter(), "CANCELLED"
            try:
                response = await answer(request, context)
            except grpc.aio.AbortError:
                code = _name(context.code(), codes)
                raise
            except Exception:
                code = "UNKNOWN"
                raise
            else:
                code = "OK"
                return response
            finally:
                seconds.observe(time.perf_counter() - start)
                if code not in counted:
                    counted[code] = self._calls.labels(method, code)
                counted[code].inc()

        return grpc.unary_unary_rpc_method_handler(measured, handler.request_deserializer, handler.response_serializer)


class LogMetrics(Events):
    """Measures a decision log; ``watch`` has the gauges look at it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, about: str) -> Gauge:
            return Gauge(f"guidepost_log_{name}", about, registry=registry)

        self._waiting = gauge("records_waiting", "Records that are not in the log yet.")
        self._at_risk = gauge("records_at_risk", "Answers that left before their records are in the log.")
        self._writable = gauge("writable", "1 if the log could be written at the last attempt, else 0.")
        self._last = gauge("last_commit_timestamp_seconds", "When records were last committed, as seconds since 1970; 0 for never since the server started.")
        self._signed = gauge("signed_head_sequence", "The number of the entry that the head signed last goes as far as; 0 for none since the server started.")
        self._records = Counter("guidepost_log_records_committed", "Records that this server committed.", registry=registry)
        self._commits = Counter("guidepost_log_commits", "Commits of one or more records.", registry=registry)
        self._failures = Counter("guidepost_log_commit_failures", "Attempts at a commit that failed and were made again.", registry=registry)
        self._refused = Counter("guidepost_log_refused", "Decisions that were not given since they could not be recorded, by reason.", ("reason",), registry=registry)
        self._repeated = Counter("guidepost_log_repeated_requests", "Calls whose request id is in the log already.", registry=registry)
        self._seconds = Histogram("guidepost_log_commit_seconds", "How long commits took.", buckets=SECONDS, registry=registry)
        self._sizes = Histogram("guidepost_log_commit_records", "How many records shared a commit.", buckets=RECORDS, registry=registry)
        for why in Refusal:
            self._refused.labels(why.value)

    def watch(self, log: Log) -> None:
        """Look at a log whenever the metrics are asked for."""
        self._waiting.set_function(lambda: log.waiting)
        self._at_risk.set_function(lambda: log.at_risk)
        self._writable.set_function(lambda: 0 if log.failure else 1)

    def committed(self, records: int, seconds: float) -> None:
        """Count a commit."""
        self._commits.inc()
        self._records.inc(records)
        self._seconds.observe(seconds)
        self._sizes.observe(records)
        self._last.set_to_current_time()

    def failed(self) -> None:
        """Count an attempt that failed."""
        self._failures.inc()

    def refused(self, why: Refusal) -> None:
        """Count a decision that was not given."""
        self._refused.labels(why.value).inc()

    def repeated(self) -> None:
        """Count a call that came again."""
        self._repeated.inc()

    def signed(self, number: int) -> None:
        """Note how far the signed head goes."""
        self._signed.set(number)


class Metrics:
    """All that one server measures, in a registry of its own unless another one is given."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.calls, self.log = Calls(self.registry), LogMetrics(self.registry)

    @property
    def text(self) -> str:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry).decode()


@contextmanager
def exposed(registry: CollectorRegistry, address: str) -> Iterator[str]:
    """Serve metrics over HTTP while the block runs; give the URL, with the real port where 0 was asked for.

    Whoever reaches the address can read them. Raises OSError if it cannot be bound, and ValueError if it is no ``host:port``.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"`{address}` is no address such as 127.0.0.1:9464")
    server, thread = start_http_server(int(port), host.strip("[]"), registry)
    try:
        yield f"http://{host}:{server.server_port}{PATH}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _name(code: Any, codes: dict[int, str]) -> str:
    """Give the name of a status, which grpc gives as itself or as its number."""
    return code.name if isinstance(code, grpc.StatusCode) else codes.get(code, "UNKNOWN")
