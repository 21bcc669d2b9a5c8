"""A client that goes on running while its servers are away: what its callers get meanwhile, and how soon all is well again."""

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
from tests.support.answering_server import answering
from tests.support.campaign import LONG
from tests.support.forwarder import Forwarder, forwarding
from tests.support.names import naming
from tests.support.paths import ROOT
from tests.support.servers import counter, run, running
from tests.support.waiting import until

BACK = 3.0
"""Seconds within which a client has its first decision after the server is back."""

SLOW = 3 * BACK
"""The same on a machine that is busy with other tests. gRPC's defaults take 20 s and more."""

AWAY, UNKNOWN, TRIES = (180, 60, 120) if LONG else (20, 15, 20)
"""For how many seconds a server is away and a name unknown, and how many tries to connect are counted."""


class Asking:
    """A client of any kind, asked without asyncio."""

    def __init__(self, kind: str, address: str, **options: Any) -> None:
        self._run: Callable[[Any], Any] = run if "asyncio" in kind else lambda done: done
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
    with running(counter()) as address, forwarding(address) as forwarder:
        yield forwarder


@pytest.fixture
def asking() -> Iterator[Callable[..., Asking]]:
    """Make clients with a fallback."""
    with ExitStack() as open_clients:

        def make(kind: str, address: str, **options: Any) -> Asking:
            coalesce = guidepost.COALESCE if "coalescing" in kind else None
            made = Asking(kind, address, **{"fallback": guidepost.undecided, "coalesce": coalesce, **options})
            open_clients.callback(made.close)
            return made

        yield make


def go_away(client: Asking) -> None:
    """Ask until the client has understood that nobody answers."""
    until(lambda: not client.decided(timeout=0.1) and client.client.circuit.state is Circuit.OPEN)


def how_long_until(decided: Callable[[], bool]) -> float:
    begun = time.monotonic()
    until(decided)
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
def test_after_an_outage_tickets_are_decided_within_seconds_and_all_of_them(
    kind: str, how: str, channels: int, away: Forwarder, asking: Callable[..., Asking]
) -> None:
    """Whether the server was killed (`refuse`), or hung or vanished without closing its connections (`drop`)."""
    client = asking(kind, away.address, channels=channels)
    until(client.decided)
    getattr(away, how)()
    go_away(client)

    away.forward()

    assert how_long_until(client.decided) < SLOW
    assert all(client.decided() for _ in range(3 * channels))


@pytest.mark.parametrize("kind", EITHER)
def test_a_server_that_was_stopped_for_a_while_decides_again_as_soon_as_it_goes_on(
    kind: str, asking: Callable[..., Asking]
) -> None:
    with answering() as (server, address):
        client = asking(kind, address)
        until(client.decided)
        server.send_signal(signal.SIGSTOP)
        go_away(client)

        server.send_signal(signal.SIGCONT)

        assert how_long_until(client.decided) < SLOW


@pytest.mark.parametrize("kind", EITHER)
def test_connections_that_lead_nowhere_are_replaced_by_new_ones(
    kind: str, away: Forwarder, asking: Callable[..., Asking]
) -> None:
    """The server is there all the time, but a firewall has forgotten the connections: nobody says so, and keepalive takes 25 s to notice."""
    client = asking(kind, away.address)
    until(lambda: client.decided() and len(away.arrivals) == 4)

    away.lose()

    until(lambda: not client.decided(timeout=0.1))
    assert how_long_until(client.decided) < SLOW


def tries(away: Forwarder, client: Asking, wanted: int) -> list[float]:
    """Seconds between one try to connect and the next, while no connection can be made."""
    until(client.decided)
    away.slam()
    before = len(away.arrivals)
    until(lambda: client.triage() and len(away.arrivals) >= before + wanted, 600)
    return [after - one for one, after in pairwise(away.arrivals[before:])]


