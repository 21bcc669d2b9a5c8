"""Limits: excess is rejected with a clear status, and slow or idle clients do not block others; with real servers."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from guidepost.server.auth import Access
from guidepost.server.rpc.admission_interceptor import AdmissionInterceptor
from guidepost.server.rpc.limits import Limits
from guidepost.server.security import Security
from guidepost.server.settings.build import security
from guidepost.server.settings.model import ServerSettings
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from guidepost.v1.ticket_pb2 import FactValue, Ticket
from tests.support.certificates import channel, protected
from tests.support.http2 import HELLO, NO_ROOM_FOR_ANSWERS, WINDOW, Connection

LIMITS = Limits(request=2_000, batch=5, metadata=4_096, connection_streams=8, streams=3, connections=3_000)
REQUEST = pb.DecideRequest(decision="queue", ticket=Ticket(facts={"vip": FactValue(flag=True)}))
EMPTY = 5
"""Bytes of a message without content."""
IDLE = 2_000
"""Idle connections."""


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with protected(Security(limits=LIMITS)) as address:
        yield address


@pytest.fixture
def address_of_default() -> Iterator[str]:
    with protected(Security()) as address:
        yield address


@pytest.fixture
def stub(served: str) -> Iterator[Any]:
    with channel(served) as one:
        yield DecisionServiceStub(one)


def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return raised.value.code(), raised.value.details()


def sized(size: int) -> bytes:
    """Return a request of exactly this size, filled up with an unknown field, which the server ignores."""
    whole = REQUEST.SerializeToString()
    left = size - len(whole) - 4
    return whole + b"\xfa\x3e" + bytes([left & 0x7F | 0x80, left >> 7]) + b"x" * left


class TestSizes:
    def test_a_message_may_have_as_many_bytes_as_the_limit_and_not_one_more(self, served: str) -> None:
        with channel(served) as one:
            call = one.unary_unary("/guidepost.v1.DecisionService/Decide")
            assert len(sized(2_000)) == 2_000
            assert call(sized(2_000), timeout=60)
            code, said = refusal(lambda: call(sized(2_001), timeout=60))

        assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "larger than max (2001 vs. 2000)" in said

    def test_a_batch_may_have_as_many_tickets_as_the_limit_and_not_one_more(self, stub: Any) -> None:
        assert (
            len(
                pb.TriageBatchResponse.FromString(
                    stub.TriageBatch(pb.TriageBatchRequest(items=[pb.TriageItem()] * 5), timeout=60).SerializeToString()
                ).results
            )
            == 5
        )
        assert refusal(lambda: stub.TriageBatch(pb.TriageBatchRequest(items=[pb.TriageItem()] * 6), timeout=60)) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "expected at most 5 tickets in one call, got 6",
        )

    def test_too_much_metadata_is_refused(self, stub: Any) -> None:
        stub.Decide(REQUEST, metadata=[("x-note", "x" * 3_000)], timeout=60)

        assert (
            refusal(lambda: stub.Decide(REQUEST, metadata=[("x-note", "x" * 5_000)], timeout=60))[0]
            == grpc.StatusCode.RESOURCE_EXHAUSTED
        )

    def test_malformed_bytes_are_an_error_of_the_caller_also_in_streams(self, served: str) -> None:
        with channel(served) as one:
            for call in (
                lambda: one.unary_unary("/guidepost.v1.DecisionService/Triage")(b"\xff\xff", timeout=60),
                lambda: list(one.unary_stream("/guidepost.v1.PolicyService/DiffVersions")(b"\xff\xff", timeout=60)),
                lambda: list(
                    one.stream_stream("/guidepost.v1.DecisionService/TriageStream")(
                        iter([b"", b"\xff\xff"]), timeout=60
                    )
                ),
            ):
                assert refusal(call) == (
                    grpc.StatusCode.INVALID_ARGUMENT,
                    "the message cannot be parsed as the request of this method",
                )


class Waiting:
    """A service with one method of each kind, which waits until it is released."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    def handler(self) -> grpc.GenericRpcHandler:
        async def one(request: bytes, context: Any) -> bytes:
            await self.go.wait()
            return request

        async def many(request: bytes, context: Any) -> Any:
            await self.go.wait()
            yield request

        calls = {
            "One": grpc.unary_unary_rpc_method_handler(one, bytes),
            "Many": grpc.unary_stream_rpc_method_handler(many, bytes),
        }
        return grpc.method_handlers_generic_handler("guidepost.v1.DecisionService", calls)


