"""The client against a server on a real port, and what the import of the client needs."""

# ruff: noqa: N802 - gRPC names methods as the proto files do

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import grpc
import pytest

import guidepost
from guidepost.client.coalescing import MOST
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceServicer, add_DecisionServiceServicer_to_server
from guidepost.v1.policy_service_pb2_grpc import PolicyServiceServicer, add_PolicyServiceServicer_to_server
from tests.support.paths import ROOT
from tests.support.servers import NOW, counter_bundle, run_coroutine, serving, shipped_bundle


class Faulty(DecisionServiceServicer, PolicyServiceServicer):
    """A server that fails several times with a status, and then answers."""

    def __init__(self, code: grpc.StatusCode, times: int) -> None:
        self.code, self.times, self.calls = code, times, 0

    def Triage(self, request: Any, context: Any) -> pb.TriageResponse:
        """Fail, or answer."""
        self.calls += 1
        if self.calls <= self.times:
            context.abort(self.code, "going away")
        return pb.TriageResponse()

    def ListVersions(self, request: Any, context: Any) -> Any:
        """Fail."""
        self.calls += 1
        context.abort(self.code, "going away")


@contextmanager
def faulty(code: grpc.StatusCode, times: int) -> Iterator[tuple[Faulty, guidepost.Client]]:
    """Serve a faulty server, and connect to it."""
    servicer = Faulty(code, times)
    server = grpc.server(futures.ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)])
    add_DecisionServiceServicer_to_server(servicer, server)
    add_PolicyServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with guidepost.Client(f"127.0.0.1:{port}") as client:
        yield servicer, client
    server.stop(0).wait()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serve the guide's desk."""
    with serving(shipped_bundle()) as bound:
        yield bound


class TestTickets:
    """Plain Python facts become a ticket."""

    def test_a_fact_goes_into_the_field_of_its_name(self) -> None:
        """By its type: text, number, true or false, instant."""
        made = guidepost.ticket(
            impact="high",
            affected_percent=60,
            business_days_since_closure=3,
            contact_is_tenant_user=False,
            received_at=NOW,
        )

        assert (made.impact, made.affected_percent, made.business_days_since_closure) == ("high", 60.0, 3)
        assert made.HasField("contact_is_tenant_user")
        assert made.received_at.ToDatetime(tzinfo=UTC) == NOW
        assert not made.facts

    def test_a_fact_without_a_field_goes_into_the_map(self) -> None:
        """So does one whose field has another type."""
        made = guidepost.ticket(
            size=3, vip=True, colour="red", came_at=NOW, impact=2, received_at="2026-01-23T15:00:00+11:00"
        )

        kinds = {name: made.facts[name].WhichOneof("value") for name in sorted(made.facts)}
        assert kinds == {
            "came_at": "instant",
            "colour": "text",
            "impact": "number",
            "received_at": "text",
            "size": "number",
            "vip": "flag",
        }
        assert not made.HasField("impact")

    def test_true_is_not_one(self) -> None:
        """True is never sent as a number."""
        assert guidepost.ticket(affected_percent=True).facts["affected_percent"].WhichOneof("value") == "flag"

    def test_none_is_not_sent(self) -> None:
        """Not known is not false."""
        assert guidepost.ticket() == guidepost.ticket(impact=None, size=None)

    def test_a_mapping_accepts_names_that_cannot_be_keywords(self) -> None:
        """Also those of the call's own arguments."""
        assert guidepost.ticket({"version": True, "last name": "x"}).facts["version"].WhichOneof("value") == "flag"

    def test_an_instant_needs_an_offset(self) -> None:
        """A naive datetime is rejected, not guessed."""
        with pytest.raises(ValueError, match=r"`received_at`: expected a datetime with a tzinfo"):
            guidepost.ticket(received_at=datetime(2026, 1, 23))  # noqa: DTZ001

    def test_a_value_of_another_type_is_rejected(self) -> None:
        """The error contains the name of the fact."""
        with pytest.raises(TypeError, match=r"`size`: expected a str, a number, a bool or a datetime, got `list`"):
            guidepost.ticket(size=[1])  # type: ignore[arg-type]

    def test_a_version_is_chosen_in_one_way_only(self) -> None:
        """Several at once would contradict each other."""
        with pytest.raises(ValueError, match="got several"):
            guidepost.selector(version="1.0.0", as_of=NOW)
        assert guidepost.selector() is None


