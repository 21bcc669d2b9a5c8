"""The formatter of policy files is stable, and keeps every comment and the content."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.load.digest import digest
from engine.load.yaml_tree import read
from guidepost.policies.format import WIDTH, comments_of, format_text
from tests.support.campaign import LONG
from tests.support.command import run_command
from tests.support.paths import ROOT

SHIPPED = {
    path.read_text(encoding="utf-8"): path
    for folder in ("policies", "examples")
    for path in sorted((ROOT / folder).rglob("*.yaml"))
    if "past" not in path.parts or LONG
}
"""The files of the policies and examples, each text once; similar past versions only in a long campaign."""


def laid_out(text: str) -> str:
    made = format_text("a.yaml", text)
    assert (made.problems, made.left_alone) == ((), "")
    return made.text


@pytest.mark.parametrize("path", SHIPPED.values(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_that_is_shipped_is_laid_out_already(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert laid_out(text) == text


class TestLayout:
    def test_lists_and_mappings_are_indented_alike(self) -> None:
        assert laid_out("a:\n- b:   c\n  d: [ x,y ]\n-   e\n") == "a:\n  - b: c\n    d: [x, y]\n  - e\n"

    def test_a_matrix_stands_in_columns(self) -> None:
        before = "tables:\n  t:\n    matrix:\n      columns: [high, low]\n      rows:\n        medium: [P1, P2] # as written\n        x: [not_covered, P3]\n"

        assert laid_out(before) == (
            "tables:\n  t:\n    matrix:\n      columns:  [high,        low]\n      rows:\n"
            "        medium: [P1,          P2] # as written\n        x:      [not_covered, P3]\n"
        ).replace("columns:  ", "columns:   ").replace("medium: ", "medium:  ").replace("x:      ", "x:       ")

    @pytest.mark.parametrize(
        "word",
        [
            "no",
            "1.10",
            "12:30",
            "2026-01-05",
            "0x1F",
            "1_000",
            "~",
            "null",
            "true",
            "1e3",
            "010",
            ".5",
            "=",
            "<<",
            "yes",
        ],
    )
    def test_a_word_is_never_taken_for_anything_but_text(self, word: str) -> None:
        assert laid_out(f"a: {word}\nb: [{word}]\n") == f"a: {word}\nb: [{word}]\n"

    @pytest.mark.parametrize("text", ['"P1"', "'P1'", '"> 50"', "'it''s'", '"tab\\there"'])
    def test_quotes_stay_as_they_are(self, text: str) -> None:
        assert laid_out(f"a: {text}\n") == f"a: {text}\n"

    def test_the_order_of_keys_stays(self) -> None:
        assert laid_out("b: 1\na: 2\n") == "b: 1\na: 2\n"

    def test_comments_stay_where_they_are(self) -> None:
        text = "# head\na: 1 # one\n# between\nb:\n  # within\n  - x\n# end\n"

        assert laid_out(text) == text

    def test_of_several_empty_lines_one_stays(self) -> None:
        assert laid_out("\n\na: 1\n\n\n\nb: 2   \n\n\n") == "a: 1\n\nb: 2\n"

    def test_a_text_in_lines_stays_as_it_is(self) -> None:
        text = "a: |\n  one\n\n\n  two\nb: >-\n  three\n"

        assert laid_out(text) == text

    def test_a_list_in_several_lines_comes_into_one_that_is_wide_enough(self) -> None:
        assert laid_out("a: [x,\n  y,\n  z]\n") == "a: [x, y, z]\n"

    def test_what_is_wider_gets_a_line_for_each_item(self) -> None:
        words = ["word" * 10 + str(at) for at in range(8)]
        text = f"a: [{', '.join(words)}]\n"

        assert len(text) > WIDTH
        assert laid_out(text) == "a:\n" + "".join(f"  - {word}\n" for word in words)

    def test_a_long_text_is_never_broken(self) -> None:
        text = f"a: {'word ' * 100}end\n"

        assert laid_out(text) == text

    def test_a_mapping_of_one_key_in_a_list_keeps_its_braces(self) -> None:
        assert laid_out("a: [{b: c}]\n") == "a: [{b: c}]\n"

    def test_line_ends_of_other_systems_become_ours(self) -> None:
        assert laid_out("a: 1\r\nb: 2\r\n") == "a: 1\nb: 2\n"

    def test_the_sign_of_a_document_and_a_missing_line_end_are_mended(self) -> None:
        assert laid_out("a: 1") == "a: 1\n"


words = st.one_of(
    st.sampled_from(
        [
            "no",
            "1.10",
            "12:30",
            "P1",
            "> 50",
            "[10..25]",
            "a: b",
            "x # y",
            "",
            "it's",
            '"',
            "2026-01-05",
            "- a",
            "~",
            "é",
            "two words",
            "*",
            "&a",
            "{",
            "%",
            "@x",
            "!t",
        ]
    ),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=12),
)
trees = st.recursive(
    words, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4), max_leaves=14
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw a YAML text in the styles of policies: block and flow, all quotes, any indentation, and comments."""
    return draw(block(draw(st.dictionaries(words, trees, min_size=1, max_size=4)), 0)) + draw(
        st.sampled_from(["", "# the end\n", "\n\n"])
    )


