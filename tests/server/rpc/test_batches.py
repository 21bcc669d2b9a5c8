"""Many tickets in one call over a real port: each has an answer or an error, in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from guidepost.decision_log.settings import Durability
from guidepost.decision_log.store import Store
from guidepost.server.rpc.batch import TURN, BatchEvaluator
from guidepost.server.rpc.evaluate import Evaluation, Evaluator
from guidepost.server.rpc.limits import MOST_TICKETS
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceStub
from guidepost.v1.ticket_pb2 import FactValue, Ticket
from guidepost.v1.version_pb2 import VersionSelector
from tests.support.log_servers import serving_with_log, settings, sqlite
from tests.support.servers import NOW, counter_bundle, serving


@pytest.fixture(scope="module")
def stub() -> Iterator[DecisionServiceStub]:
    with serving(counter_bundle()) as address, grpc.insecure_channel(address) as channel:
        yield DecisionServiceStub(channel)


def item(request_id: str = "", ticket_id: str = "", **facts: object) -> pb.TriageItem:
    values = {
        name: FactValue(flag=value) if isinstance(value, bool) else FactValue(text=str(value))
        for name, value in facts.items()
    }
    return pb.TriageItem(ticket=Ticket(facts=values), request_id=request_id, ticket_id=ticket_id)


TICKETS = [item(size=number % 12, vip=number % 5 == 0) for number in range(40)]


class TestBatches:
    """TriageBatch."""

    def test_a_batch_is_answered_as_its_tickets_are_one_by_one_in_their_order(self, stub: DecisionServiceStub) -> None:
        singly = [stub.Triage(pb.TriageRequest(ticket=one.ticket)) for one in TICKETS]

        assert singly == [result.triage for result in stub.TriageBatch(pb.TriageBatchRequest(items=TICKETS)).results]

    def test_an_error_of_one_ticket_affects_only_its_own_result(self, stub: DecisionServiceStub) -> None:
        answer = stub.TriageBatch(
            pb.TriageBatchRequest(items=[item(size=3), item(size="huge", colour=""), item(sise=3), item(size=30)])
        )

        assert ["triage", "error", "error", "triage"] == [result.WhichOneof("result") for result in answer.results]
        wrong = answer.results[1].error
        assert (3, "INVALID_FACT") == (wrong.code, wrong.reason)
        assert ['ticket.facts["colour"]', 'ticket.facts["size"]'] == sorted(field.path for field in wrong.fields)
        assert "did you mean `size`" in answer.results[2].error.fields[0].message

    def test_an_empty_batch_is_answered_with_nothing(self, stub: DecisionServiceStub) -> None:
        answer = stub.TriageBatch(pb.TriageBatchRequest())

        assert ("7.0.0", 0) == (answer.version.version, len(answer.results))

    def test_a_batch_has_at_most_a_thousand_tickets(self, stub: DecisionServiceStub) -> None:
        assert MOST_TICKETS == len(stub.TriageBatch(pb.TriageBatchRequest(items=[item(size=3)] * MOST_TICKETS)).results)
        with pytest.raises(grpc.RpcError) as refused:
            stub.TriageBatch(pb.TriageBatchRequest(items=[item(size=3)] * (MOST_TICKETS + 1)))

        assert grpc.StatusCode.INVALID_ARGUMENT is refused.value.code()
        assert "got 1,001" in refused.value.details()

    def test_a_version_that_does_not_exist_refuses_the_whole_call(self, stub: DecisionServiceStub) -> None:
        with pytest.raises(grpc.RpcError) as refused:
            stub.TriageBatch(pb.TriageBatchRequest(items=TICKETS, version=VersionSelector(version="9")))

        assert grpc.StatusCode.NOT_FOUND is refused.value.code()

    def test_a_call_whose_deadline_has_passed_stops(self, stub: DecisionServiceStub) -> None:
        with pytest.raises(grpc.RpcError) as late:
            stub.TriageBatch(
                pb.TriageBatchRequest(items=[item(size=number % 50) for number in range(MOST_TICKETS)]), timeout=0.002
            )

        assert grpc.StatusCode.DEADLINE_EXCEEDED is late.value.code()

    def test_other_calls_get_a_turn_while_a_long_batch_is_decided_and_encoded(self) -> None:
        turns, seen = [0], {"decided": set(), "written": set()}

        async def others() -> None:
            while True:
                turns[0] += 1
                await asyncio.sleep(0)

        class Watched(Evaluator):
            def evaluate(self, *arguments: Any) -> Evaluation:
                seen["decided"].add(turns[0])
                return super().evaluate(*arguments)

        def write(*_: Any) -> bytes:
            seen["written"].add(turns[0])
            return b""

        async def answer() -> None:
            other = asyncio.create_task(others())
            batches = BatchEvaluator(Watched(LiveBundle(counter_bundle()), lambda: NOW, None), write, MOST_TICKETS)
            await batches.batch(pb.TriageBatchRequest(items=[item(size=3)] * MOST_TICKETS), "", lambda: None)
            other.cancel()

        asyncio.run(answer())

        assert len(seen["decided"]) >= MOST_TICKETS // TURN
        assert len(seen["written"]) >= MOST_TICKETS // TURN


class TestStreams:
    """TriageStream."""

    def test_a_stream_is_answered_as_its_tickets_are_one_by_one_in_their_order(self, stub: DecisionServiceStub) -> None:
        singly = [stub.Triage(pb.TriageRequest(ticket=one.ticket)) for one in TICKETS]

        assert singly == [
            answer.result.triage for answer in stub.TriageStream(pb.TriageStreamRequest(item=one) for one in TICKETS)
        ]

    def test_an_answer_comes_before_the_next_ticket_is_sent(self, stub: DecisionServiceStub) -> None:
        asked: list[int] = []

        def one_by_one() -> Iterator[pb.TriageStreamRequest]:
            for number in range(3):
                asked.append(number)
                yield pb.TriageStreamRequest(item=item(size=number))
                while len(answered) <= number:
                    time.sleep(0.001)

        answered: list[pb.TriageStreamResponse] = []
        for answer in stub.TriageStream(one_by_one(), timeout=60):
            answered.append(answer)  # noqa: PERF402 - what asks looks at it meanwhile

        assert [0, 1, 2] == asked
        assert 3 == len(answered)

    def test_each_ticket_selects_its_version_and_a_wrong_one_is_its_own_error(self, stub: DecisionServiceStub) -> None:
        choices = [VersionSelector(version="7.0.0"), VersionSelector(version="9"), None]
        answers = list(
            stub.TriageStream(pb.TriageStreamRequest(item=item(size=3), version=choice) for choice in choices)
        )

        assert ["triage", "error", "triage"] == [one.result.WhichOneof("result") for one in answers]
        assert "UNKNOWN_VERSION" == answers[1].result.error.reason

    def test_a_caller_who_goes_away_costs_others_nothing(self, stub: DecisionServiceStub) -> None:
        for _ in range(20):
            call = stub.TriageStream(pb.TriageStreamRequest(item=one) for one in TICKETS * 5)
            next(call)
            call.cancel()

        assert stub.TriageBatch(pb.TriageBatchRequest(items=TICKETS)).results


class TestRecords:
    """Batches and streams in the decision log."""

    @pytest.mark.parametrize("durability", [Durability.SYNC, Durability.BOUNDED])
    def test_each_ticket_has_its_record_and_a_repeated_one_its_first_answer(
        self, tmp_path: Path, durability: Durability
    ) -> None:
        url = sqlite(tmp_path)
        with serving_with_log(settings(url, durability)) as stub:
            items = [item(f"r{number}", f"INC-{number}", size=number) for number in range(30)]
            first = stub.TriageBatch(pb.TriageBatchRequest(items=items))
            again = stub.TriageBatch(
                pb.TriageBatchRequest(items=[*items, item("r3", "INC-3", size=44), item("", "INC-77", size=1)])
            )
            streamed = list(stub.TriageStream(pb.TriageStreamRequest(item=one) for one in items))

        assert list(first.results) == list(again.results[:30]) == [one.result for one in streamed]
        assert "IDEMPOTENCY_KEY_REUSED" == again.results[30].error.reason
        store = Store.open_existing(url)
        bodies = [entry.body for entry in store.entries()]
        store.close()
        assert 31 == len(bodies)
        assert all(sum(f'"ticket":"INC-{number}"' in body for body in bodies) == 1 for number in (*range(30), 77))

    def test_what_a_ticket_is_called_has_to_fit_the_log(self, tmp_path: Path) -> None:
        with serving_with_log(settings(sqlite(tmp_path))) as stub:
            answer = stub.TriageBatch(pb.TriageBatchRequest(items=[item("x" * 201, size=3), item("fine", size=3)]))

        assert ["INVALID_METADATA", ""] == [result.error.reason for result in answer.results]
