"""The metrics of a server, read over a real port as Prometheus does."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import grpc
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from engine.decide.decider import Decider
from engine.model.answer import Outcome, Status
from engine.request.moment import Moment
from engine.version.build import build
from engine.version.bundle import Bundle
from guidepost.decision_log.settings import Durability, LogSettings
from guidepost.policies.sources.signatures import new_key
from guidepost.server.app import listening
from guidepost.server.observability.metrics import Metrics, serve_metrics
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.server.workers.messages import ServerStatus, WorkerStatus
from guidepost.server.workers.metrics_merge import supervisor_metrics
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from guidepost.v1.ticket_pb2 import FactValue, Ticket
from tests.support.deciders import decide, triage
from tests.support.log_servers import FailingStore, ask, settings, sqlite
from tests.support.paths import ROOT
from tests.support.servers import COUNTER, NOW, counter_bundle, run_coroutine
from tests.support.waiting import true_within, wait_until

DECIDE = "/guidepost.v1.DecisionService/Decide"
PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "guidepost.json").read_text(encoding="utf-8"))


class Scraped:
    """The metrics of a URL; each access reads them again."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, name: str, **labels: str) -> float:
        """Return a sample; 0 if there is none."""
        found = [
            one.value
            for family in self.families()
            for one in family.samples
            if one.name == f"guidepost_{name}" and one.labels == labels
        ]
        return float(found[0]) if found else 0.0

    def families(self) -> Iterator[Metric]:
        with urllib.request.urlopen(self.url, timeout=60) as reply:
            yield from text_string_to_metric_families(reply.read().decode())


@contextmanager
def measured(log: LogSettings | None) -> Iterator[tuple[DecisionServiceStub, Scraped]]:
    """Serve the second desk with metrics while the block runs."""
    metrics = Metrics()
    server = listening(counter_bundle(), "127.0.0.1:0", clock=lambda: NOW, grace=0.1, log=log, metrics=metrics)
    address = run_coroutine(server.__aenter__())
    try:
        with grpc.insecure_channel(address) as channel, serve_metrics(metrics.registry, "127.0.0.1:0") as url:
            yield DecisionServiceStub(channel), Scraped(url)
    finally:
        run_coroutine(server.__aexit__(None, None, None))


def test_calls_are_counted_by_method_and_status_and_timed() -> None:
    with measured(None) as (stub, scraped):
        for _ in range(3):
            ask(stub, vip=True)
        with pytest.raises(grpc.RpcError):
            ask(stub, nonsense=True)
        with pytest.raises(grpc.RpcError):
            ask(stub, "nonsense")

        assert true_within(60, lambda: scraped("call_seconds_count", method=DECIDE) == 5)
        assert [
            scraped("calls_total", method=DECIDE, code=code)
            for code in ("OK", "INVALID_ARGUMENT", "NOT_FOUND", "UNAVAILABLE")
        ] == [3, 1, 1, 0]
        assert 0 < scraped("call_seconds_sum", method=DECIDE) < 5


def test_tickets_of_a_batch_without_an_answer_are_counted_by_status(monkeypatch: pytest.MonkeyPatch) -> None:
    with measured(None) as (stub, scraped):
        wrong = pb.TriageItem(ticket=Ticket(facts={"weather": FactValue(text="red")}))
        stub.TriageBatch(pb.TriageBatchRequest(items=[wrong, wrong]))
        assert true_within(60, lambda: scraped("item_errors_total", code="INVALID_ARGUMENT") == 2)

        monkeypatch.setattr(Decider, "triage", None)
        stub.TriageBatch(pb.TriageBatchRequest(items=[wrong]))
        assert true_within(60, lambda: scraped("item_errors_total", code="INTERNAL") == 1)


def test_methods_that_are_not_there_make_no_metrics() -> None:
    with measured(None) as (_, scraped):
        host = scraped.url
        assert scraped("calls_total", method="/nobody/knows", code="UNIMPLEMENTED") == 0
        assert "nobody" not in urllib.request.urlopen(host, timeout=60).read().decode()


def test_commits_are_counted_with_their_records(tmp_path: Path) -> None:
    new_key(tmp_path / "private.pem", tmp_path / "public.pem")
    start = time.time()
    with measured(settings(sqlite(tmp_path), sign_key=str(tmp_path / "private.pem"))) as (stub, scraped):
        assert (scraped("log_writable"), scraped("log_last_commit_timestamp_seconds")) == (1, 0)
        with ThreadPoolExecutor(8) as callers:
            list(callers.map(lambda number: ask(stub, vip=True, _request_id=f"{number % 30}"), range(40)))

        assert true_within(60, lambda: scraped("log_records_committed_total") == 30)
        assert scraped("log_repeated_requests_total") == 10
        assert 1 <= scraped("log_commits_total") <= 40
        assert (
            scraped("log_commits_total") == scraped("log_commit_seconds_count") == scraped("log_commit_records_count")
        )
        assert scraped("log_commit_records_sum") == 30
        assert start <= scraped("log_last_commit_timestamp_seconds") <= time.time()
        assert (scraped("log_records_waiting"), scraped("log_records_at_risk")) == (0, 0)
        assert true_within(60, lambda: 1 <= scraped("log_signed_head_sequence") <= 30)


