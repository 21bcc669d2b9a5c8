"""``guidepost ci`` on temporary repositories: the report of a pull request, and exit codes."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from typer.testing import CliRunner, Result

from guidepost.cli.app import app
from guidepost.policies.format import format_text
from tests.support.desks import CASES, commit_all, git, write, write_desk
from tests.support.paths import ROOT

laid_out: Final = cache(format_text)
"""Laying the same file out again and again would take most of the time of these tests."""

HOOKS: Final = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
"""The hooks that this repository offers to others."""

ONE_CELL: Final = ("worn", "[today, today]")
RELEASED: Final = "policies/past/1.0.0/queue.yaml"


@pytest.fixture(scope="module")
def desk_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the policies of a bicycle workshop on its branch main, laid out, with a case."""
    top = tmp_path_factory.mktemp("desk") / "repository"
    write(write_desk(top / "policies"), {"cases/queue.yaml": CASES})
    for path in (top / "policies").glob("*.yaml"):
        path.write_text(laid_out(f"policies/{path.name}", path.read_text(encoding="utf-8")).text, encoding="utf-8")
    git(top.parent, "init", "--quiet", str(top))
    commit_all(top, "the policies")
    return top


@pytest.fixture
def top(
    desk_repository: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A copy of it, on a new branch; the tests run in it."""
    copy = tmp_path / "desk"
    shutil.copytree(desk_repository, copy)
    monkeypatch.chdir(copy)
    monkeypatch.setattr("guidepost.cli.commands.ci_report.format_text", laid_out)
    monkeypatch.setenv("GUIDEPOST_CACHE", str(tmp_path_factory.getbasetemp() / "ci-proofs"))
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GUIDEPOST_POLICIES"):
        monkeypatch.delenv(name, raising=False)
    git(copy, "switch", "--quiet", "--create", "change")
    return copy


def edit(file: str, old: str, new: str) -> None:
    """Replace the first occurrence of a text in a file."""
    path = Path(file)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def row(name: str, cells: str, file: str = "policies/queue.yaml") -> None:
    """Rewrite a row of the matrix, and format the file."""
    path = Path(file)
    text, number = re.subn(rf"(?m)^( +{name}: +)\[.*\]$", rf"\1{cells}", path.read_text(encoding="utf-8"))
    assert number == 1
    path.write_text(laid_out(file, text).text, encoding="utf-8")


def ci(*arguments: str, base: str = "main") -> Result:
    return CliRunner().invoke(app, ["ci", "--base", base, *arguments])


def summary(*arguments: str, base: str = "main", code: int = 0) -> str:
    """Run it for the summary."""
    ended = ci("--summary", "../summary.md", *arguments, base=base)
    assert ended.exit_code == code, ended.output
    return Path("../summary.md").read_text(encoding="utf-8")


def steady(text: str) -> str:
    """Leave out what is another commit every time."""
    return re.sub(r"\b[0-9a-f]{12}\b", "COMMIT-OR-DIG", text)


# ---- What a change does


def test_a_changed_cell_is_reported_with_the_situations_it_changes(
    top: Path, golden: Callable[[str, str], None]
) -> None:
    row(*ONE_CELL)
    commit_all(top)

    ended = ci("--summary", "../summary.md")

    assert ended.exit_code == 0
    golden("ci/one-cell.md", steady(Path("../summary.md").read_text(encoding="utf-8")))
    golden("ci/one-cell.txt", steady(ended.output))


def test_a_change_of_layout_and_remarks_changes_no_decision(top: Path) -> None:
    edit("policies/queue.yaml", "kind: policy", "# Read the card twice.\nkind: policy")
    edit("policies/manifest.yaml", 'version: "2.0.0"', "version: 2.0.0")
    commit_all(top)

    said = summary()

    assert "bike-workshop 2.0.0: no decision changes" in said
    assert "No decision changes: every outcome is the same in every situation" in said


def test_files_that_are_not_formatted_are_listed(top: Path) -> None:
    edit("policies/queue.yaml", "source:", "source:   ")
    commit_all(top)

    said = summary(code=3)

    assert "fmt failed" in said
    assert "### Layout\n\n- `policies/queue.yaml`" in said
    assert "No decision changes" in said


def test_later_commits_of_the_target_are_not_part_of_the_change(top: Path) -> None:
    row(*ONE_CELL)
    commit_all(top)
    git(top, "switch", "--quiet", "main")
    edit("policies/parts.yaml", "price: 25", "price: 30")
    commit_all(top)
    git(top, "switch", "--quiet", "change")

    said = summary()

    assert "Decided differently: queue; the same in every situation: part and pickup." in said
    assert git(top, "merge-base", "main", "change")[:12] in said


def test_uncommitted_changes_are_compared_and_mentioned(top: Path) -> None:
    row(*ONE_CELL)

    said = summary()

    assert "Compared the working tree (with uncommitted changes) with" in said
    assert "**later → today**" in said
    assert git(top, "status", "--porcelain").strip() == "M policies/queue.yaml"


def test_a_detached_head_is_compared_like_a_branch(top: Path) -> None:
    row(*ONE_CELL)
    commit_all(top)
    git(top, "checkout", "--quiet", "--detach")

    assert "**later → today**" in summary()


def test_the_folder_may_be_anywhere_in_the_repository(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(top, "switch", "--quiet", "main")
    (top / "desks").mkdir()
    git(top, "mv", "policies", "desks/bikes")
    commit_all(top)
    row("worn", "[today, latter]", "desks/bikes/queue.yaml")
    monkeypatch.chdir(top / "desks")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    ended = ci("--policies", "bikes")

    assert ended.exit_code == 3
    assert "::error file=desks/bikes/queue.yaml,line=19," in ended.output


# ---- What is wrong with a change


def test_a_broken_rule_is_reported_at_its_place_in_every_format(
    top: Path, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    edit("policies/queue.yaml", "broken:", "brokn: ")
    commit_all(top)

    ended = ci(
        "--summary",
        "../summary.md",
        "--sarif",
        "../it.sarif",
        "--junit",
        "../it.xml",
        "--html",
        "../it.html",
        "--forbid",
        "queue: now -> *",
    )

    assert ended.exit_code == 3
    golden("ci/broken.md", steady(Path("../summary.md").read_text(encoding="utf-8")))
    golden("ci/broken.txt", steady(ended.output))
    results = json.loads(Path("../it.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert {(one["level"], one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) for one in results} == {
        ("error", "policies/queue.yaml")
    }
    assert "<error" in Path("../it.xml").read_text(encoding="utf-8")
    assert not Path("../it.html").exists()


def test_a_failed_case_is_reported_with_its_rule(top: Path) -> None:
    row("broken", "[later, now]")
    commit_all(top)

    said = summary("--junit", "../it.xml", code=4)

    assert "### 1 failed case" in said
    assert "queue: expected now, got later, by `turn.broken.courier`<br>`guidepost eval queue damage=broken" in said
    assert '<failure message="queue: expected now, got later' in Path("../it.xml").read_text(encoding="utf-8")


def test_a_released_version_may_not_change(top: Path) -> None:
    edit(RELEASED, "card, 1", "card, 9")
    commit_all(top)

    said = summary(code=3)

    assert "`policies/past/1.0.0/manifest.yaml" in said
    assert "(frozen-changed)" in said


def test_a_released_version_may_not_change_together_with_the_register(top: Path) -> None:
    edit(RELEASED, "card, 1", "card, 9")
    register = Path("policies/past/frozen.yaml")
    found = re.search(r"got 1.0.0 with (\w+)", ci("-o", "json").output)
    assert found is not None
    changed = json.loads(CliRunner().invoke(app, ["check", "policies", "-o", "json"]).output)["versions"][1]["digest"]
    register.write_text(re.sub(r"[0-9a-f]{64}", changed, register.read_text(encoding="utf-8")), encoding="utf-8")
    commit_all(top)

    assert CliRunner().invoke(app, ["check", "policies"]).exit_code == 0
    assert "(frozen-changed)" in summary(code=3)


def test_a_change_beyond_its_limits_ends_with_6_and_shows_where(top: Path) -> None:
    row(*ONE_CELL)
    commit_all(top)

    said = summary("--max-changed", "2%", "--forbid", "queue: later -> *", code=6)

    assert "### Beyond the limits" in said
    assert "❌ `queue` changes in 2 of 12 situations (16.7%); the limit is 2%" in said
    assert "where damage=worn, rider=other, such as `damage=worn rider=other`" in said
    assert summary("--max-changed", "20%", "--forbid", "queue: now -> *")


def test_the_command_exits_with_the_code_of_its_worst_step(top: Path) -> None:
    row("broken", "[later, now]")
    limits = ("--max-changed", "0")

    assert ci(*limits).exit_code == 4
    assert ci(*limits, base="nowhere").exit_code == 4
    edit("policies/queue.yaml", "broken:", "brokn: ")
    assert ci(*limits, base="nowhere").exit_code == 3


def test_an_invalid_limit_is_rejected_first(top: Path) -> None:
    ended = ci("--max-changed", "a lot", "--summary", "../summary.md")

    assert (ended.exit_code, Path("../summary.md").exists()) == (2, False)
    assert "expected a number such as 100 or a share such as 2%, got `a lot`" in ended.output


# ---- Where there is nothing to compare with


def test_a_missing_base_is_reported_and_the_other_steps_run(top: Path) -> None:
    said = summary(base="origin/main", code=2)

    assert "❌ | diff | not run: no git revision `origin/main` here" in said
    assert "`git fetch origin main` fetches a branch of the remote" in said
    assert "✅ | test | 1 case passed" in said
    assert "diff     no base  not run: no git revision" in ci(base="origin/main").stdout


def test_a_shallow_clone_without_the_base_reports_what_to_fetch(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row(*ONE_CELL)
    commit_all(top)
    for name, branches in (("one", "--single-branch"), ("all", "--no-single-branch")):
        git(top.parent, "clone", "--quiet", "--depth", "1", branches, "--branch", "change", f"file://{top}", name)
        monkeypatch.chdir(top.parent / name)

        said = summary(base="origin/main", code=2)

        assert (
            "no git revision `origin/main` here"
            if name == "one"
            else "`origin/main` and the working tree have no commit in common"
        ) in said
        assert "`fetch-depth: 0`" in said


def test_a_base_without_policies_is_not_a_failure(top: Path) -> None:
    git(top, "switch", "--quiet", "--orphan", "empty")
    write(top, {"README.md": "bikes\n"})
    commit_all(top, "a beginning")
    git(top, "switch", "--quiet", "--create", "first")
    git(top, "restore", "--source", "main", "policies")
    commit_all(top)

    said = summary("--max-changed", "0", base="empty")

    assert "⚠️ | diff | policies has no policies at the base yet, so all of them are new" in said


def test_a_base_that_cannot_be_loaded_fails_only_with_a_limit(top: Path) -> None:
    git(top, "switch", "--quiet", "main")
    edit("policies/queue.yaml", "kind: policy", "kind: rules")
    commit_all(top, "written for another program")
    git(top, "switch", "--quiet", "--create", "newer")
    git(top, "restore", "--source", "main~1", "policies")
    commit_all(top)

    said = summary()

    assert "⚠️ | diff | this program cannot load the policies at the base" in said
    assert "its first problem:" in said
    assert f"{git(top, 'rev-parse', 'main')[:12]}:policies/queue.yaml:1:7" in said.replace("\\", "")
    assert "the limits could not be checked" in summary("--max-changed", "0", code=6)


def test_a_folder_outside_a_repository_cannot_be_compared(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(top.parent))
    shutil.rmtree(top / ".git")

    assert "policies is not in a git repository with a working tree" in summary(code=2)


# ---- Where it is written


def test_the_summary_is_appended_to_that_of_a_github_step(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = top.parent / "step.md"
    step.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))

    assert ci().exit_code == 0
    assert step.read_text(encoding="utf-8").startswith("before\n## ✅ bike-workshop 2.0.0: no decision changes\n")
    assert "::error" not in ci(base="nowhere").output


def test_annotations_are_of_problems_cases_layout_and_limits(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    row("broken", "[later, now]")
    edit("policies/queue.yaml", "source:", "source: ")

    said = ci("--forbid", "queue: now -> *").output

    name = "A broken bike of a courier is repaired now, and stays here if its brakes are worn"
    assert re.findall(r"^::(?:error|warning) .*", said, re.MULTILINE)[:3] == [
        f"::error file=policies/cases/queue.yaml,line=3,col=5,title=failed case::{name}%0Aqueue: expected now, got later (by turn.broken.courier)",
        "::error file=policies/queue.yaml,line=1,col=1,title=layout::not formatted: guidepost fmt policies",
        "::error title=beyond the limits::`queue` changes now -> later in 1 situation",
    ]


def test_the_same_as_data(top: Path) -> None:
    row(*ONE_CELL)

    found = json.loads(ci("-o", "json", "--max-changed", "0").output)

    assert (found["ok"], found["exit_code"], found["base"]["uncommitted"], found["base"]["lack"]) == (
        False,
        6,
        True,
        None,
    )
    assert [part["part"] for part in found["parts"]] == ["check", "test", "analyze", "fmt", "diff"]
    assert found["diff"]["matrices"][0]["changed"] == [["worn", "other"]]


def test_nothing_in_the_repository_is_touched(top: Path) -> None:
    row(*ONE_CELL)
    git(top, "add", "--all")
    before = (git(top, "status", "--porcelain"), (top / ".git" / "index").read_bytes())

    ci()

    assert (git(top, "status", "--porcelain"), (top / ".git" / "index").read_bytes()) == before


# ---- The hooks


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_every_hook_passes_on_good_policies_and_fails_on_broken_ones(hook: dict[str, Any], top: Path) -> None:
    _, *words = shlex.split(hook["entry"])
    files = [
        name
        for name in git(top, "ls-files").splitlines()
        if re.search(hook["files"], name) and not re.search(hook.get("exclude", "$^"), name)
    ]
    words += ["main"] if hook["id"] == "guidepost-ci" else []
    words += files if hook.get("pass_filenames", True) else []

    assert "policies/queue.yaml" in files
    assert CliRunner().invoke(app, words).exit_code == 0
    assert git(top, "status", "--porcelain") == ""
    edit("policies/queue.yaml", "kind: policy", "kind: policy: policy")
    assert CliRunner().invoke(app, words).exit_code == 3


def test_a_git_hook_ignores_the_variables_that_git_sets(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row(*ONE_CELL)
    monkeypatch.setenv("GIT_DIR", str(top.parent / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", "no-index")

    assert "**later → today**" in summary()
