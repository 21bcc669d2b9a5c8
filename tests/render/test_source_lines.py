"""Messages show the source line, with a caret under the place."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from engine.load.yaml_tree import read
from engine.model.problems import Place, Problem
from guidepost.render.messages import problem_text
from guidepost.source_excerpt import MOST_COLUMNS, excerpt, length
from tests.support.broken_policies import POLICIES, BrokenCase, cases_of, changed_files, problems_of
from tests.support.command import run_command
from tests.support.paths import ROOT

DESK = ROOT / "tests" / "broken" / "good"


def shown(text: str, column: int, columns: int = MOST_COLUMNS) -> str:
    """Return the two lines that are shown for a column, from 1, of a line."""
    found = excerpt(Place(file="a.yaml", line=1, column=column, text=text), columns)
    return "" if found is None else f"{found.line}\n{found.caret}"


@pytest.mark.parametrize(
    "case", [case for case in cases_of(POLICIES) if not any(line.startswith("limit ") for line in case.lines)], ids=str
)
def test_a_problem_shows_the_line_of_its_place(case: BrokenCase) -> None:
    files = changed_files(case)

    for problem in problems_of(files):
        lines = files.get(problem.place.file.partition("desk/")[2] or problem.place.file, "").split("\n")
        if problem.place.line > 1 or problem.place.column > 1:
            assert problem.place.text == lines[problem.place.line - 1]


@pytest.mark.parametrize(
    ("line", "column", "caret"),
    [
        ("  high: [P1, P9, P3]", 14, "             ^^"),
        ("  about: which bike is first # a remark", 10, "         ^^^^^^^^^^^^^^^^^^^"),
        ('  when: {wear: "> 80", rider: other}', 16, "               ^^^^^^"),
        ("  when: {wear: '> 80 ''x''', rider: other}", 16, "               ^^^^^^^^^^^^"),
        ("  answers: [queue, 'a]b']", 12, "           ^^^^^^^^^^^^^^"),
        ("  key: value", 3, "  ^^^"),
        ("  from: 12:30", 9, "        ^^^^^"),
        ("a: b", 5, "    ^"),
        ("\tabout: x", 1, "^^^^"),
        ("\tabout: x", 2, "    ^^^^^"),
    ],
)  # fmt: skip
def test_the_caret_underlines_what_begins_at_the_column(line: str, column: int, caret: str) -> None:
    assert shown(line, column).split("\n")[1] == caret


def test_the_caret_is_under_wide_characters_and_after_those_without_a_width() -> None:
    assert shown("名前: [日本, x]", 6) == "名前: [日本, x]\n       ^^^^"
    assert shown("cafe\u0301: [x, y]", 9) == "cafe\u0301: [x, y]\n       ^"


def test_characters_that_move_the_cursor_are_shown_as_escapes() -> None:
    assert shown("a: x\x1b[2Jy, z", 4) == "a: x\\x1b[2Jy, z\n   ^^^^^"
    assert shown("a: \u202ex", 4).split("\n")[0] == "a: \\u202ex"


@pytest.mark.parametrize("columns", [24, 40, 80, 120])
@pytest.mark.parametrize("column", [1, 15, 150, 296])
def test_a_long_line_is_cut_around_the_caret(column: int, columns: int) -> None:
    text = " ".join(f"w{number:03d}" for number in range(60))

    line, caret = shown(text, column, columns).split("\n")

    assert cell_len(line) <= columns
    at = len(caret) - len(caret.lstrip())
    assert line[at] == text[column - 1]
    assert line.startswith("…") is (column > 1 and "…" in line[:1])


def test_an_unknown_line_is_not_shown() -> None:
    assert shown("", 1) == ""
    assert shown("   ", 1) == ""
    assert shown("a: b", 40) == ""


def test_every_column_of_every_line_can_be_shown() -> None:
    for path in DESK.rglob("*.yaml"):
        for line in path.read_text(encoding="utf-8").splitlines():
            for column in range(1, len(line) + 1):
                assert 1 <= length(line, column - 1) <= len(line) - column + 1
                assert "^" in shown(line, column, 40)


def test_a_message_keeps_the_first_line_that_programs_read_and_the_help_at_its_end() -> None:
    problem = Problem(
        place=Place(file="a.yaml", line=3, column=14, text="  high: [P1, P9, P3]"),
        code="unknown-value",
        message="unknown priority `P9`",
        help="known: P1, P2",
        witness=(("impact", "high"),),
    )

    console = Console(width=80)
    with console.capture() as captured:
        console.print(problem_text(problem), soft_wrap=True)

    assert (
        captured.get()
        == """\
a.yaml:3:14: unknown priority `P9` [unknown-value]
    3 |   high: [P1, P9, P3]
      |              ^^
    witness: impact=high
    help: known: P1, P2
"""
    )


# ---- Where messages come from


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A copy of the small good desk with one mistake in it."""
    for path in sorted(DESK.rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        made = tmp_path / "policies" / path.relative_to(DESK)
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(text.replace("worn:   [today,", "worn:   [todya,"), encoding="utf-8")
    return tmp_path / "policies"


LINE = re.compile(
    r"queue\.yaml:19:18: unknown queue `todya` \[unknown-value\]\n    19 |         worn:   \[todya,   later\]\n       |                  \^\^\^\^\^\n    help: "
)


@pytest.mark.parametrize("command", [("check",), ("test",), ("show", "--policies"), ("diff", "working")])
def test_every_command_that_names_a_place_shows_its_line(desk: Path, command: tuple[str, ...]) -> None:
    arguments = (
        (*command, str(desk)) if command[-1] in ("check", "test", "--policies") else (*command, f"folder:{desk}")
    )

    made = run_command(*arguments)

    assert LINE.search(made.stdout + made.stderr), made.stdout + made.stderr


def test_a_line_of_a_revision_is_shown_even_if_the_file_was_fixed_since(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.parent)
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *words], check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull})
    queue = desk / "queue.yaml"
    queue.write_text(queue.read_text(encoding="utf-8").replace("todya", "today"), encoding="utf-8")

    made = run_command("diff", "git:HEAD", "folder:policies")

    assert LINE.search(made.stderr), made.stderr


