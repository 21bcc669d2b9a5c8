"""Clients that watch the health of a server receive every change, with any observers of calls."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from guidepost.server.app import listening
from guidepost.server.observability.call_log import CallLog
from guidepost.server.observability.metrics import Metrics
from guidepost.server.observability.tracing import Tracing
from guidepost.server.rpc.limits import Limits
from guidepost.server.rpc.observation_interceptor import Observer
from guidepost.server.security import Security
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from guidepost.v1.ticket_pb2 import FactValue, Ticket
from tests.support.log_servers import FailingStore, settings, sqlite
from tests.support.paths import ROOT
from tests.support.servers import COUNTER, NOW, counter_bundle, run_coroutine
from tests.support.waiting import wait_until

REQUEST = pb.DecideRequest(decision="queue", ticket=Ticket(facts={"vip": FactValue(flag=True)}))
SERVING, NOT_SERVING, UNKNOWN = (
    health_pb2.HealthCheckResponse.SERVING,
    health_pb2.HealthCheckResponse.NOT_SERVING,
    health_pb2.HealthCheckResponse.SERVICE_UNKNOWN,
)
WATCHES_HEALTH = json.dumps({"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}})
"""A client's service config for gRPC's client-side health checking."""

KINDS = ("metrics", "calls", "traces")
EVERY = [kinds for number in range(len(KINDS) + 1) for kinds in itertools.combinations(KINDS, number)]


class Nowhere:
    """An exporter of spans that drops them."""

    def export(self, spans: Any) -> Any:
        from opentelemetry.sdk.trace.export import SpanExportResult

        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Do nothing."""

    def force_flush(self, timeout_millis: int = 0) -> bool:
        return True


@contextmanager
def observed(kinds: tuple[str, ...], **more: Any) -> Iterator[str]:
    """Serve the second desk with these observers while the block runs, and yield the address."""
    traces = Tracing(Nowhere()) if "traces" in kinds else None  # type: ignore[arg-type]
    observers: list[Observer] = [*([CallLog()] if "calls" in kinds else []), *([traces] if traces else [])]
    server = listening(
        counter_bundle(),
        "127.0.0.1:0",
        clock=lambda: NOW,
        grace=0.1,
        metrics=Metrics() if "metrics" in kinds else None,
        observers=observers,
        **more,
    )
    address = run_coroutine(server.__aenter__())
    try:
        yield address
    finally:
        run_coroutine(server.__aexit__(None, None, None))
        if traces is not None:
            traces.close()


def watch(channel: grpc.Channel, service: str = "") -> Any:
    return health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=service), timeout=30)


@pytest.mark.parametrize("kinds", EVERY, ids=["+".join(kinds) or "nothing" for kinds in EVERY])
class TestObserved:
    def test_a_watch_says_how_the_server_is_and_goes_on(
        self, kinds: tuple[str, ...], caplog: pytest.LogCaptureFixture
    ) -> None:
        with observed(kinds) as address, grpc.insecure_channel(address) as channel:
            for service, status in (
                ("", SERVING),
                ("guidepost.v1.DecisionService", SERVING),
                ("nobody.v1.Nothing", UNKNOWN),
            ):
                watching = watch(channel, service)
                assert next(watching).status == status
                assert watching.is_active()
                watching.cancel()
        assert "Traceback" not in caplog.text

    def test_a_client_that_checks_health_by_itself_gets_its_answers(self, kinds: tuple[str, ...]) -> None:
        with (
            observed(kinds) as address,
            grpc.insecure_channel(address, [("grpc.service_config", WATCHES_HEALTH)]) as channel,
        ):
            assert DecisionServiceStub(channel).Decide(REQUEST, timeout=20).decision.status

    def test_reflection_lists_the_services(self, kinds: tuple[str, ...]) -> None:
        with observed(kinds) as address, grpc.insecure_channel(address) as channel:
            ask = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
            [answer] = ask(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=20)

        assert "guidepost.v1.DecisionService" in {one.name for one in answer.list_services_response.service}


def test_a_watch_reports_when_decisions_cannot_be_recorded_and_when_they_can_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FailingStore(sqlite(tmp_path))
    monkeypatch.setattr("guidepost.decision_log.recorder.Store.open", lambda *_: store)
    with (
        observed(("metrics",), log=settings(sqlite(tmp_path), timeout=0.2)) as address,
        grpc.insecure_channel(address) as channel,
    ):
        watching = watch(channel)
        assert next(watching).status == SERVING
        store.broken = True
        with pytest.raises(grpc.RpcError):
            DecisionServiceStub(channel).Decide(REQUEST, timeout=20)
        assert next(watching).status == NOT_SERVING
        store.broken = False
        assert next(watching).status == SERVING


