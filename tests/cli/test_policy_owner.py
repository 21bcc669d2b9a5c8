"""docs/policy-owner.md: its changes fit the shipped policies, and do exactly what the page shows."""

from __future__ import annotations

import io
import re
import shlex
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import pytest
import yaml
from rich.console import Console

from engine.cases import load_cases
from engine.load import load
from engine.model.problems import PolicyErrors
from engine.version.build import build
from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost.cli.app import load_command
from guidepost.policies.release import start_next
from guidepost.policies.sources.folder import read_folder, version_folders
from guidepost.render.console import Screen
from guidepost.render.diff_console import diff_parts
from guidepost.render.diff_report import DiffReport, make_diff_report
from guidepost.render.messages import problem_text
from tests.support.campaign import LONG
from tests.support.paths import ROOT

PAGE: Final = (ROOT / "docs" / "policy-owner.md").read_text(encoding="utf-8")
SECTIONS: Final = {found[1]: found[2] for found in re.finditer(r"(?ms)^## (.+?)\n(.*?)(?=^## |\Z)", PAGE)}
SHIPPED: Final = read_folder(version_folders(ROOT / "policies")[0])


def blocks(section: str, kind: str = "") -> list[str]:
    """Return the blocks of a kind in a section; those without one are output."""
    return re.findall(
        rf"(?ms)^```{kind}\n(.*?)^```$", re.sub(r"(?ms)^```\w+\n.*?^```\n" if not kind else "$^", "", SECTIONS[section])
    )


def applied(files: Mapping[str, str], *changes: str) -> dict[str, str]:
    """Apply changes as the page shows them: in the file that is named, where these lines stand."""
    changed = dict(files)
    for change in changes:
        head, *lines = change.splitlines()
        name = head.removeprefix("+++ policies/")
        old = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
        new = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
        assert changed[name].count(old) == 1, change
        changed[name] = changed[name].replace(old, new)
    return changed


EDITS: Final = {section: blocks(section, "diff") for section in SECTIONS if "```diff" in SECTIONS[section]}


@pytest.fixture(scope="module")
def found(shipped: Bundle) -> DiffReport:
    """All changes of the page at once: each is about decisions of its own, so the difference shows each as if alone."""
    before = next(version for version in shipped.versions if version.ref.version == _number(SHIPPED))
    assert isinstance(before, Version)
    after = build(applied(SHIPPED, *(edit for edits in EDITS.values() for edit in edits)), "policies")
    return make_diff_report(before, after, ("main", "working"))


def _number(files: Mapping[str, str]) -> str:
    return load(files).manifest.version


def printed(shown: DiffReport) -> list[str]:
    """Return the lines of a difference as the terminal has them."""
    stream = io.StringIO()
    Screen(stream).show(*diff_parts(shown, every=False))
    return [" ".join(line.split()) for line in stream.getvalue().splitlines()]


def problems(files: Mapping[str, str]) -> list[str]:
    """Return the first lines of what is wrong with policies."""
    with pytest.raises(PolicyErrors) as caught:
        build(files, "policies")
    return [str(problem).splitlines()[0] for problem in caught.value.problems]


def test_every_kind_of_change_has_its_section() -> None:
    assert list(SECTIONS) == [
        "Change a number",
        "Add a service",
        "Add a country",
        "Add a rule",
        "Cut a version",
        "Read the difference",
        "In the pull request",
    ]
    assert {section: len(edits) for section, edits in EDITS.items()} == {
        "Change a number": 1,
        "Add a service": 1,
        "Add a country": 4,
        "Add a rule": 1,
    }


@pytest.mark.parametrize("section", EDITS)
def test_the_page_shows_what_a_change_does(section: str, found: DiffReport) -> None:
    said = printed(found)
    shown = [" ".join(line.split()) for line in blocks(section)[-1].splitlines() if line.strip() != "..."]

    assert 0 < len(shown) <= 4
    assert [line for line in shown if line not in said] == []


def test_each_change_affects_exactly_what_the_page_shows(found: DiffReport) -> None:
    changed = {(decision.name, outcome) for decision in found.diff.changed_decisions for outcome in decision.outcomes}

    assert changed == {
        ("response", "response_amount"),
        ("response", "response_due"),
        *(("scope", outcome) for outcome in ("scope", "goes_to", "charged", "service_levels")),
        *((decision, "telephone_numbers") for decision in ("channel", "coverage", "escalation")),
        ("channel", "caller_country"),
        ("intake", "helpful_details"),
    }


def test_the_change_of_a_country_affects_only_that_country(found: DiffReport) -> None:
    channel = next(decision for decision in found.diff.decisions if decision.name == "channel")

    for outcome in found.diff.outcomes_of(channel):
        decided = [
            region
            for region in outcome.regions
            if any(change.after.kind.value == "decided" for change in region.changes)
        ]
        assert [[(values.fact, values.words) for values in region.when] for region in decided] == [
            [("country", ("VN",))]
        ]


def test_a_changed_number_fails_the_cases_that_expect_the_old_one() -> None:
    changed = applied(SHIPPED, *EDITS["Change a number"])

    with pytest.raises(PolicyErrors) as caught:
        load_cases(changed, load(changed, "policies"), "policies")

    console = Console(width=200)
    with console.capture() as captured:
        console.print(problem_text(caught.value.problems[0]), soft_wrap=True)
    assert captured.get().rstrip() == blocks("Change a number")[0].rstrip()


@pytest.mark.parametrize("left_out", range(4) if LONG else range(2))
def test_a_country_needs_exactly_these_places_and_the_check_names_a_missing_one(left_out: int) -> None:
    edits = EDITS["Add a country"]

    found = problems(applied(SHIPPED, *(edit for at, edit in enumerate(edits) if at != left_out)))

    assert blocks("Add a country")[0].splitlines()[left_out] in found


def test_a_version_is_cut_as_the_page_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "policies", "policies")
    line = next(found for found in blocks("Cut a version", "sh") if "release" in found)
    version, since = re.findall(r"--next (\S+) --effective-from (\S+)", line)[0]
    number = _number(SHIPPED)

    start_next(Path("policies"), version, datetime.fromisoformat(since))

    froze, now = blocks("Cut a version")[0].splitlines()
    assert froze == f"froze {number} in policies/past/{number}: {len(SHIPPED)} files, digest ..."
    assert now == f"policies is now {_number(read_folder(version_folders(Path('policies'))[0]))}, in force from {since}"


def test_the_files_for_other_repositories_name_commands_and_hooks_that_exist() -> None:
    workflow, hooks = (yaml.safe_load(block) for block in blocks("In the pull request", "yaml"))
    offered = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    line = next(step["run"] for step in workflow["jobs"]["policies"]["steps"] if "guidepost ci" in step.get("run", ""))

    load_command("ci").make_context("ci", shlex.split(line)[2:])
    used = hooks["repos"][0]["hooks"]
    assert {hook["id"] for hook in used} <= offered
    for hook in used:
        if "args" in hook:
            load_command("ci").make_context("ci", ["--base", *hook["args"]])


def test_the_exit_codes_are_those_of_the_command() -> None:
    from guidepost.cli.commands.ci_report import WORST

    listed = [int(code) for code in re.findall(r"(?m)^\| (\d) \|", SECTIONS["In the pull request"])]

    assert listed == [0, *(int(code) for code in WORST[:-1])]
