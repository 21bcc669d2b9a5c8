"""The report of ``guidepost ci`` as the Markdown summary of a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.cases import CaseResult
from engine.model.problems import Problem
from guidepost.cli.commands.ci_report import CiReport, CiStep
from guidepost.policies.merge_base import NoVersion
from guidepost.policies.run_cases import CaseRun
from guidepost.render.cases_console import eval_command
from guidepost.render.console import ExitCode, count
from guidepost.render.diff_markdown import diff_markdown
from guidepost.render.markdown import MOST_BYTES, code, escaped, folded, joined_parts, listed, prose

MOST: Final = 100
"""How many problems, failed cases or files are listed; the rest is counted."""

MARKS: Final = {True: "❌", False: "✅"}
NOTED: Final = "⚠️"


def summary_text(one: CiReport) -> str:
    """Write the summary of a pull request, short enough for GitHub to show."""
    head = joined_parts([*_parts(one)], MOST_BYTES // 2)
    if one.report is None:
        return head
    return f"{head}\n{diff_markdown(one.report, MOST_BYTES - len(head.encode()) - 1)}"


def mark(step: CiStep) -> str:
    """Return the sign for the result of a step."""
    return NOTED if step.warned and step.code is ExitCode.OK else MARKS[step.code is not ExitCode.OK]


def title(one: CiReport) -> str:
    """Return the result in a few words.

    The worst comes first: problems of the policies, then failed steps, then whether decisions change.
    """
    if one.code is ExitCode.POLICY and one.problems:
        return count(len(one.problems), "problem")
    wrong = [step.name for step in one.steps if step.code is not ExitCode.OK]
    if wrong:
        return f"{', '.join(wrong)} failed"
    if one.report is None:
        return "nothing to compare with"
    return "no decision changes" if one.report.diff.same_decisions else "decisions change"


def compared(one: CiReport) -> str:
    """Return a sentence that names both sides of the comparison."""
    base = one.base
    if base.reason is NoVersion.NOT_FOUND:
        return f"Not compared: {base.message}."
    dirty = " (with uncommitted changes)" if base.dirty else ""
    return f"Compared the working tree{dirty} with `{base.revision}`, at the last common commit `{base.commit[:12]}`."


def _parts(one: CiReport) -> Iterator[str]:
    yield f"## {MARKS[one.code is not ExitCode.OK]} {escaped(one.name)}: {title(one)}"
    rows = [f"| {mark(step)} | {step.name} | {prose(step.summary).replace('|', chr(92) + '|')} |" for step in one.steps]
    yield "\n".join(("| | | |", "|---|---|---|", *rows))
    yield prose(compared(one)) + (f" Help: {prose(one.base.help)}." if one.base.help else "")
    if one.problems:
        yield f"### {count(len(one.problems), 'problem')}"
        yield "\n".join(listed([*map(_problem, one.problems)], MOST))
    if failed := [(result, trial) for trial in one.trials for result in trial.failed]:
        yield f"### {count(len(failed), 'failed case')}"
        yield "\n".join(listed([_failure(result, trial) for result, trial in failed], MOST))
    if one.layout.changed or one.layout.left_alone:
        yield "### Layout"
        yield "\n".join(
            listed(
                [
                    *(f"- {code(name)}" for name in one.layout.changed),
                    *(f"- {prose(reason)}" for reason in one.layout.left_alone),
                ],
                MOST,
            )
        )
    if warnings := [finding for finding in one.findings if finding.level.value == "warning"]:
        lines = [f"- {code(str(finding.place))} {prose(finding.message)} ({finding.code})" for finding in warnings]
        yield folded(f"{count(len(warnings), 'warning')} of the analysis", listed(lines, MOST))


def _problem(problem: Problem) -> str:
    witness = ", ".join(f"{fact}={value}" for fact, value in problem.witness)
    more = [f"for example {code(witness)}" if witness else "", prose(problem.help) if problem.help else ""]
    return "<br>".join([f"- {code(str(problem.place))} {prose(problem.message)} ({problem.code})", *filter(None, more)])


def _failure(result: CaseResult, trial: CaseRun) -> str:
    lines = [f"- {code(str(result.case.place))} {escaped(result.case.name)}"]
    for one in result.found:
        rules = ", ".join(code(rule.id) for rule in one.rules)
        lines.append(escaped(one.sentence) + (f", by {rules}" if rules else ""))
    lines.append(code(eval_command(result.case, trial.source, trial.ref.version if trial.ref else "")))
    return "<br>".join(lines)
