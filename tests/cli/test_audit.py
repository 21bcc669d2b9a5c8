"""``guidepost audit``: search, show, export and verify records on the command line."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from engine.records.record import RecordedDecision, RecordedDue, RecordedOutcome, RecordKind
from guidepost.decision_log.purge import purge
from guidepost.decision_log.signed_heads import sign_head
from guidepost.decision_log.store import Store
from guidepost.policies.sources.signatures import new_key, private_key
from tests.support.command import run_command
from tests.support.log_servers import end_of, sqlite
from tests.support.records import START, record
from tests.support.servers import COUNTER

GIFT = RecordedDecision(
    decision="gift",
    id="id",
    status="not_covered",
    outcomes=(RecordedOutcome("gifts", "not_covered", None), RecordedOutcome("polite", "decided", True)),
    rules=(),
    assumptions=("smile.otherwise",),
    dues=(RecordedDue("due", None),),
)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A log of three records, which the commands find by the environment."""
    store = Store.open(sqlite(tmp_path))
    first = record(
        1,
        facts={"vip": True, "note": {"masked": "given", "token": "ab"}},
        pauses=(("2026-01-01T00:00:00Z", None),),
        request_id="r-1",
    )
    store.append(
        "main",
        [first, record(2), record(3, ticket="T-1", kind=RecordKind.TRIAGE, decisions=(*record(3).decisions, GIFT))],
    )
    monkeypatch.setenv("GUIDEPOST_DECISION_LOG", sqlite(tmp_path))
    monkeypatch.chdir(tmp_path)
    return store


def run(*arguments: str) -> Result:
    return run_command("audit", *arguments)


def plain(*arguments: str) -> Any:
    return json.loads(run(*arguments, "-o", "json").stdout)


def alter(statement: str) -> None:
    with sqlite3.connect("log/decisions.db") as connection:
        connection.execute(statement)


def test_records_are_listed_in_order_of_receipt(log: Store, golden: Callable[[str, str], None]) -> None:
    golden("audit/query.txt", run("query").stdout)


def test_empty_columns_are_left_out_and_ids_and_instants_are_not_broken(
    log: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append("other", [record(4, caller="", ticket="")])
    monkeypatch.setenv("COLUMNS", "80")
    headings, _, *lines = run("query", "--since", record(4).received).stdout.splitlines()

    assert headings.split() == ["record", "received", "version", "decided"]
    assert " ".join(lines).split() == [record(4).id, "2026-01-23T04:00:04Z", "7.0.0", "queue:", "fast"]


def test_a_record_is_shown_in_full(log: Store, golden: Callable[[str, str], None]) -> None:
    golden("audit/get.txt", run("get", record(1).id).stdout + run("get", record(3).id).stdout)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], [1, 2, 3]),
        (["--ticket", "T-1"], [1, 3]),
        (["--request-id", "r-1"], [1]),
        (["--caller", "nobody"], []),
        (["--version", "7.0.0"], [1, 2, 3]),
        (["--rule", "queues.vip", "--since", "2026-01-23T04:00:02Z"], [2, 3]),
        (["--until", "2026-01-23T15:00:02+11:00"], [1]),
        (["--outcome", "polite=yes"], [3]),
        (["--outcome", "gifts=not_covered"], [3]),
    ],
)
def test_filters_select_records_for_query_and_export_alike(log: Store, options: list[str], found: list[int]) -> None:
    ids = [record(number).id for number in found]

    assert [one["record"]["id"] for one in plain("query", *options)["entries"]] == ids
    assert [json.loads(line)["record"]["id"] for line in run("export", *options).stdout.splitlines()] == ids


@pytest.mark.parametrize(
    ("options", "note"),
    [
        (["--outcome", "gift=blue"], "; no version here has an outcome `gift` (did you mean `gifts`?)"),
        (["--outcome", "polite=maybe"], "; no version here has a value `maybe` of `polite`"),
        (
            ["--rule", "smile.otherwis"],
            "; no version here has a rule `smile.otherwis` (did you mean `smile.otherwise`?)",
        ),
        (
            ["--rule", "nosuch", "--outcome", "nosuch"],
            "; no version here has a rule `nosuch`; no version here has an outcome `nosuch`",
        ),
        (["--outcome", "polite=no"], ""),
        (["--outcome", "polite=undecided"], ""),
        (["--rule", "smile.otherwise", "--caller", "nobody"], ""),
        (["--caller", "nobody"], ""),
    ],
)
def test_an_empty_result_reports_names_that_no_version_has(
    log: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], note: str
) -> None:
    (tmp_path / "policies").mkdir()
    for name, text in COUNTER.items():
        (tmp_path / "policies" / name).write_text(text, encoding="utf-8")
    monkeypatch.delenv("GUIDEPOST_POLICIES", raising=False)
    found = run("query", *options)

    assert (found.exit_code, found.stdout) == (0, f"no records{note}\n")
    as_json = run("query", *options, "-o", "json")
    assert (json.loads(as_json.stdout)["entries"], as_json.stderr) == (
        [],
        f"{note.removeprefix('; ')}\n" if note else "",
    )


