"""A client during outages of its servers: what callers get meanwhile, and how soon decisions come again."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import grpc
import pytest

import guidepost
from guidepost.client import channels as connecting
from guidepost.client import circuit_breaker as breaker
from guidepost.client import probes
from guidepost.client.audit_requests import READ_TIMEOUT
from guidepost.client.channels import RECONNECT
from guidepost.client.circuit_breaker import Circuit
from guidepost.client.requests import BATCH_TIMEOUT
from guidepost.server.rpc.limits import Limits
from guidepost.v1.decision_service_pb2 import TriageResponse
from tests.support.answering_server import answering_process
from tests.support.campaign import LONG
from tests.support.forwarder import Forwarder, forwarding
from tests.support.names import running_name_server
from tests.support.paths import ROOT
from tests.support.servers import counter_bundle, run_coroutine, serving
from tests.support.waiting import wait_until

BACK = 3.0
"""The most seconds from the return of a server to the first decision."""

SLOW = 3 * BACK
"""The same on a machine that is busy with other tests. gRPC's defaults need 20 s and more."""

AWAY, UNKNOWN, TRIES = (180, 60, 120) if LONG else (20, 15, 20)
"""For how many seconds a server is down and a name unknown, and how many attempts to connect are counted."""


class Asking:
    """A client of any kind, called without asyncio."""

    def __init__(self, kind: str, address: str, **options: Any) -> None:
        self._run: Callable[[Any], Any] = run_coroutine if "asyncio" in kind else lambda done: done
        self.client: Any = (
            self._run(self._made(guidepost.AsyncClient, address, options))
            if "asyncio" in kind
            else guidepost.Client(address, **options)
        )

    @staticmethod
    async def _made(client: Any, address: str, options: dict[str, Any]) -> Any:
        return client(address, **options)

    def triage(self, timeout: float = guidepost.TIMEOUT) -> TriageResponse:
        answer: TriageResponse = self._run(self.client.triage(size=3, timeout=timeout))
        return answer

    def decided(self, timeout: float = guidepost.TIMEOUT) -> bool:
        return not guidepost.is_fallback(self.triage(timeout))

    def close(self) -> None:
        self._run(self.client.close())


EITHER = ("plain", pytest.param("asyncio", marks=pytest.mark.faults))

KINDS = ("plain", "plain, coalescing", "asyncio", "asyncio, coalescing")


@pytest.fixture
def away() -> Iterator[Forwarder]:
    """A server behind a network that fails on demand."""
    with serving(counter_bundle()) as address, forwarding(address) as forwarder:
        yield forwarder


@pytest.fixture
def asking() -> Iterator[Callable[..., Asking]]:
    """Return clients with a fallback."""
    with ExitStack() as open_clients:

        def make(kind: str, address: str, **options: Any) -> Asking:
            coalesce = guidepost.COALESCE if "coalescing" in kind else None
            made = Asking(kind, address, **{"fallback": guidepost.undecided, "coalesce": coalesce, **options})
            open_clients.callback(made.close)
            return made

        yield make


def go_away(client: Asking) -> None:
    """Call until the circuit of the client is open."""
    wait_until(lambda: not client.decided(timeout=0.1) and client.client.circuit.state is Circuit.OPEN)


def how_long_until(decided: Callable[[], bool]) -> float:
    begun = time.monotonic()
    wait_until(decided)
    return time.monotonic() - begun


SOME = [
    ("plain", "refuse", 1),
    ("plain", "drop", 4),
    ("plain, coalescing", "refuse", 16),
    ("asyncio", "refuse", 4),
    ("asyncio", "drop", 16),
    ("asyncio, coalescing", "drop", 1),
]
ALL = [(kind, how, channels) for kind in KINDS for how in ("refuse", "drop") for channels in (1, 4, 16)]


@pytest.mark.parametrize(
    ("kind", "how", "channels"),
    [pytest.param(*one, marks=() if one in SOME else pytest.mark.faults) for one in ALL],
)
def test_after_an_outage_all_tickets_are_decided_within_seconds(
    kind: str, how: str, channels: int, away: Forwarder, asking: Callable[..., Asking]
) -> None:
    """The server was killed (`refuse`), or it hangs or vanished without closing its connections (`drop`)."""
    client = asking(kind, away.address, channels=channels)
    wait_until(client.decided)
    getattr(away, how)()
    go_away(client)

    away.forward()

    assert how_long_until(client.decided) < SLOW
    assert all(client.decided() for _ in range(3 * channels))


@pytest.mark.parametrize("kind", EITHER)
def test_a_server_that_was_suspended_decides_as_soon_as_it_continues(kind: str, asking: Callable[..., Asking]) -> None:
    with answering_process() as (server, address):
        client = asking(kind, address)
        wait_until(client.decided)
        server.send_signal(signal.SIGSTOP)
        go_away(client)

        server.send_signal(signal.SIGCONT)

        assert how_long_until(client.decided) < SLOW


