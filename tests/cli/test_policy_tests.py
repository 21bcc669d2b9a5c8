"""``guidepost test``: selection, results, coverage, proposals and exit codes."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from junitparser import Failure, JUnitXml

from engine.cases import load_cases, read_cases, run_case
from engine.cases.case import Case
from engine.cases.select import NotAnExpression, is_selected, read_selection
from engine.decide.decider import Decider
from engine.model.problems import PolicyErrors
from engine.version.build import build
from engine.version.version import Version
from tests.support.command import replace_text, run_command, transcript
from tests.support.deciders import decider_of
from tests.support.desks import GOOD
from tests.support.paths import ROOT

CASES = """\
kind: cases
cases:
  - name: A loud car with thick smoke is looked at now
    decision: urgency
    facts: {noise: loud, smoke: thick}
    expect: {urgency: now}

  - name: A faint car without smoke can wait
    decision: urgency
    facts: {noise: faint, smoke: none}
    expect: {urgency: later}

  - name: A car that does not drive goes to the pit
    decision: bay
    facts: {drives: no}
    expect: {bay: pit, towed: yes}
"""


@pytest.fixture
def desk(garage: Path) -> Path:
    """The garage of the command line's tests, with three cases in its working version."""
    (garage / "cases" / "garage.yaml").write_text(CASES, encoding="utf-8")
    return garage


def golden_text(result: object) -> str:
    return re.sub(r"in \d+\.\d s", "in 0.0 s", transcript(result))  # type: ignore[arg-type]


# ---- Which cases are meant


def meant(expression: str, *texts: str) -> list[bool]:
    return [read_selection(expression)(text) for text in texts]


class TestSelection:
    def test_a_word_matches_anywhere_and_in_any_case(self) -> None:
        assert meant("P1", "high is p1 by the matrix", "high is p2") == [True, False]

    def test_and_or_and_not_combine_words(self) -> None:
        assert meant("a and b", "ab", "a") == [True, False]
        assert meant("a or b", "b", "c") == [True, False]
        assert meant("not a", "b", "a") == [True, False]

    def test_not_binds_closer_than_and_and_this_closer_than_or(self) -> None:
        assert meant("not a and b or c", "b", "ab", "c", "ac") == [True, False, True, True]

    def test_parentheses_bind_closest(self) -> None:
        assert meant("a and (b or c)", "ab", "ac", "b") == [True, True, False]

    def test_words_in_quotes_belong_together(self) -> None:
        assert meant('"or so"', "five or so", "so or five") == [True, False]

    @pytest.mark.parametrize(
        ("expression", "at", "why"),
        [
            ("a b", 3, "expected `and`, `or` or quotes before `b`"),
            ("a and", 6, "a word is missing at the end"),
            ("(a", 1, "this `(` is not closed"),
            ("a)", 2, "this `)` has no matching `(`"),
            ("and a", 1, "a word is missing before `and`"),
            ('a or "b', 6, "this quote is not closed"),
            ("", 1, "a word is missing at the end"),
            ("()", 2, "a word is missing before `)`"),
        ],
    )
    def test_an_invalid_expression_is_reported_with_its_place(self, expression: str, at: int, why: str) -> None:
        with pytest.raises(NotAnExpression) as raised:
            read_selection(expression)

        assert (raised.value.message, raised.value.at) == (why, at)

    def test_a_case_matches_by_its_name_its_file_and_its_decision(self) -> None:
        version = build(GOOD)
        text = (
            "kind: cases\ncases:\n  - {name: No brakes, decision: queue, facts: {brake_wear: 90}, status: undecided}\n"
        )
        (case,) = load_cases({"cases/winter.yaml": text}, version.policy)

        assert [is_selected(read_selection(word), case) for word in ("brakes", "winter", "queue", "part")] == [
            True,
            True,
            True,
            False,
        ]


# ---- What a case can expect


def one_case(text: str) -> Case:
    (case,) = load_cases({"cases/a.yaml": f"kind: cases\ncases:\n  - {text}\n"}, build(GOOD).policy)
    return case


