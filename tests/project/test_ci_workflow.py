"""The workflow of this repository and its hooks run `guidepost` commands with options that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, Final

import yaml

from guidepost.cli.app import load_command
from tests.support.paths import ROOT

WORKFLOW: Final = yaml.safe_load((ROOT / ".github" / "workflows" / "policies.yml").read_text(encoding="utf-8"))
OFFERED: Final = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
OURS: Final = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]


def command(line: str) -> str:
    """Return the command of a line of shell, after looking whether it exists with these options."""
    program, name, *arguments = shlex.split(line)
    assert Path(program).name == "guidepost"
    load_command(name).make_context(name, arguments)
    return str(name)


def steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = WORKFLOW["jobs"]["policies"]["steps"]
    return found


def test_the_workflow_runs_the_command_against_the_target_branch() -> None:
    lines = [line for step in steps() for line in step.get("run", "").splitlines() if line.startswith("guidepost")]
    step = next(step for step in steps() if "guidepost ci" in step.get("run", ""))

    assert [command(line) for line in lines] == ["ci"]
    assert '--base "$BASE"' in lines[0]
    assert step["env"] == {"BASE": "origin/${{ github.base_ref }}"}
    # YAML 1.1, by which this is read here, takes the key `on` for yes.
    assert WORKFLOW[True]["pull_request"]["paths"] == ["policies/**"]


def test_the_workflow_fetches_the_history_and_may_do_no_more_than_it_must() -> None:
    checkout = next(step for step in steps() if step.get("uses", "").startswith("actions/checkout@"))

    assert checkout["with"] == {"fetch-depth": 0, "persist-credentials": False}
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert WORKFLOW["jobs"]["policies"]["permissions"] == {"contents": "read", "security-events": "write"}
    assert [
        step["uses"] for step in steps() if "uses" in step and not re.search(r"@(v\d+|[0-9a-f]{40})$", step["uses"])
    ] == []
    # What somebody else writes (the name of a branch) never becomes a part of a script.
    assert [step["run"] for step in steps() if "${{" in step.get("run", "")] == []


def test_the_workflow_hands_on_every_file_that_the_command_writes() -> None:
    line = next(step["run"] for step in steps() if "guidepost ci" in step.get("run", ""))
    written = set(re.findall(r"--(?:sarif|junit|html) (\S+)", line))
    handed = {
        name
        for step in steps()
        for name in (step.get("with") or {}).get("sarif_file", (step.get("with") or {}).get("path", "")).split()
    }

    assert len(written) == 3
    assert handed == written


def test_every_hook_exists_for_others_and_for_us() -> None:
    assert [hook["id"] for hook in OFFERED] == ["guidepost-check", "guidepost-fmt", "guidepost-test", "guidepost-ci"]
    assert {hook["id"] for hook in OURS} == {hook["id"] for hook in OFFERED}
    for hook in (*OFFERED, *OURS):
        assert command(" ".join((hook["entry"], *hook.get("args", [])))) == hook["id"].removeprefix("guidepost-")