def test_a_watch_reports_that_the_server_stops() -> None:
    server = listening(counter_bundle(), "127.0.0.1:0", clock=lambda: NOW, grace=0.1, metrics=Metrics())
    address = run_coroutine(server.__aenter__())
    with grpc.insecure_channel(address) as channel:
        watching = watch(channel)
        assert next(watching).status == SERVING
        run_coroutine(server.__aexit__(None, None, None))
        assert next(watching).status == NOT_SERVING


def test_watches_and_reflection_streams_are_limited_and_end_without_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    limits = Limits(watches=2, open_incomplete=2, message_timeout=0.3)
    with (
        observed(("metrics",), security=Security(limits=limits)) as address,
        grpc.insecure_channel(address) as channel,
    ):
        watching = [watch(channel) for _ in range(2)]
        assert [next(one).status for one in watching] == [SERVING, SERVING]
        with pytest.raises(grpc.RpcError) as busy:
            next(watch(channel))
        assert busy.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        watching[0].cancel()

        def there_is_room() -> bool:
            try:
                return bool(next(watch(channel)).status == SERVING)
            except grpc.RpcError:
                return False

        wait_until(there_is_room)

        ended = threading.Event()

        def silent() -> Iterator[Any]:
            ended.wait(30)
            yield from ()

        slow = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(silent(), timeout=30)
        with pytest.raises(grpc.RpcError) as late:
            next(slow)
        ended.set()
        assert (late.value.code(), late.value.details()) == (
            grpc.StatusCode.DEADLINE_EXCEEDED,
            "the message did not arrive completely within 0.3 s",
        )
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("kinds", [(), KINDS], ids=["nothing", "everything"])
def test_bytes_that_are_no_message_get_the_same_answer_from_health_and_reflection_and_leave_no_trace(
    kinds: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    with observed(kinds) as address, grpc.insecure_channel(address) as channel:
        for call in (
            lambda: channel.unary_unary("/grpc.health.v1.Health/Check")(b"\xff\xff", timeout=20),
            lambda: list(channel.unary_stream("/grpc.health.v1.Health/Watch")(b"\xff\xff", timeout=20)),
            lambda: list(
                channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")(
                    iter([b"\xff\xff"]), timeout=20
                )
            ),
        ):
            with pytest.raises(grpc.RpcError) as raised:
                call()
            assert (raised.value.code(), raised.value.details()) == (
                grpc.StatusCode.INVALID_ARGUMENT,
                "the message cannot be parsed as the request of this method",
            )
    assert caplog.text == ""


@pytest.mark.faults
@pytest.mark.parametrize("shipped", ["systemd", "kubernetes"])
def test_the_shipped_settings_let_clients_watch_and_check_health(shipped: str, tmp_path: Path) -> None:
    """Only the addresses, the policies and the log differ from the files in deploy/."""
    text = (
        (ROOT / "deploy/systemd/guidepost.toml").read_text(encoding="utf-8") if shipped == "systemd" else kubernetes()
    )
    (tmp_path / "guidepost.toml").write_text(
        "".join(line for line in text.splitlines(keepends=True) if not line.startswith("decision-log-file")),
        encoding="utf-8",
    )
    (tmp_path / "policies").mkdir()
    for name, policy in COUNTER.items():
        (tmp_path / "policies" / name).write_text(policy, encoding="utf-8")
    ports = ["--host", "127.0.0.1", "--port", "0", "--admin", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]
    own = ["--policies", str(tmp_path / "policies"), "--decision-log", sqlite(tmp_path), "--workers", "2"]
    (tmp_path / "log").mkdir()
    process = subprocess.Popen(
        [sys.executable, "server.py", "--config", str(tmp_path / "guidepost.toml"), *ports, *own],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "GUIDEPOST_CACHE": str(tmp_path / "cache"), "NO_COLOR": "1"},
    )
    try:
        assert process.stdout is not None
        address = next(line.split()[2] for line in process.stdout if line.startswith("listening on "))
        with grpc.insecure_channel(address, [("grpc.service_config", WATCHES_HEALTH)]) as channel:
            assert next(watch(channel)).status == SERVING
            assert DecisionServiceStub(channel).Decide(REQUEST, timeout=20).decision.status
    finally:
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert "Traceback" not in said


def kubernetes() -> str:
    """Return the settings in the shipped manifests."""
    documents = yaml.safe_load_all((ROOT / "deploy/kubernetes/guidepost.yaml").read_text(encoding="utf-8"))
    [found] = [
        one["data"]["guidepost.toml"]
        for one in documents
        if one and one["kind"] == "ConfigMap" and "guidepost.toml" in one.get("data", {})
    ]
    return str(found)