def quoted(draw: st.DrawFn, word: str, *, flow: bool) -> str:
    plain = (
        word
        and word == word.strip()
        and all(sign.isalnum() or sign in "._ :-<>" for sign in word)
        and word[0].isalnum()
        and ": " not in word
        and word[-1] != ":"
    )
    ways = [
        "double",
        *(["single"] if "\n" not in word else []),
        *(["plain"] * 3 if plain and word.isascii() and not (flow and ":" in word) else []),
    ]
    match draw(st.sampled_from(ways)):
        case "plain":
            return word
        case "single":
            return "'" + word.replace("'", "''") + "'"
        case _:
            return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def flow(draw: st.DrawFn, tree: Any) -> str:
    space = draw(st.sampled_from(["", " "]))
    match tree:
        case dict():
            return (
                "{"
                + space
                + ", ".join(f"{quoted(draw, key, flow=True)}: {flow(draw, value)}" for key, value in tree.items())
                + space
                + "}"
            )
        case list():
            return (
                "["
                + space
                + f",{draw(st.sampled_from(['', ' ', '  ']))}".join(flow(draw, item) for item in tree)
                + space
                + "]"
            )
        case _:
            return quoted(draw, tree, flow=True)


@st.composite
def block(draw: st.DrawFn, tree: Any, depth: int) -> str:
    indent = " " * (depth * draw(st.just(2)))
    made = ""
    entries = list(tree.items()) if isinstance(tree, dict) else [(None, item) for item in tree]
    for key, value in entries:
        made += draw(st.sampled_from(["", "", "", "\n", "\n\n\n", f"{indent}# a remark\n"]))
        head = (
            f"{indent}- "
            if key is None
            else f"{indent}{quoted(draw, key, flow=False)}:{draw(st.sampled_from([' ', '   ']))}"
        )
        tail = draw(st.sampled_from(["", "", " # behind", "   "]))
        if isinstance(value, str):
            made += f"{head}{quoted(draw, value, flow=False)}{tail}\n"
        elif not value or draw(st.booleans()):
            made += f"{head}{flow(draw, value)}{tail}\n"
        else:
            made += f"{head.rstrip()}\n{draw(block(value, depth + 1))}"
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts())
@example("a: # what is to come\n  - b\n")
@example("a:\n  b: 1\n\n  # left of it\nc: 2\n")
@example("- a\n- - b\n  - c # deep\n")
def test_a_layout_comes_to_rest_and_changes_nothing_of_what_is_said(text: str) -> None:
    tree, problems = read("a.yaml", text)
    made = format_text("a.yaml", text)
    if tree is None or problems:
        assert made.problems
        return
    if made.left_alone:
        assert made.text == text
        return
    again, _ = read("a.yaml", made.text)

    assert again is not None
    assert digest({"a.yaml": again}) == digest({"a.yaml": tree})
    assert [*comments_of(made.text)] == [*comments_of(text)]
    assert format_text("a.yaml", made.text).text == made.text
    assert not any(line != line.rstrip() for line in made.text.split("\n"))