@pytest.mark.parametrize("kind", EITHER)
def test_dead_connections_are_replaced(kind: str, away: Forwarder, asking: Callable[..., Asking]) -> None:
    """The server runs, but a firewall dropped the connections without a word; keepalive takes 25 s to notice."""
    client = asking(kind, away.address)
    wait_until(lambda: client.decided() and len(away.arrivals) == 4)

    away.lose()

    wait_until(lambda: not client.decided(timeout=0.1))
    assert how_long_until(client.decided) < SLOW


def tries(away: Forwarder, client: Asking, wanted: int) -> list[float]:
    """Return the seconds between attempts to connect while none succeeds."""
    wait_until(client.decided)
    away.slam()
    before = len(away.arrivals)
    wait_until(lambda: client.triage() and len(away.arrivals) >= before + wanted, 600)
    return [after - one for one, after in pairwise(away.arrivals[before:])]


@pytest.mark.faults
def test_a_client_keeps_trying_to_connect_every_two_seconds(away: Forwarder, asking: Callable[..., Asking]) -> None:
    """By default, gRPC would wait 1, 1.6, 2.6, 4.1 seconds and so on, up to 120; it varies each by a fifth."""
    between = tries(away, asking("plain", away.address, channels=1), wanted=12)

    assert sorted(between)[-3] < RECONNECT * 1.2 + 0.5


@pytest.mark.faults
@pytest.mark.campaign
def test_a_client_keeps_trying_to_connect_for_minutes(away: Forwarder, asking: Callable[..., Asking]) -> None:
    between = tries(away, asking("asyncio", away.address, channels=1), wanted=TRIES)

    assert sorted(between)[-3] < RECONNECT * 1.2 + 0.5


@pytest.mark.faults
@pytest.mark.campaign
def test_every_client_decides_within_seconds_of_a_long_outage(away: Forwarder, asking: Callable[..., Asking]) -> None:
    clients = [asking(kind, away.address) for kind in KINDS]
    for client in clients:
        wait_until(client.decided)
    away.refuse()
    back = time.monotonic() + AWAY
    wait_until(lambda: all(client.triage() for client in clients) and time.monotonic() > back, AWAY + 60)

    away.forward()

    assert how_long_until(lambda: all(client.decided() for client in clients)) < SLOW


class TestNames:
    """A client of a name, such as that of a headless service, whose addresses change or are missing for a while."""

    @pytest.mark.parametrize("kind", ["plain", "asyncio"])
    def test_a_server_that_returns_at_another_address_is_found(self, kind: str, asking: Callable[..., Asking]) -> None:
        with running_name_server() as names, ExitStack() as servers:
            server, address = servers.enter_context(answering_process())
            names.addresses = ("127.0.0.1",)
            port = address.rpartition(":")[2]
            client = asking(kind, f"dns://{names.authority}/desk.test:{port}")
            wait_until(client.decided)
            server.kill()
            server.wait()
            go_away(client)

            servers.enter_context(answering_process(f"127.0.0.2:{port}"))
            names.addresses = ("127.0.0.2",)

            assert how_long_until(client.decided) < SLOW

    @pytest.mark.faults
    @pytest.mark.campaign
    @pytest.mark.parametrize("kind", ["plain", "asyncio"])
    def test_a_name_that_was_unknown_for_a_minute_is_resolved_once_it_is_known(
        self, kind: str, asking: Callable[..., Asking]
    ) -> None:
        """gRPC alone waits up to two minutes between two attempts."""
        with running_name_server() as names, answering_process() as (_, address):
            client = asking(kind, f"dns://{names.authority}/desk.test:{address.rpartition(':')[2]}")
            known = time.monotonic() + UNKNOWN
            wait_until(lambda: not client.decided() and time.monotonic() > known, 120)

            names.addresses = ("127.0.0.1",)

            assert how_long_until(client.decided) < SLOW


class TestMeanwhile:
    """What callers get during an outage."""

    @pytest.mark.parametrize("kind", ["plain, coalescing", "asyncio"])
    def test_with_an_open_circuit_the_fallback_answers_at_once(
        self, kind: str, away: Forwarder, asking: Callable[..., Asking]
    ) -> None:
        """Not only after the timeout of the call."""
        client = asking(kind, away.address)
        wait_until(client.decided)
        away.drop()
        go_away(client)

        begun = time.monotonic()
        answers = [client.triage(timeout=20) for _ in range(10)]

        assert time.monotonic() - begun < 20
        assert all(guidepost.is_fallback(answer) for answer in answers)

    @pytest.mark.parametrize("kind", ["plain", "asyncio, coalescing"])
    def test_without_a_fallback_calls_fail_at_once_and_report_the_next_attempt(
        self, kind: str, away: Forwarder, asking: Callable[..., Asking]
    ) -> None:
        client = asking(kind, away.address, fallback=None)
        wait_until(lambda: client.triage(timeout=20))
        away.drop()

        def opened() -> bool:
            with pytest.raises(grpc.RpcError) as raised:
                client.triage(timeout=0.1)
            return isinstance(raised.value, guidepost.CircuitOpen)

        wait_until(opened)
        with pytest.raises(
            guidepost.CircuitOpen,
            match=r"^the service has not answered 3 calls in a row; (next try in \d\.\d s|the client is trying again now); the last one ended with DEADLINE_EXCEEDED: ",
        ) as raised:
            client.triage(timeout=20)

        assert grpc.StatusCode.UNAVAILABLE is raised.value.code()
        assert str(raised.value) == raised.value.details()
        assert {} == guidepost.wrong_fields(raised.value)

    def test_an_open_circuit_applies_to_every_call_for_a_decision(
        self, away: Forwarder, asking: Callable[..., Asking]
    ) -> None:
        client = asking("plain", away.address)
        wait_until(client.decided)
        away.drop()
        go_away(client)

        for call in (
            lambda: client.client.decide("queue", size=3),
            lambda: client.client.reschedule({"size": 2}, size=3),
            lambda: client.client.triage_many([{"size": 3}]),
        ):
            with pytest.raises(guidepost.CircuitOpen):
                call()

    def test_the_circuit_breaker_can_be_turned_off(self, away: Forwarder, asking: Callable[..., Asking]) -> None:
        client = asking("plain", away.address, circuit_failures=0, fallback=None)
        wait_until(lambda: client.triage(timeout=20))
        away.drop()

        for _ in range(10):
            with pytest.raises(grpc.RpcError) as raised:
                client.triage(timeout=0.05)
            assert grpc.StatusCode.DEADLINE_EXCEEDED is raised.value.code()


