"""``guidepost replay``: run, verify and suggest-mapping, for policy owners, auditors and CI."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner, Result

from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost import Client
from guidepost.cli.app import app
from guidepost.cli.commands import replay_run, replay_suggest, replay_verify
from guidepost.cli.commands.replay_progress import progress
from guidepost.cli.options import policies_folder
from guidepost.decision_log.store import Store
from guidepost.policies.sources.resolve import load_source
from tests.support.command import run_command
from tests.support.log_servers import settings, sqlite
from tests.support.paths import ROOT
from tests.support.replayed_logs import records
from tests.support.servers import serving

TICKETS: Final = """\
Number,Impact,Urgency,Channel,Opened,Priority
T-1,1,1,Phone,2026-01-23T15:00:00+11:00,P1
T-2,3,3,Phone,2026-01-23T16:00:00+11:00,P4
T-3,3,3,Mail,2026-01-23T17:00:00+11:00,P4
T-4,2,9,Phone,2026-01-23T18:00:00+11:00,P3
T-5,2,2,Mail,2026-01-24T09:00:00+11:00,P3
T-6,1,1,Phone,soon,P1
"""
MAPPING: Final = """
ticket: Number
now: {column: Opened}
facts:
  impact: {column: Impact, values: {"1": high, "2": medium, "3": low}}
  urgency: {column: Urgency, values: {"1": high, "2": medium, "3": low}}
  channel: {column: Channel, values: {Phone: telephone, Mail: email}}
  received_at: {column: Opened}
  stage: {always: triage}
"""
RECORDED: Final = MAPPING + "recorded:\n  priority: {column: Priority}\n"
PAST: Final[list[dict[str, object]]] = [
    {
        "impact": "low",
        "urgency": "low",
        "channel": "telephone",
        "stage": "triage",
        "country": "NZ",
        "explanation": "it is broken",
    },
    {"channel": "email", "stage": "arrival", "country": "AU", "received_at": "2026-01-23T15:00:00+11:00"},
    {
        "impact": "high",
        "urgency": "medium",
        "stage": "triage",
        "channel": "portal",
        "received_at": "2026-01-23T15:00:00+11:00",
        "plan": "partner",
    },
]


@pytest.fixture(scope="module")
def loaded(shipped: Bundle) -> policies_folder.LoadedPolicies:
    return policies_folder.load(ROOT / "policies")


@pytest.fixture(scope="module")
def low_low() -> Version:
    """The variant of the guide that decides priorities alone, and knows fewer facts."""
    return load_source(str(ROOT / "examples" / "low-low-p4"), policies=ROOT / "policies")


@pytest.fixture
def here(
    tmp_path: Path,
    shipped: Bundle,
    low_low: Version,
    loaded: policies_folder.LoadedPolicies,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A folder with tickets and mappings; versions are those that are built already."""
    built = {version.ref.version: version for version in shipped.versions}
    built |= {"draft": _variant(built["2.0.0"]), "low-low": low_low}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUIDEPOST_POLICIES", str(ROOT / "policies"))
    for module in (replay_run, replay_suggest, replay_verify):
        monkeypatch.setattr(module, "open_version", lambda spec, **_: built[spec if spec in built else "2.0.0"])
    for module in (replay_run, replay_verify):
        monkeypatch.setattr(module, "load", lambda _: loaded)
    monkeypatch.setattr(policies_folder.LoadedPolicies, "build", lambda _, known: built[known.ref.version])
    for name, text in (("tickets.csv", TICKETS), ("mapping.yaml", MAPPING), ("recorded.yaml", RECORDED)):
        (tmp_path / name).write_text(text)
    return tmp_path


def _variant(version: Version) -> Version:
    """Return the version under another name, as a draft that decides the same."""
    return replace(version, ref=replace(version.ref, version="2.1.0", digest="d" * 64))


