"""Metrics for Prometheus: calls, decisions, versions, and the decision log.

Every metric belongs to a registry that is passed in, so that several servers of one process have metrics of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Final, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
    start_http_server,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from engine.cache import Cache
from engine.decide.reschedule import Rescheduled
from engine.model.answer import Answer, Outcome, Status, UnknownVersion
from engine.version.version import Version
from guidepost.decision_log.events import Events, Refusal
from guidepost.decision_log.recorder import Answers
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.server.rpc.observation_interceptor import ObservedCall, Observer

PATH: Final = "/metrics"

SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets of durations: a decision takes less than a millisecond, and waits up to seconds for its record."""

RECORDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)
"""Buckets of the records of a commit."""

TICKETS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Buckets of the tickets of a call."""

CACHE_SIZE: Final = 10_000
"""Number of answers whose counters are cached."""

OTHER: Final = "other"
"""The label of outcomes that are not a word of the policy."""


class LogState(Protocol):
    """The state of a decision log."""

    @property
    def waiting(self) -> int:
        """The number of records that are not in the log yet."""

    @property
    def at_risk(self) -> int:
        """The number of answers that were sent before their records are in the log."""

    @property
    def failure(self) -> str:
        """Why the log cannot be written; "" if it can."""


class CallMetrics(Observer):
    """Measures calls by method and status, and the tickets of batches and streams."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "guidepost_calls", "Calls that have ended, by method and status.", ("method", "code"), registry=registry
        )
        self._seconds = Histogram(
            "guidepost_call_seconds",
            "Duration of unary calls, by method.",
            ("method",),
            buckets=SECONDS,
            registry=registry,
        )
        self._tickets = Histogram(
            "guidepost_batch_tickets",
            "Tickets of a batch.",
            buckets=TICKETS,
            registry=registry,
        )
        self._streamed = Counter("guidepost_stream_tickets", "Tickets of streams that have ended.", registry=registry)
        self._item_errors = Counter(
            "guidepost_item_errors",
            "Tickets of batches and streams without an answer, by status.",
            ("code",),
            registry=registry,
        )
        under_way = Gauge(
            "guidepost_calls_in_flight",
            "Calls under way, by whether they are streams.",
            ("streams",),
            registry=registry,
        )
        self._under_way = {False: 0, True: 0}
        under_way.labels("no").set_function(lambda: self._under_way[False])
        under_way.labels("yes").set_function(lambda: self._under_way[True])
        # Labels are looked up once for each method and status, not for each call.
        self._counted: dict[tuple[str, str], Counter] = {}
        self._timed: dict[str, Histogram] = {}

    def began(self, call: ObservedCall) -> None:
        """Count a call under way."""
        self._under_way[call.streams] += 1

    def item_failed(self, code: str) -> None:
        """Count a ticket of a batch or stream that has no answer."""
        self._item_errors.labels(code).inc()

    def ended(self, call: ObservedCall) -> None:
        """Count it, and how long it took."""
        self._under_way[call.streams] -= 1
        name = call.method, call.code
        counted = self._counted.get(name)
        if counted is None:
            counted = self._counted[name] = self._calls.labels(*name)
        counted.inc()
        if call.streams:
            self._streamed.inc(call.tickets or 0)
            return
        timed = self._timed.get(call.method)
        if timed is None:
            timed = self._timed[call.method] = self._seconds.labels(call.method)
        timed.observe(call.seconds)
        if call.tickets is not None:
            self._tickets.observe(call.tickets)


class DecisionMetrics(Observer, Collector):
    """Counts decisions by outcome. Labels are words of the policy; everything else counts as ``other``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counts: dict[tuple[str, str, str], list[int]] = {}
        # The same answers occur often, so their counters are looked up by id, regardless of instants.
        self._cells: Cache[str, list[int]] = Cache(CACHE_SIZE)
        self._words: Cache[tuple[str, str], frozenset[str]] = Cache(CACHE_SIZE)
        registry.register(self)

    def decided(self, version: Version, answers: Answers) -> None:
        """Count the decisions of an answer. A reschedule has none."""
        if isinstance(answers, Rescheduled):
            return
        cells = self._cells
        for answer in answers:
            name = answer.undated_id or answer.id
            cell = cells.get(name)
            if cell is None:
                cell = cells.put(name, self._cell(version, answer))
            cell[0] += 1

    def _cell(self, version: Version, answer: Answer) -> list[int]:
        """Return the counter of an answer."""
        outcome = answer.outcomes[0]
        word = self._word(version, outcome) if outcome.status is Status.DECIDED else outcome.status.value
        return self._counts.setdefault((version.ref.version, answer.decision, word), [0])

    def _word(self, version: Version, outcome: Outcome) -> str:
        """Return the label of an outcome's value: a word of the policy, ``yes``, ``no`` or ``other``."""
        value = outcome.value
        if isinstance(value, bool):
            return "yes" if value else "no"
        name = version.ref.digest, outcome.name
        words = self._words.get(name)
        if words is None:
            words = self._words.put(name, frozenset(one.value for one in version.policy.outcomes[outcome.name].values))
        return value if isinstance(value, str) and value in words else OTHER

    def collect(self) -> Iterator[Metric]:
        """Yield the counters."""
        found = CounterMetricFamily(
            "guidepost_decisions",
            "Decisions, by version and outcome.",
            labels=("version", "decision", "outcome"),
        )
        for labels, (number,) in sorted(self._counts.items()):
            found.add_metric(labels, number)
        yield found


