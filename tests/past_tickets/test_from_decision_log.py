"""The decision log as past tickets: a store and its exports contain every record as it was decided."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import Result

from engine.columns.fact_columns import facts_of
from engine.decide.answer_times_json import iso
from engine.diff.nouns import OutcomeState, StateKind
from engine.records.filter import Filter
from engine.records.identity import uuid7
from engine.records.masking import Masking
from engine.records.record import (
    Record,
    RecordedDecision,
    RecordedDue,
    RecordedOutcome,
    RecordKind,
    plain_pauses,
    recorded_decision,
)
from engine.replay.nouns import Chunk
from engine.request.moment import Moment
from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost.decision_log import export_parquet as parquet
from guidepost.decision_log.export_jsonl import entry_line
from guidepost.decision_log.export_parquet import read_parquet, write_parquet
from guidepost.decision_log.store import Store
from guidepost.past_tickets import ColumnMapping, TicketsError, open_tickets
from tests.support.command import run_command
from tests.support.deciders import decide, triage
from tests.support.log_servers import sqlite
from tests.support.records import record
from tests.support.tickets import COUNTER, tickets, write_file

AT = datetime(2026, 1, 23, 4, 0, tzinfo=UTC)
SENT: list[dict[str, Any]] = [
    {
        "impact": "high",
        "urgency": "low",
        "channel": "phone",
        "received_at": "2026-01-23T15:00:00+11:00",
        "country": "AU",
        "plan": "partner",
    },
    {
        "impact": "medium",
        "channel": "email",
        "explanation": "the portal is down",
        "received_at": AT - timedelta(hours=5),
        "service": "something else",
    },
    {
        "channel": "portal",
        "stage": "arrival",
        "explanation": " ",
        "affected_percent": 12,
        "business_impact": "high",
        "workaround": "yes",
    },
    {
        "urgency": "high",
        "impact": "high",
        "plan": "saas_12x5",
        "received_at": AT - timedelta(hours=2),
        "channel": "telephone",
        "language": "ja-JP",
    },
]
HOLDS = ((AT - timedelta(hours=1), None),)


def recorded(version: Version, number: int) -> Record:
    """Decide a ticket as a server does, and record it."""
    sent = SENT[number % len(SENT)]
    moment = Moment(AT + timedelta(minutes=number), HOLDS if number % 4 == 3 else ())
    answers = triage(version, sent, moment)
    received = AT + timedelta(seconds=number)
    return Record(
        id=uuid7(received, number.to_bytes(10, "big")),
        received=iso(received),
        caller="desk",
        request_id="",
        ticket=f"T-{number}",
        kind=RecordKind.TRIAGE,
        facts=Masking().facts(sent, version.policy.facts),
        now=iso(AT + timedelta(minutes=number)),
        pauses=plain_pauses(moment.holds),
        version=version.ref,
        decisions=tuple(recorded_decision(answer) for answer in answers),
    )


@pytest.fixture(scope="module")
def past(shipped: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A log with tickets under both versions, in turn."""
    store = Store.open(sqlite(tmp_path_factory.mktemp("past")))
    store.append("main", [recorded(shipped.versions[number % 2], number) for number in range(12)])
    yield store
    store.close()


def again(chunk: Chunk, at: int, version: Version) -> dict[str, Any]:
    """Decide a row of a chunk again; give its outcomes as they are recorded."""
    moment = Moment(chunk.now.sent(at), chunk.holds.get(at, ()))  # type: ignore[union-attr]
    answers = [
        recorded_decision(decide(version, plan.decision.name, facts_of(chunk.facts, at), moment))
        for plan in version.triage
    ]
    return {one.name: one for answer in answers for one in answer.outcomes}


def test_a_record_decided_again_under_its_own_version_comes_out_as_recorded(past: Store, shipped: Bundle) -> None:
    seen = 0
    for batch in open_tickets(past.name, shipped.versions[1]).batches():
        chunk = batch.chunk
        assert chunk.recorded is not None
        version = next(one for one in shipped.versions if one.ref.digest == chunk.recorded.digest)  # type: ignore[union-attr]
        for at in range(chunk.size):
            found = again(chunk, at, version)
            for name, column in chunk.recorded.outcomes.items():
                want, state = found.pop(name), column.states[column.codes[at]]
                value = list(state.value) if isinstance(state.value, tuple) else state.value
                assert (state.kind.value, value) == (want.status, want.value)
            for name, due in chunk.recorded.due.items():
                assert chunk.recorded.dated[name][at]
                want, at_last = found.pop(name), due.sent(at)
                assert (iso(at_last) if at_last else None) == want.value  # type: ignore[arg-type]
            assert found == {}
            seen += 1

    assert seen == 12


