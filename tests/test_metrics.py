"""What a server measures, read over a real port as Prometheus reads it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from service.app import listening
from service.log.settings import Durability, LogSettings
from service.metrics import Metrics, exposed
from service.sources.signatures import new_key, private_key
from tests.logging_servers import ask, settings, sqlite
from tests.serving import COUNTER, NOW, ROOT, counter, run
from tests.test_decision_log import Failing, within

DECIDE = "/guidepost.v1.DecisionService/Decide"
PAGE = (ROOT / "docs" / "decision-log.md").read_text(encoding="utf-8")


class Scraped:
    """What is served under a URL, read anew for each question."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, name: str, **labels: str) -> float:
        """Give a sample; 0 if there is none."""
        found = [one.value for family in self.families() for one in family.samples if one.name == f"guidepost_{name}" and one.labels == labels]
        return float(found[0]) if found else 0.0

    def families(self) -> Iterator[Metric]:
        with urllib.request.urlopen(self.url, timeout=5) as reply:
            yield from text_string_to_metric_families(reply.read().decode())


@contextmanager
def measured(log: LogSettings | None) -> Iterator[tuple[DecisionServiceStub, Scraped]]:
    """Serve the second desk, measured, while the block runs."""
    metrics = Metrics()
    server = listening(counter(), "127.0.0.1:0", clock=lambda: NOW, grace=0.1, log=log, metrics=metrics)
    address = run(server.__aenter__())
    try:
        with grpc.insecure_channel(address) as channel, exposed(metrics.registry, "127.0.0.1:0") as url:
            yield DecisionServiceStub(channel), Scraped(url)
    finally:
        run(server.__aexit__(None, None, None))


def test_calls_are_counted_by_method_and_status_and_timed() -> None:
    with measured(None) as (stub, scraped):
        for _ in range(3):
            ask(stub, vip=True)
        with pytest.raises(grpc.RpcError):
            ask(stub, nonsense=True)
        with pytest.raises(grpc.RpcError):
            ask(stub, "nonsense")

        assert within(5, lambda: scraped("call_seconds_count", method=DECIDE) == 5)
        assert [scraped("calls_total", method=DECIDE, code=code) for code in ("OK", "INVALID_ARGUMENT", "NOT_FOUND", "UNAVAILABLE")] == [3, 1, 1, 0]
        assert 0 < scraped("call_seconds_sum", method=DECIDE) < 5


def test_methods_that_are_not_there_make_no_metrics() -> None:
    with measured(None) as (_, scraped):
        host = scraped.url
        assert scraped("calls_total", method="/nobody/knows", code="UNIMPLEMENTED") == 0
        assert "nobody" not in urllib.request.urlopen(host, timeout=5).read().decode()


def test_commits_are_counted_with_their_records(tmp_path: Path) -> None:
    new_key(tmp_path / "private.pem", tmp_path / "public.pem")
    start = time.time()
    with measured(settings(sqlite(tmp_path), key=private_key(tmp_path / "private.pem"))) as (stub, scraped):
        assert (scraped("log_writable"), scraped("log_last_commit_timestamp_seconds")) == (1, 0)
        with ThreadPoolExecutor(8) as callers:
            list(callers.map(lambda number: ask(stub, vip=True, _request_id=f"{number % 30}"), range(40)))

        assert within(5, lambda: scraped("log_records_committed_total") == 30)
        assert scraped("log_repeated_requests_total") == 10
        assert 1 <= scraped("log_commits_total") <= 40
        assert scraped("log_commits_total") == scraped("log_commit_seconds_count") == scraped("log_commit_records_count")
        assert scraped("log_commit_records_sum") == 30
        assert start <= scraped("log_last_commit_timestamp_seconds") <= time.time()
        assert (scraped("log_records_waiting"), scraped("log_records_at_risk"), scraped("log_signed_head_sequence")) == (0, 0, 0)


def test_a_log_that_fails_shows_what_waits_what_is_at_risk_and_what_was_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Failing(sqlite(tmp_path))
    monkeypatch.setattr("service.log.keeper.Store.open", lambda _: store)
    log = settings(sqlite(tmp_path), Durability.BOUNDED, records=2, milliseconds=60_000, patience=0.2)
    with measured(log) as (stub, scraped):
        store.broken = True
        for _ in range(2):
            ask(stub, vip=True)
        with pytest.raises(grpc.RpcError):
            ask(stub, vip=True)

        assert (scraped("log_refused_total", reason="late"), scraped("log_refused_total", reason="full")) == (1, 0)
        assert scraped("calls_total", method=DECIDE, code="UNAVAILABLE") == 1
        assert scraped("log_records_at_risk") == 2
        assert scraped("log_records_waiting") >= 2
        assert within(5, lambda: scraped("log_writable") == 0)
        assert scraped("log_commit_failures_total") >= 1
        store.broken = False
        assert within(5, lambda: scraped("log_records_at_risk") == scraped("log_records_waiting") == 0)
        assert (scraped("log_writable"), scraped("log_records_committed_total")) == (1, 2)


def test_a_server_says_where_its_metrics_are(tmp_path: Path) -> None:
    for name, content in COUNTER.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    command = [sys.executable, "-m", "service.cli", "serve", "--policies", str(tmp_path), "--port", "0", "--metrics"]
    environment = {**os.environ, "GUIDEPOST_CACHE": str(tmp_path / "cache"), "GUIDEPOST_DECISION_LOG": sqlite(tmp_path)}
    with subprocess.Popen([*command, "127.0.0.1:0"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = next(line.removeprefix("metrics are on ").strip() for line in server.stdout if line.startswith("metrics are on "))
        assert url.endswith("/metrics")
        assert Scraped(url)("log_writable", worker="1") == 1
        server.terminate()
        server.communicate(timeout=20)
    wrong = subprocess.run([*command, "9464"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (wrong.returncode, wrong.stderr.splitlines()[-1].strip()) == (2, "error: --metrics: '9464' is no address such as 127.0.0.1:9464")


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
        with pytest.raises(ValueError, match="is no address"), exposed(Metrics().registry, wrong):
            pass
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"), exposed(Metrics().registry, f"127.0.0.1:{taken.getsockname()[1]}"):
        pass


def test_metrics_end_with_their_server() -> None:
    before = threading.active_count()
    with exposed(Metrics().registry, "127.0.0.1:0") as url:
        assert b"guidepost_log_writable" in urllib.request.urlopen(url, timeout=5).read()

    assert threading.active_count() == before
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=5)


def test_the_page_names_every_metric_and_no_other() -> None:
    made = {f"{family.name}_total" if family.type == "counter" else family.name for family in Metrics().registry.collect()}
    told = {line.split("`")[1].partition("{")[0] for line in PAGE.splitlines() if line.startswith("| `guidepost_")}

    assert told == made
