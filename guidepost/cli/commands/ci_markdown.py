"""What ``guidepost ci`` found out, written: the Markdown summary of a pull request, plain data, and GitHub's annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from engine.cases import CaseResult
from engine.model.problems import Place, Problem
from guidepost.cli.commands.ci_report import Examined, Part
from guidepost.policies.merge_base import NoVersion
from guidepost.policies.run_cases import CaseRun
from guidepost.render.cases_console import eval_command
from guidepost.render.console import ExitCode, count
from guidepost.render.diff_json import plain_report
from guidepost.render.diff_markdown import markdown_text
from guidepost.render.github import annotation
from guidepost.render.markdown import MOST_BYTES, code, escaped, folded, listed, prose, together
from guidepost.render.policy_json import Plain, plain_place

MOST: Final = 100
"""How many problems, failed cases or files are listed; the others are counted."""

MARKS: Final = {True: "❌", False: "✅"}
NOTED: Final = "⚠️"


def summary_text(one: Examined) -> str:
    """Write the summary of a pull request, short enough for GitHub to show."""
    head = together([*_parts(one)], MOST_BYTES // 2)
    if one.report is None:
        return head
    return f"{head}\n{markdown_text(one.report, MOST_BYTES - len(head.encode()) - 1)}"


def mark(part: Part) -> str:
    """Return the sign for how a part ends."""
    return NOTED if part.noted and part.code is ExitCode.OK else MARKS[part.code is not ExitCode.OK]


def title(one: Examined) -> str:
    """Describe in a few words what came out.

    The worst comes first: what keeps the policies from being used, then what may not be, then what changes.
    """
    if one.code is ExitCode.POLICY and one.problems:
        return count(len(one.problems), "problem")
    wrong = [part.name for part in one.parts if part.code is not ExitCode.OK]
    if wrong:
        return f"{', '.join(wrong)} failed"
    if one.report is None:
        return "nothing to compare with"
    return "no decision changes" if one.report.diff.same_decisions else "decisions change"


def compared(one: Examined) -> str:
    """Return what was compared with what."""
    base = one.base
    if base.reason is NoVersion.NOT_FOUND:
        return f"Not compared: {base.message}."
    dirty = ", with changes that are not committed" if base.dirty else ""
    return f"Compared with `{base.revision}` at the commit that both have in common, `{base.commit[:12]}`; here: the working tree{dirty}."


def _parts(one: Examined) -> Iterator[str]:
    yield f"## {MARKS[one.code is not ExitCode.OK]} {escaped(one.name)}: {title(one)}"
    rows = [f"| {mark(part)} | {part.name} | {prose(part.said).replace('|', chr(92) + '|')} |" for part in one.parts]
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
                    *(f"- {prose(said)}" for said in one.layout.left_alone),
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


def annotation_lines(one: Examined, address: Callable[[str], str]) -> Iterator[str]:
    """Yield GitHub's annotations: what makes a part fail, each at its place."""
    for problem in one.problems:
        yield annotation(
            problem.place,
            problem.code,
            "\n".join(str(problem).splitlines()).removeprefix(f"{problem.place}: "),
            address,
        )
    for trial in one.trials:
        for result in trial.failed:
            yield annotation(
                result.case.place, "failed case", "\n".join((result.case.name, *result.differences)), address
            )
    for name in one.layout.changed:
        yield annotation(
            Place(file=name), "layout", f"laid out otherwise: guidepost fmt {one.folder.as_posix()}", address
        )
    for excess in one.report.excesses if one.report else ():
        yield annotation(None, "more than it may", excess.message)
    if one.base.reason is NoVersion.NOT_FOUND:
        yield annotation(None, "base", f"{one.base.message}\n{one.base.help}".rstrip())
    elif one.base.reason is not NoVersion.NOTHING:
        yield annotation(None, "base", f"{one.base.message}\n{one.base.help}".rstrip(), level="warning")


def plain_examined(one: Examined) -> Plain:
    """Return what was found out as data."""
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
        "parts": [{"part": part.name, "exit_code": int(part.code), "said": part.said} for part in one.parts],
        "problems": [problem.as_plain() for problem in one.problems],
        "failed_cases": [
            {"name": result.case.name, "place": plain_place(result.case.place), "differences": list(result.differences)}
            for trial in one.trials
            for result in trial.failed
        ],
        "layout": {"changed": list(one.layout.changed), "left_alone": list(one.layout.left_alone)},
        "findings": [finding.as_plain() for finding in one.findings],
        "diff": plain_report(one.report) if one.report else None,
    }
