"""The command line: output, streams, formats and exit codes of each command."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from engine.cross_check import CrossCheckReport, Disagreement, Extent, Failure, TableCrossCheck
from guidepost.cli.commands import check
from tests.support.command import replace_text, run_command, transcript
from tests.support.paths import ROOT

GOLDEN: Final = {
    "show-overview": "show",
    "show-matrix": "show look",
    "show-rules": "show bays",
    "show-catalogue": "show makes",
    "show-scope": "show scope",
    "show-roster": "show mechanics",
    "show-decision": "show urgency",
    "show-assumptions": "show assumptions",
    "show-questions": "show questions",
    "show-facts": "show facts",
    "show-fact": "show noise",
    "show-past": "show look --version 1.0.0",
    "show-nothing": "show lok",
    "eval-decided": "eval urgency --noise loud --smoke none --came-at 2026-01-23T08:00:00+01:00",
    "eval-undecided": "eval urgency noise=loud",
    "eval-unlisted": "eval bay --make akme --drives",
    "eval-explained": "eval bay --drives --make crank --explain",
    "eval-triage": "eval --noise faint --smoke none --no-drives --age 60 --remark=",
    "eval-wrong": "eval urgent --noise lowd --age 200 --smok thick colour=red --drives maybe noise=faint",
    "eval-unknown-decision": "eval urgent",
    "check": "check --no-cross-check",
}


@pytest.mark.usefixtures("garage")
@pytest.mark.parametrize("name", GOLDEN)
def test_output_matches_the_golden_files(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"cli/{name}.txt", f"$ guidepost {GOLDEN[name]}\n{transcript(run_command(*shlex.split(GOLDEN[name])))}")


def test_check_reports_all_problems_sorted_by_place(garage: Path, golden: Callable[[str, str], None]) -> None:
    replace_text(garage / "urgency.yaml", "[now,  soon]", "[now,  sooon]")
    replace_text(garage / "bay.yaml", "drives: no", "drive: no")
    replace_text(garage / "past" / "1.0.0" / "bay.yaml", "    otherwise: {then: {bay: lift, towed: no}}\n", "")

    result = run_command("check", "--no-cross-check")

    assert (result.exit_code, result.stderr) == (3, "")
    golden("cli/check-problems.txt", transcript(result))


def test_check_reports_failed_cases_and_exits_with_4(garage: Path, golden: Callable[[str, str], None]) -> None:
    replace_text(garage / "cases" / "garage.yaml", "{urgency: now}", "{urgency: later}")

    result = run_command("check", "--no-cross-check")

    assert result.exit_code == 4
    golden("cli/check-cases.txt", transcript(result))


def test_check_without_cases_runs_none(garage: Path) -> None:
    replace_text(garage / "cases" / "garage.yaml", "{urgency: now}", "{urgency: later}")

    result = run_command("check", "--no-cross-check", "--no-cases")

    assert result.exit_code == 0
    assert "none run" in result.stdout


def test_a_problem_counts_more_than_a_failed_case(garage: Path) -> None:
    replace_text(garage / "cases" / "garage.yaml", "{urgency: now}", "{urgency: later}")
    replace_text(garage / "past" / "1.0.0" / "bay.yaml", "drives: no", "drive: no")

    assert run_command("check", "--no-cross-check").exit_code == 3


def test_check_lists_the_tables_that_agree_with_durable_rules(garage: Path) -> None:
    result, verbose = run_command("check", str(garage)), run_command("check", "--verbose", str(garage))

    assert (result.exit_code, verbose.exit_code) == (0, 0)
    assert result.stdout.count("  tables  4 compared whole\n") == 2
    assert "9 cells" not in result.stdout
    assert "`look` (9 cells)" in verbose.stdout


def test_check_reports_versions_whose_cases_were_not_run(garage: Path) -> None:
    replace_text(garage / "bay.yaml", "drives: no", "drive: no")

    assert (
        run_command("check", "--no-cross-check").stdout.splitlines()[-1]
        == "2 versions: 1 problem; the cases of garage were not run, 1 of 1 elsewhere passed"
    )
    assert (
        run_command("test")
        .stdout.splitlines()[-1]
        .startswith("2 versions: 1 problem; the cases of garage were not run, 1 of 1 elsewhere passed in")
    )


@pytest.mark.usefixtures("garage")
def test_check_reports_sampled_tables_and_disagreements(
    monkeypatch: pytest.MonkeyPatch, golden: Callable[[str, str], None]
) -> None:
    tables = (
        TableCrossCheck(
            table="bays", extent=Extent.SAMPLED, cells=3**40, covered=20_108, asked=20_266, disagreements=0
        ),
        TableCrossCheck(table="look", extent=Extent.WHOLE, cells=9, covered=9, asked=9, disagreements=1),
        TableCrossCheck(table="makes", extent=Extent.WHOLE, cells=6, covered=6, asked=6, disagreements=0),
    )
    disagreement = Disagreement(table="look", cell=(1, 2), expected_rules=("look.loud.none",), got_rules=())
    failure = Failure(table="wanted", cell=(0, 0), reason="the process crashed")
    monkeypatch.setattr(check, "cross_check_version", lambda *_: CrossCheckReport(tables, (disagreement,), (failure,)))

    result = run_command("check")

    assert result.exit_code == 3
    golden("cli/check-proof.txt", transcript(result))


@pytest.mark.usefixtures("garage")
def test_check_lists_the_nodes_of_each_table(golden: Callable[[str, str], None]) -> None:
    golden("cli/check-sizes.txt", transcript(run_command("check", "--sizes", "--no-cross-check")))


@pytest.mark.usefixtures("garage")
def test_check_has_the_nodes_of_each_table_in_json() -> None:
    found = json.loads(run_command("check", "--sizes", "--no-cross-check", "-o", "json").stdout)
    sizes = found["versions"][0]["sizes"]

    assert sizes
    assert {tuple(size) for size in sizes} == {("table", "nodes", "limit", "share", "widest")}
    assert [size["nodes"] for size in sizes] == sorted((size["nodes"] for size in sizes), reverse=True)


def test_check_as_json_keeps_its_shape(garage: Path) -> None:
    replace_text(garage / "cases" / "garage.yaml", "{urgency: now}", "{urgency: later}")
    replace_text(garage / "past" / "1.0.0" / "bay.yaml", "drives: no", "drive: no")

    result = run_command("check", "-o", "json")

    assert result.exit_code == 3
    found = json.loads(result.stdout)
    assert list(found) == ["ok", "problems", "versions"]
    assert found["ok"] is False
    assert list(found["problems"][0]) == [
        "file",
        "line",
        "column",
        "level",
        "code",
        "message",
        "help",
        "witness",
        "also",
    ]
    assert found["problems"][0]["file"] == "garage/past/1.0.0/bay.yaml"
    current, past = found["versions"]
    assert list(current) == [
        "folder",
        "name",
        "version",
        "digest",
        "effective_from",
        "cross_check",
        "invariants",
        "cases",
    ]
    assert list(current["cross_check"]) == ["ok", "tables"]
    assert list(current["cross_check"]["tables"][0]) == [
        "table",
        "extent",
        "cells",
        "covered",
        "asked",
        "disagreements",
    ]
    assert current["cases"]["failed"][0]["differences"] == ["urgency: expected later, got now (by look.loud.thick)"]
    assert past["version"] is None


@pytest.mark.usefixtures("garage")
def test_an_answer_as_json_is_the_record_of_the_engine() -> None:
    result = run_command("eval", "urgency", "noise=loud", "smoke=thick", "-o", "json")

    assert (result.exit_code, result.stderr) == (0, "")
    answer = json.loads(result.stdout)
    assert list(answer)[:3] == ["id", "decision", "status"]
    assert answer["outcomes"]["urgency"]["value"] == "now"
    assert answer["rules"][0]["file"] == "garage/urgency.yaml"


@pytest.mark.usefixtures("garage")
def test_triage_is_the_default_decision() -> None:
    asked, unasked = (
        run_command("eval", "triage", "noise=loud", "-o", "json"),
        run_command("eval", "noise=loud", "-o", "json"),
    )

    assert asked.stdout == unasked.stdout
    assert [answer["decision"] for answer in json.loads(asked.stdout)["answers"]] == ["urgency", "bay"]


WAYS: Final = {
    "options": (["--noise", "very loud", "--smoke=none", "--age", "40", "--drives"], None),
    "options with underscores": (
        ["--came_at", "2026-01-23T08:00:00Z", "--noise", "loud", "--smoke", "none", "--age", "40", "--drives", "yes"],
        None,
    ),
    "words": (["noise=loud", "smoke=none", "age=40", "drives=true"], None),
    "facts": (["--fact", "noise=loud", "--fact", "smoke=none", "--fact", "age=40", "--fact", "drives=yes"], None),
    "JSON": (["--json", '{"noise": "loud", "smoke": "none", "age": 40, "drives": true, "remark": null}'], None),
    "JSON on standard input": (["--file", "-"], '{"noise": "loud", "smoke": "none", "age": 40, "drives": true}'),
    "YAML on standard input": (["-f", "-"], "noise: loud\nsmoke: none\nage: 40\ndrives: yes\nremark:\n"),
    "JSON over YAML, words over both": (
        ["-f", "-", "--json", '{"smoke": "none", "age": 3}', "age=40"],
        "noise: loud\nsmoke: thick\nage: 2\ndrives: yes\n",
    ),
}


@pytest.mark.usefixtures("garage")
@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_pass_facts_yields_the_same_answer(way: str) -> None:
    arguments, text = WAYS[way]
    values: dict[str, object] = {}
    for decision in ("urgency", "bay"):
        result = run_command("eval", decision, *arguments, "-o", "json", text=text)
        assert result.exit_code == 0, result.stderr
        values |= {name: found.get("value") for name, found in json.loads(result.stdout)["outcomes"].items()}

    assert (values["urgency"], values["bay"], values["towed"]) == ("soon", "pit", False)


@pytest.mark.usefixtures("garage")
def test_facts_are_read_from_yaml_and_json_files(tmp_path: Path) -> None:
    (tmp_path / "ticket.yaml").write_text("noise: loud\nsmoke: thick\n", encoding="utf-8")
    (tmp_path / "ticket.json").write_text('{"noise": "loud", "smoke": "thick"}', encoding="utf-8")

    answers = [
        run_command("eval", "urgency", "--file", str(tmp_path / name), "-o", "json").stdout
        for name in ("ticket.yaml", "ticket.json")
    ]

    assert answers[0] == answers[1]
    assert json.loads(answers[0])["status"] == "decided"


WRONG: Final = {
    "expected JSON in --json; line 1, column 2: Expecting property name enclosed in double quotes": [
        "--json",
        "{noise",
    ],
    'expected an object such as `{"name": "value"}` in --json': ["--json", "[1]"],
    "--json: expected each name once, got `noise` twice": ["--json", '{"noise": "loud", "noise": "faint"}'],
    "expected one value for `noise` in --json": ["--json", '{"noise": ["loud"]}'],
    "cannot read missing.yaml: No such file or directory": ["--file", "missing.yaml"],
    "expected one of --version, --digest and --as-of, got several": [
        "--version",
        "2.0.0",
        "--as-of",
        "2025-01-01T00:00:00Z",
    ],
    "expected an instant for `--as-of`, got `today`": ["--as-of", "today"],
    "`--as-of` is 1970-01-01T00:00:00Z, a zero timestamp: was it set?": ["--as-of", "1970-01-01T00:00:00Z"],
    "expected a time and an offset from UTC for `--as-of`, got `2025-07-01`": ["--as-of", "2025-07-01"],
    "expected a value after `--noise`: loud, faint": ["--noise"],
    "expected `--fact NAME=VALUE`, got `noise`": ["--fact", "noise"],
    "expected one decision, got `urgency` and `bay`": ["urgency", "bay"],
    "expected one value for `noise`, got `loud` and `faint`": ["--noise", "loud", "noise=faint"],
    "no option or fact `--nois`; did you mean `--noise`?": ["--nois=loud"],
    "drives: expected true or false for `drives`, got `maybe`": ["--drives", "maybe"],
    "age: `200` is out of range for `age`": ["--age", "200"],
    "unknown fact `colour`": ["colour=red"],
}


@pytest.mark.usefixtures("garage")
@pytest.mark.parametrize("message", WRONG)
def test_errors_of_a_call_go_to_standard_error(message: str) -> None:
    result = run_command("eval", *WRONG[message])

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {message}")


@pytest.mark.usefixtures("garage")
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("urgncy", "unknown decision `urgncy`; did you mean `urgency`?"),
        ("nois=loud", "unknown fact `nois`; did you mean `noise`?"),
    ],
)
def test_a_suggestion_replaces_the_list_of_names(word: str, said: str) -> None:
    assert run_command("eval", word).stderr == f"error: {said}\n"


def test_a_broken_policy_does_not_hide_the_version_of_the_program(garage: Path) -> None:
    replace_text(garage / "bay.yaml", "drives: no", "drive: no")
    result = run_command("version")

    assert result.exit_code == 3
    assert re.search(r"^guidepost \S", result.stderr, re.MULTILINE)


@pytest.mark.usefixtures("garage")
def test_an_unknown_option_lists_the_facts() -> None:
    result = run_command("eval", "--colour", "red")

    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == "facts: age, came_at, drives, make, noise, remark, smoke"


@pytest.mark.usefixtures("garage")
def test_a_version_is_chosen_by_name_digest_or_instant() -> None:
    def urgency(*choice: str) -> str:
        answer = json.loads(run_command("eval", "urgency", "noise=faint", "smoke=thick", "-o", "json", *choice).stdout)
        return f"{answer['version']['version']} {answer['outcomes']['urgency']['value']}"

    digest = json.loads(run_command("show", "--version", "1.0.0", "-o", "json").stdout)["digest"]

    assert urgency() == "2.0.0 soon"
    assert (
        urgency("--version", "1.0.0")
        == urgency("--digest", digest[:10])
        == urgency("--as-of", "2024-12-31T23:59:59Z")
        == "1.0.0 later"
    )


@pytest.mark.usefixtures("garage")
@pytest.mark.parametrize(
    "choice", [("--version", "9.9.9"), ("--digest", "0123456789"), ("--as-of", "2019-01-01T00:00:00Z")]
)
def test_an_unknown_version_names_the_known_ones(choice: tuple[str, str]) -> None:
    result = run_command("eval", *choice)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "known: 1.0.0 (" in result.stderr


def test_a_broken_policy_decides_nothing_and_is_reported(garage: Path) -> None:
    replace_text(garage / "urgency.yaml", "[now,  soon]", "[now,  sooon]")

    result = run_command("eval", "urgency", "noise=loud")

    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.splitlines()[0] == "garage/urgency.yaml:14:23: unknown urgency `sooon` [unknown-value]"
    assert "nothing is loaded" in result.stderr


def test_a_gap_in_a_table_decides_nothing_either(garage: Path) -> None:
    replace_text(garage / "bay.yaml", "    otherwise: {then: {bay: lift, towed: no}}\n", "")

    result = run_command("eval", "bay", "drives=no")

    assert (result.exit_code, result.stdout) == (3, "")
    assert "[gap]" in result.stderr
    assert "witness: " in result.stderr


def test_a_missing_folder_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUIDEPOST_POLICIES", "nowhere")

    assert run_command("show").stderr == "error: no such folder: nowhere (from $GUIDEPOST_POLICIES)\n"
    assert run_command("show", "--policies", "elsewhere").stderr == "error: no such folder: elsewhere\n"
    assert run_command("check", "elsewhere").exit_code == 2


def test_without_a_setting_the_policies_are_those_beside_the_caller_or_the_program(
    garage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GUIDEPOST_POLICIES")
    monkeypatch.chdir(tmp_path)
    beside_the_program = json.loads(run_command("show", "-o", "json").stdout)["name"]
    garage.rename(tmp_path / "policies")
    beside_the_caller = json.loads(run_command("show", "-o", "json").stdout)["name"]

    assert (beside_the_program, beside_the_caller) == ("csp-support", "garage")


def test_schemas_are_written_once_and_compared_after_that(garage: Path) -> None:
    assert run_command("schema", "--check").exit_code == 3
    assert run_command("schema").stdout.splitlines()[-1] == "12 schemas up to date"
    assert run_command("schema", "--check").exit_code == 0
    assert run_command("schema").stdout == "12 schemas up to date\n"
    schema = garage / "schemas" / "policy.schema.json"
    replace_text(schema, "loud", "noisy")

    stale = run_command("schema", "--check")

    assert (stale.exit_code, stale.stdout) == (3, "")
    assert stale.stderr.splitlines()[1] == "garage/schemas/policy.schema.json"


@pytest.mark.usefixtures("garage")
def test_version_names_the_program_the_policies_and_the_libraries() -> None:
    found = json.loads(run_command("version", "-o", "json").stdout)
    text = run_command("version").stdout

    assert list(found) == ["program", "policies", "runtime"]
    assert [(policy["version"], policy["in_force"]) for policy in found["policies"]] == [
        ("1.0.0", False),
        ("2.0.0", True),
    ]
    assert text.startswith("guidepost ")
    assert found["policies"][1]["digest"][:12] in text
    assert f"Python         {found['runtime']['Python']}" in text


@pytest.mark.usefixtures("garage")
@pytest.mark.parametrize(
    "what",
    [
        "",
        "look",
        "makes",
        "bays",
        "mechanics",
        "urgency",
        "noise",
        "assumptions",
        "questions",
        "facts",
        "outcomes",
        "scope",
    ],
)
def test_everything_shown_is_also_available_as_json(what: str) -> None:
    result = run_command("show", *what.split(), "-o", "json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)


def test_the_version_of_the_program_needs_no_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUIDEPOST_POLICIES", "nowhere")

    assert run_command("--version").stdout.startswith("guidepost ")


@pytest.mark.usefixtures("garage")
def test_an_unknown_command_option_or_format_is_a_usage_error() -> None:
    for arguments in (["shw"], ["show", "--colour"], ["show", "-o", "xml"], ["serve", "--port", "high"]):
        result = run_command(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr


# The shipped policies


def test_the_shipped_matrix_is_shown_as_a_matrix() -> None:
    shown = run_command("show", "matrix", "--policies", str(ROOT / "policies")).stdout

    assert [line.split() for line in shown.splitlines()[3:]] == [
        ["high", "P1", "P2", "P3"],
        ["medium", "P2", "P3", "P4"],
        ["low", "P3", "P4", "P5"],
    ]


def test_the_shipped_policies_decide_a_ticket() -> None:
    policies = str(ROOT / "policies")
    answer = json.loads(
        run_command(
            "eval", "priority", "--impact", "high", "--urgency", "medium", "-o", "json", "--policies", policies
        ).stdout
    )

    assert (answer["outcomes"]["priority"]["value"], answer["outcomes"]["basis"]["value"]) == ("P2", "matrix")
