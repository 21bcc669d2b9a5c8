"""What opens the circuit of a client and what closes it, against a server that the tests control."""

# ruff: noqa: N802 - gRPC names methods as the proto files do

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status

import guidepost
from guidepost.client.circuit_breaker import Circuit
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceServicer, add_DecisionServiceServicer_to_server
from tests.support.servers import run_coroutine, serving, shipped_bundle
from tests.support.waiting import wait_until

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


class Health(health.HealthServicer):  # type: ignore[misc]
    """The health service; counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.end: Callable[[], object] = lambda: None

    def Check(self, request: Any, context: Any) -> Any:
        self.asked += 1
        self.end()
        return super().Check(request, context)


class Obedient(DecisionServiceServicer):
    """A server whose decisions answer, fail or hang as a test sets it."""

    def __init__(self) -> None:
        self.asked = 0
        self.end: Callable[[Any], object] = lambda _: None
        self.health = Health()
        self.free = threading.Event()

    def Triage(self, request: Any, context: Any) -> pb.TriageResponse:
        self.asked += 1
        self.end(context)
        answer = pb.TriageResponse()
        answer.version.version = "1"
        return answer

    def hang(self) -> None:
        self.free.clear()
        self.end = lambda _: self.free.wait(60)

    def fail(self, code: Any, reason: str = "", *, wait: float | None = None) -> None:
        """Reject every call, with a time to retry after if it is set."""
        status = status_pb2.Status(code=code, message=reason)
        if wait is not None:
            delay = error_details_pb2.RetryInfo()
            delay.retry_delay.FromMilliseconds(round(wait * 1_000))
            status.details.add().Pack(delay)
        self.end = lambda context: context.abort_with_status(rpc_status.to_status(status))

    def answer(self) -> None:
        self.free.set()
        self.end = lambda _: None

    @contextmanager
    def serving(self, *, with_health: bool = True) -> Iterator[str]:
        server = grpc.server(ThreadPoolExecutor(32), options=[("grpc.so_reuseport", 0)])
        add_DecisionServiceServicer_to_server(self, server)
        if with_health:
            health_pb2_grpc.add_HealthServicer_to_server(self.health, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            self.free.set()
            server.stop(0).wait()


@pytest.fixture
def server() -> Obedient:
    return Obedient()


@contextmanager
def desk(server: Obedient, *, with_health: bool = True, **options: Any) -> Iterator[guidepost.Client]:
    with (
        server.serving(with_health=with_health) as address,
        guidepost.Client(address, fallback=guidepost.undecided, **options) as client,
    ):
        wait_until(lambda: decided(client))
        yield client


def decided(client: guidepost.Client, timeout: float = 20) -> bool:
    return not guidepost.is_fallback(client.triage(impact="high", timeout=timeout))


def opened(client: guidepost.Client) -> bool:
    decided(client, timeout=0.2)
    return client.circuit.state is Circuit.OPEN


class TestWhatOpensIt:
    """Only failures of the service do."""

    @pytest.mark.parametrize(
        "code",
        [
            code_pb2.INVALID_ARGUMENT,
            code_pb2.NOT_FOUND,
            code_pb2.UNAUTHENTICATED,
            code_pb2.PERMISSION_DENIED,
            code_pb2.FAILED_PRECONDITION,
            code_pb2.INTERNAL,
        ],
    )
    def test_a_rejected_request_does_not_open_the_circuit(self, server: Obedient, code: Any) -> None:
        with desk(server) as client:
            server.fail(code)
            for _ in range(10):
                with pytest.raises(grpc.RpcError):
                    client.triage(impact="high")

            assert (Circuit.CLOSED, 0) == (client.circuit.state, client.circuit.failures)

    @pytest.mark.parametrize("code", [code_pb2.UNAVAILABLE, code_pb2.CANCELLED, code_pb2.RESOURCE_EXHAUSTED])
    def test_an_overloaded_service_opens_the_circuit_until_it_answers(self, server: Obedient, code: Any) -> None:
        with desk(server) as client:
            server.fail(code)
            wait_until(lambda: opened(client))

            server.answer()

            wait_until(lambda: decided(client))
            assert (Circuit.CLOSED, 0) == (client.circuit.state, client.circuit.failures)

    def test_an_open_circuit_reports_the_last_error_of_the_server(self, server: Obedient) -> None:
        with server.serving() as address, guidepost.Client(address) as client:
            server.fail(code_pb2.UNAVAILABLE, "the disk is full", wait=600)

            for _ in range(3):
                with pytest.raises(grpc.RpcError, match="the disk is full"):
                    client.triage(impact="high", timeout=20)
            with pytest.raises(
                guidepost.CircuitOpen,
                match=r"next try in (600|59\d)\.\d s; the last one ended with UNAVAILABLE: the disk is full$",
            ):
                client.triage(impact="high", timeout=20)

    def test_the_circuit_stays_open_for_as_long_as_the_service_asks(self, server: Obedient) -> None:
        with desk(server, circuit_pause=0) as client:
            server.fail(code_pb2.RESOURCE_EXHAUSTED, "too busy", wait=600)
            wait_until(lambda: opened(client))

            assert client.circuit.left > 500
            asked = server.asked
            assert not decided(client)
            assert asked == server.asked

    def test_a_request_that_is_too_large_gets_no_fallback(self) -> None:
        with serving(shipped_bundle()) as address, guidepost.Client(address, fallback=guidepost.undecided) as client:
            for _ in range(5):
                with pytest.raises(grpc.RpcError) as refused:
                    client.triage({"service": "x" * (8 << 20)}, timeout=20)
                assert grpc.StatusCode.RESOURCE_EXHAUSTED is refused.value.code()

            assert Circuit.CLOSED is client.circuit.state

    def test_an_id_that_is_too_long_gets_no_fallback(self) -> None:
        with serving(shipped_bundle()) as address, guidepost.Client(address, fallback=guidepost.undecided) as client:
            for _ in range(10):
                with pytest.raises(grpc.RpcError) as error:
                    client.triage(impact="high", ticket_id="x" * 20_000)

            assert (Circuit.CLOSED, 0, grpc.StatusCode.RESOURCE_EXHAUSTED) == (
                client.circuit.state,
                client.circuit.failures,
                error.value.code(),
            )

    @pytest.mark.parametrize("timeout", [0, -1])
    def test_a_call_that_has_no_time_left_does_not_open_it(self, server: Obedient, timeout: float) -> None:
        with desk(server) as client:
            server.hang()
            assert not any(decided(client, timeout) for _ in range(10))
            assert (Circuit.CLOSED, 0) == (client.circuit.state, client.circuit.failures)

    def test_cancelled_calls_do_not_open_it(self, server: Obedient) -> None:
        async def give_up(address: str) -> Circuit:
            async with guidepost.AsyncClient(address) as client:
                await client.triage(impact="high", timeout=20)
                server.hang()
                asked = server.asked
                tasks = [asyncio.create_task(client.triage(impact="high", timeout=20)) for _ in range(5)]
                await asyncio.to_thread(wait_until, lambda: server.asked == asked + len(tasks))
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
                assert [asyncio.CancelledError] * len(tasks) == [type(one) for one in ended]
                server.answer()
                await client.triage(impact="high", timeout=20)
                return client.circuit.state

        with server.serving() as address:
            assert Circuit.CLOSED is run_coroutine(give_up(address))


class TestWhatClosesIt:
    """Only a decision does."""

    def test_a_healthy_server_that_does_not_decide_costs_one_ticket_at_a_time(self, server: Obedient) -> None:
        """Eight callers at once: one waits, the others are answered by the fallback, as long as decisions hang."""
        with desk(server) as client:
            server.hang()
            wait_until(lambda: opened(client))
            waiting = server.asked

            wait_until(lambda: client.circuit.state is Circuit.HALF_OPEN)
            with ThreadPoolExecutor(8) as pool:
                asked = [pool.submit(decided, client, 20) for _ in range(8)]
                wait_until(lambda: sum(one.done() for one in asked) == 7)
                assert [False] * 7 == [one.result() for one in asked if one.done()]
                wait_until(lambda: server.asked == waiting + 1)
                server.answer()
                assert 1 == sum(one.result() for one in asked)

            assert Circuit.CLOSED is client.circuit.state

    def test_a_server_that_is_not_serving_gets_no_tickets(self, server: Obedient) -> None:
        with desk(server, circuit_pause=0) as client:
            server.health.set("", NOT_SERVING)
            server.fail(code_pb2.UNAVAILABLE)
            wait_until(lambda: opened(client))
            server.answer()
            asked, probed = server.asked, server.health.asked
            wait_until(lambda: server.health.asked > probed + 8)
            assert not decided(client)
            assert asked == server.asked

            server.health.set("", SERVING)

            wait_until(lambda: decided(client))

    def test_a_server_without_a_health_service_is_detected_as_well(self, server: Obedient) -> None:
        with desk(server, with_health=False) as client:
            server.fail(code_pb2.UNAVAILABLE)
            wait_until(lambda: opened(client))

            server.answer()

            wait_until(lambda: decided(client))


def hang_wholly(server: Obedient) -> Callable[[], bool]:
    """Have calls and probes hang; the result is whether a second connection has replaced the first."""
    peers = set[str]()
    server.free.clear()
    server.health.end = lambda: server.free.wait(60)
    server.end = lambda context: (peers.add(context.peer()), server.free.wait(60))
    return lambda: len(peers) > 1


def test_a_call_under_way_is_answered_although_its_connection_is_replaced(server: Obedient) -> None:
    with desk(server, channels=1, circuit_failures=0) as client, ThreadPoolExecutor(1) as pool:
        replaced = hang_wholly(server)
        patient = pool.submit(client.triage, impact="high", timeout=60)
        wait_until(lambda: not decided(client, timeout=0.1) and replaced())

        server.answer()

        assert not guidepost.is_fallback(patient.result())


def test_the_circuit_opens_and_closes_under_asyncio(server: Obedient) -> None:
    async def ask(address: str) -> bool:
        async with guidepost.AsyncClient(
            address, channels=1, circuit_failures=0, fallback=guidepost.undecided
        ) as client:
            await client.triage(impact="high", timeout=60)
            replaced = hang_wholly(server)
            patient = asyncio.create_task(client.triage(impact="high", timeout=60))
            while not replaced():
                await client.triage(impact="high", timeout=0.1)
            server.answer()
            return not guidepost.is_fallback(await patient)

    with server.serving() as address:
        assert run_coroutine(ask(address))


def test_a_client_sends_no_probes_while_the_service_works(server: Obedient) -> None:
    """It has no thread then, neither before nor after an outage."""

    def probing() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "guidepost probes"]

    wait_until(lambda: not probing())  # of the tests before
    with desk(server) as client:
        assert [] == probing()
        server.fail(code_pb2.UNAVAILABLE)
        wait_until(lambda: opened(client))
        assert probing()
        server.answer()
        wait_until(lambda: decided(client))

        wait_until(lambda: not probing())


def test_a_client_that_is_closed_in_an_outage_ends_its_probes() -> None:
    with guidepost.Client("127.0.0.1:1", fallback=guidepost.undecided) as client:
        wait_until(lambda: opened(client))

    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "guidepost probes"])