def test_records_of_one_version_share_a_chunk_and_keep_their_order(past: Store, shipped: Bundle) -> None:
    chunks = [batch.chunk for batch in open_tickets(past.name, shipped.versions[1]).batches()]
    small = [batch.chunk for batch in open_tickets(past.name, shipped.versions[1]).batches(4)]

    assert [chunk.rows.tolist() for chunk in chunks] == [[1, 3, 5, 7, 9, 11], [2, 4, 6, 8, 10, 12]]
    assert [chunk.rows.tolist() for chunk in small] == [[1, 3], [2, 4], [5, 7], [6, 8], [9, 11], [10, 12]]
    assert [chunk.recorded.digest for chunk in chunks] == [version.ref.digest for version in shipped.versions]  # type: ignore[union-attr]


def test_a_log_tells_how_many_records_it_has_and_how_far_it_is_read(past: Store, shipped: Bundle) -> None:
    source = open_tickets(past.name, shipped.versions[1])

    assert source.rows == 12
    assert [batch.share for batch in source.batches(6)] == [0.5, 0.5, 1.0, 1.0]


def test_masked_texts_and_holds_are_replayed(past: Store, shipped: Bundle) -> None:
    found = {one["row"]: one for one in tickets(open_tickets(past.name, shipped.versions[1]).batches())}

    assert found[2]["explanation"] == "masked"
    assert found[3]["explanation"] == " "
    held = [
        (batch.chunk, at)
        for batch in open_tickets(past.name, shipped.versions[1]).batches()
        for at in batch.chunk.holds
    ]
    assert [chunk.holds[at] for chunk, at in held] == [HOLDS] * 3


def test_only_the_records_that_are_asked_for_are_replayed(past: Store, shipped: Bundle) -> None:
    asked = Filter(since=AT + timedelta(seconds=3), until=AT + timedelta(seconds=6))
    found = tickets(open_tickets(past.name, shipped.versions[1], None, asked).batches())

    assert sorted(one["name"] for one in found) == [
        recorded(shipped.versions[number % 2], number).id for number in (3, 4, 5)
    ]


def same(chunks: list[Chunk]) -> list[Any]:
    """Return what must be alike however records are kept."""
    return [
        (
            chunk.rows.tolist(),
            [facts_of(chunk.facts, at) for at in range(chunk.size)],
            chunk.holds,
            chunk.now.micros.tolist(),
            chunk.recorded.digest,  # type: ignore[union-attr]
            {name: [column.states[code] for code in column.codes] for name, column in chunk.recorded.outcomes.items()},  # type: ignore[union-attr]
            {name: column.micros.tolist() for name, column in chunk.recorded.due.items()},  # type: ignore[union-attr]
        )
        for chunk in chunks
    ]


