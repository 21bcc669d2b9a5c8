"""The messages of a server: text for people, JSON for programs, and the call log."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator

import grpc
import pytest
import structlog

from guidepost.server.app import listening
from guidepost.server.observability import logging as logs
from guidepost.server.observability.call_log import call_observers
from guidepost.server.observability.config import ObservabilityConfig
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from guidepost.v1.ticket_pb2 import FactValue, Ticket
from tests.support.log_servers import ask, settings, sqlite
from tests.support.servers import NOW, counter_bundle, run_coroutine
from tests.support.waiting import true_within


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """The messages of a test; the configuration of logging is restored afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_message_is_one_line_of_json_with_its_values(stream: io.StringIO) -> None:
    logs.set_up("json", stream)
    logging.getLogger("guidepost.supervisor").warning("worker %d\nended", 3, extra={"pid": 7})
    said = json.loads(stream.getvalue())

    assert stream.getvalue().count("\n") == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", said.pop("time"))
    assert said == {"level": "warning", "logger": "guidepost.supervisor", "message": "worker 3\nended", "pid": 7}


def test_a_message_is_a_line_of_text_for_people(stream: io.StringIO) -> None:
    logs.set_up("text", stream)
    logging.getLogger("guidepost.decision_log").error("the log %s", "fails")

    assert re.fullmatch(r"\S+Z ERROR guidepost\.decision_log the log fails\n", stream.getvalue())


@pytest.mark.parametrize(
    ("caller", "written"),
    [
        ("portal", "portal"),
        ("bob version=9.9.9 digest=000 ", '"bob version=9.9.9 digest=000 "'),
        ('a"b', '"a\\"b"'),
        (
            "a\n2026-01-01T00:00:00Z INFO guidepost.calls call",
            '"a\\n2026-01-01T00:00:00Z INFO guidepost.calls call"',
        ),
        ("\x1b[31mred\u202e", '"\\u001b[31mred\\u202e"'),
        ("Žofie", "Žofie"),
        ("", '""'),
    ],
)
def test_a_value_from_outside_cannot_be_taken_for_other_values_or_another_line(
    stream: io.StringIO, caller: str, written: str
) -> None:
    logs.set_up("text", stream)
    structlog.get_logger().bind(logger=logs.CALLS).info("call", caller=caller, status="OK")

    assert stream.getvalue().endswith(f" INFO guidepost.calls call caller={written} status=OK\n")
    assert stream.getvalue().count("\n") == 1


def test_a_message_of_several_lines_is_indented_and_its_control_characters_are_written_out(stream: io.StringIO) -> None:
    logs.set_up("text", stream)
    logging.getLogger("guidepost.decision_log").error("first\n2026-01-01T00:00:00Z INFO forged\x1b[2J\x7f")

    assert re.fullmatch(
        r"\S+Z ERROR guidepost\.decision_log first\n    2026-01-01T00:00:00Z INFO forged\\x1b\[2J\\x7f\n",
        stream.getvalue(),
    )


@pytest.mark.parametrize("how", ["json", "text"])
def test_a_fault_of_ours_has_its_trace(stream: io.StringIO, how: str) -> None:
    logs.set_up(how, stream)
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        logging.getLogger("guidepost.rpc").exception("incident 12")

    said = stream.getvalue() if how == "text" else json.loads(stream.getvalue())["exception"]
    assert "ZeroDivisionError" in said
    assert "test_logging.py" in said


@pytest.fixture
def called(
    stream: io.StringIO, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[DecisionServiceStub, io.StringIO]]:
    """A server with a call log and a decision log."""
    logs.set_up("json", stream)
    with call_observers(ObservabilityConfig(log_calls=True)) as observers:
        server = listening(
            counter_bundle(),
            "127.0.0.1:0",
            clock=lambda: NOW,
            grace=0.1,
            log=settings(sqlite(tmp_path_factory.mktemp("log"))),
            observers=observers,
        )
        address = run_coroutine(server.__aenter__())
        try:
            with grpc.insecure_channel(address) as channel:
                yield DecisionServiceStub(channel), stream
        finally:
            run_coroutine(server.__aexit__(None, None, None))


def messages(stream: io.StringIO) -> list[dict[str, object]]:
    return [said for line in stream.getvalue().splitlines() if (said := json.loads(line))["logger"] == logs.CALLS]


def test_each_call_says_who_called_how_it_ended_and_where_the_decision_log_has_it(
    called: tuple[DecisionServiceStub, io.StringIO],
) -> None:
    stub, stream = called
    ask(stub, vip=True, _caller="front-desk", _ticket="INC-7")
    with pytest.raises(grpc.RpcError):
        ask(stub, "nonsense", _caller="front-desk")

    assert true_within(60, lambda: len(messages(stream)) == 2)
    good, bad = messages(stream)
    [record] = good["records"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]+", record)
    ref = counter_bundle().versions[0].ref
    assert (good["method"], good["status"], good["caller"], good["version"], good["digest"]) == (
        "/guidepost.v1.DecisionService/Decide",
        "OK",
        "front-desk",
        "7.0.0",
        ref.digest[:12],
    )
    assert 0 < good["milliseconds"] < 5000
    assert bad["status"] == "NOT_FOUND"
    assert "records" not in bad


def test_no_message_holds_anything_of_a_ticket(called: tuple[DecisionServiceStub, io.StringIO]) -> None:
    """Neither for a decided call nor for a rejected one."""
    stub, stream = called
    ask(stub, colour="S3CRET-colour", _ticket="S3CRET-ticket", _request_id="S3CRET-request")
    for wrong in ({"colour": "S3CRET" * 100}, {"S3CRET": "x"}, {"size": "S3CRET"}):
        with pytest.raises(grpc.RpcError):
            ask(stub, **wrong)
    item = pb.TriageItem(ticket=Ticket(facts={"colour": FactValue(text="S3CRET-colour")}), ticket_id="S3CRET-ticket")
    stub.TriageBatch(pb.TriageBatchRequest(items=[item] * 30))

    assert true_within(60, lambda: len(messages(stream)) == 5)
    assert "S3CRET" not in stream.getvalue()
    batch = messages(stream)[-1]
    assert batch["tickets"] == 30
    assert len(batch["records"]) == 20


def test_without_being_asked_no_call_is_a_message() -> None:
    with call_observers(ObservabilityConfig()) as observers:
        assert observers == ()