class PolicyMetrics(Collector):
    """Reports the version that is in force when the metrics are read."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._live: LiveBundle | None = None
        self._clock: Callable[[], datetime] | None = None
        registry.register(self)

    def watch(self, live: LiveBundle, clock: Callable[[], datetime]) -> None:
        """Report on this bundle, by this clock."""
        self._live, self._clock = live, clock

    def collect(self) -> Iterator[Metric]:
        """Yield 1 for the version in force, 0 for the others."""
        found = GaugeMetricFamily(
            "guidepost_policy_in_force",
            "1 for the policy version in force, 0 for the others.",
            labels=("name", "version", "digest"),
        )
        if self._live is not None and self._clock is not None:
            bundle = self._live.bundle
            try:
                now = bundle.select(now=self._clock()).ref
            except UnknownVersion:
                now = None
            for ref in bundle.refs:
                found.add_metric((ref.name, ref.version, ref.digest), float(ref == now))
        yield found


class RejectionMetrics(Collector):
    """Counts the calls that AdmissionInterceptor rejected, by reason."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._rejected: Mapping[str, int] = {}
        registry.register(self)

    def watch(self, rejected: Mapping[str, int]) -> None:
        """Report these counts by reason."""
        self._rejected = rejected

    def collect(self) -> Iterator[Metric]:
        """Yield the counters."""
        found = CounterMetricFamily(
            "guidepost_rejected_calls",
            "Calls rejected by limits or authorization, by reason.",
            labels=("reason",),
        )
        for reason, number in sorted(self._rejected.items()):
            found.add_metric((reason,), number)
        yield found


class LogMetrics(Events):
    """Measures a decision log; ``watch`` connects the gauges to it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, about: str) -> Gauge:
            return Gauge(f"guidepost_log_{name}", about, registry=registry)

        self._waiting = gauge("records_waiting", "Records that are not in the log yet.")
        self._at_risk = gauge("records_at_risk", "Answers that were sent before their records are in the log.")
        self._writable = gauge("writable", "1 if the last attempt to write the log succeeded, else 0.")
        self._last = gauge(
            "last_commit_timestamp_seconds",
            "When records were last committed, in seconds since 1970; 0 for never since the server started.",
        )
        self._signed = gauge(
            "signed_head_sequence",
            "The sequence number of the last signed head; 0 for none since the server started.",
        )
        self._records = Counter(
            "guidepost_log_records_committed", "Records that this worker committed.", registry=registry
        )
        self._commits = Counter("guidepost_log_commits", "Commits of one or more records.", registry=registry)
        self._failures = Counter(
            "guidepost_log_commit_failures", "Commits that failed and were retried.", registry=registry
        )
        self._rejected = Counter(
            "guidepost_log_rejected_decisions",
            "Decisions that could not be recorded and were not sent, by reason.",
            ("reason",),
            registry=registry,
        )
        self._repeated = Counter(
            "guidepost_log_repeated_requests", "Calls with a request id that is in the log already.", registry=registry
        )
        self._seconds = Histogram(
            "guidepost_log_commit_seconds", "Duration of commits.", buckets=SECONDS, registry=registry
        )
        self._sizes = Histogram(
            "guidepost_log_commit_records", "Records of a commit.", buckets=RECORDS, registry=registry
        )
        for why in Refusal:
            self._rejected.labels(why.value)

    def watch(self, log: LogState) -> None:
        """Read the state of this log whenever the metrics are read."""
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
        """Count a failed commit."""
        self._failures.inc()

    def refused(self, why: Refusal) -> None:
        """Count a decision that was not sent."""
        self._rejected.labels(why.value).inc()

    def repeated(self) -> None:
        """Count a repeated call."""
        self._repeated.inc()

    def signed(self, number: int) -> None:
        """Set the sequence number of the last signed head."""
        self._signed.set(number)


class Metrics:
    """All metrics of one server, in a registry of its own unless one is passed in."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.calls, self.decisions, self.log = (
            CallMetrics(self.registry),
            DecisionMetrics(self.registry),
            LogMetrics(self.registry),
        )
        self.policies, self.rejections = PolicyMetrics(self.registry), RejectionMetrics(self.registry)
        ProcessCollector(registry=self.registry)

    @property
    def observers(self) -> tuple[Observer, ...]:
        """The observers of calls."""
        return self.calls, self.decisions

    @property
    def text(self) -> str:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.registry).decode()


@contextmanager
def serve_metrics(registry: CollectorRegistry, address: str) -> Iterator[str]:
    """Serve metrics over HTTP while the block runs, without authentication; yield the URL with the bound port.

    Raises:
        OSError: the address cannot be bound.
        ValueError: the address is not HOST:PORT.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"expected HOST:PORT, for example 127.0.0.1:9464, got `{address}`")
    server, thread = start_http_server(int(port), host.strip("[]"), registry)
    try:
        yield f"http://{host}:{server.server_port}{PATH}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