def test_an_empty_result_reports_no_names_without_policies(log: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUIDEPOST_POLICIES", "none")

    assert run("query", "--rule", "nosuch").stdout == "no records\n"


def test_a_page_shows_the_token_of_the_next_one(log: Store) -> None:
    first = run("query", "--limit", "2")
    token = first.stderr.split()[-1]

    assert record(3).id not in first.stdout
    assert record(3).id in run("query", "--limit", "2", "--page", token).stdout
    assert plain("query", "--limit", "2", "--page", token)["next"] == ""
    assert run("query", "--ticket", "T-1", "--page", token).exit_code == 2


def test_a_whole_log_and_a_whole_export_verify(log: Store, golden: Callable[[str, str], None]) -> None:
    assert run("export", "--to", "log.jsonl").exit_code == 0

    golden("audit/verify.txt", run("verify").stdout + run("verify", "log.jsonl").stdout)
    assert plain("verify")["whole"] is plain("verify", "log.jsonl")["whole"] is True


def test_every_break_is_named_and_the_command_ends_with_7(log: Store, golden: Callable[[str, str], None]) -> None:
    run("export", "--to", "log.jsonl")
    lines = Path("log.jsonl").read_text().splitlines()
    Path("log.jsonl").write_text("\n".join([lines[1].replace("fast", "slow"), lines[0]]))
    alter("UPDATE entries SET ticket = 'T-8' WHERE sequence = 2")
    alter("DELETE FROM entries WHERE sequence = 3")
    in_log, in_export = run("verify"), run("verify", "log.jsonl")

    golden("audit/breaks.txt", in_log.stdout + in_export.stdout)
    assert (in_log.exit_code, in_export.exit_code) == (7, 7)
    assert run("get", record(2).id).exit_code == 7
    assert [(one["kind"], one["sequence"]) for one in plain("verify")["breaks"]] == [("changed", 2), ("removed", 3)]


def test_an_entry_after_the_end_of_its_chain_is_reported(log: Store) -> None:
    alter("UPDATE writers SET sequence = 2, hash = (SELECT hash FROM entries WHERE sequence = 2)")

    assert [(one["kind"], one["sequence"]) for one in plain("verify")["breaks"]] == [("inserted", 3)]
    alter("DELETE FROM writers")
    assert plain("verify")["whole"] is False


def test_a_record_that_cannot_be_read_is_reported_as_altered(log: Store) -> None:
    alter("UPDATE entries SET body = '{' WHERE sequence = 2")
    shown = run("get", record(2).id)

    assert shown.exit_code == run("get", record(2).id, "-o", "json").exit_code == 7
    assert "was altered" in shown.stderr
    assert run("query").exit_code == 0


def test_records_appended_during_a_verification_are_not_breaks(log: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = Store.ends

    def and_then_more(store: Store) -> Any:
        found = ends(store)
        monkeypatch.setattr(Store, "ends", ends)
        log.append("main", [record(4)])
        return found

    monkeypatch.setattr(Store, "ends", and_then_more)

    assert (plain("verify")["entries"], plain("verify")["entries"]) == (3, 4)


def test_records_purged_during_a_verification_are_not_breaks(log: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = Store.purge_notes

    def and_then_fewer(store: Store) -> Any:
        found = notes(store)
        monkeypatch.setattr(Store, "purge_notes", notes)
        purge(log, START + timedelta(seconds=3), START, "me")
        return found

    monkeypatch.setattr(Store, "purge_notes", and_then_fewer)
    found = plain("verify")

    assert (found["whole"], found["entries"]) == (True, 1)


def test_signed_heads_reveal_a_rewritten_chain(log: Store, tmp_path: Path) -> None:
    for name in ("desk", "stranger"):
        new_key(tmp_path / f"{name}.private.pem", tmp_path / f"{name}.public.pem")
    log.add_head(sign_head(end_of(log), "2026-01-23T05:00:00Z", private_key(tmp_path / "desk.private.pem")))
    run("export", "--heads", "--to", "heads.jsonl")
    assert run("verify", "--key", "desk.public.pem", "--heads", "heads.jsonl").exit_code == 0
    assert "not trusted" in run("verify", "--key", "stranger.public.pem").stdout
    alter("UPDATE heads SET sequence = 2")
    assert "its signature is invalid" in run("verify", "--key", "desk.public.pem").stdout

    for name in ("heads", "entries", "writers"):
        alter(f"DELETE FROM {name}")
    log.append("main", [record(1), record(2), record(4)])

    assert run("verify").exit_code == 0
    anew = run("verify", "--heads", "heads.jsonl")
    assert (anew.exit_code, "entry 3 changed" in anew.stdout) == (7, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["get", "nothing"], "no record `nothing`"),
        (["query", "--since", "yesterday"], "error: expected an instant for `--since`, got `yesterday`"),
        (["query", "--until", "2026-01-01"], "error: expected a time and an offset from UTC for `--until`"),
        (["query", "--page", "x"], "expected the token that the page before contains"),
        (["verify", "none.jsonl"], "cannot be read"),
        (["verify", "junk"], "line 1: expected an entry"),
        (["verify", "--heads", "junk"], "expected signed heads in"),
        (["query", "--decision-log", "sqlite:///none.db"], "there is no decision log"),
        (["export", "--to", "/nowhere/x"], "cannot be written"),
    ],
)
def test_errors_are_reported(log: Store, arguments: list[str], said: str) -> None:
    Path("junk").write_text("{}\n")
    refused = run(*arguments)

    assert (refused.exit_code, refused.stdout) == (2, "")
    assert said in refused.stderr