@pytest.fixture
def log(here: Path, shipped: Bundle, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The default log, with three tickets under each version."""
    monkeypatch.setenv("GUIDEPOST_DECISION_LOG", sqlite(here))
    store = Store.open(sqlite(here))
    for at, version in enumerate(shipped.versions):
        store.append("main", records(version, PAST, 1 + 3 * at))
    return store


def run(*arguments: str) -> Result:
    return run_command("replay", *arguments)


def plain(*arguments: str) -> Any:
    return json.loads(run(*arguments, "-o", "json").stdout)


def altered(log: Store, statement: str) -> None:
    with sqlite3.connect(log.name.removeprefix("sqlite:///")) as connection:
        connection.execute(statement)


# ---- Files against a version


def test_run_may_be_left_out(here: Path) -> None:
    options = ("tickets.csv", "--against", "2.0.0", "--mapping", "recorded.yaml")

    assert run(*options).stdout == run("run", *options).stdout == run(*options[1:3], options[0], *options[3:]).stdout


def test_recorded_decisions_are_compared_and_unread_rows_are_written(
    here: Path, golden: Callable[[str, str], None]
) -> None:
    found = run("tickets.csv", "--against", "2.0.0", "--mapping", "recorded.yaml")

    assert found.exit_code == 0
    golden("replay/recorded.txt", found.stdout)
    rows = list(csv.DictReader(io.StringIO((here / "tickets.unread.csv").read_text())))
    assert [(row["row"], row["ticket"]) for row in rows] == [("4", "T-4"), ("6", "T-6")]
    assert "T-4" in rows[0]["content"]


def test_every_row_is_a_ticket_or_unread(here: Path) -> None:
    found = plain("tickets.csv", "--against", "2.0.0", "--mapping", "recorded.yaml")

    assert (found["rows"], found["tickets"], found["unread"]["rows"], found["changed"]) == (6, 4, 2, 2)
    assert [one["text"] for one in found["outcomes"][0]["matrix"] if one["from"] != one["to"]] == ["P4 -> P5"]
    assert found["outcomes"][0]["regions"][0]["text"] == "urgency=low"
    assert found["unread"]["file"] == "tickets.unread.csv"


def test_unread_rows_are_written_next_to_their_file(here: Path) -> None:
    (here / "past").mkdir()
    (here / "tickets.csv").rename(here / "past" / "day[1].csv")

    found = plain("past/day[1].csv", "--against", "2.0.0", "--mapping", "recorded.yaml")

    assert found["unread"]["file"] == "past/day[1].unread.csv"


def test_an_example_command_decides_as_shown(here: Path) -> None:
    shown = run("tickets.csv", "--against", "2.0.0", "--mapping", "recorded.yaml").stdout
    command = next(line for line in shown.splitlines() if "guidepost eval priority" in line).partition("guidepost ")[2]

    assert command.endswith("--version 2.0.0")
    assert "P5" in CliRunner().invoke(app, command.split()).stdout


def test_from_compares_two_versions(here: Path) -> None:
    found = plain(
        "tickets.csv",
        "--against",
        "2.0.0",
        "--from",
        "1.0.0",
        "--mapping",
        "recorded.yaml",
        "--decision",
        "coverage",
        "--by",
        "channel",
    )

    assert (found["before"]["asked"], found["before"]["recorded"], list(found["before"]["versions"].values())) == (
        "1.0.0",
        False,
        [4],
    )
    assert {one["outcome"]: one["changed"] for one in found["outcomes"] if one["changed"]}["weekend_handling"] == 2
    assert [(one["value"], one["tickets"]) for one in found["groups"]["channel"]] == [("email", 2), ("telephone", 2)]


def test_a_mapping_may_use_facts_of_one_version_and_decisions_of_one_are_noted(here: Path) -> None:
    found = run("tickets.csv", "--against", "low-low", "--from", "2.0.0", "--mapping", "mapping.yaml", "-o", "json")
    outcomes = {one["outcome"]: one["changed"] for one in json.loads(found.stdout)["outcomes"]}

    assert (outcomes["priority"], outcomes["basis"], "scope" in outcomes) == (2, 0, False)
    assert "only one of the versions decides response, channel, scope, coverage and intake; --decision" in found.stderr


def test_without_recorded_decisions_it_shows_what_is_decided_and_how_to_compare(here: Path) -> None:
    found = run("tickets.csv", "--against", "2.0.0", "--mapping", "mapping.yaml")

    assert found.exit_code == 0
    assert "4 tickets decided by 2.0.0. There is nothing to compare with." in found.stdout
    assert "--from VERSION" in found.stdout


def test_limit_replays_only_the_first_rows(here: Path) -> None:
    found = plain("tickets.csv", "--against", "2.0.0", "--mapping", "recorded.yaml", "--limit", "4")

    assert (found["rows"], found["tickets"], found["unread"]["rows"]) == (4, 3, 1)


def test_no_file_is_written_if_every_row_is_read(here: Path) -> None:
    run("tickets.csv", "--against", "2.0.0", "--mapping", "recorded.yaml", "--limit", "3", "--unread", "rejected.csv")
    assert not (here / "rejected.csv").exists()

    run("tickets.csv", "--against", "2.0.0", "--mapping", "recorded.yaml", "--unread", "rejected.csv")
    assert (here / "rejected.csv").read_text().startswith("row,ticket,field,message,content\n4,T-4,")


def test_every_format_is_written_to_a_file_or_standard_output(here: Path) -> None:
    options = ("tickets.csv", "--against", "2.0.0", "--mapping", "recorded.yaml")

    assert run(*options, "-o", "markdown").stdout.startswith("## Past tickets by 2.0.0\n")
    assert run(*options, "-o", "html", "--to", "page.html").stdout == ""
    assert (here / "page.html").read_text().startswith("<!doctype html>")
    assert "heat-priority" in (here / "page.html").read_text()
    assert run(*options, "--to", "no/such/folder.txt").exit_code == 2


def test_the_worked_example_prints_what_the_page_shows(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    _, command, _, shown, *_ = (ROOT / "docs" / "replay.md").read_text(encoding="utf-8").split("```")

    found = run(*command.removeprefix("sh\n").split()[2:])

    assert found.exit_code == 0
    assert found.stdout.startswith(shown.lstrip("\n").removesuffix("  ...\n"))


# ---- Budgets


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--max-changed", "50%"], 0),
        (["--max-changed", "2"], 0),
        (["--max-changed", "1"], 6),
        (["--max-changed", "49%"], 6),
        (["--forbid", "priority: P4 -> *"], 6),
        (["--forbid", "priority: P1 -> *"], 0),
        (["--max-unread", "1"], 6),
        (["--max-unread", "2"], 0),
        (["--max-unread", "10%"], 6),
        (["--forbid", "priority: P9 -> *"], 2),
        (["--max-changed", "some"], 2),
        (["--max-unread", "some"], 2),
    ],
)
def test_exceeding_a_limit_exits_with_6_and_an_invalid_limit_with_2(here: Path, options: list[str], code: int) -> None:
    assert run("tickets.csv", "--against", "2.0.0", "--mapping", "recorded.yaml", *options).exit_code == code


def test_an_exceeded_limit_is_reported_with_a_ticket(here: Path) -> None:
    found = run(
        "tickets.csv",
        "--against",
        "2.0.0",
        "--mapping",
        "recorded.yaml",
        "--max-changed",
        "0",
        "--forbid",
        "priority: P4 -> *",
    )

    assert "`priority` changes in 2 of 4 tickets (50%); the limit is 0" in found.stdout
    assert "`priority` changes P4 -> P5 in 2 tickets\n      where urgency=low\n      such as impact=low" in found.stdout
    assert "2 changes beyond what --max-changed and --forbid allow" in found.stderr


# ---- The log against a version


def test_a_log_is_replayed_against_a_version_and_compared_with_what_it_recorded(log: Store) -> None:
    found = plain("log", "--against", "2.0.0")

    assert (found["tickets"], found["before"]["recorded"], len(found["before"]["versions"])) == (6, True, 2)
    priority = next(one for one in found["outcomes"] if one["outcome"] == "priority")
    assert {one["text"]: one["tickets"] for one in priority["matrix"] if one["from"] != one["to"]} == {
        "undecided -> P2": 1
    }
    assert priority["regions"][0]["examples"][0]["ticket"] in {
        entry.body.split('"id":"')[-1].split('"')[0] for entry in log.entries()
    }


def test_since_and_until_select_records(log: Store) -> None:
    assert plain("log", "--against", "2.0.0", "--since", "2026-01-23T04:00:04Z")["changed"] == 0
    assert plain("log", "--against", "2.0.0", "--until", "2026-01-23T04:00:04Z")["tickets"] == 3
    assert run("log", "--against", "2.0.0", "--since", "2030-01-01T00:00Z").exit_code == 2
    assert run("verify", "log", "--since", "yesterday").exit_code == 2


# ---- Verifying a log


def test_every_record_is_decided_as_recorded_by_its_version(log: Store, golden: Callable[[str, str], None]) -> None:
    found = run("verify", "log")

    assert found.exit_code == 0
    golden("replay/proof.txt", found.stdout.replace(log.name, "sqlite:///decisions.db"))
    assert plain("verify", "log")["whole"] is True


def test_records_of_a_server_are_decided_as_answered(
    here: Path, shipped: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUIDEPOST_DECISION_LOG", sqlite(here))
    start = datetime(2026, 1, 23, 4, tzinfo=UTC)
    with serving(shipped, log=settings(sqlite(here))) as address, Client(address) as client:
        for hours, ticket in enumerate(PAST * 2):
            client.triage(
                {**ticket, "plan": "partner"},
                now=start + timedelta(hours=hours),
                pauses=[(start, None)] if hours % 2 else [],
            )
        client.triage(PAST[0], version="1.0.0")
        client.decide(
            "escalation", {"subscription_source": "other", "reason": "slow", "contact_phone": "+61 2 8350 8484"}
        )
        client.reschedule(
            {"assigned_priority": "P4"}, {"assigned_priority": "P3", "received_at": start, "plan": "partner"}
        )

    found = run("verify", "log", "-o", "json")

    assert (found.exit_code, [one["records"] for one in json.loads(found.stdout)["versions"]]) == (0, [7, 1])


def test_records_that_are_not_replayed_are_noted_by_run_and_verify(
    here: Path, shipped: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUIDEPOST_DECISION_LOG", sqlite(here))
    start = datetime(2026, 1, 23, 4, tzinfo=UTC)
    with serving(shipped, log=settings(sqlite(here))) as address, Client(address) as client:
        client.triage({**PAST[0], "plan": "partner"}, now=start)
        client.reschedule(
            {"assigned_priority": "P4"}, {"assigned_priority": "P3", "received_at": start, "plan": "partner"}
        )
    note = "1 reschedule record is not replayed: it changes a due time and decides nothing"

    assert note in run("log", "--against", "2.0.0").stderr
    for form in ("text", "markdown", "html", "json"):
        assert note in run("verify", "log", "-o", form).stdout
    assert plain("verify", "log")["records"] == 1


def test_an_export_of_a_log_is_verified_alike(log: Store, here: Path) -> None:
    for name in ("log.jsonl", "log.parquet"):
        assert CliRunner().invoke(app, ["audit", "export", "--to", name]).exit_code == 0

        found = plain("verify", name)
        assert (found["whole"], found["records"], [one["records"] for one in found["versions"]]) == (True, 6, [3, 3])


def test_records_decided_differently_are_listed_and_exit_with_7(log: Store, golden: Callable[[str, str], None]) -> None:
    altered(
        log,
        """UPDATE entries SET body = replace(body, '"name":"priority","status":"decided","value":"P2"', '"name":"priority","status":"decided","value":"P4"') WHERE sequence >= 4""",
    )
    altered(
        log,
        """UPDATE entries SET body = replace(body, '"2026-01-23T08:00:00Z"', '"2026-01-23T09:00:00Z"') WHERE sequence = 6""",
    )

    found = run("verify", "log")

    assert found.exit_code == 7
    golden("replay/otherwise.txt", found.stdout.replace(log.name, "sqlite:///decisions.db"))
    entries = {entry.sequence: json.loads(entry.body)["id"] for entry in log.entries()}
    named = plain("verify", "log")
    assert [one["record"] for one in named["mismatches"]] == [entries[5], entries[6]]
    assert named["differing"] == 2


def test_records_of_a_missing_version_are_counted_and_exit_with_7(
    log: Store, golden: Callable[[str, str], None]
) -> None:
    altered(
        log,
        """UPDATE entries SET digest = 'abcdef123456', body = replace(body, substr(body, instr(body, '"digest":"') + 10, 64), 'abcdef123456') WHERE sequence = 2""",
    )

    found = run("verify", "log")

    assert found.exit_code == 7
    golden("replay/missing.txt", found.stdout.replace(log.name, "sqlite:///decisions.db"))


def test_a_version_outside_the_folder_can_be_named(log: Store) -> None:
    draft = "d" * 64
    altered(
        log,
        f"""UPDATE entries SET digest = '{draft}', body = replace(body, substr(body, instr(body, '"digest":"') + 10, 64), '{draft}') WHERE sequence = 5""",
    )

    assert run("verify", "log").exit_code == 7
    assert run("verify", "log", "--with", "draft").exit_code == 0


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_a_verification_is_written_in_every_format(log: Store, form: str) -> None:
    assert (
        "The log matches the policies: all 6 records are decided as recorded."
        in run("verify", "log", "-o", form).stdout
    )


# ---- Errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify", "tickets.csv"], "expected a decision log, got tickets.csv"),
        (["nothing.csv", "--against", "2.0.0"], "no such file: nothing.csv"),
        (["tickets.csv", "--against", "2.0.0", "--mapping", "missing.yaml"], "missing.yaml"),
        (["tickets.csv", "--against", "2.0.0", "--by", "chanel"], "did you mean `channel`?"),
        (["tickets.csv", "--against", "2.0.0", "--decision", "prioritty"], "prioritty"),
        (["tickets.csv", "--against", "2.0.0", "--with", "1.0.0"], "No such option: --with"),
        (["suggest-mapping", "log"], "do not need a mapping"),
        (["tickets.csv", "--against", "2.0.0", "--engine", "spark"], "tickets.csv is not Parquet"),
        (
            ["log", "--against", "2.0.0", "--engine", "spark", "--since", "2026-01-01T00:00Z"],
            "which Spark does not read",
        ),
        (["log", "--from", "1.0.0"], "`--against VERSION` is missing"),
        (["tickets.csv", "--against", "2.0.0", "--since", "2026-01-01T00:00Z"], "expected a decision log, got"),
    ],
)
def test_usage_errors_exit_with_2_and_a_help(log: Store, arguments: list[str], said: str) -> None:
    found = run(*arguments)

    assert (found.exit_code, said in found.stderr) == (2, True), found.stderr


def test_all_mistakes_of_a_mapping_are_reported(here: Path) -> None:
    (here / "mapping.yaml").write_text(MAPPING.replace("impact:", "impakt:").replace("telephone", "telefone"))

    found = run("tickets.csv", "--against", "2.0.0", "--mapping", "mapping.yaml")

    assert found.exit_code == 2
    assert "did you mean `impact`?" in found.stderr
    assert "did you mean `telephone`?" in found.stderr


def test_a_drafted_mapping_can_be_used_at_once(here: Path) -> None:
    assert run("suggest-mapping", "tickets.csv", "--to", "draft.yaml").exit_code == 0

    assert "impact" in (here / "draft.yaml").read_text()
    assert plain("tickets.csv", "--against", "2.0.0", "--mapping", "draft.yaml")["rows"] == 6


def test_a_source_without_a_readable_row_exits_with_2_and_a_help(here: Path) -> None:
    (here / "mapping.yaml").write_text(MAPPING.replace('"1": high, "2": medium, "3": low', "none: high"))

    found = run("tickets.csv", "--against", "2.0.0", "--mapping", "mapping.yaml")

    assert found.exit_code == 2
    assert "none of the 6 rows of tickets.csv can be read" in found.stderr
    assert "suggest-mapping" in found.stderr
    assert (here / "tickets.unread.csv").exists()


def test_an_empty_log_is_a_usage_error(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUIDEPOST_DECISION_LOG", sqlite(here))
    Store.open(sqlite(here)).close()

    found = run("verify", "log")

    assert (found.exit_code, "there are no tickets in" in found.stderr) == (2, True)


def test_progress_is_shown_on_a_terminal_only(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("replaying") as watch:
        watch(5, 0.5)

    assert capsys.readouterr().err == ""
