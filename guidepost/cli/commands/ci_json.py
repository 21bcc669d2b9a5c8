"""The report of ``guidepost ci`` as data, for JSON."""

from __future__ import annotations

from guidepost.cli.commands.ci_report import CiReport
from guidepost.render.console import ExitCode, JsonObject
from guidepost.render.diff_json import plain_diff
from guidepost.render.policy_json import plain_place


def plain_ci_report(one: CiReport) -> JsonObject:
    """Return a report as data."""
    return {
        "ok": one.code is ExitCode.OK,
        "exit_code": int(one.code),
        "policies": one.folder.as_posix(),
        "base": {
            "asked": one.base.revision,
            "commit": one.base.commit or None,
            "lack": one.base.reason.value or None,
            "said": one.base.message,
            "help": one.base.help,
            "uncommitted": one.base.dirty,
        },
        "parts": [{"part": step.name, "exit_code": int(step.code), "said": step.summary} for step in one.steps],
        "problems": [problem.as_plain() for problem in one.problems],
        "failed_cases": [
            {"name": result.case.name, "place": plain_place(result.case.place), "differences": list(result.differences)}
            for trial in one.trials
            for result in trial.failed
        ],
        "layout": {"changed": list(one.layout.changed), "left_alone": list(one.layout.left_alone)},
        "findings": [finding.as_plain() for finding in one.findings],
        "diff": plain_diff(one.report) if one.report else None,
    }