class TestRefusals:
    def test_a_case_can_expect_that_its_facts_are_rejected(self) -> None:
        result = run_case(
            Decider(build(GOOD)),
            one_case("{name: a bike, decision: queue, facts: {damage: brokn, weight: 12}, refused: [weight, damage]}"),
        )

        assert result.passed
        assert result.answer is None

    def test_it_fails_if_other_facts_are_rejected(self) -> None:
        result = run_case(
            Decider(build(GOOD)),
            one_case("{name: a bike, decision: queue, facts: {damage: brokn, rider: other}, refused: [damage, rider]}"),
        )

        assert result.differences == ('refused: missing "rider"',)

    def test_it_fails_if_the_request_is_answered(self) -> None:
        result = run_case(
            Decider(build(GOOD)),
            one_case("{name: a bike, decision: queue, facts: {damage: broken, rider: other}, refused: [damage]}"),
        )

        assert result.differences == ("refused: expected [damage], got an answer",)

    def test_a_fact_that_cannot_be_read_is_a_problem_of_any_other_case(self) -> None:
        with pytest.raises(PolicyErrors, match="unknown damage `brokn`"):
            one_case("{name: a bike, decision: queue, facts: {damage: brokn}}")


# ---- How a difference reads


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        (
            "decision: response, facts: {assigned_priority: P3, plan: partner, country: AU, received_at: 2026-01-23T15:00:00+11:00}, expect: {response_due: 2026-01-26T10:00:00+11:00}",
            "response_due: expected 2026-01-26T10:00:00+11:00, got 2026-01-27T15:00:00+11:00",
        ),
        (
            "decision: channel, facts: {stage: arrival, channel: email, country: SG}, expect: {telephone_numbers: []}",
            "telephone_numbers: expected [], got [+65 3138 2425]",
        ),
        (
            'decision: channel, facts: {stage: arrival, channel: email, country: AU}, expect: {telephone_numbers: ["+61 2 8350 8484", "1800 013 722"]}',
            'telephone_numbers: missing "1800 013 722"; more "1300 303 520"',
        ),
    ],
    ids=[
        "an instant has the offset of the case",
        "an empty list is []",
        "of two lists, what is missing and what is more",
    ],
)
def test_a_difference_can_be_read(guide: Version, case: str, sentence: str) -> None:
    (one,) = load_cases({"cases/a.yaml": f"kind: cases\ncases:\n  - {{name: a ticket, {case}}}\n"}, guide.policy)

    assert [difference.sentence for difference in run_case(decider_of(guide), one).found] == [sentence]


# ---- The command


def test_valid_cases_run_even_if_others_cannot_be_read() -> None:
    policy = build(GOOD).policy
    one = "  - {name: NAME, decision: queue, facts: {FACT: broken}}\n"
    good, unknown, misshapen = (
        one.replace("NAME", "a").replace("FACT", "damage"),
        one.replace("NAME", "b").replace("FACT", "damag"),
        "  - {name: c, decision: queue}\n",
    )

    cases, problems = read_cases(
        {"cases/a.yaml": f"kind: cases\ncases:\n{unknown}{good}{misshapen}{good.replace('name: a', 'name: d')}{good}"},
        policy,
    )

    assert [case.name for case in cases] == ["a", "d"]
    assert [(problem.place.line, problem.code) for problem in problems] == [
        (3, "unknown-fact"),
        (5, "missing-key"),
        (7, "repeated-id"),
    ]