def test_an_export_is_replayed_as_the_log_itself(
    past: Store, shipped: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = shipped.versions[1]
    monkeypatch.setenv("GUIDEPOST_DECISION_LOG", past.name)
    lines, columns = tmp_path / "log.jsonl", tmp_path / "log.parquet"
    assert run("export", "--to", str(lines)).exit_code == 0
    assert run("export", "--to", str(columns)).exit_code == 0
    want = same([batch.chunk for batch in open_tickets("log", version).batches()])

    for path, rows in ((lines, None), (columns, 12)):
        source = open_tickets(str(path), version)
        assert source.rows == rows
        assert same([batch.chunk for batch in source.batches()]) == want
        asked = Filter(until=AT + timedelta(seconds=2))
        assert sum(batch.chunk.size for batch in open_tickets(str(path), version, None, asked).batches()) == 2


# ---- Made-up records


def run(*arguments: str) -> Result:
    return run_command("audit", *arguments)


def kept(tmp_path: Path, *records: Record) -> Store:
    """Keep records."""
    store = Store.open(sqlite(tmp_path))
    store.append("main", list(records))
    return store


def test_an_outcome_is_a_deadline_if_anything_of_it_was_due(tmp_path: Path) -> None:
    outcomes = (
        RecordedOutcome("tongues", "decided", ["en"]),
        RecordedOutcome("answer_due", "decided", "2026-01-27T04:00:00Z"),
        RecordedOutcome("later", "undecided", None),
    )
    one = RecordedDecision(
        decision="queue",
        id="id",
        status="decided",
        outcomes=outcomes,
        rules=(),
        assumptions=(),
        dues=(RecordedDue("answer_due", "2026-01-27T04:00:00Z"),),
    )
    other = RecordedDecision(
        decision="queue",
        id="id",
        status="undecided",
        outcomes=(RecordedOutcome("answer_due", "not_covered", None), RecordedOutcome("queue", "not_covered", None)),
        rules=(),
        assumptions=(),
        dues=(),
    )
    store = kept(tmp_path, record(1, decisions=(one,)), record(2, decisions=(other,)), record(3))
    chunk = next(iter(open_tickets(store.name, COUNTER).batches())).chunk

    assert chunk.recorded is not None
    assert {
        name: [column.states[code] if code >= 0 else None for code in column.codes]
        for name, column in chunk.recorded.outcomes.items()
    } == {
        "tongues": [OutcomeState(StateKind.DECIDED, ("en",)), None, None],
        "later": [OutcomeState(StateKind.UNDECIDED), None, None],
        "queue": [None, OutcomeState(StateKind.NOT_COVERED), OutcomeState(StateKind.DECIDED, "fast")],
    }
    assert chunk.recorded.dated["answer_due"].tolist() == [True, True, False]
    assert chunk.recorded.due["answer_due"].given.tolist() == [True, False, False]  # type: ignore[union-attr]


def test_a_deadline_of_the_version_is_one_even_where_nothing_was_due(tmp_path: Path) -> None:
    undecided = RecordedDecision(
        decision="queue",
        id="id",
        status="undecided",
        outcomes=(RecordedOutcome("answer_due", "undecided", None),),
        rules=(),
        assumptions=(),
        dues=(),
    )
    chunk = next(iter(open_tickets(kept(tmp_path, record(1, decisions=(undecided,))).name, COUNTER).batches())).chunk

    assert chunk.recorded is not None
    assert (
        list(chunk.recorded.outcomes),
        chunk.recorded.due["answer_due"].sent(0),
        chunk.recorded.dated["answer_due"].tolist(),
    ) == ([], None, [True])


def test_calls_in_which_nothing_was_decided_are_left_out_and_told(tmp_path: Path) -> None:
    source = open_tickets(kept(tmp_path, record(1), record(2, decisions=())).name, COUNTER)

    assert [one["row"] for one in tickets(source.batches())] == [1]
    assert source.notes == ["1 decide record is not replayed: it decides nothing"]


def test_a_record_that_was_altered_beyond_reading_is_unread_and_not_dropped(tmp_path: Path) -> None:
    import sqlite3

    store = kept(tmp_path, record(1), record(2), record(3))
    with sqlite3.connect(tmp_path / "log" / "decisions.db") as connection:
        connection.execute("UPDATE entries SET body = 'nonsense' WHERE sequence = 2")
    source = open_tickets(store.name, COUNTER)
    found = list(source.batches())

    assert [one["row"] for one in tickets(found)] == [1, 3]
    assert [(one.row, one.content.strip()) for batch in found for one in batch.rejected] == [(2, "nonsense")]


def test_a_broken_line_of_an_export_is_unread(tmp_path: Path) -> None:
    store = kept(tmp_path, record(1), record(2))
    lines = [entry_line(entry) for entry in store.entries()]
    source = open_tickets(write_file(tmp_path / "log.jsonl", "\n".join([lines[0], lines[1][:-20], "{}"])), COUNTER)
    found = list(source.batches())

    assert [one["name"] for one in tickets(found)] == [record(1).id]
    assert [(one.row, one.message) for batch in found for one in batch.rejected] == [
        (2, "not an entry of a decision log"),
        (3, "not an entry of a decision log"),
    ]


def test_a_log_needs_no_mapping_and_one_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(TicketsError, match="whose facts do not need a mapping"):
        open_tickets("log", COUNTER, ColumnMapping(facts={}))
    with pytest.raises(TicketsError):
        open_tickets(f"sqlite:///{tmp_path}/none.db", COUNTER)


# ---- Parquet


def test_an_export_to_parquet_is_verified_as_the_log_is_and_every_change_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = kept(tmp_path, *(record(number) for number in range(1, 6)))
    monkeypatch.setenv("GUIDEPOST_DECISION_LOG", store.name)
    path = tmp_path / "log.parquet"
    assert run("export", "--format", "parquet", "--to", str(path)).output.strip() == f"5 entries in {path}"
    assert list(read_parquet(path)) == list(store.entries())
    assert run("verify", str(path)).exit_code == 0

    whole = pq.read_table(path)
    body = [text.replace("T-3", "T-9") for text in whole["body"].to_pylist()]
    pq.write_table(whole.set_column(whole.schema.get_field_index("body"), "body", [body]), path)
    changed = run("verify", str(path))
    assert changed.exit_code == 7
    assert "3" in changed.stdout
    pq.write_table(whole.take([0, 1, 3, 4]), path)
    assert run("verify", str(path)).exit_code == 7


def test_parquet_is_written_group_by_group_and_has_columns_to_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROWS", 2)
    decided_ = RecordedDecision(
        decision="queue",
        id="id",
        status="decided",
        outcomes=(RecordedOutcome("tongues", "decided", ["en", "ja"]),),
        rules=("r.1", "r.2"),
        assumptions=("r.2",),
        dues=(RecordedDue("answer_due", "2026-01-27T04:00:00Z"),),
    )
    store = kept(
        tmp_path,
        *(
            record(number, facts={"vip": True, "note": {"masked": "given", "token": "ab"}}, decisions=(decided_,))
            for number in range(1, 6)
        ),
    )
    path = tmp_path / "log.parquet"

    assert write_parquet(store.entries(), path) == 5
    assert pq.ParquetFile(path).num_row_groups == 3
    first = pq.read_table(path).to_pylist()[0]
    assert (first["received"], first["ticket"], first["kind"], first["version"]) == (
        AT + timedelta(seconds=1),
        "T-1",
        "decide",
        "7.0.0",
    )
    assert dict(first["facts"]) == {"vip": "true", "note": "ab"}
    assert first["outcomes"] == [{"decision": "queue", "name": "tongues", "status": "decided", "value": '["en","ja"]'}]
    assert dict(first["due"]) == {"answer_due": datetime(2026, 1, 27, 4, tzinfo=UTC)}
    assert (first["rules"], first["assumptions"]) == (["r.1", "r.2"], ["r.2"])


def test_the_notes_of_a_purge_travel_with_an_export_to_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = kept(tmp_path, *(record(number) for number in range(1, 6)))
    monkeypatch.setenv("GUIDEPOST_DECISION_LOG", store.name)
    assert run("purge", "--before", iso(AT + timedelta(seconds=3)), "--yes").exit_code == 0
    path = tmp_path / "log.parquet"
    run("export", "--to", str(path))

    assert [one.purge.sequence for one in store.purge_notes()] == [2]
    assert list(read_parquet(path)) == [*store.purge_notes(), *store.entries()]
    assert run("verify", str(path)).exit_code == run("verify").exit_code
    assert open_tickets(store.name, COUNTER).rows == 3


def test_a_whole_export_to_parquet_is_there_or_none(tmp_path: Path) -> None:
    store = kept(tmp_path, record(1))
    path = tmp_path / "log.parquet"

    def failing() -> Iterator[Any]:
        yield from store.entries()
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        write_parquet(failing(), path)
    assert [one.name for one in tmp_path.iterdir()] == ["log"]


def test_parquet_wants_a_file_and_heads_want_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUIDEPOST_DECISION_LOG", kept(tmp_path, record(1)).name)

    assert run("export", "--format", "parquet").exit_code == 2
    assert run("export", "--format", "parquet", "--heads", "--to", str(tmp_path / "x")).exit_code == 2
    assert json.loads(run("export", "--format", "jsonl").stdout)["sequence"] == 1
    pq.write_table(pq.ParquetFile(_other(tmp_path)).read(), tmp_path / "other.parquet")
    assert "expected a file with entries of a decision log" in run("verify", str(tmp_path / "other.parquet")).output


def _other(folder: Path) -> Path:
    import pyarrow as pa

    pq.write_table(pa.table({"a": [1]}), folder / "a.parquet")
    return folder / "a.parquet"