@pytest.mark.faults
def test_a_client_tries_to_connect_every_other_second_however_often_it_was_in_vain(
    away: Forwarder, asking: Callable[..., Asking]
) -> None:
    """gRPC's own defaults would have it wait 1, 1.6, 2.6, 4.1 seconds and so on, up to 120; it varies each by a fifth."""
    between = tries(away, asking("plain", away.address, channels=1), wanted=12)

    assert sorted(between)[-3] < RECONNECT * 1.2 + 0.5


@pytest.mark.faults
@pytest.mark.campaign
def test_so_it_does_for_minutes(away: Forwarder, asking: Callable[..., Asking]) -> None:
    between = tries(away, asking("asyncio", away.address, channels=1), wanted=TRIES)

    assert sorted(between)[-3] < RECONNECT * 1.2 + 0.5


@pytest.mark.faults
@pytest.mark.campaign
def test_the_first_decision_after_minutes_comes_within_seconds_for_every_kind_of_client(
    away: Forwarder, asking: Callable[..., Asking]
) -> None:
    clients = [asking(kind, away.address) for kind in KINDS]
    for client in clients:
        until(client.decided)
    away.refuse()
    back = time.monotonic() + AWAY
    until(lambda: all(client.triage() for client in clients) and time.monotonic() > back, AWAY + 60)

    away.forward()

    assert how_long_until(lambda: all(client.decided() for client in clients)) < SLOW


class TestNames:
    """A client of a name, as of a headless service: what it stands for changes, and for a while it stands for nothing."""

    @pytest.mark.parametrize("kind", ["plain", "asyncio"])
    def test_a_server_that_comes_back_at_another_address_is_found(
        self, kind: str, asking: Callable[..., Asking]
    ) -> None:
        with naming() as names, ExitStack() as servers:
            server, address = servers.enter_context(answering())
            names.addresses = ("127.0.0.1",)
            port = address.rpartition(":")[2]
            client = asking(kind, f"dns://{names.authority}/desk.test:{port}")
            until(client.decided)
            server.kill()
            server.wait()
            go_away(client)

            servers.enter_context(answering(f"127.0.0.2:{port}"))
            names.addresses = ("127.0.0.2",)

            assert how_long_until(client.decided) < SLOW

    @pytest.mark.faults
    @pytest.mark.campaign
    @pytest.mark.parametrize("kind", ["plain", "asyncio"])
    def test_a_name_that_nobody_knew_for_a_minute_is_looked_up_as_soon_as_it_is_known(
        self, kind: str, asking: Callable[..., Asking]
    ) -> None:
        """gRPC by itself waits up to two minutes between two tries."""
        with naming() as names, answering() as (_, address):
            client = asking(kind, f"dns://{names.authority}/desk.test:{address.rpartition(':')[2]}")
            known = time.monotonic() + UNKNOWN
            until(lambda: not client.decided() and time.monotonic() > known, 120)

            names.addresses = ("127.0.0.1",)

            assert how_long_until(client.decided) < SLOW


