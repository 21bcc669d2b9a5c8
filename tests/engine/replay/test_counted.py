"""What a replay counts, and of how many: rows, tickets and compared tickets are never mixed up."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from engine.columns.fact_columns import words_of
from engine.replay import Replayer, Tally
from engine.replay.constant_texts import texts_for_all
from engine.replay.distinct_tickets import DistinctTickets
from engine.replay.nouns import Chunk
from engine.version.build import build
from engine.version.version import Version
from guidepost.cli.app import app
from guidepost.decision_log.store import Store
from guidepost.past_tickets import Mapper, MappingErrors, Vocabulary, mapping_of, open_tickets
from guidepost.past_tickets.ticket_ids import hash_names
from guidepost.replay.spark import ReplayerFiles, VersionFiles, build_replayer
from tests.support.log_servers import sqlite
from tests.support.replayed_logs import records

MANIFEST: Final = 'kind: manifest\nname: desk\nversion: "{version}"\neffective_from: "{start}"\nsource: a notice\nowner: us\ntriage: [place]\n'
VOCABULARY: Final = """\
kind: vocabulary
facts:
  level: {type: choice, about: how grave, values: [{value: high, about: grave}, {value: low, about: not}, {value: none, about: no matter}]}
  came_at: {type: instant, about: when it came}
outcomes:
  queue: {type: choice, about: which queue, values: [{value: fast, about: fast}, {value: slow, about: slow}]}
  mailbox: {type: text, about: where to write}
  fee: {type: number, about: what it costs}
  answer_due: {type: instant, about: when an answer is due}
"""
POLICY: Final = """\
kind: policy
about: where it goes
source: a notice
decision: {{name: place, about: where it goes, answers: [queue], beside: [mailbox, fee, answer_due]}}
tables:
  queues:
    about: by level
    hit: first
    produces: [queue, fee]
    rules:
      - {{id: q.high, when: {{level: high}}, then: {{queue: fast, fee: 10}}}}
      - {{id: q.low, when: {{level: low}}, then: {{queue: {low}, fee: 5}}}}
      - {{id: q.none, when: {{level: none}}, then: {{queue: slow, fee: 5}}}}
  boxes:
    about: one for all
    hit: first
    produces: [mailbox]
    rules: [{{id: b.all, when: {{}}, then: {{mailbox: {mailbox}}}}}]
calendars:
  clock: {{about: always, always: yes, zone: UTC}}
deadlines:
  answer_due:
    about: an answer
    from: came_at
    when_past: passed
    holds: {{extend: no}}
    hit: first
    rules: [{{id: d.all, when: {{}}, then: {{unit: hours, amount: 4, calendar: clock}}}}]
"""
MAPPING: Final = """
ticket: id
facts:
  level: level
  came_at: came