@pytest.mark.usefixtures("desk")
class TestCommand:
    def test_it_runs_the_cases_of_every_version(self, golden: Callable[[str, str], None]) -> None:
        golden("policy-tests/passed.txt", golden_text(run_command("test")))

    def test_a_failed_case_is_shown_with_its_rules_and_a_command(
        self, desk: Path, golden: Callable[[str, str], None]
    ) -> None:
        replace_text(desk / "cases" / "garage.yaml", "{bay: pit, towed: yes}", "{bay: lift, towed: no}")
        result = run_command("test")

        assert result.exit_code == 4
        golden("policy-tests/failed.txt", golden_text(result))

    def test_a_case_that_is_undecided_now_names_the_missing_fact(self, desk: Path) -> None:
        replace_text(desk / "cases" / "garage.yaml", "facts: {noise: loud, smoke: thick}", "facts: {noise: loud}")
        shown, plain, junit = (
            run_command("test", "garage").stdout,
            json.loads(run_command("test", "-o", "json", "garage").stdout),
            run_command("test", "-o", "junit", "garage").stdout,
        )
        checked = run_command("check", "--no-cross-check")

        assert (
            "    status: expected decided, got undecided; missing: `smoke`\n    urgency: expected now, got undecided; missing: `smoke`\n"
            in shown
        )
        assert [(one["got"], one["missing"]) for one in plain["versions"][0]["cases"][0]["differences"]] == [
            ("undecided", ["smoke"])
        ] * 2
        assert "status: expected decided, got undecided; missing: `smoke`" in junit
        assert "missing: `smoke`" in checked.stdout + checked.stderr

    def test_the_command_to_try_decides_the_ticket_of_the_case(self, desk: Path) -> None:
        replace_text(desk / "cases" / "garage.yaml", "{bay: pit, towed: yes}", "{bay: lift, towed: no}")
        line = next(line for line in run_command("test").stdout.splitlines() if "try: " in line).partition("try: ")[2]

        assert "bays.stuck" in run_command(*shlex.split(line)[1:]).stdout

    def test_problems_of_policies_and_cases_are_reported_at_their_places(
        self, desk: Path, golden: Callable[[str, str], None]
    ) -> None:
        replace_text(desk / "cases" / "garage.yaml", "{urgency: later}", "{urgency: latr}")
        replace_text(desk / "past" / "1.0.0" / "bay.yaml", "drives: no", "drive: no")
        result = run_command("test")

        assert result.exit_code == 3
        golden("policy-tests/problems.txt", golden_text(result))

    def test_only_the_selected_cases_run(self) -> None:
        result = run_command("test", "-k", "pit or faint", "-v", "garage")

        assert result.exit_code == 0
        assert "2 cases passed, 1 left out" in result.stdout
        assert re.findall(r"  passed  (.*?)  ", result.stdout) == [
            "A faint car without smoke can wait",
            "A car that does not drive goes to the pit",
        ]

    def test_an_expression_without_a_case_is_a_usage_error(self) -> None:
        result = run_command("test", "-k", "boat")

        assert (result.exit_code, result.stderr) == (2, "error: -k boat: no case has these words\n")

    def test_a_wrong_expression_is_shown_with_its_place(self) -> None:
        result = run_command("test", "-k", "pit and")

        assert result.exit_code == 2
        assert "  pit and\n         ^ a word is missing at the end\n" in result.stderr

    def test_one_version_by_number_as_an_option_or_an_argument(self) -> None:
        for arguments in (["--version", "1.0.0"], ["1.0.0"], ["garage/past/1.0.0"]):
            result = run_command("test", *arguments)

            assert "garage 1.0.0" in result.stdout
            assert "garage 2.0.0" not in result.stdout
            assert "1 version: 0 of 1 case failed" in result.stdout

    def test_an_unknown_version_is_a_usage_error(self) -> None:
        result = run_command("test", "--version", "2.0.1")

        assert result.exit_code == 2
        assert "no version 2.0.1 among these; did you mean `2.0.0`?" in result.stderr

    def test_it_can_stop_at_the_first_failure(self, desk: Path) -> None:
        replace_text(desk / "cases" / "garage.yaml", "{urgency: now}", "{urgency: later}")
        result = run_command("test", "-x")

        assert result.exit_code == 4
        assert "1 of 1 case failed, 2 left out" in result.stdout
        assert "1 version: " in result.stdout

    def test_run_may_be_left_out(self) -> None:
        assert (
            transcript(run_command("test", "garage", "-v"))[:60]
            == transcript(run_command("test", "run", "garage", "-v"))[:60]
        )

    def test_as_data(self, desk: Path) -> None:
        replace_text(desk / "cases" / "garage.yaml", "{bay: pit, towed: yes}", "{bay: lift, towed: yes}")
        result = run_command("test", "-o", "json", "garage")
        plain = json.loads(result.stdout)
        (first, *_) = plain["versions"]

        assert (result.exit_code, plain["ok"], first["run"], first["failed"]) == (4, False, 3, 1)
        assert [case["passed"] for case in first["cases"]] == [True, True, False]
        assert first["cases"][2]["differences"] == [
            {
                "what": "bay",
                "expected": "lift",
                "got": "pit",
                "rules": [
                    {
                        "rule": "bays.stuck",
                        "place": {"file": "garage/bay.yaml", "line": 11, "column": 13},
                        "source": "back",
                    }
                ],
            }
        ]

    def test_as_junit_on_standard_output_and_in_a_file(self, desk: Path, tmp_path: Path) -> None:
        replace_text(desk / "cases" / "garage.yaml", "{bay: pit, towed: yes}", "{bay: lift, towed: yes}")
        result = run_command("test", "-o", "junit", "--junit", str(tmp_path / "made" / "report.xml"))
        report = JUnitXml.fromstring(result.stdout.encode())
        cases = [(suite.name, case.name, [type(one) for one in case.result]) for suite in report for case in suite]

        assert result.exit_code == 4
        assert (report.tests, report.failures, report.errors) == (4, 1, 0)
        assert ("garage/cases/garage.yaml", "A car that does not drive goes to the pit", [Failure]) in cases
        assert JUnitXml.fromfile(str(tmp_path / "made" / "report.xml")).failures == 1

    def test_a_report_that_cannot_be_written_is_an_error(self, desk: Path) -> None:
        result = run_command("test", "--junit", str(desk / "manifest.yaml" / "report.xml"))

        assert result.exit_code == 2
        assert "report.xml cannot be written: " in transcript(result)

    def test_a_policy_that_cannot_be_read_is_an_error_in_junit(self, desk: Path) -> None:
        replace_text(desk / "bay.yaml", "drives: no", "drive: no")
        report = JUnitXml.fromstring(run_command("test", "-o", "junit").stdout.encode())

        assert report.errors == 1
        assert report.failures == 0


