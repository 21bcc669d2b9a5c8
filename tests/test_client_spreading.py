"""Which of its connections a client calls over: never a busier one while another has less to do, and each in its turn."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import guidepost
from guidepost.spreading import Spread
from tests.serving import counter, running
from tests.waiting import until


def over(spread: Spread) -> str:
    with spread.one() as stub:
        return str(stub)


def test_with_nothing_under_way_each_has_its_turn() -> None:
    spread = Spread("abc")

    assert "abcabc" == "".join(over(spread) for _ in range(6))


def test_a_connection_whose_calls_take_long_gets_no_more_until_the_others_have_as_many() -> None:
    spread = Spread("ab")
    with ExitStack() as slow:
        for _ in range(2):
            assert "a" == slow.enter_context(spread.one())
            assert "b" == over(spread)
            slow.enter_context(spread.one())

        assert {"a", "b"} == {over(spread), over(spread)}


@given(st.integers(1, 5), st.lists(st.none() | st.integers(0, 9)))
def test_a_call_goes_where_the_fewest_are(connections: int, steps: list[int | None]) -> None:
    """A step begins a call, or ends the one with a number, if there are that many."""
    spread, calls = Spread(range(connections)), list[int]()
    for step in steps:
        if step is not None and step < len(calls):
            spread.leave(calls.pop(step))
        else:
            fewest = min(calls.count(one) for one in range(connections))
            chosen = spread.enter()
            assert fewest == calls.count(chosen)
            calls.append(chosen)


def test_a_call_that_fails_has_ended_too() -> None:
    spread = Spread("ab")
    for _ in range(3):
        with pytest.raises(ValueError, match="away"), spread.one():
            raise ValueError("away")
    with spread.one() as first, spread.one() as second:
        assert {"a", "b"} == {first, second}


def test_calls_of_many_threads_are_all_counted() -> None:
    spread = Spread("ab")

    def call(_: int) -> None:
        for _ in range(2_000):
            over(spread)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(8)))
    with spread.one() as first, spread.one() as second:
        assert {"a", "b"} == {first, second}


def test_a_client_counts_every_call_out_again_whether_it_was_answered_or_not() -> None:
    with running(counter()) as address, guidepost.Client(address) as client, guidepost.Client(address, coalesce=0.001) as together:
        client.triage(size=3, timeout=20)
        client.decide("queue", size=3, timeout=20)
        client.triage_many([{"size": 3}], timeout=20)
        together.triage(size=3, timeout=20)
        for refused in (client.triage, together.triage):
            with pytest.raises(grpc.RpcError):
                refused(size=3, version="no such", timeout=20)

        until(lambda: not any(client._decisions._under_way + together._decisions._under_way))