"""
START, NEXT = "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"


def files(version: str, start: str, low: str, mailbox: str) -> dict[str, str]:
    return {
        "manifest.yaml": MANIFEST.format(version=version, start=start),
        "vocabulary.yaml": VOCABULARY,
        "place.yaml": POLICY.format(low=low, mailbox=mailbox),
    }


OLD, NEW = files("1.0.0", START, "slow", "a@desk"), files("2.0.0", NEXT, "fast", "b@desk")


@pytest.fixture(scope="module")
def old() -> Version:
    return build(OLD, "old")


@pytest.fixture(scope="module")
def new() -> Version:
    return build(NEW, "new")


@pytest.fixture
def desk(tmp_path: Path, old: Version, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the policies of two versions, in which commands are run."""
    for folder, texts in (("policies", NEW), ("policies/past/1.0.0", OLD)):
        (tmp_path / folder).mkdir(parents=True)
        for name, text in texts.items():
            (tmp_path / folder / name).write_text(text)
    (tmp_path / "policies" / "past" / "frozen.yaml").write_text(
        f'kind: frozen\nversions:\n  - {{version: "1.0.0", effective_from: "{START}", digest: {old.digest}}}\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUIDEPOST_POLICIES", str(tmp_path / "policies"))
    return tmp_path


def replay(rows: str, mapping: str, *arguments: str) -> Result:
    Path("tickets.csv").write_text(rows)
    Path("mapping.yaml").write_text(mapping)
    return CliRunner().invoke(app, ["replay", "tickets.csv", "--mapping", "mapping.yaml", *arguments])


def plain(rows: str, mapping: str, *arguments: str) -> Any:
    return json.loads(replay(rows, mapping, *arguments, "-o", "json").stdout)


UNRECORDED: Final = "id,level,came,queue\nA,high,2026-02-01T10:00:00Z,\nB,low,2026-02-01T10:00:00Z,\n"
PARTLY: Final = UNRECORDED + "C,low,2026-02-01T10:00:00Z,fast\n"
RECORDED: Final = MAPPING + "recorded: {queue: queue}\n"


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_where_nothing_was_recorded_nothing_is_said_to_be_the_same(desk: Path, form: str) -> None:
    found = replay(UNRECORDED, RECORDED, "--against", "2.0.0", "-o", form)

    assert found.exit_code == 0
    assert "Nothing was recorded for 2 of 2 tickets; nothing is compared." in found.stdout
    assert "Nothing changes" not in found.stdout


@pytest.mark.parametrize("limit", [["--max-changed", "0"], ["--max-changed", "100%"], ["--forbid", "queue: * -> *"]])
@pytest.mark.parametrize("mapping", [RECORDED, MAPPING])
def test_a_budget_over_nothing_compared_fails(desk: Path, limit: list[str], mapping: str) -> None:
    found = replay(UNRECORDED, mapping, "--against", "2.0.0", *limit)

    assert (found.exit_code, "nothing was compared" in found.stderr) == (6, True)


def test_a_forbidden_change_of_what_was_not_compared_fails(desk: Path) -> None:
    found = replay(PARTLY, RECORDED, "--against", "2.0.0", "--forbid", "fee: * -> 5")

    assert (
        found.exit_code,
        "`fee` could not be compared for any ticket, so the limit cannot be checked" in found.stdout,
    ) == (6, True)


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_of_tickets_of_which_some_were_recorded_only_these_are_in_the_headline(desk: Path, form: str) -> None:
    same = replay(PARTLY, RECORDED, "--against", "2.0.0", "-o", form)
    other = replay(PARTLY.replace("fast", "slow"), RECORDED, "--against", "2.0.0", "-o", form)

    assert (
        "Nothing changes: the 1 ticket that was compared is decided as before. Nothing was recorded for 2 of 3 tickets"
        in same.stdout
    )
    assert "1 of 1 ticket that was compared (100%) differs." in other.stdout


def test_the_numbers_say_how_many_were_compared(desk: Path) -> None:
    found = plain(PARTLY, RECORDED, "--against", "2.0.0")

    assert (found["tickets"], found["compared_tickets"], found["compared"], found["changed"]) == (3, 1, True, 0)
    assert [(one["outcome"], one["tickets"]) for one in found["outcomes"]] == [("queue", 1)]


YEARS: Final = "id,level,came\nA,low,2020-03-01T10:00:00Z\nB,low,2026-03-01T10:00:00Z\nC,low,2019-03-01T10:00:00Z\nD,low,\nE,high,2025-12-31T23:59:59.999999Z\n"


def test_each_ticket_is_decided_by_the_version_in_force_at_its_instant(desk: Path) -> None:
    found = plain(YEARS, MAPPING, "--against", "in-force")
    queues = {one["outcome"]: {row["text"]: row["tickets"] for row in one["matrix"]} for one in found["outcomes"]}

    assert found["decided_by"] == {"1.0.0": 2, "2.0.0": 1}
    assert queues["queue"] == {"fast": 2, "slow": 1}
    assert queues["mailbox"] == {"a@desk": 2, "b@desk": 1}
    assert found["unread"]["by"] == {
        "before 2020-01-01T00:00:00Z, when the first version, 1.0.0, came into force": 1,
        "no instant, so the version in force is unknown": 1,
    }
    assert [(one["row"], one["ticket"]) for one in found["unread"]["first"]] == [(3, "C"), (4, "D")]


def test_a_version_is_compared_with_the_one_in_force_at_the_time(desk: Path) -> None:
    found = plain(YEARS, MAPPING, "--against", "2.0.0", "--from", "in-force")
    text = replay(YEARS, MAPPING, "--against", "2.0.0", "--from", "in-force").stdout

    assert (found["changed"], found["compared_tickets"]) == (1, 3)
    assert [
        (region["text"], region["changed"])
        for one in found["outcomes"]
        if one["outcome"] == "queue"
        for region in one["regions"]
    ] == [("level=low, decided by 1.0.0", 1)]
    assert "decided by the version in force: 1.0.0 2 tickets, 2.0.0 1 ticket" in text


def test_the_column_of_now_chooses_the_version(desk: Path) -> None:
    rows = "id,level,came,done\nA,low,2020-03-01T10:00:00Z,2026-03-01T10:00:00Z\n"

    assert plain(rows, MAPPING + "now: done\n", "--against", "in-force")["decided_by"] == {"2.0.0": 1}


def test_a_log_is_decided_again_by_the_version_in_force_when_it_was_received(
    desk: Path, old: Version, new: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUIDEPOST_DECISION_LOG", sqlite(desk))
    store = Store.open(sqlite(desk))
    store.append("main", records(new, [{"level": "low", "came_at": "2026-03-01T10:00:00Z"}] * 3, 1))
    found = json.loads(CliRunner().invoke(app, ["replay", "log", "--against", "in-force", "-o", "json"]).stdout)

    assert (sum(found["decided_by"].values()), found["compared_tickets"]) == (3, 3)


def test_workers_decide_by_the_version_in_force_as_one_machine_does(old: Version, new: Version) -> None:
    trial = ReplayerFiles(
        after=None,
        before=None,
        by=("level",),
        decisions=None,
        versions=(VersionFiles.of(OLD, "old"), VersionFiles.of(NEW, "new")),
    )
    words = Vocabulary.of(new)
    rows = pa.RecordBatch.from_pydict(
        {
            "id": ["A", "B", "C"],
            "level": ["low"] * 3,
            "came": ["2020-03-01T10:00:00Z", "2026-03-01T10:00:00Z", "2019-01-01T00:00:00Z"],
        }
    )
    batch = Mapper(mapping_of("m", MAPPING, words), words).batch(rows)
    tally, unread = build_replayer(trial).replay(batch.chunk)
    sent = Tally.read(json.loads(json.dumps(tally.plain())))

    assert (sent, [one.row for one in unread]) == (tally, [3])
    assert build_replayer(trial).summary(sent, {}, 3).decided == {"1.0.0": 1, "2.0.0": 1}


def test_due_times_within_the_tolerance_are_the_same_and_are_counted(desk: Path) -> None:
    rows = "id,level,came,due\nA,low,2026-02-01T10:00:20Z,2026-02-01T14:00:00Z\nB,low,2026-02-01T10:00:00Z,2026-02-01T14:00:00Z\nC,low,2026-02-01T10:00:00Z,2026-02-01T16:00:00Z\n"
    mapping = MAPPING + "recorded_due: {answer_due: {column: due%s}}\n"
    exact, near = (plain(rows, mapping % within, "--against", "2.0.0") for within in ("", ", within: 1 minute"))

    assert [
        (one["changed"], one["deadlines"][0]["changed"], one["deadlines"][0]["within_tolerance"])
        for one in (exact, near)
    ] == [(2, 2, 0), (1, 1, 1)]
    assert (
        "answer_due: 1 ticket within 1 minute of what was recorded counts as the same"
        in replay(rows, mapping % ", within: 1 minute", "--against", "2.0.0").stdout
    )


def test_recorded_numbers_within_the_tolerance_are_the_same(desk: Path) -> None:
    rows = "id,level,came,fee\nA,low,2026-02-01T10:00:00Z,5.01\nB,low,2026-02-01T10:00:00Z,5\nC,low,2026-02-01T10:00:00Z,6\n"
    found = plain(rows, MAPPING + "recorded: {fee: {column: fee, within: 0.05}}\n", "--against", "2.0.0")

    assert [(one["outcome"], one["changed"], one["within_tolerance"]) for one in found["outcomes"]] == [("fee", 1, 1)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recorded_due: {answer_due: {column: d, within: soon}}", "expected a duration above 0, got `soon`"),
        (
            "recorded_due: {answer_due: {column: d, within: 0 minutes}}",
            "expected a duration above 0, got `0 minutes`",
        ),
        ("recorded: {queue: {column: d, within: 5}}", "`within` is for numbers and due times, and `queue` is a choice"),
        ("repeated: once\nticket: id", "expected last, first or all, got `once`"),
        ("repeated: last", "`repeated` needs `ticket`"),
    ],
)
def test_a_tolerance_and_repeated_rows_are_said_rightly_or_refused(new: Version, text: str, said: str) -> None:
    with pytest.raises(MappingErrors) as refused:
        mapping_of("m.yaml", f"facts: {{level: level}}\n{text}\n", new)
    assert [one.message for one in refused.value.problems] == [said]


EVENTS: Final = "id,level,came,queue\nA,low,2026-02-01T10:00:00Z,slow\nB,high,2026-02-01T10:00:00Z,fast\nA,low,2026-02-01T10:00:00Z,slow\nA,low,2026-02-01T10:00:00Z,fast\nC,?,2026-02-01T10:00:00Z,\nC,low,2026-02-01T10:00:00Z,fast\n"
EVENTFUL: Final = RECORDED + 'empty: ["", "?"]\n'


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_rows_of_one_ticket_are_counted_as_rows_and_said_to_be_rows(desk: Path, form: str) -> None:
    found = replay(EVENTS, EVENTFUL, "--against", "2.0.0", "-o", form).stdout

    assert "6 rows, 3 tickets (A is in 3)" in found
    assert "2 of 5 rows that were compared (40%) differ" in found
    assert plain(EVENTS, EVENTFUL, "--against", "2.0.0")["distinct_tickets"] == {
        "tickets": 3,
        "in_several_rows": 2,
        "exact": True,
        "examples": [{"ticket": "A", "rows": 3}, {"ticket": "C", "rows": 2}],
    }


@pytest.mark.parametrize(("which", "changed", "compared"), [("last", 0, 3), ("first", 1, 2)])
def test_a_mapping_takes_the_last_or_the_first_row_of_each_ticket(
    desk: Path, which: str, changed: int, compared: int
) -> None:
    found = plain(EVENTS, EVENTFUL + f"repeated: {which}\n", "--against", "2.0.0")

    assert (found["tickets"], found["compared_tickets"], found["changed"], found["distinct_tickets"]) == (
        3,
        compared,
        changed,
        None,
    )
    assert [note for note in found["notes"] if note.startswith("left out")] == [
        f"left out, since {'a later' if which == 'last' else 'an earlier'} row of the same ticket counts: 3 rows"
    ]


def test_a_draft_says_that_tickets_have_several_rows_and_is_accepted(desk: Path) -> None:
    Path("tickets.csv").write_text(EVENTS)
    draft = CliRunner().invoke(app, ["replay", "suggest-mapping", "tickets.csv"]).stdout

    assert "# GUESS: 6 rows are 3 tickets (A is in 3)." in draft
    assert "\nrepeated: last\n" in draft


def test_files_of_a_folder_and_columns_of_any_type_name_the_same_tickets(desk: Path, new: Version) -> None:
    Path("parts").mkdir()
    for at, names in enumerate((["A", "B"], ["B", None], ["", "C"])):
        pq.write_table(
            pa.table(
                {"id": pa.array(names, pa.string()), "level": ["low", "low"], "came": ["2026-02-01T10:00:00Z"] * 2}
            ),
            f"parts/{at}.parquet",
        )
    mapping = mapping_of("m", MAPPING, new)
    tally = Tally()
    for batch in open_tickets("parts", new, mapping).batches():
        tally = tally.merge(Replayer(new).replay(batch.chunk)[0])
    repeats = tally.seen.repeats()

    assert repeats is not None
    assert (repeats.tickets, repeats.repeated, repeats.examples) == (5, 1, (("B", 2),))
    for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
        assert (
            hash_names(pa.array(["A", None, "é", "n" * 65], kind)).tolist()
            == hash_names(pa.array(["x", "A ", "", "é", "n" * 65]).slice(1)).tolist()
        )


@given(names=st.lists(st.text(max_size=4), max_size=60), cuts=st.lists(st.integers(0, 60), max_size=4))
@settings(deadline=None)
def test_tickets_are_counted_the_same_however_rows_are_cut(names: list[str], cuts: list[int]) -> None:
    numbers = hash_names(pa.array(names, pa.string()))
    whole, ends = (
        DistinctTickets.of(numbers, lambda row: names[row]),
        sorted({0, *(min(cut, len(names)) for cut in cuts), len(names)}),
    )
    parts = DistinctTickets()
    for start, end in pairwise(ends):
        parts = parts.merge(DistinctTickets.of(numbers[start:end], lambda row, start=start: names[start + row]))  # type: ignore[misc]
    trimmed = [name.strip() for name in names if name.strip()]
    repeats = whole.repeats()

    assert len(set(numbers[numbers > 0].tolist())) == len(whole.tickets)
    assert (parts.tickets.tolist(), parts.rows.tolist(), parts.named) == (
        whole.tickets.tolist(),
        whole.rows.tolist(),
        whole.named,
    )
    assert DistinctTickets.read(json.loads(json.dumps(whole.plain()))) == whole
    assert (repeats is None) == (len(set(trimmed)) == len(trimmed)) or any(not name.isprintable() for name in trimmed)


def test_many_tickets_are_counted_in_little_memory_and_said_to_be_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.replay.distinct_tickets.MOST", 1_000)
    found = DistinctTickets()
    for start in range(0, 50_000, 5_000):
        numbers = hash_names(pa.array([str(at // 2) for at in range(start, start + 5_000)]))
        found = found.merge(DistinctTickets.of(numbers, str))
    repeats = found.repeats()

    assert repeats is not None
    assert (len(found.tickets), repeats.exact, repeats.tickets, repeats.repeated) == (1_000, False, 25_000, 25_000)


def test_a_text_that_changes_for_every_ticket_makes_none_of_them_differ(desk: Path) -> None:
    rows = "id,level,came\nA,low,2026-02-01T10:00:00Z\nB,high,2026-02-01T10:00:00Z\nC,high,2026-02-01T10:00:00Z\n"
    found = plain(rows, MAPPING, "--from", "1.0.0", "--against", "2.0.0", "--max-changed", "34%")
    text = replay(rows, MAPPING, "--from", "1.0.0", "--against", "2.0.0", "--max-changed", "34%")

    assert (found["changed"], found["alike"], found["budget"]) == (1, ["mailbox"], [])
    assert text.exit_code == 0
    assert "1 of 3 tickets (33.3%) differs." in text.stdout
    assert "mailbox changes for every ticket: a@desk -> b@desk" in text.stdout
    assert replay(rows, MAPPING, "--from", "1.0.0", "--against", "2.0.0", "--forbid", "mailbox: * -> *").exit_code == 6


def test_where_only_a_text_changes_no_ticket_is_said_to_differ(desk: Path) -> None:
    found = replay(
        "id,level,came\nB,high,2026-02-01T10:00:00Z\n",
        MAPPING,
        "--from",
        "1.0.0",
        "--against",
        "2.0.0",
        "--max-changed",
        "0",
    )

    assert found.exit_code == 0
    assert "Nothing differs in the 1 ticket compared, except what changes for every ticket: mailbox." in found.stdout


def test_a_recorded_text_that_differs_by_ticket_counts(desk: Path) -> None:
    rows = "id,level,came,box\nA,low,2026-02-01T10:00:00Z,x\nB,high,2026-02-01T10:00:00Z,%s\n"
    mapping = MAPPING + "recorded: {mailbox: box}\n"

    assert [plain(rows % box, mapping, "--against", "2.0.0")["changed"] for box in ("x", "y", "b@desk")] == [0, 2, 1]


def test_only_texts_that_no_fact_changes_are_texts_for_all(new: Version) -> None:
    assert texts_for_all(new) == {"mailbox"}


def test_a_word_for_an_empty_cell_is_counted_where_it_is_read_as_a_value(desk: Path) -> None:
    rows = "id,level,came\nA,none,2026-02-01T10:00:00Z\nB,None,2026-02-01T10:00:00Z\n"
    found = plain(rows, MAPPING, "--against", "2.0.0")

    assert found["doubts"] == [{"fact": "level", "word": "none", "rows": 1}]
    assert [one["message"] for one in found["unread"]["first"]] == [
        "unknown level `None`, which may also be an empty cell; list it under `empty` (or under `values`) in a mapping"
    ]
    assert "`none` is read as the value of level in 1 row" in replay(rows, MAPPING, "--against", "2.0.0").stdout


UNREAD_ROWS: Final = "id,level,came\nA1,low,2026-02-01T10:00:00Z\nA1,low,2026-02-01T10:00:00Z\nA2,hihg,2026-02-01T10:00:00Z\nA3,N/A,2026-02-01T10:00:00Z\nA5,high,2026-02-01T10:00:00Z\n"


@pytest.mark.parametrize(
    "versions", [("--against", "2.0.0", "--from", "1.0.0"), ("--against", "2.0.0"), ("--against", "in-force")]
)
def test_tickets_of_rows_that_cannot_be_read_are_in_no_number(desk: Path, versions: tuple[str, ...]) -> None:
    found = replay(UNREAD_ROWS, MAPPING, *versions)

    assert "3 rows, 2 tickets (A1 is in 2)" in found.stdout
    assert "2 of 5 rows could not be read and are not counted elsewhere" in found.stdout


def test_the_only_row_of_a_ticket_that_is_decided_makes_no_ticket_of_several_rows(desk: Path) -> None:
    rows = "id,level,came\nA1,low,2026-02-01T10:00:00Z\nA1,hihg,2026-02-01T10:00:00Z\n"

    assert plain(rows, MAPPING, "--against", "2.0.0")["distinct_tickets"] is None


DOUBTED: Final = [("A", "none", "low"), ("B", "none", "hihg"), ("C", "low", "low"), ("D", "none", "low")]
TWO_LEVELS: Final = VOCABULARY.replace(
    "  came_at:",
    "  size: {type: choice, about: how large, values: [{value: low, about: small}, {value: none, about: nothing}]}\n  came_at:",
)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_doubtful_word_is_counted_only_in_rows_that_are_decided(desk: Path, form: str) -> None:
    (desk / "policies" / "vocabulary.yaml").write_text(TWO_LEVELS)
    names = ("id", "size", "level")
    rows = [dict(zip(names, row, strict=True), came="2026-02-01T10:00:00Z") for row in DOUBTED]
    lines = {
        "csv": "\n".join(["id,size,level,came", *(",".join(row.values()) for row in rows), "E,low"]),
        "jsonl": "\n".join([*map(json.dumps, rows), "{"]),
    }
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), "tickets.parquet")
    else:
        Path(f"tickets.{form}").write_text(lines[form] + "\n")
    Path("mapping.yaml").write_text(MAPPING + "  size: size\n")
    asked = ["replay", f"tickets.{form}", "--mapping", "mapping.yaml", "--against", "working", "-o", "json"]

    assert [
        json.loads(CliRunner().invoke(app, [*asked, *more]).stdout)["doubts"] for more in ([], ["--limit", "3"])
    ] == [
        [{"fact": "size", "word": "none", "rows": 2}],
        [{"fact": "size", "word": "none", "rows": 1}],
    ]


def test_a_doubtful_word_in_a_row_that_another_row_of_its_ticket_replaces_is_not_counted(desk: Path) -> None:
    rows = "id,level,came\nA,none,2026-02-01T10:00:00Z\nA,low,2026-02-01T11:00:00Z\n"

    assert plain(rows, MAPPING + "repeated: last\n", "--against", "2.0.0")["doubts"] == []


def test_a_word_for_an_empty_cell_is_refused_with_where_to_list_it(desk: Path) -> None:
    rows = "id,level,came,fee\nA,N/A,2026-02-01T10:00:00Z,1\nB,high,null,1\nC,high,2026-02-01T10:00:00Z,NaN\nD,high,1970-01-01T00:00:00Z,1\nE,high,2026-02-01T10:00:00Z,10\nF,hihg,2026-02-01T10:00:00Z,1\n"
    listed = "list it under `empty` (or under `values`) in a mapping"
    said = [
        "`null` is not an instant; list it under `empty` in a mapping",
        f"`NaN` is not a number; {listed}",
        "`1970-01-01T00:00:00Z` is a zero timestamp, which exports write for a time that was never set; list it under `empty`",
    ]
    asis = plain(rows, MAPPING + "recorded: {fee: fee}\n", "--against", "2.0.0")
    values = plain(
        rows,
        MAPPING.replace("level: level", "level: {column: level, values: {high: high, hihg: high}}"),
        "--against",
        "2.0.0",
    )

    assert [one["message"] for one in asis["unread"]["first"]] == [
        f"unknown level `N/A`, which usually means an empty cell; {listed}",
        *said,
        "unknown level `hihg`",
    ]
    assert values["unread"]["first"][0]["message"] == f"`N/A` is not among the values that the mapping lists; {listed}"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_rows_that_cannot_be_read_are_in_order_in_the_report_and_in_the_file(desk: Path, form: str) -> None:
    rows = [
        ("A", "hihg", "2026-02-01"),
        ("B", "low", "soon"),
        ("C", "hihg", "2026-02-01"),
        ("D", "low", "2026-02-01"),
        ("E", "low", "soon"),
        ("F", "hihg", "2026-02-01"),
    ]
    named = [
        dict(zip(("id", "level", "came"), (name, level, f"{came}T10:00:00Z"), strict=True))
        for name, level, came in rows
    ]
    lines = {
        "csv": ["id,level,came", *(",".join(row.values()) for row in named)],
        "jsonl": list(map(json.dumps, named)),
    }[form]
    Path(f"tickets.{form}").write_text("\n".join(lines) + "\n")
    Path("mapping.yaml").write_text(MAPPING)
    found = CliRunner().invoke(
        app,
        [
            "replay",
            f"tickets.{form}",
            "--mapping",
            "mapping.yaml",
            "--against",
            "2.0.0",
            "--unread",
            "unread.csv",
            "-o",
            "json",
        ],
    )

    assert [one["ticket"] for one in json.loads(found.stdout)["unread"]["first"]] == ["A", "B", "C", "E", "F"]
    assert [line.split(",")[1] for line in Path("unread.csv").read_text().splitlines()[1:]] == ["A", "B", "C", "E", "F"]


def test_a_budget_that_holds_over_few_of_the_rows_points_to_a_limit_on_the_others(desk: Path) -> None:
    asked = (
        UNREAD_ROWS + "A6,hihg,2026-02-01T10:00:00Z\n",
        MAPPING,
        "--against",
        "2.0.0",
        "--from",
        "1.0.0",
        "--max-changed",
        "100%",
    )
    note = "note: 3 of 6 rows could not be read, and --max-changed and --forbid do not count them; --max-unread limits them"

    assert (replay(*asked).exit_code, replay(*asked).stderr.strip()) == (0, note)
    assert note not in replay(*asked, "--max-unread", "3").stderr
    assert note not in replay(*asked[:-2]).stderr


@pytest.mark.parametrize(
    ("options", "named"),
    [(["--against", "in-force"], "--against"), (["--against", "2.0.0", "--from", "in-force"], "--from")],
)
def test_where_all_tickets_are_older_than_every_version_a_version_is_to_be_named(
    desk: Path, options: list[str], named: str
) -> None:
    found = replay("id,level,came\nA,low,2019-03-01T10:00:00Z\nB,low,2019-04-01T10:00:00Z\n", MAPPING, *options)

    assert (
        found.exit_code,
        f"help: these tickets are older than every version; name one: {named} 1.0.0" in found.stderr,
    ) == (2, True)
    assert "suggest-mapping" not in found.stderr


@pytest.mark.parametrize(
    "versions", [("--from", "working", "--against", "1.0.0"), ("--from", "1.0.0", "--against", "working")]
)
def test_an_outcome_of_one_side_only_is_named_with_the_side_that_decides_it(
    desk: Path, versions: tuple[str, ...]
) -> None:
    place = (
        NEW["place.yaml"]
        .replace("queue, fee]", "queue]")
        .replace(", fee: 10", "")
        .replace(", fee: 5", "")
        .replace("[mailbox, fee, ", "[mailbox, ")
    )
    (desk / "policies" / "place.yaml").write_text(place)
    (desk / "policies" / "vocabulary.yaml").write_text(
        VOCABULARY.replace("  fee: {type: number, about: what it costs}\n", "")
    )

    assert (
        "Only 1.0.0 decides: fee" in replay("id,level,came\nB,high,2026-02-01T10:00:00Z\n", MAPPING, *versions).stdout
    )


def test_a_chunk_without_names_of_tickets_counts_rows_as_tickets(new: Version) -> None:
    chunk = Chunk(
        size=2, facts={"level": words_of(["low", "low"])}, rows=np.array([1, 2]), now=datetime(2026, 2, 1, tzinfo=UTC)
    )
    tally, _ = Replayer(new).replay(chunk)

    assert tally.seen.repeats() is None
    assert replace(tally, seen=DistinctTickets()) == tally