def test_a_log_that_fails_shows_what_waits_what_is_at_risk_and_what_was_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FailingStore(sqlite(tmp_path))
    monkeypatch.setattr("guidepost.decision_log.recorder.Store.open", lambda *_: store)
    log = settings(sqlite(tmp_path), Durability.BOUNDED, records=2, milliseconds=60_000, timeout=0.2)
    with measured(log) as (stub, scraped):
        store.broken = True
        for _ in range(2):
            ask(stub, vip=True)
        with pytest.raises(grpc.RpcError):
            ask(stub, vip=True)

        assert (
            scraped("log_rejected_decisions_total", reason="late"),
            scraped("log_rejected_decisions_total", reason="full"),
        ) == (1, 0)
        assert scraped("calls_total", method=DECIDE, code="UNAVAILABLE") == 1
        assert scraped("log_records_at_risk") == 2
        assert scraped("log_records_waiting") >= 2
        assert true_within(60, lambda: scraped("log_writable") == 0)
        assert scraped("log_commit_failures_total") >= 1
        store.broken = False
        assert true_within(60, lambda: scraped("log_records_at_risk") == scraped("log_records_waiting") == 0)
        assert (scraped("log_writable"), scraped("log_records_committed_total")) == (1, 2)


@pytest.mark.faults
def test_a_server_says_where_its_metrics_are(tmp_path: Path) -> None:
    for name, content in COUNTER.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    command = [sys.executable, "-m", "guidepost.cli", "serve", "--policies", str(tmp_path), "--port", "0", "--metrics"]
    environment = {**os.environ, "GUIDEPOST_CACHE": str(tmp_path / "cache"), "GUIDEPOST_DECISION_LOG": sqlite(tmp_path)}
    with subprocess.Popen(
        [*command, "127.0.0.1:0"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        url = next(
            line.removeprefix("metrics are on ").strip() for line in server.stdout if line.startswith("metrics are on ")
        )
        assert url.endswith("/metrics")
        assert Scraped(url)("log_writable", worker="1") == 1
        server.terminate()
        server.communicate(timeout=20)
    wrong = subprocess.run(
        [*command, "9464"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (wrong.returncode, wrong.stderr.splitlines()[-1].strip()) == (
        2,
        "error: --metrics: expected HOST:PORT, for example 127.0.0.1:9464, got `9464`",
    )


def test_a_signed_head_shows_how_far_it_goes() -> None:
    metrics = Metrics()
    metrics.log.signed(7)

    assert metrics.registry.get_sample_value("guidepost_log_signed_head_sequence") == 7


def test_two_servers_in_one_process_measure_apart() -> None:
    one, other = Metrics(), Metrics()
    one.log.repeated()

    assert other.registry.get_sample_value("guidepost_log_repeated_requests_total") == 0


def test_an_address_that_is_none_or_taken_is_refused() -> None:
    for wrong in ("9464", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000"):
        with pytest.raises(ValueError, match="expected HOST:PORT"), serve_metrics(Metrics().registry, wrong):
            pass
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError, match="in use"),
        serve_metrics(Metrics().registry, f"127.0.0.1:{taken.getsockname()[1]}"),
    ):
        pass


def test_metrics_end_with_their_server() -> None:
    before = set(threading.enumerate())
    with serve_metrics(Metrics().registry, "127.0.0.1:0") as url:
        assert b"guidepost_log_writable" in urllib.request.urlopen(url, timeout=60).read()

    wait_until(lambda: set(threading.enumerate()) <= before)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=60)


class TestDecisionsAreCounted:
    """Labels are outcomes in words of the policy, which are few."""

    def test_by_version_decision_and_outcome(self) -> None:
        with measured(None) as (stub, scraped):
            for facts in ({"vip": True}, {"vip": True}, {"size": 30, "vip": False}, {}):
                ask(stub, **facts)
            ask(stub, "gift", colour="red", impact="1")

            count = partial(scraped, "decisions_total", version="7.0.0")
            assert [count(decision="queue", outcome=outcome) for outcome in ("fast", "slow", "undecided")] == [2, 1, 1]
            assert count(decision="gift", outcome="other") == 1

    def test_of_every_ticket_of_a_batch_and_of_a_stream_whose_sizes_are_measured(self) -> None:
        items = [pb.TriageItem(ticket=Ticket(facts={"vip": FactValue(flag=True)})) for _ in range(30)]
        with measured(None) as (stub, scraped):
            stub.TriageBatch(pb.TriageBatchRequest(items=items))
            list(stub.TriageStream(pb.TriageStreamRequest(item=item) for item in items[:7]))

            assert true_within(60, lambda: scraped("stream_tickets_total") == 7)
            assert (scraped("batch_tickets_count"), scraped("batch_tickets_sum")) == (1, 30)
            assert scraped("decisions_total", version="7.0.0", decision="queue", outcome="fast") == 37
            assert scraped("calls_total", method="/guidepost.v1.DecisionService/TriageStream", code="OK") == 1

    def test_under_no_word_that_a_caller_made_up(self) -> None:
        """Labels contain only words of the policy, whatever callers send."""
        metrics = Metrics()
        version = counter_bundle().versions[0]
        words = {"fast", "slow", "yes", "no", "other", "undecided", "not_covered"}
        for made in ("'); drop", "fast ", "\u202e", "x" * 150):
            metrics.decisions.decided(version, triage(version, {"vip": True, "colour": made}, Moment(NOW)))
            for value in (made, 3.5, ("a", "b"), None):
                outcome = Outcome(
                    name="queue", status=Status.DECIDED, value=value, text="", possible=(), missing=(), rules=()
                )
                metrics.decisions.decided(
                    version,
                    (
                        replace(
                            decide(version, "queue", {"vip": True}, Moment(NOW)),
                            outcomes=(outcome,),
                            id=f"{made}{value}",
                        ),
                    ),
                )

        samples = [one for family in metrics.decisions.collect() for one in family.samples]
        assert {one.labels["outcome"] for one in samples} <= words
        assert sum(one.value for one in samples if one.labels["outcome"] == "other") >= 16


def test_the_version_in_force_changes_at_its_instant() -> None:
    early, late = (
        counter_bundle().versions[0],
        build(
            {**COUNTER, "manifest.yaml": COUNTER["manifest.yaml"].replace("7.0.0", "8.0.0").replace("2020-", "2027-")}
        ),
    )
    instants = {"now": NOW}
    metrics = Metrics()
    metrics.policies.watch(LiveBundle(Bundle((early, late))), lambda: instants["now"])

    def in_force() -> list[str]:
        return [one.labels["version"] for family in metrics.policies.collect() for one in family.samples if one.value]

    assert in_force() == ["7.0.0"]
    instants["now"] = late.policy.manifest.effective_from
    assert in_force() == ["8.0.0"]
    instants["now"] = datetime(1999, 1, 1, tzinfo=UTC)
    assert in_force() == []


def test_calls_under_way_are_shown_until_they_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FailingStore(sqlite(tmp_path))
    monkeypatch.setattr("guidepost.decision_log.recorder.Store.open", lambda *_: store)
    with measured(settings(sqlite(tmp_path), timeout=2.0)) as (stub, scraped), ThreadPoolExecutor(3) as callers:
        store.broken = True
        waiting = [callers.submit(ask, stub, vip=True) for _ in range(3)]
        assert true_within(60, lambda: scraped("calls_in_flight", streams="no") == 3)
        store.broken = False
        for one in waiting:
            one.result(20)
        assert true_within(60, lambda: scraped("calls_in_flight", streams="no") == 0)


def test_memory_and_time_of_the_process_are_measured() -> None:
    with measured(None) as (_, scraped):
        found = {
            family.name: family.samples[0].value for family in scraped.families() if family.name.startswith("process_")
        }

    assert found["process_resident_memory_bytes"] > 20_000_000
    assert found["process_cpu_seconds"] > 0


def made() -> set[str]:
    """Return the name of every metric."""
    status = ServerStatus(
        started=0,
        versions=(),
        workers=(WorkerStatus(number=1, process=1, since=0, restarts=0),),
        reloaded=0,
        reloads=0,
        failures=0,
        reload_error=None,
    )
    families = [*Metrics().registry.collect(), *supervisor_metrics(status)]
    return {f"{family.name}_total" if family.type == "counter" else family.name for family in families}


def test_the_page_names_every_metric_and_no_other() -> None:
    listed = {
        line.split("`")[1].partition("{")[0]
        for line in PAGE.splitlines()
        if line.startswith(("| `guidepost_", "| `process_"))
    }

    assert listed == made()


def test_the_alerts_and_the_dashboard_ask_only_for_metrics_that_there_are() -> None:
    asked = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())] + re.findall(
        r"^\| [^|]+ \| `([^`]+)`", PAGE.partition("## Alerts")[2], re.MULTILINE
    )
    named = {name for expression in asked for name in re.findall(r"(?:guidepost|process)_\w+", expression)}
    known = made()

    assert len(asked) > 20
    assert {
        name for name in named if name not in known and re.sub(r"_(bucket|count|sum)$", "", name) not in known
    } == set()


def test_the_dashboard_is_laid_out_as_grafana_reads_it() -> None:
    """Every panel is valid by Grafana's schema, has a place of its own, and uses the selected data source."""
    places = []
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= DASHBOARD.keys()
    [source] = [one for one in DASHBOARD["templating"]["list"] if one["type"] == "datasource"]
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        places += [
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        if panel["type"] == "row":
            continue
        assert panel["datasource"] == {"type": "prometheus", "uid": f"${{{source['name']}}}"}
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