@pytest.mark.parametrize("kind", EITHER)
def test_the_other_services_use_a_connection_that_works(
    kind: str, away: Forwarder, asking: Callable[..., Asking]
) -> None:
    """Policies and decision log, after an outage and when the first connection is lost, as for decisions."""
    client = asking(kind, away.address)
    wait_until(client.decided)
    for how in (away.drop, away.refuse):
        how()
        go_away(client)
        away.forward()
        wait_until(client.decided)

        assert client._run(client.client.versions()).versions
        with pytest.raises(grpc.RpcError) as refused:
            client._run(client.client.audit.record("none"))
        assert grpc.StatusCode.FAILED_PRECONDITION is refused.value.code()  # this server has no log


class TestSeveral:
    """Several servers behind one address, as the workers of one server are."""

    @pytest.mark.parametrize("kind", EITHER)
    def test_as_long_as_one_server_is_live_every_ticket_is_decided(
        self, kind: str, asking: Callable[..., Asking]
    ) -> None:
        with ExitStack() as servers:
            first, address = servers.enter_context(answering_process())
            client = asking(kind, address, channels=8)
            gone = first
            for _ in range(3):
                other, _ = servers.enter_context(answering_process(address))
                wait_until(client.decided)
                gone.kill()
                gone.wait()
                assert {f"{other.pid}"} == {client.triage(timeout=20).version.version for _ in range(24)}
                gone = other

    @pytest.mark.parametrize("kind", EITHER)
    def test_a_server_that_hangs_costs_at_most_two_tickets(self, kind: str, asking: Callable[..., Asking]) -> None:
        with answering_process() as (first, address), answering_process(address) as (second, _):
            client = asking(kind, address, channels=16)
            both = {f"{first.pid}", f"{second.pid}"}
            wait_until(lambda: both == {client.triage().version.version for _ in range(16)})
            second.send_signal(signal.SIGSTOP)

            # A second suffices for one lost call and the probes after it.
            undecided = sum(not client.decided(timeout=1.5) for _ in range(100))

            assert undecided <= 4
            second.send_signal(signal.SIGCONT)
            wait_until(lambda: both == {client.triage().version.version for _ in range(16)})


def test_a_server_allows_the_pings_of_the_client() -> None:
    allowed = dict(Limits().options)["grpc.http2.min_ping_interval_without_data_ms"]

    assert allowed <= connecting.KEEPALIVE * 1_000


def test_the_defaults_in_the_manual_are_those_of_the_client() -> None:
    page = (
        (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("## Clients")[2].partition("\n## ")[0]
    )
    written = dict(re.findall(r"^\| ([^|]+) \| ([0-9.]+)[^|]*\| [^|]*\|$", page, re.MULTILINE))
    seconds = {name: float(value) for name, value in written.items()}

    assert {
        "time for a decision": guidepost.TIMEOUT,
        "time for many tickets in one call": BATCH_TIMEOUT,
        "time for a query of the decision log": READ_TIMEOUT,
        "time for a difference": connecting.DIFF_TIMEOUT,
        "connections": connecting.CHANNELS,
        "decisions in a row without an answer that open the circuit": breaker.FAILURES,
        "time for which the circuit stays open at least": breaker.PAUSE,
        "time between two probes, and for each": probes.EVERY,
        "unanswered probes after which a connection is replaced": probes.SILENT,
        "most time between two tries to connect": connecting.RECONNECT,
        "time for a try to connect": connecting.CONNECT,
        "time between two keepalive pings, with or without calls": connecting.KEEPALIVE,
        "time for a ping's answer": connecting.KEEPALIVE_ANSWER,
    } == seconds
    options = dict(line.split("=") for line in page.partition("```\n")[2].partition("```")[0].split())
    assert options.items() <= {name: str(value) for name, value in connecting._OPTIONS}.items()