def test_formatting_a_file_shows_the_line_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: policy\nabout: [x\n", encoding="utf-8")

    said = run_command("fmt", str(tmp_path / "a.yaml")).stderr

    assert (
        "a.yaml:2:8: not YAML: the list that opens here is not closed [yaml]\n    2 | about: [x\n      |        ^\n"
        in said
    )


def test_a_file_of_callers_shows_its_line_and_no_key_in_it(tmp_path: Path) -> None:
    secret = "gpk_0123456789ab_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
    (tmp_path / "callers.yaml").write_text(
        f"callers:\n  - {{name: portal, roles: [decied], keys: [{{id: {secret}, sha256: x}}]}}\n", encoding="utf-8"
    )

    said = run_command("access", "check", str(tmp_path / "callers.yaml")).stderr

    assert "unknown role `decied` [unknown-value]\n    2 |   - {name: portal, roles: [decied], keys: [{id: ****" in said
    assert "\n      |                            ^^^^^^\n" in said
    assert secret[:10] not in said


def test_a_file_of_settings_shows_its_line_and_no_password_in_it(tmp_path: Path) -> None:
    (tmp_path / "guidepost.toml").write_text('hostt = "x"\nport = "high"\n', encoding="utf-8")
    said = run_command("serve", "--check", "--config", str(tmp_path / "guidepost.toml")).stderr

    assert '\n    1 | hostt = "x"\n      | ^^^^^\n    help: did you mean `host`?\n' in said
    assert '\n    2 | port = "high"\n      |        ^^^^^^\n' in said

    (tmp_path / "guidepost.toml").write_text("decision-log = postgresql://ann:secret@host/x\n", encoding="utf-8")
    said = run_command("serve", "--check", "--config", str(tmp_path / "guidepost.toml")).stderr

    assert (
        "guidepost.toml:1:16: not TOML: invalid value\n    1 | decision-log = postgresql://ann:******@host/x\n" in said
    )
    assert "secret" not in said


# ---- Texts in another encoding


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-16", "1:1: expected UTF-8, got UTF-16 [yaml]"),
        ("utf-16-le", "1:1: expected UTF-8, got UTF-16 [yaml]"),
        ("utf-16-be", "1:1: expected UTF-8, got UTF-16 [yaml]"),
        ("utf-32", "1:1: expected UTF-8, got UTF-32 [yaml]"),
        ("utf-32-le", "1:1: expected UTF-8, got UTF-32 [yaml]"),
        ("utf-32-be", "1:1: expected UTF-8, got UTF-32 [yaml]"),
        ("latin-1", "2:15: expected UTF-8, got the byte 0xE9, which is `é` in Latin-1 [yaml]\n    2 | about: the café\n      |               ^\n"),
        ("cp1252", "2:15: expected UTF-8, got the byte 0xE9, which is `é` in Latin-1 [yaml]"),
    ],
)  # fmt: skip
def test_a_text_that_is_not_utf_8_is_reported_with_its_encoding(tmp_path: Path, encoding: str, said: str) -> None:
    (tmp_path / "manifest.yaml").write_bytes("kind: manifest\nabout: the café\n".encode(encoding))

    for command in (("check", str(tmp_path)), ("fmt", "--check", str(tmp_path / "manifest.yaml"))):
        made = run_command(*command)
        assert f"manifest.yaml:{said}" in made.stdout + made.stderr
        assert "help: save the file as UTF-8" in made.stdout + made.stderr


def test_a_byte_order_mark_of_utf_8_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfkind: x\n")

    assert run_command("fmt", "--check", str(tmp_path / "a.yaml")).exit_code == 0


def test_the_place_of_a_message_is_always_in_the_file() -> None:
    """Files that break off or lose a line anywhere; what cannot be read has a place in the text that is left."""
    text = (DESK / "queue.yaml").read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    texts = [text[:at] for at in range(0, len(text), 7)] + [
        "".join(lines[:at] + lines[at + 1 :]) for at in range(len(lines))
    ]
    for left in texts:
        for problem in read("a.yaml", left)[1]:
            assert problem.place.text in left.split("\n")
            assert "did not find" not in problem.message


def test_a_text_that_a_hash_cuts_off_is_a_note_not_a_problem(desk: Path) -> None:
    queue = desk / "queue.yaml"
    queue.write_text(
        queue.read_text(encoding="utf-8")
        .replace("todya", "today")
        .replace("about: when it is its turn", "about: when #1 is next # a remark"),
        encoding="utf-8",
    )

    made = run_command("check", str(desk), "--no-cross-check", "--no-cases")

    assert made.exit_code == 0
    assert (
        """queue.yaml:6:15: the text ends here, because a comment begins with `#1 is next # a remark` [note]
    6 |   about: when #1 is next # a remark
      |               ^^^^^^^^^^
    help: put the text in quotes: `"when #1 is next # a remark"`; if it is a comment, write a space after `#`
"""
        in made.stdout
    )
