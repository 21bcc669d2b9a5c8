"""Texts of tickets, files and policies never act on a terminal, a page or a pull request; output fits into pipes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.quoting import shell_word, visible, visible_json, visible_lines
from guidepost.decision_log.store import Store
from tests.support.command import run_command
from tests.support.paths import ROOT
from tests.support.records import record
from tests.support.terminals import COLOURED, run_on_terminal

ATTACK = "\x1b[31mRED\x1b]0;title\x07\x9b5m\u202etxt\nforged line"
"""Colours, the title of the window, a C1 control, a turn of the writing direction, and a line of its own."""

SHOWN = r"\x1b[31mRED\x1b]0;title\x07\x9b5m\u202etxt\nforged line"

HARMFUL = {
    *map(chr, (*range(9), *range(11, 32), *range(127, 160))),
    *"\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
}


def harmful(text: str) -> set[str]:
    return HARMFUL & set(text)


pytestmark = pytest.mark.usefixtures("built_once")


def output(*arguments: str | Path, code: int | None = 0) -> str:
    """Run a command; return both streams."""
    ended = run_command(*map(str, arguments))
    assert code is None or ended.exit_code == code, ended.output
    return ended.output


@pytest.fixture
def log(tmp_path: Path) -> str:
    """The URL of a decision log with one record of a hostile ticket."""
    url = f"sqlite:///{tmp_path}/decisions.db"
    store = Store.open(url)
    store.append("main", [record(1, facts={"note": ATTACK}, ticket=ATTACK, caller=ATTACK, request_id=ATTACK)])
    store.close()
    return url


class TestCharacters:
    @given(st.text())
    def test_control_characters_are_escaped_and_ordinary_text_stays(self, text: str) -> None:
        assert not harmful(visible(text))
        assert "\n" not in visible(text)
        assert not harmful(visible_lines(text))
        assert harmful(text) or any(unicodedata.category(one) == "Cs" for one in text) or visible_lines(text) == text

    @given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
    def test_json_means_the_same_to_its_reader(self, text: str) -> None:
        written = visible_json(json.dumps({"note": text}, ensure_ascii=False))

        assert not harmful(written)
        assert json.loads(written) == {"note": text}

    @pytest.mark.parametrize("text", ["impact=high", "beds=< 3", "it's", ATTACK, "a'\x1b\\b"])
    def test_a_proposed_command_passes_the_same_word(self, text: str) -> None:
        word = shell_word(text)

        assert not harmful(word)
        assert (
            subprocess.run(
                ["bash", "-c", f"printf %s {word}"],
                capture_output=True,
                check=True,
                env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
            ).stdout.decode()
            == text
        )


class TestCommands:
    @pytest.mark.parametrize("form", ["table", "json"])
    def test_a_fact_is_shown_with_its_control_characters_as_escapes(self, form: str) -> None:
        said = output("eval", "scope", f"service={ATTACK}", "-o", form)

        assert not harmful(said)
        assert SHOWN in said if form == "table" else ATTACK in json.loads(said)["unlisted"][0].values()

    def test_a_value_that_is_rejected_cannot_add_lines_to_the_message(self) -> None:
        lines = output("eval", "priority", "impact=x`\nallowed: everything", code=None).splitlines()

        assert len(lines) == 2
        assert "x`\\nallowed: everything" in lines[0]

    def test_control_characters_are_escaped_on_a_terminal(self) -> None:
        said = run_on_terminal(200, "eval", "scope", f"service={ATTACK}", NO_COLOR="1")

        assert "\x9b" not in said
        assert "\u202e" not in said
        assert "\x1b[31mRED" not in said
        assert SHOWN in said

    def test_a_rejected_word_is_shown_as_it_was_sent(self) -> None:
        assert r"unknown impact `hi\x08gh\x07`" in output("eval", "priority", "impact=hi\x08gh\x07", code=2)

    @pytest.mark.parametrize(
        "arguments",
        [
            ("get", "ID"),
            ("get", "ID", "-o", "json"),
            ("query",),
            ("query", "-o", "json"),
            ("explain", "ID"),
            ("export",),
        ],
    )
    def test_records_of_the_decision_log_are_escaped(self, log: str, arguments: tuple[str, ...]) -> None:
        said = output(
            "audit", *(record(1).id if one == "ID" else one for one in arguments), "--decision-log", log, code=None
        )

        assert not harmful(said)
        assert "RED" in said
        assert "\nforged line" not in said

    @pytest.mark.parametrize("form", ["text", "markdown", "json", "html"])
    def test_replayed_tickets_are_escaped(self, tmp_path: Path, form: str) -> None:
        rows = [
            {"number": f"INC1{ATTACK}", "impact": 9, "urgency": 9},
            {"number": f"INC2{ATTACK}", "impact": f"1{ATTACK}", "urgency": 1},
            {"number": f"INC3{ATTACK}", "impact": 1, "urgency": 1},
        ]
        tickets, mapping = tmp_path / "tickets.jsonl", tmp_path / "map.yaml"
        tickets.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        mapping.write_text(
            'ticket: number\nfacts:\n  impact: {column: impact, values: {"1": high}}\n  urgency: {column: urgency, values: {"1": high}}\n',
            encoding="utf-8",
        )

        said = output("replay", tickets, "--mapping", mapping, "--against", "2.0.0", "--from", "1.0.0", "-o", form)

        assert not harmful(said)
        assert "INC1" in said
        # A page shows a line break as a space.
        assert form == "html" or "\nforged line" not in said

    def test_texts_of_a_foreign_policy_are_escaped(self, tmp_path: Path) -> None:
        """YAML can write such a character as an escape, where no review sees it."""
        changed = tmp_path / "changed"
        subprocess.run(["cp", "-r", ROOT / "examples" / "low-low-p4", changed], check=True)
        manifest = changed / "manifest.yaml"
        manifest.write_text(
            manifest.read_text(encoding="utf-8").replace("version: ", 'owner: "\\e[31mRED\\u202e"\nversion: ', 1),
            encoding="utf-8",
        )
        for form in ("text", "markdown", "json", "html"):
            assert not harmful(output("diff", ROOT / "examples" / "low-low-p4", changed, "-o", form, code=None)), form
        assert not harmful(output("show", "--policies", changed, code=None))

    def test_names_of_files_and_arguments_are_escaped(self, tmp_path: Path) -> None:
        for arguments in (
            ("check", tmp_path / "\x1b[31mRED"),
            ("diff", "\x1b[31mRED", "2.0.0"),
            ("eval", "\x1b[31mRED"),
            ("replay", "\x1b[31mRED.csv", "--against", "2.0.0"),
            ("serve", "--port", "\x1b[31mRED"),
        ):
            said = output(*arguments, code=None)
            assert not harmful(said), arguments
            assert "RED" in said


class TestPipes:
    @pytest.mark.parametrize(
        "arguments", [("--help",), ("show", "scope"), ("eval", "priority", "impact=high", "-o", "json")]
    )
    def test_a_closed_pipe_ends_a_command_silently(self, arguments: tuple[str, ...]) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "guidepost.cli", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()

        assert process.stderr.read() == b""
        assert process.wait(60) in (0, 1)

    @pytest.mark.parametrize(
        "arguments",
        [("--help",), ("eval", "--help"), ("show", "scope"), ("prove",), ("holidays", "show", "PH", "--year", "2027")],
    )
    def test_output_into_a_pipe_is_not_padded(self, arguments: tuple[str, ...]) -> None:
        assert [line for line in output(*arguments).splitlines() if line != line.rstrip()] == []

    @pytest.mark.parametrize("arguments", [("show", "assumptions"), ("eval", "coverage", "channel=email", "--explain")])
    def test_columns_sets_the_width(self, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "110")
        assert 90 < max(map(len, output(*arguments).splitlines())) <= 110

    @pytest.mark.parametrize(
        "arguments", [("show", "assumptions"), ("eval", "priority", "impact=high", "urgency=low", "--explain")]
    )
    def test_ids_and_places_are_not_broken_on_a_narrow_terminal(
        self, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wide = output(*arguments)
        monkeypatch.setenv("COLUMNS", "40")

        assert set(output(*arguments).split()) >= {word for word in wide.split() if "─" not in word}

    def test_a_terminal_respects_columns_and_no_color(self) -> None:
        said = run_on_terminal(200, "show", "assumptions", COLUMNS="110", NO_COLOR="1")

        assert not COLOURED.search(said)
        assert max(len(re.sub(r"\x1b\[\d*m", "", line)) for line in said.splitlines()) <= 110

    @pytest.mark.parametrize(
        "arguments",
        [
            pytest.param(("diff", "1.0.0", "2.0.0"), marks=pytest.mark.faults),
            (
                "replay",
                "examples/mappings/servicenow.csv",
                "--mapping",
                "examples/mappings/servicenow.yaml",
                "--against",
                "2.0.0",
            ),
        ],
    )
    def test_a_command_to_copy_is_on_one_line_even_on_a_narrow_terminal(self, arguments: tuple[str, ...]) -> None:
        narrow, wide = (
            [
                line.strip()
                for line in run_on_terminal(columns, *arguments, NO_COLOR="1", TERM="dumb").splitlines()
                if "guidepost eval" in line
            ]
            for columns in (50, 400)
        )

        assert narrow
        assert narrow == wide

    def test_the_help_respects_columns(self) -> None:
        ended = subprocess.run(
            [sys.executable, "-m", "guidepost.cli", "--help"],
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "60"},
            capture_output=True,
            check=True,
            text=True,
        )

        assert max(map(len, ended.stdout.splitlines())) <= 60