async def under_load(limits: Limits, method: str, calls: int) -> tuple[list[Any], AdmissionInterceptor]:
    """Make calls at once to a service that answers when all have arrived; return their results."""
    interceptor, waiting = AdmissionInterceptor(Access(), limits), Waiting()
    server = grpc.aio.server(interceptors=(interceptor,))
    server.add_generic_rpc_handlers((waiting.handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()

    async def ask(channel: grpc.aio.Channel) -> Any:
        try:
            if method == "Many":
                return [
                    part async for part in channel.unary_stream("/guidepost.v1.DecisionService/Many")(b"x", timeout=60)
                ]
            return await channel.unary_unary("/guidepost.v1.DecisionService/One")(b"x", timeout=60)
        except grpc.aio.AioRpcError as error:
            return error

    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as one:
        asked = [asyncio.create_task(ask(one)) for _ in range(calls)]
        while sum(task.done() for task in asked) + interceptor.in_flight + interceptor.streams < calls:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
        waiting.go.set()
        ended = await asyncio.gather(*asked)
        again = await ask(one)
    await server.stop(0)
    return [*ended, again], interceptor


@pytest.mark.parametrize("method", ["One", "Many"])
def test_calls_above_the_limit_are_rejected_with_the_time_of_a_retry(
    method: str,
) -> None:
    from tests.support.servers import run_coroutine

    (*ended, again), interceptor = run_coroutine(under_load(Limits(in_flight=7, streams=7), method, 40))
    refused = [one for one in ended if isinstance(one, grpc.aio.AioRpcError)]

    assert len(refused) == 33
    assert (interceptor.rejected["TOO_BUSY"], interceptor.in_flight, interceptor.streams) == (33, 0, 0)
    assert not isinstance(again, Exception)
    status = rpc_status.from_call(refused[0])
    assert status is not None
    info, wait = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(wait)
    assert ({one.code() for one in refused}, info.reason, wait.retry_delay.ToMilliseconds()) == (
        {grpc.StatusCode.RESOURCE_EXHAUSTED},
        "TOO_BUSY",
        100,
    )


class TestSlow:
    def test_streams_that_say_nothing_take_room_from_streams_only(self, served: str, stub: Any) -> None:
        end = threading.Event()

        def silent() -> Iterator[pb.TriageStreamRequest]:
            end.wait(20)
            yield from ()

        with channel(served) as one:
            open_ = [DecisionServiceStub(one).TriageStream(silent(), timeout=20) for _ in range(3)]
            code = None
            limit = time.monotonic() + 10
            while code is None and time.monotonic() < limit:
                try:
                    list(stub.TriageStream(iter([pb.TriageStreamRequest()]), timeout=60))
                except grpc.RpcError as error:
                    code = error.code()
            assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert stub.Decide(REQUEST, timeout=60).decision.status
            end.set()
            for one_stream in open_:
                list(one_stream)
        assert len(list(stub.TriageStream(iter([pb.TriageStreamRequest()]), timeout=60))) == 1

    def test_a_client_that_never_reads_its_stream_does_not_block_others(self, served: str, stub: Any) -> None:
        """Client libraries read ahead, so this test speaks HTTP/2: it sends all it can and never reads responses."""
        with Connection(served) as deaf:
            deaf.call(1, "/guidepost.v1.DecisionService/TriageStream")
            sent = 0
            while (
                sent < 5_000_000
                and deaf.wait(lambda: deaf.room(1) >= EMPTY or deaf.answered > 0, 15)
                and deaf.wait(lambda: deaf.room(1) >= EMPTY, 1)
            ):
                sent += deaf.data(1, b"\0" * (min(deaf.room(1), 10_000) // EMPTY * EMPTY))
            for _ in range(20):
                assert stub.Decide(REQUEST, timeout=60).decision.status

            assert 0 < deaf.answered <= WINDOW
            assert sent < 1_000_000

    def test_a_client_that_never_reads_is_not_read_ahead_by_many_large_tickets(self, address_of_default: str) -> None:
        large = pb.TriageStreamRequest(
            item=pb.TriageItem(ticket=Ticket(facts={"colour": FactValue(text="x" * 10_000)}))
        ).SerializeToString()
        message = b"\0" + len(large).to_bytes(4, "big") + large
        with Connection(address_of_default) as deaf:
            deaf.send(NO_ROOM_FOR_ANSWERS)
            deaf.call(1, "/guidepost.v1.DecisionService/TriageStream")
            sent = 0
            while sent < 5_000_000 and deaf.wait(lambda: deaf.room(1) >= len(message), 1):
                sent += deaf.data(1, message)

            assert sent < 1_000_000

    def test_idle_connections_do_not_block_others(self, served: str, stub: Any) -> None:
        host, _, port = served.rpartition(":")
        silent = [socket.create_connection((host, int(port)), 60) for _ in range(IDLE)]
        try:
            for one in silent[::2]:
                # Half of them complete the HTTP/2 handshake and then stay idle.
                one.sendall(HELLO)
            with channel(served) as new:
                assert DecisionServiceStub(new).Decide(REQUEST, timeout=60).decision.status
            for _ in range(20):
                assert stub.Decide(REQUEST, timeout=60).decision.status
        finally:
            for one in silent:
                one.close()

    def test_a_client_that_pings_too_often_is_disconnected(self, served: str) -> None:
        host, _, port = served.rpartition(":")
        with socket.create_connection((host, int(port)), 60) as one:
            one.sendall(HELLO)
            one.settimeout(60)
            said = b""
            for _ in range(20):
                try:
                    one.sendall(b"\x00\x00\x08\x06\x00\x00\x00\x00\x00" + b"12345678")
                    time.sleep(0.01)
                except OSError:
                    break
            while True:
                try:
                    part = one.recv(4_096)
                except OSError:
                    break
                if not part:
                    break
                said += part
        assert b"too_many_pings" in said


def test_the_settings_of_a_server_are_the_limits_of_its_parts() -> None:
    """Every limit has the default of its setting, as the page of settings shows it."""
    assert security(ServerSettings()) == Security()
    assert security(ServerSettings(max_in_flight=3, max_connection_age=9)).limits == Limits(
        in_flight=3, connection_age=9
    )