@pytest.mark.usefixtures("desk")
class TestCoverage:
    def test_coverage_is_shown_by_table_with_a_ticket_for_each_uncovered_rule(
        self, golden: Callable[[str, str], None]
    ) -> None:
        golden("policy-tests/coverage.txt", golden_text(run_command("test", "--coverage", "--version", "2.0.0")))

    def test_coverage_below_the_threshold_exits_with_5(self) -> None:
        low, high = (
            run_command("test", "--threshold", "10", "--version", "2.0.0"),
            run_command("test", "--threshold", "90", "--version", "2.0.0"),
        )

        assert (low.exit_code, high.exit_code) == (0, 5)
        assert re.search(r"error: garage: the cases cover [\d.]+ % of the rules; the threshold is 90 %", high.stderr)

    def test_coverage_below_the_threshold_of_cells_exits_with_5(self) -> None:
        result = run_command("test", "--cell-threshold", "99.9", "--version", "2.0.0")

        assert result.exit_code == 5
        assert "% of the cells; the threshold is 99.9 %" in result.stderr

    def test_a_failed_case_takes_precedence_over_the_threshold(self, desk: Path) -> None:
        replace_text(desk / "cases" / "garage.yaml", "{urgency: now}", "{urgency: later}")

        assert run_command("test", "--threshold", "90").exit_code == 4

    def test_as_data(self) -> None:
        plain = json.loads(run_command("test", "--coverage", "--version", "2.0.0", "-o", "json").stdout)
        covered = plain["versions"][0]["coverage"]
        look = next(table for table in covered["tables"] if table["table"] == "look")

        assert look["rules"] == {"hit": 2, "all": 4, "percent": 50.0}
        assert look["cells"] == {"hit": 2, "all": 9, "percent": 22.2}
        assert len(look["missed_cells"]) == 7
        assert covered["missed_rules"][0]["witness"]["decision"] == "bay"
        assert covered["rules"]["all"] == sum(table["rules"]["all"] for table in covered["tables"])


