"""Which connection a call uses: the one with the fewest calls under way, and of equals the next in turn."""

# ruff: noqa: N802 - gRPC names methods as the proto files do

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import guidepost
from guidepost.client.connection_pool import ConnectionPool
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceServicer, add_DecisionServiceServicer_to_server


def over(pool: ConnectionPool) -> str:
    with pool.one() as stub:
        return str(stub)


def test_idle_connections_are_used_in_turn() -> None:
    pool = ConnectionPool("abc")

    assert "abcabc" == "".join(over(pool) for _ in range(6))


def test_a_slow_connection_gets_no_calls_until_others_have_as_many() -> None:
    pool = ConnectionPool("ab")
    with ExitStack() as slow:
        for _ in range(2):
            assert "a" == slow.enter_context(pool.one())
            assert "b" == over(pool)
            slow.enter_context(pool.one())

        assert {"a", "b"} == {over(pool), over(pool)}


@given(st.integers(1, 5), st.lists(st.none() | st.integers(0, 9)))
def test_a_call_uses_the_connection_with_the_fewest_calls(connections: int, steps: list[int | None]) -> None:
    """A step begins a call, or ends the call with a number if there is one."""
    pool, calls = ConnectionPool(range(connections)), list[int]()
    for step in steps:
        if step is not None and step < len(calls):
            pool.leave(calls.pop(step))
        else:
            fewest = min(calls.count(one) for one in range(connections))
            chosen = pool.enter()
            assert fewest == calls.count(chosen)
            calls.append(chosen)


def test_a_failed_call_is_no_longer_under_way() -> None:
    pool = ConnectionPool("ab")
    for _ in range(3):
        with pytest.raises(ValueError, match="away"), pool.one():
            raise ValueError("away")
    with pool.one() as first, pool.one() as second:
        assert {"a", "b"} == {first, second}


def test_calls_of_many_threads_are_all_counted() -> None:
    pool = ConnectionPool("ab")

    def call(_: int) -> None:
        for _ in range(2_000):
            over(pool)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(call, range(8)))
    with pool.one() as first, pool.one() as second:
        assert {"a", "b"} == {first, second}


class Peers(DecisionServiceServicer):
    """Counts the calls on each connection; rejects a ticket of size 0, and a batch with one."""

    def __init__(self) -> None:
        self.calls = Counter[str]()

    def Triage(self, request: Any, context: Any) -> pb.TriageResponse:
        self._count(request.ticket, context)
        return pb.TriageResponse()

    def TriageBatch(self, request: Any, context: Any) -> pb.TriageBatchResponse:
        self._count(request.items[0].ticket, context)
        return pb.TriageBatchResponse(results=[pb.TriageResult(triage=pb.TriageResponse())])

    def _count(self, ticket: Any, context: Any) -> None:
        if ticket.facts["size"].number == 0:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no size")
        self.calls[context.peer()] += 1


@pytest.mark.parametrize("coalesce", [None, 0.001])
def test_a_rejected_call_is_no_longer_under_way(coalesce: float | None) -> None:
    """If it were, its connection would not be used any more."""
    peers, server = Peers(), grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
    add_DecisionServiceServicer_to_server(peers, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    with guidepost.Client(address, channels=4, coalesce=coalesce) as client:
        for _ in range(7):
            with pytest.raises(grpc.RpcError):
                client.triage(size=0, timeout=20)
        for _ in range(40):
            client.triage(size=3, timeout=20)
    server.stop(0).wait()

    assert [10, 10, 10, 10] == list(peers.calls.values())


def test_a_connection_that_lost_a_call_is_unused_until_it_answers() -> None:
    pool = ConnectionPool("abc")
    pool.doubt(1)
    assert "acac" == "".join(over(pool) for _ in range(4))

    pool.trust(1)

    assert {"a", "b", "c"} == {over(pool) for _ in range(3)}


def test_doubted_connections_are_used_in_turn_if_there_are_no_others() -> None:
    pool = ConnectionPool("ab")
    pool.doubt(0)
    pool.doubt(1)

    assert "abab" == "".join(over(pool) for _ in range(4))


@given(st.integers(1, 5), st.sets(st.integers(0, 4)), st.sets(st.integers(0, 4)))
def test_a_lost_call_is_retried_on_another_connection(connections: int, doubted: set[int], tried: set[int]) -> None:
    everyone = set(range(connections))
    pool = ConnectionPool(everyone)
    for one in doubted & everyone:
        pool.doubt(one)

    chosen = pool.enter(tried)

    best = [everyone - tried - doubted, everyone - tried, everyone - doubted, everyone]
    assert chosen in next(one for one in best if one)
    assert pool.trusted(tried) == bool(everyone - tried - doubted)


def test_a_client_needs_a_channel() -> None:
    with pytest.raises(ValueError, match="expected at least 1 channel, got 0"):
        guidepost.Client("127.0.0.1:1", channels=0)