class TestCalls:
    """The client against a server."""

    def test_triage_takes_facts_as_keywords(self, address: str) -> None:
        """The reply has typed decisions."""
        with guidepost.Client(address) as client:
            reply = client.triage(stage="triage", impact="high", urgency="medium", version="1.0.0")

        assert (reply.priority.priority, reply.version.version) == ("P2", "1.0.0")

    def test_decide_makes_one_decision_of_any_desk(self) -> None:
        """By name."""
        with serving(counter_bundle()) as other, guidepost.Client(other) as client:
            decision = client.decide("queue", {"size": 9}, vip=False)

        assert decision.outcomes[0].value.text == "slow"

    def test_the_time_and_the_pauses_are_the_callers_own(self, address: str) -> None:
        """Without them, the server's clock counts, and the ticket has no pauses."""
        facts = {"assigned_priority": "P3", "plan": "partner", "country": "AU", "received_at": NOW}
        pause = (NOW, NOW + timedelta(hours=1))

        with guidepost.Client(address) as client:
            (by_clock,) = client.decide("response", facts).deadlines
            (later,) = client.decide(
                "response", facts, now=NOW + timedelta(days=9), pauses=[pause, (NOW, None)]
            ).deadlines

        assert (NOW, False) == (by_clock.standing.at.ToDatetime(UTC), by_clock.HasField("extended"))
        assert (NOW + timedelta(days=9), True) == (later.standing.at.ToDatetime(UTC), later.HasField("extended"))

    def test_reschedule_returns_the_old_and_the_new_deadline(self, address: str) -> None:
        """Facts before the change come first; None was not known."""
        with guidepost.Client(address) as client:
            reply = client.reschedule(
                {"assigned_priority": "P3"}, plan="partner", country="AU", received_at=NOW, assigned_priority="P2"
            )
            new = client.reschedule(
                {"assigned_priority": None}, plan="partner", country="AU", received_at=NOW, assigned_priority="P2"
            )

        assert [("response_due", True, "2026-01-27T15:00:00+11:00", "2026-01-23T19:00:00+11:00")] == [
            (one.name, one.moved, one.before.local_due, one.after.local_due) for one in reply.deadlines
        ]
        assert [("P3", "P2")] == [
            (one.before.text, one.after.text) for one in reply.because if one.name == "target_priority"
        ]
        assert [False] == [one.HasField("before") for one in new.deadlines]

    def test_versions_are_listed_and_shown(self, address: str) -> None:
        """By name or digest, or as of an instant."""
        with guidepost.Client(address) as client:
            listed = client.versions()
            digest = listed.versions[0].version.digest
            shown = [client.version("1.0.0"), client.version(digest=digest), client.version()]

        assert ["1.0.0", "1.0.0", listed.in_force.version] == [one.summary.version.version for one in shown]

    def test_the_async_client_makes_the_same_calls(self, address: str) -> None:
        """Awaited."""

        async def calls() -> list[Any]:
            async with guidepost.AsyncClient(address) as client:
                return [
                    await client.triage(impact="high", urgency="high"),
                    await client.decide("priority", impact="high", urgency="high"),
                    await client.reschedule(
                        {"assigned_priority": "P1"}, assigned_priority="P2", plan="partner", received_at=NOW
                    ),
                    await client.versions(),
                    await client.version("1.0.0"),
                ]

        with guidepost.Client(address) as client:
            expected = [
                client.triage(impact="high", urgency="high"),
                client.decide("priority", impact="high", urgency="high"),
                client.reschedule({"assigned_priority": "P1"}, assigned_priority="P2", plan="partner", received_at=NOW),
                client.versions(),
                client.version("1.0.0"),
            ]

        assert expected == run_coroutine(calls())

    def test_further_calls_are_on_the_stubs(self, address: str) -> None:
        """One for each decision."""
        with guidepost.Client(address) as client:
            request = pb.DecideScopeRequest(ticket=guidepost.ticket(service="prism.login"))
            reply = client.decisions.DecideScope(request, timeout=guidepost.TIMEOUT)

        assert reply.scope.scope == "in_scope"

    def test_wrong_fields_are_read_off_the_error(self, address: str) -> None:
        """Each with what is allowed; another error has none."""
        with guidepost.Client(address) as client:
            with pytest.raises(grpc.RpcError) as wrong:
                client.triage(impact="hihg", size=3)
            with pytest.raises(grpc.RpcError) as unknown:
                client.triage(version="9.9.9")

        async def awaited() -> dict[str, str]:
            async with guidepost.AsyncClient(address) as client:
                try:
                    await client.triage(impact="hihg", size=3)
                except grpc.RpcError as error:
                    return guidepost.wrong_fields(error)
            return {}

        assert run_coroutine(awaited()) == guidepost.wrong_fields(wrong.value)
        assert sorted(guidepost.wrong_fields(wrong.value)) == ['ticket.facts["size"]', "ticket.impact"]
        assert "did you mean `high`?" in guidepost.wrong_fields(wrong.value)["ticket.impact"]
        assert guidepost.wrong_fields(unknown.value) == {}

    @pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED])
    def test_a_decision_is_retried_when_the_server_is_lost(self, code: grpc.StatusCode) -> None:
        """A decision changes nothing, so this is safe."""
        with faulty(code, times=2) as (servicer, client):
            client.triage(impact="high")

        assert servicer.calls == 3

    def test_other_errors_are_not_retried(self) -> None:
        """A wrong request stays wrong."""
        with faulty(grpc.StatusCode.INVALID_ARGUMENT, times=9) as (servicer, client), pytest.raises(grpc.RpcError):
            client.triage(impact="high")

        assert servicer.calls == 1

    def test_a_call_ends_at_its_deadline(self) -> None:
        """However often it may be retried."""
        with guidepost.Client("127.0.0.1:1") as client, pytest.raises(grpc.RpcError) as raised:
            client.decisions.Triage(pb.TriageRequest(), timeout=0.2, wait_for_ready=True)

        assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


