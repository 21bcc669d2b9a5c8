"""The metrics of all workers, each sample labelled with its worker, and those of the supervisor."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from guidepost.server.workers.messages import ServerMetrics, ServerStatus

WORKER = "worker"


def merged_metrics(metrics: ServerMetrics) -> Iterator[Metric]:
    """Yield every metric once, with the samples of all workers."""
    families: dict[str, Metric] = {}
    for one in metrics.workers:
        for family in text_string_to_metric_families(one.text):
            merged = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                merged.add_sample(sample.name, {**sample.labels, WORKER: str(one.worker)}, sample.value)
    yield from families.values()
    yield from supervisor_metrics(metrics.status)


def supervisor_metrics(status: ServerStatus) -> Iterator[Metric]:
    """Yield the metrics of the supervisor."""
    policies = GaugeMetricFamily(
        "guidepost_policy_version", "1 for each policy version that is served.", labels=("name", "version", "digest")
    )
    for ref in status.versions:
        policies.add_metric((ref.name, ref.version, ref.digest), 1)
    yield policies
    yield GaugeMetricFamily(
        "guidepost_started_timestamp_seconds", "When the server was started, in seconds since 1970.", status.started
    )
    yield GaugeMetricFamily(
        "guidepost_last_successful_reload_timestamp_seconds",
        "When the policies that are served were read, in seconds since 1970.",
        status.reloaded,
    )
    yield GaugeMetricFamily(
        "guidepost_last_reload_successful",
        "1 if the last reload succeeded, else 0.",
        float(status.reload_error is None),
    )
    yield CounterMetricFamily(
        "guidepost_reloads", "Successful reloads of the policies since the server was started.", status.reloads
    )
    yield CounterMetricFamily(
        "guidepost_reload_failures", "Failed reloads of the policies since the server was started.", status.failures
    )
    yield GaugeMetricFamily("guidepost_workers", "Workers that answer calls.", len(status.workers))
    restarts = CounterMetricFamily(
        "guidepost_worker_restarts", "Restarts of workers that died, by the number of the worker.", labels=(WORKER,)
    )
    for worker in status.workers:
        restarts.add_metric((str(worker.number),), worker.restarts)
    yield restarts
