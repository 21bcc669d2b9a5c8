"""Traces: a span for each call below the caller's span, with the ids of the decision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from guidepost.decision_log.store import Filter
from guidepost.server.app import listening
from guidepost.server.observability.tracing import Tracing
from guidepost.server.settings.checks import setting_problems
from guidepost.server.settings.load import read_settings
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from guidepost.v1.ticket_pb2 import FactValue, Ticket
from tests.support.log_servers import ask, open_to_read, settings, sqlite
from tests.support.servers import NOW, counter_bundle, run_coroutine
from tests.support.waiting import true_within

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TICKET = Ticket(facts={"vip": FactValue(flag=True)})


@contextmanager
def traced(log: Any = None, share: float = 1.0) -> Iterator[tuple[DecisionServiceStub, Tracing, InMemorySpanExporter]]:
    """Serve the second desk with traces while the block runs."""
    exporter = InMemorySpanExporter()
    tracing = Tracing(exporter, share)
    server = listening(counter_bundle(), "127.0.0.1:0", clock=lambda: NOW, grace=0.1, log=log, observers=(tracing,))
    address = run_coroutine(server.__aenter__())
    try:
        with grpc.insecure_channel(address) as channel:
            yield DecisionServiceStub(channel), tracing, exporter
    finally:
        run_coroutine(server.__aexit__(None, None, None))
        tracing.close()


def spans(tracing: Tracing, exporter: InMemorySpanExporter, count: int) -> list[ReadableSpan]:
    def ended() -> bool:
        tracing.flush()
        return len(exporter.get_finished_spans()) == count

    assert true_within(60, ended)
    return list(exporter.get_finished_spans())


def test_a_span_says_what_was_called_by_whom_and_where_the_decision_is(tmp_path: Path) -> None:
    with traced(settings(sqlite(tmp_path))) as (stub, tracing, exporter):
        decision = ask(stub, vip=True, _caller="front-desk")
        [span] = spans(tracing, exporter, 1)
    store = open_to_read(sqlite(tmp_path))
    [(_, record)] = store.search(Filter())
    store.close()

    assert (span.name, span.kind, span.parent) == ("guidepost.v1.DecisionService/Decide", SpanKind.SERVER, None)
    assert dict(span.attributes or {}) == {
        "rpc.system": "grpc",
        "rpc.service": "guidepost.v1.DecisionService",
        "rpc.method": "Decide",
        "rpc.grpc.status": "OK",
        "guidepost.caller": "front-desk",
        "guidepost.policy.version": "7.0.0",
        "guidepost.policy.digest": counter_bundle().versions[0].digest,
        "guidepost.decision.ids": (decision.id,),
        "guidepost.record.ids": (record.id,),
    }
    assert span.start_time < span.end_time


def test_a_span_continues_the_trace_of_the_caller() -> None:
    with traced() as (stub, tracing, exporter):
        stub.Decide(
            pb.DecideRequest(decision="queue", ticket=TICKET), metadata=[("traceparent", f"00-{TRACE}-{SPAN}-01")]
        )
        stub.Decide(
            pb.DecideRequest(decision="queue", ticket=TICKET),
            metadata=[("traceparent", "nonsense"), ("tracestate", "x" * 600)],
        )
        one, other = spans(tracing, exporter, 2)

    assert (f"{one.context.trace_id:032x}", f"{one.parent.span_id:016x}") == (TRACE, SPAN)
    assert other.parent is None


def test_the_caller_decides_whether_a_call_is_traced_or_else_the_ratio_does() -> None:
    with traced(share=0.0) as (stub, tracing, exporter):
        ask(stub, vip=True)
        stub.Decide(
            pb.DecideRequest(decision="queue", ticket=TICKET), metadata=[("traceparent", f"00-{TRACE}-{SPAN}-00")]
        )
        stub.Decide(
            pb.DecideRequest(decision="queue", ticket=TICKET), metadata=[("traceparent", f"00-{TRACE}-{SPAN}-01")]
        )
        [span] = spans(tracing, exporter, 1)

    assert f"{span.context.trace_id:032x}" == TRACE


def test_only_what_is_the_server_s_fault_is_an_error_of_a_span() -> None:
    with traced() as (stub, tracing, exporter):
        with pytest.raises(grpc.RpcError):
            ask(stub, "nonsense")
        [span] = spans(tracing, exporter, 1)

    assert (span.attributes["rpc.grpc.status"], span.status.status_code) == ("NOT_FOUND", StatusCode.UNSET)
    assert "nonsense" not in str(span.to_json())


def test_a_batch_and_a_stream_are_one_span_each_with_the_first_ids() -> None:
    items = [pb.TriageItem(ticket=TICKET) for _ in range(30)]
    with traced() as (stub, tracing, exporter):
        stub.TriageBatch(pb.TriageBatchRequest(items=items))
        list(stub.TriageStream(pb.TriageStreamRequest(item=item) for item in items))
        found = spans(tracing, exporter, 2)

    assert [
        (span.attributes["guidepost.tickets"], len(span.attributes["guidepost.decision.ids"])) for span in found
    ] == [(30, 20), (30, 20)]


def test_without_the_package_traces_are_refused_with_a_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    [refused] = setting_problems(read_settings({"traces": "http://127.0.0.1:4317", "log_durability": "off"}, {}))

    assert (refused.origin, refused.message) == ("--traces", "OpenTelemetry is not installed")
    assert "pip install opentelemetry-sdk" in refused.help