def test_hardly_anything_is_left_alone() -> None:
    left = []

    @settings(max_examples=40, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(texts())
    def count(text: str) -> None:
        left.append(bool(format_text("a.yaml", text).left_alone))

    count()
    assert sum(left) <= len(left) * 0.1


def test_a_file_that_would_lose_a_comment_is_left_as_it_is() -> None:
    text = "a: [x, # first\n  y]\n"
    made = format_text("a.yaml", text)

    assert (made.text, made.left_alone) == (text, "a comment would be lost")


def test_a_file_that_would_read_otherwise_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidepost.policies.format.align_matrices", lambda text: text.replace("1.10", "1.1"))
    made = format_text("a.yaml", "version: 1.10\n")

    assert (made.text, made.left_alone) == ("version: 1.10\n", "its content would change")


class TestCommand:
    @pytest.fixture
    def desk(self, tmp_path: Path) -> Path:
        (tmp_path / "cases").mkdir()
        (tmp_path / "good.yaml").write_text("a: 1\n", encoding="utf-8")
        (tmp_path / "cases" / "odd.yaml").write_text("a:   1\n", encoding="utf-8")
        return tmp_path

    def test_it_writes_what_changes_and_says_so(self, desk: Path) -> None:
        result = run_command("fmt", str(desk))

        assert result.exit_code == 0
        assert (desk / "cases" / "odd.yaml").read_text(encoding="utf-8") == "a: 1\n"
        assert result.stderr == f"wrote {desk / 'cases' / 'odd.yaml'}\n2 files: 1 written, 1 unchanged\n"

    def test_check_writes_nothing_and_fails(self, desk: Path) -> None:
        result = run_command("fmt", str(desk), "--check")

        assert result.exit_code == 3
        assert f"would change {desk / 'cases' / 'odd.yaml'}\n" in result.stderr
        assert (desk / "cases" / "odd.yaml").read_text(encoding="utf-8") == "a:   1\n"

    def test_check_of_what_is_laid_out_is_well(self, desk: Path) -> None:
        assert run_command("fmt", str(desk / "good.yaml"), "--check").exit_code == 0

    def test_diff_shows_what_would_change(self, desk: Path) -> None:
        result = run_command("fmt", str(desk), "--diff")

        assert result.exit_code == 0
        assert "-a:   1\n+a: 1\n" in result.stdout
        assert (desk / "cases" / "odd.yaml").read_text(encoding="utf-8") == "a:   1\n"

    def test_broken_yaml_is_told_at_its_place_and_the_other_files_are_laid_out(self, desk: Path) -> None:
        (desk / "broken.yaml").write_text("a: [\n", encoding="utf-8")
        result = run_command("fmt", str(desk))

        assert result.exit_code == 3
        assert f"{desk / 'broken.yaml'}:1:4: not YAML: the list that opens here" in result.stderr
        assert (desk / "broken.yaml").read_text(encoding="utf-8") == "a: [\n"
        assert (desk / "cases" / "odd.yaml").read_text(encoding="utf-8") == "a: 1\n"

    def test_a_file_keeps_its_rights_and_nothing_stays_beside_it(self, desk: Path) -> None:
        odd = desk / "cases" / "odd.yaml"
        odd.chmod(0o640)
        run_command("fmt", str(desk))

        assert stat.S_IMODE(odd.stat().st_mode) == 0o640
        assert os.listdir(desk / "cases") == ["odd.yaml"]

    def test_standard_input_goes_to_standard_output(self) -> None:
        result = run_command("fmt", "-", text="a:   [1,2]\n")

        assert (result.exit_code, result.stdout, result.stderr) == (0, "a: [1, 2]\n", "")

    def test_what_is_left_alone_is_said_and_fails(self, desk: Path) -> None:
        (desk / "cases" / "odd.yaml").write_text("a: [x, # first\n  y]\n", encoding="utf-8")
        result = run_command("fmt", str(desk))

        assert result.exit_code == 3
        assert f"{desk / 'cases' / 'odd.yaml'}: left unchanged: a comment would be lost" in result.stderr

    def test_a_path_that_is_not_there_is_wrong_usage(self, desk: Path) -> None:
        assert run_command("fmt", str(desk / "nothing")).exit_code == 2