class TestMeanwhile:
    """What callers get while a server is away."""

    @pytest.mark.parametrize("kind", ["plain, coalescing", "asyncio"])
    def test_once_it_is_clear_that_nobody_answers_the_fallback_does_at_once(
        self, kind: str, away: Forwarder, asking: Callable[..., Asking]
    ) -> None:
        """And not after the time that a call may take."""
        client = asking(kind, away.address)
        until(client.decided)
        away.drop()
        go_away(client)

        begun = time.monotonic()
        answers = [client.triage(timeout=20) for _ in range(10)]

        assert time.monotonic() - begun < 20
        assert all(guidepost.is_fallback(answer) for answer in answers)

    @pytest.mark.parametrize("kind", ["plain", "asyncio, coalescing"])
    def test_without_a_fallback_calls_fail_at_once_and_say_since_when_and_until_when(
        self, kind: str, away: Forwarder, asking: Callable[..., Asking]
    ) -> None:
        client = asking(kind, away.address, fallback=None)
        until(lambda: client.triage(timeout=20))
        away.drop()

        def opened() -> bool:
            with pytest.raises(grpc.RpcError) as raised:
                client.triage(timeout=0.1)
            return isinstance(raised.value, guidepost.CircuitOpen)

        until(opened)
        with pytest.raises(
            guidepost.CircuitOpen,
            match=r"^the service has not answered 3 calls in a row; (next try in \d\.\d s|the client is trying again now); the last one ended with DEADLINE_EXCEEDED: ",
        ) as raised:
            client.triage(timeout=20)

        assert grpc.StatusCode.UNAVAILABLE is raised.value.code()
        assert str(raised.value) == raised.value.details()
        assert {} == guidepost.wrong_fields(raised.value)

    def test_every_call_for_a_decision_is_spared_the_wait(self, away: Forwarder, asking: Callable[..., Asking]) -> None:
        client = asking("plain", away.address)
        until(client.decided)
        away.drop()
        go_away(client)

        for call in (
            lambda: client.client.decide("queue", size=3),
            lambda: client.client.reschedule({"size": 2}, size=3),
            lambda: client.client.triage_many([{"size": 3}]),
        ):
            with pytest.raises(guidepost.CircuitOpen):
                call()

    def test_a_client_may_do_without_the_circuit_breaker(self, away: Forwarder, asking: Callable[..., Asking]) -> None:
        client = asking("plain", away.address, circuit_failures=0, fallback=None)
        until(lambda: client.triage(timeout=20))
        away.drop()

        for _ in range(10):
            with pytest.raises(grpc.RpcError) as raised:
                client.triage(timeout=0.05)
            assert grpc.StatusCode.DEADLINE_EXCEEDED is raised.value.code()


@pytest.mark.parametrize("kind", EITHER)
def test_the_other_services_are_asked_over_a_connection_that_answers(
    kind: str, away: Forwarder, asking: Callable[..., Asking]
) -> None:
    """The policies and the decision log: after an outage, and when the first connection is gone, as for decisions."""
    client = asking(kind, away.address)
    until(client.decided)
    for how in (away.drop, away.refuse):
        how()
        go_away(client)
        away.forward()
        until(client.decided)

        assert client._run(client.client.versions()).versions
        with pytest.raises(grpc.RpcError) as refused:
            client._run(client.client.audit.record("none"))
        assert grpc.StatusCode.FAILED_PRECONDITION is refused.value.code()  # this server keeps no log, and says so


class TestSeveral:
    """Several servers behind one address, as the workers of one server are."""

    @pytest.mark.parametrize("kind", EITHER)
    def test_as_long_as_one_of_them_is_there_no_ticket_goes_undecided(
        self, kind: str, asking: Callable[..., Asking]
    ) -> None:
        with ExitStack() as servers:
            first, address = servers.enter_context(answering())
            client = asking(kind, address, channels=8)
            gone = first
            for _ in range(3):
                other, _ = servers.enter_context(answering(address))
                until(client.decided)
                gone.kill()
                gone.wait()
                assert {f"{other.pid}"} == {client.triage(timeout=20).version.version for _ in range(24)}
                gone = other

    @pytest.mark.parametrize("kind", EITHER)
    def test_one_that_hangs_costs_a_ticket_or_two_and_not_one_for_each_connection(
        self, kind: str, asking: Callable[..., Asking]
    ) -> None:
        with answering() as (first, address), answering(address) as (second, _):
            client = asking(kind, address, channels=16)
            both = {f"{first.pid}", f"{second.pid}"}
            until(lambda: both == {client.triage().version.version for _ in range(16)})
            second.send_signal(signal.SIGSTOP)

            # A second is enough for one lost call, and for asking on all connections behind it.
            undecided = sum(not client.decided(timeout=1.5) for _ in range(100))

            assert undecided <= 4
            second.send_signal(signal.SIGCONT)
            until(lambda: both == {client.triage().version.version for _ in range(16)})


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
        "time for a look into the decision log": READ_TIMEOUT,
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
