"""What a server measures, for Prometheus: calls, decisions, versions, and the decision log. Every metric is made in a registry that is given.

Nothing here is global: several servers in one process measure apart, and a test reads what it caused.
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
"""The buckets of times: a decision takes well under a millisecond, and waits for its record for seconds at most."""

RECORDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)
"""The buckets of how many records share a commit."""

TICKETS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""The buckets of how many tickets a call has."""

MAX_KEPT: Final = 10_000
"""How many answers are known by where they are counted."""

OTHER: Final = "other"
"""What came out that is no word of the policy."""


class LogState(Protocol):
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


class CallMetrics(Observer):
    """Measures calls: how many, with which status, how long those took that have one answer, how many are under way, and tickets where a call has many."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "guidepost_calls", "Calls that ended, by method and status.", ("method", "code"), registry=registry
        )
        self._seconds = Histogram(
            "guidepost_call_seconds",
            "How long calls with one answer took, by method.",
            ("method",),
            buckets=SECONDS,
            registry=registry,
        )
        self._tickets = Histogram(
            "guidepost_batch_tickets",
            "Tickets of one call, where it may have many.",
            buckets=TICKETS,
            registry=registry,
        )
        self._streamed = Counter(
            "guidepost_stream_tickets", "Tickets that were asked about in streams.", registry=registry
        )
        under_way = Gauge(
            "guidepost_calls_in_flight", "Calls under way, by whether they stream.", ("streams",), registry=registry
        )
        self._under_way = {False: 0, True: 0}
        under_way.labels("no").set_function(lambda: self._under_way[False])
        under_way.labels("yes").set_function(lambda: self._under_way[True])
        # A label is looked up once for each method and status, not once for each call.
        self._counted: dict[tuple[str, str], Counter] = {}
        self._timed: dict[str, Histogram] = {}

    def began(self, call: ObservedCall) -> None:
        """Count a call that is under way."""
        self._under_way[call.streams] += 1

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
    """Counts decisions by what came out, in words of the policy only; whatever a caller said counts as ``other``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counts: dict[tuple[str, str, str], list[int]] = {}
        # An answer is given again and again: where it is counted is looked up by its id, but for instants.
        self._cells: Cache[str, list[int]] = Cache(MAX_KEPT)
        self._words: Cache[tuple[str, str], frozenset[str]] = Cache(MAX_KEPT)
        registry.register(self)

    def decided(self, version: Version, given: Answers) -> None:
        """Count the decisions of an answer; a change of deadlines is none."""
        if isinstance(given, Rescheduled):
            return
        cells = self._cells
        for answer in given:
            name = answer.undated_id or answer.id
            cell = cells.get(name)
            if cell is None:
                cell = cells.keep(name, self._cell(version, answer))
            cell[0] += 1

    def _cell(self, version: Version, answer: Answer) -> list[int]:
        """Return where an answer is counted."""
        outcome = answer.outcomes[0]
        word = self._word(version, outcome) if outcome.status is Status.DECIDED else outcome.status.value
        return self._counts.setdefault((version.ref.version, answer.decision, word), [0])

    def _word(self, version: Version, outcome: Outcome) -> str:
        """Return an outcome's value as a label: a word of the policy, ``yes`` or ``no``, or else ``other``."""
        value = outcome.value
        if isinstance(value, bool):
            return "yes" if value else "no"
        name = version.ref.digest, outcome.name
        words = self._words.get(name)
        if words is None:
            words = self._words.keep(name, frozenset(one.value for one in version.policy.outcomes[outcome.name].values))
        return value if isinstance(value, str) and value in words else OTHER

    def collect(self) -> Iterator[Metric]:
        """Yield what was counted."""
        found = CounterMetricFamily(
            "guidepost_decisions",
            "Decisions that were given, by what came out.",
            labels=("version", "decision", "outcome"),
        )
        for labels, (number,) in sorted(self._counts.items()):
            found.add_metric(labels, number)
        yield found