class TestPackage:
    """What its import needs, and what it does on the command line."""

    def test_the_client_imports_with_grpcio_and_protobuf_alone(self) -> None:
        """No engine, no numpy, no durable-rules, no YAML."""
        code = """
import sys
class Others:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {"google", "grpc", "guidepost", "typing_extensions", *sys.stdlib_module_names}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Others())
import guidepost, guidepost.__main__
"""
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

        assert (done.returncode, done.stderr) == (0, "")

    def test_the_module_triages_a_ticket_and_prints_json(self, address: str) -> None:
        """With the names of the proto files."""
        done = command(
            address, "stage=triage", "impact=high", "urgency=medium", "affected_percent=60", "reopen_requested=no"
        )

        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["priority"]["priority"] == "P2"

    def test_the_module_reports_wrong_fields(self, address: str) -> None:
        """With the status and the field."""
        done = command(address, "impact=hihg", "nonsense=1")

        assert (done.returncode, done.stdout) == (1, "")
        first, second = done.stderr.splitlines()
        assert first.startswith("INVALID_ARGUMENT: ticket.impact: unknown impact `hihg`")
        assert second.startswith('ticket.facts["nonsense"]: unknown fact `nonsense`')

    def test_the_module_shows_its_usage(self) -> None:
        """With exit code 2."""
        wrong = command("127.0.0.1:1", "impact")
        assert [command().returncode, wrong.returncode, command("127.0.0.1:1", "--token-file", "none").returncode] == [
            2,
            2,
            2,
        ]
        assert "expected FACT=VALUE, got `impact`" in wrong.stderr
        for flag in ("-h", "--help"):
            asked = command(flag)
            assert (
                asked.returncode,
                asked.stdout.startswith("usage: python -m guidepost [-h] [--token-file FILE]"),
            ) == (0, True)

    def test_the_module_suggests_starting_a_server_if_nothing_answers(self) -> None:
        """After the message of gRPC."""
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            done = command(f"127.0.0.1:{unused.getsockname()[1]}", "impact=high")

        assert done.returncode == 1
        first, *_, last = done.stderr.splitlines()
        assert (first.partition(":")[0], last) == (
            "UNAVAILABLE",
            "help: is the server running? `make serve` starts one",
        )

    def test_a_reader_that_closes_the_pipe_ends_it_quietly(self, address: str) -> None:
        """The answer is larger than a pipe holds, and nobody reads it."""
        line = [sys.executable, "-m", "guidepost", address, "impact=high"]
        with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()

            assert process.stderr.read() == b""
            assert process.wait(60) == 0


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m guidepost``."""
    line = [sys.executable, "-m", "guidepost", *arguments]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


class TestDifferences:
    """Two versions compared by the server."""

    def test_without_names_it_is_the_version_in_force_against_the_one_before_it(self, address: str) -> None:
        """The summary comes with it."""
        with guidepost.Client(address) as client:
            summary, decisions = client.diff(decisions=("scope",))

        assert (summary.before.version, summary.after.version) == ("1.0.0", "2.0.0")
        assert [one.name for one in decisions] == ["scope"]
        assert [region.text for region in decisions[0].outcomes[0].regions] == ["feature=critical_patch_notifications"]

    def test_the_asyncio_client_returns_the_same(self, address: str) -> None:
        """In one call, like the other client."""

        async def ask() -> Any:
            client = guidepost.AsyncClient(address)
            try:
                return await client.diff("2.0.0", "2.0.0")
            finally:
                await client.close()

        summary, decisions = asyncio.run(ask())

        assert summary.same_decisions
        assert not any(one.outcomes for one in decisions)


class TestManyAtOnce:
    """Several tickets in one call, and several calls as one."""

    def test_many_tickets_are_answered_in_order_with_an_error_for_a_wrong_one(self, address: str) -> None:
        """A wrong ticket has an error in its place."""
        with guidepost.Client(address) as client:
            alone = client.triage(impact="high", urgency="low")
            first, wrong, last = client.triage_many(
                [
                    {"impact": "high", "urgency": "low"},
                    {"impact": "hihg"},
                    guidepost.item(impact="low", urgency="low", ticket_id="INC-1"),
                ]
            )

        assert alone == first
        assert isinstance(wrong, guidepost.ItemFailed)
        assert grpc.StatusCode.INVALID_ARGUMENT is wrong.code()
        assert ["ticket.impact"] == list(guidepost.wrong_fields(wrong))
        assert "P5" == last.priority.priority

    def test_triages_of_many_threads_share_calls_and_get_their_own_answers(self) -> None:
        """Fewer calls, the same answers; a wrong request does not affect others."""
        counting = Counting()
        with (
            counting.serving() as address,
            guidepost.Client(address, channels=1, coalesce=0.02) as client,
            futures.ThreadPoolExecutor(32) as pool,
        ):
            asked = [
                pool.submit(client.triage, size=number, request_id="bad id \n" if number == 7 else "")
                for number in range(64)
            ]
            answers = [one.exception() or one.result().others[0].id for one in asked]

        assert isinstance(answers[7], guidepost.ItemFailed)
        assert [f"size {number}" for number in range(64) if number != 7] == [
            answer for answer in answers if isinstance(answer, str)
        ]
        assert counting.batches <= 16

    def test_triages_of_one_event_loop_share_calls_as_well(self) -> None:
        """Triages for different versions do not share a call."""
        counting = Counting()

        async def ask(address: str) -> list[Any]:
            async with guidepost.AsyncClient(address, channels=1, coalesce=0.02) as client:
                return await asyncio.gather(
                    *(client.triage(size=number, version="1" if number % 2 else "2") for number in range(64))
                )

        with counting.serving() as address:
            answers = run_coroutine(ask(address))

        assert [f"size {number}" for number in range(64)] == [answer.others[0].id for answer in answers]
        assert [("2", "1")[number % 2] for number in range(64)] == [answer.version.version for answer in answers]
        assert 64 // MOST == counting.batches

    def test_coalesced_triages_fail_together_when_the_service_is_unavailable(self) -> None:
        """Each caller gets the error, as for a single call."""
        with guidepost.Client("127.0.0.1:1", coalesce=0.01) as client, futures.ThreadPoolExecutor(4) as pool:
            failed = [one.exception() for one in [pool.submit(client.triage, size=1, timeout=5) for _ in range(4)]]

        assert [grpc.StatusCode.UNAVAILABLE] * 4 == [error.code() for error in failed]  # type: ignore[union-attr]

    def test_a_triage_that_cannot_be_sent_fails_and_later_ones_are_answered(self) -> None:
        """An error of one call does not end the thread on which others depend."""
        with (
            Counting().serving() as address,
            guidepost.Client(address, coalesce=0.001) as client,
            futures.ThreadPoolExecutor(1) as pool,
        ):
            wrong = pool.submit(client.triage, size=1, timeout=cast("Any", "soon"))
            assert isinstance(wrong.exception(timeout=60), TypeError)
            assert "size 2" == pool.submit(client.triage, size=2).result(timeout=60).others[0].id

    def test_a_coalesced_triage_keeps_its_own_timeout(self) -> None:
        """Each waits for its own timeout, whatever those of the others."""
        with socket.create_server(("127.0.0.1", 0)) as silent, futures.ThreadPoolExecutor(2) as pool:
            address = f"127.0.0.1:{silent.getsockname()[1]}"
            with guidepost.Client(address, coalesce=0.05) as client:
                patient, hasty = (
                    pool.submit(client.triage, size=1, timeout=600),
                    pool.submit(client.triage, size=2, timeout=0.1),
                )
                assert isinstance(hasty.exception(timeout=60), grpc.RpcError)
                assert not patient.done()

    def test_triages_that_wait_to_be_coalesced_fail_when_the_client_is_closed(self) -> None:
        """Under asyncio; none of them waits forever."""

        async def ask(address: str) -> list[Any]:
            client = guidepost.AsyncClient(address, coalesce=0.05)
            waiting = [asyncio.create_task(client.triage(size=number)) for number in range(3)]
            await asyncio.sleep(0)
            await client.close()
            waiting.append(asyncio.create_task(client.triage(size=3)))
            return await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 60)

        with Counting().serving() as address:
            assert all(isinstance(one, Exception) for one in run_coroutine(ask(address)))


class TestAway:
    """While the service is unavailable, a call fails or a fallback answers."""

    def test_without_a_fallback_the_call_fails(self) -> None:
        """Fails closed."""
        with guidepost.Client("127.0.0.1:1") as client, pytest.raises(grpc.RpcError):
            client.triage(impact="high")

    def test_a_fallback_answers_and_can_be_recognized(self) -> None:
        """Nothing is decided, and nothing is claimed."""
        with guidepost.Client("127.0.0.1:1", fallback=guidepost.undecided) as client:
            answer = client.triage(impact="high")

        assert guidepost.is_fallback(answer)
        assert not answer.priority.HasField("priority")
        assert "did not answer (unavailable)" in answer.notice.text

    def test_a_fallback_answers_under_asyncio(self) -> None:
        """The same, awaited."""

        async def ask() -> pb.TriageResponse:
            async with guidepost.AsyncClient("127.0.0.1:1", fallback=guidepost.undecided) as client:
                return await client.triage(impact="high")

        assert guidepost.is_fallback(run_coroutine(ask()))

    def test_a_fallback_never_answers_a_wrong_request(self, address: str) -> None:
        """The request is at fault, not the service."""
        with guidepost.Client(address, fallback=guidepost.undecided) as client, pytest.raises(grpc.RpcError) as refused:
            client.triage(impact="hihg")

        assert grpc.StatusCode.INVALID_ARGUMENT is refused.value.code()

    def test_an_answer_of_a_server_is_not_taken_for_a_fallback(self, address: str) -> None:
        """It has a version."""
        with guidepost.Client(address, fallback=guidepost.undecided) as client:
            assert not guidepost.is_fallback(client.triage(impact="high"))


class Counting(DecisionServiceServicer):
    """Answers with the ticket's own size, and counts the calls; rejects an invalid request id."""

    def __init__(self) -> None:
        self.batches = 0

    def TriageBatch(self, request: Any, context: Any) -> pb.TriageBatchResponse:
        """Answer each ticket."""
        self.batches += 1
        return pb.TriageBatchResponse(results=[self._result(request, one) for one in request.items])

    @staticmethod
    def _result(request: Any, one: pb.TriageItem) -> pb.TriageResult:
        if "\n" in one.request_id:
            return pb.TriageResult(error=pb.ItemError(code=3, reason="INVALID_METADATA", message="no request id"))
        answer = pb.TriageResponse()
        answer.version.version = request.version.version
        answer.others.add(id=f"size {one.ticket.facts['size'].number:g}")
        return pb.TriageResult(triage=answer)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve on a free port."""
        server = grpc.server(futures.ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        add_DecisionServiceServicer_to_server(self, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(0).wait()