@pytest.mark.usefixtures("desk")
class TestPropose:
    def test_the_proposed_cases_cover_every_rule(self, desk: Path) -> None:
        made = run_command("test", "propose", "--to", str(desk / "cases" / "proposed.yaml"))
        after = run_command("test", "--threshold", "100", "--version", "2.0.0")

        assert (made.exit_code, after.exit_code) == (0, 0)
        assert re.fullmatch(r"wrote \d+ cases to .*proposed.yaml\n", made.stderr)
        assert (
            (desk / "cases" / "proposed.yaml")
            .read_text(encoding="utf-8")
            .startswith("# yaml-language-server: $schema=../schemas/cases.schema.json\n# Proposed for ")
        )

    def test_nothing_is_proposed_if_everything_is_covered(self, desk: Path) -> None:
        run_command("test", "propose", "--to", str(desk / "cases" / "proposed.yaml"))
        result = run_command("test", "propose")

        assert (result.exit_code, result.stdout) == (0, "")
        assert "nothing to propose for garage 2.0.0" in result.stderr

    def test_proposed_cases_are_formatted_even_with_long_lines(self, desk: Path) -> None:
        replace_text(desk / "bay.yaml", "a description", f"a description {'in every detail ' * 14}please")
        run_command("test", "propose", "--to", str(desk / "cases" / "proposed.yaml"))

        assert run_command("fmt", "--check", str(desk / "cases" / "proposed.yaml")).exit_code == 0

    def test_proposed_cases_match_the_golden_file(self, golden: Callable[[str, str], None]) -> None:
        golden("policy-tests/proposed.yaml", run_command("test", "propose").stdout)

    def test_an_existing_file_is_not_overwritten(self, desk: Path) -> None:
        result = run_command("test", "propose", "--to", str(desk / "cases" / "garage.yaml"))

        assert result.exit_code == 2
        assert (desk / "cases" / "garage.yaml").read_text(encoding="utf-8") == CASES

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--all"],
            ["--to", "x.yaml"],
            ["propose", "-k", "a"],
            ["propose", "--coverage"],
            ["watch", "-o", "json"],
            ["watch", "1.0.0"],
        ],
    )
    def test_options_of_another_command_are_usage_errors(self, arguments: list[str]) -> None:
        assert run_command("test", *arguments).exit_code == 2


# ---- Watching


class Watching:
    """A real process that watches a folder; ``until`` waits for a text in what it has said since the last time."""

    def __init__(self, folder: Path) -> None:
        # A process that is started in the background, as tests may be, ignores Ctrl-C unless it says that it does not.
        code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
        code += "; from guidepost.cli.entry import main; main()"
        command = [sys.executable, "-c", code, "test", "watch", str(folder)]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)},
        )
        self._said, self._read = "", 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said += line

    def until(self, text: str) -> str:
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            found = self._said.find(text, self._read)
            if found >= 0:
                said = self._said[self._read : found + len(text)]
                self._read = found + len(text)
                return said
            time.sleep(0.02)
        raise AssertionError(f"{text!r} was not said: {self._said[self._read :]!r}")


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[tuple[Watching, Path]]:
    shutil.copytree(ROOT / "examples" / "low-low-p4", tmp_path / "desk")
    watcher = Watching(tmp_path / "desk")
    yield watcher, tmp_path / "desk"
    if watcher.process.poll() is None:
        watcher.process.kill()
    watcher.process.wait(10)


def test_watching_runs_after_each_change_survives_a_broken_policy_and_ends_with_ctrl_c(
    watching: tuple[Watching, Path],
) -> None:
    watcher, desk = watching
    assert "6 cases passed" in watcher.until("watching; Ctrl-C ends it")

    replace_text(desk / "priority.yaml", "[P3,   P4,     P4]", "[P3,   P4,     P9]")
    assert "unknown matrix_priority `P9`" in watcher.until("watching; Ctrl-C ends it")

    replace_text(desk / "priority.yaml", "[P3,   P4,     P9]", "[P3,   P4,     P4]")
    assert "6 cases passed" in watcher.until("watching; Ctrl-C ends it")

    replace_text(
        desk / "cases" / "priority.yaml",
        "{priority: P4, basis: matrix}\n    rules",
        "{priority: P3, basis: matrix}\n    rules",
    )
    again = watcher.until("watching; Ctrl-C ends it")
    assert "expected P3, got P4" in again
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", again)

    watcher.process.send_signal(signal.SIGINT)
    assert watcher.process.wait(120) == 0
    assert "Traceback" not in watcher._said