class PolicyMetrics(Collector):
    """Shows which version is in force at the instant of asking."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._live: LiveBundle | None = None
        self._clock: Callable[[], datetime] | None = None
        registry.register(self)

    def watch(self, live: LiveBundle, clock: Callable[[], datetime]) -> None:
        """Look at these versions, by this clock."""
        self._live, self._clock = live, clock

    def collect(self) -> Iterator[Metric]:
        """Yield 1 for the version in force, 0 for the others."""
        found = GaugeMetricFamily(
            "guidepost_policy_in_force",
            "1 for the policy version that decides now unless a call names another, 0 for the others.",
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
    """Shows how many calls were not let in, by why."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._refused: Mapping[str, int] = {}
        registry.register(self)

    def watch(self, refused: Mapping[str, int]) -> None:
        """Look at these counts, by reason."""
        self._refused = refused

    def collect(self) -> Iterator[Metric]:
        """Yield them."""
        found = CounterMetricFamily(
            "guidepost_rejected_calls",
            "Calls that were not let in: by limits, or since their caller may not.",
            labels=("reason",),
        )
        for reason, number in sorted(self._refused.items()):
            found.add_metric((reason,), number)
        yield found


class LogMetrics(Events):
    """Measures a decision log; ``watch`` has the gauges look at it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, about: str) -> Gauge:
            return Gauge(f"guidepost_log_{name}", about, registry=registry)

        self._waiting = gauge("records_waiting", "Records that are not in the log yet.")
        self._at_risk = gauge("records_at_risk", "Answers that left before their records are in the log.")
        self._writable = gauge("writable", "1 if the log could be written at the last attempt, else 0.")
        self._last = gauge(
            "last_commit_timestamp_seconds",
            "When records were last committed, as seconds since 1970; 0 for never since the server started.",
        )
        self._signed = gauge(
            "signed_head_sequence",
            "The number of the entry that the head signed last goes as far as; 0 for none since the server started.",
        )
        self._records = Counter(
            "guidepost_log_records_committed", "Records that this server committed.", registry=registry
        )
        self._commits = Counter("guidepost_log_commits", "Commits of one or more records.", registry=registry)
        self._failures = Counter(
            "guidepost_log_commit_failures", "Attempts at a commit that failed and were made again.", registry=registry
        )
        self._refused = Counter(
            "guidepost_log_rejected_decisions",
            "Decisions that were not given since they could not be recorded, by reason.",
            ("reason",),
            registry=registry,
        )
        self._repeated = Counter(
            "guidepost_log_repeated_requests", "Calls whose request id is in the log already.", registry=registry
        )
        self._seconds = Histogram(
            "guidepost_log_commit_seconds", "How long commits took.", buckets=SECONDS, registry=registry
        )
        self._sizes = Histogram(
            "guidepost_log_commit_records", "How many records shared a commit.", buckets=RECORDS, registry=registry
        )
        for why in Refusal:
            self._refused.labels(why.value)

    def watch(self, log: LogState) -> None:
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
        self.calls, self.decisions, self.log = (
            CallMetrics(self.registry),
            DecisionMetrics(self.registry),
            LogMetrics(self.registry),
        )
        self.policies, self.rejections = PolicyMetrics(self.registry), RejectionMetrics(self.registry)
        ProcessCollector(registry=self.registry)

    @property
    def observers(self) -> tuple[Observer, ...]:
        """What has to look at calls."""
        return self.calls, self.decisions

    @property
    def text(self) -> str:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry).decode()


@contextmanager
def serve_metrics(registry: CollectorRegistry, address: str) -> Iterator[str]:
    """Serve metrics over HTTP while the block runs; give the URL, with the real port where 0 was asked for.

    Whoever reaches the address can read them. Raises OSError if it cannot be bound, and ValueError if it is no ``host:port``.
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
