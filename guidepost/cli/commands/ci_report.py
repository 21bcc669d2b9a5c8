"""The report of ``guidepost ci``: the results of check, test, analyze, fmt and diff for one folder.

One rule is only here: versions released at the base are compared with the base's register, so that a change cannot
alter a released version together with its entry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.analysis import analyse
from engine.cross_check import Extent
from engine.decide.decider import Decider
from engine.diff import Budget
from engine.diff.words import headline
from engine.model.problem_codes import Level
from engine.model.problems import PolicyErrors, Problem
from engine.version.build import draw_policy
from engine.version.release_register import Folder, frozen_problems
from guidepost.cli.commands.check import CheckReport, VersionCheck, check_folder
from guidepost.cli.options.policies_folder import utc_now
from guidepost.policies.format import format_text
from guidepost.policies.merge_base import MergeBase, NoVersion, find_merge_base
from guidepost.policies.run_cases import CaseRun, CaseSource, run_timed
from guidepost.policies.sources.folder import read_folder, version_folders
from guidepost.render.cases_console import cases_summary
from guidepost.render.console import ExitCode, count, errors
from guidepost.render.diff_report import DiffReport, make_diff_report

WORST: Final = (ExitCode.POLICY, ExitCode.CASES, ExitCode.USAGE, ExitCode.BUDGET, ExitCode.OK)
"""The exit codes of steps, the worst first; the command exits with the worst."""

HELD: Final = ("frozen-changed", "frozen-gone", "version-unchanged")
"""The codes of problems about a released version that changed."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of the working version: their number, those `guidepost fmt` would change, those it leaves unchanged."""

    files: int = 0
    changed: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CiStep:
    """The result of one step in a sentence; ``warned`` if it could not run, or has warnings."""

    name: str
    code: ExitCode
    summary: str
    warned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CiReport:
    """All results; ``problems`` are those of every version, those between versions, and those of the comparison."""

    folder: Path
    checked: CheckReport
    problems: tuple[Problem, ...]
    trials: tuple[CaseRun, ...]
    findings: tuple[Problem, ...]
    layout: Layout
    base: MergeBase
    report: DiffReport | None
    has_budget: bool

    @property
    def name(self) -> str:
        """The name and number of the working version, or the folder if it cannot be loaded."""
        version = self.checked.checked[0].version
        return f"{version.ref.name} {version.ref.version}" if version else self.folder.as_posix()

    @property
    def steps(self) -> tuple[CiStep, ...]:
        """The steps, in the order in which they are shown."""
        return (_check(self), _test(self), _analyze(self), _fmt(self), _diff(self))

    @property
    def code(self) -> ExitCode:
        """The exit code of the worst step."""
        return min((step.code for step in self.steps), key=WORST.index)


def make_ci_report(folder: Path, base: str, budget: Budget) -> CiReport:
    """Run all steps on a policies folder; the comparison is with the merge base of a revision."""
    checked = check_folder(folder)
    with errors().working(f"loading {base}"):
        there = find_merge_base(base, folder)
    problems = {*checked.problems, *_altered(folder, checked, there)}
    try:
        found = _report(checked, there, budget)
    except PolicyErrors as error:
        found = None
        problems |= set(error.problems)
    with errors().working("analysing"):
        findings = _findings(checked.checked[0], sorted(problems))
    return CiReport(
        folder=folder,
        checked=checked,
        problems=tuple(sorted(problems)),
        trials=tuple(_trials(folder, checked)),
        findings=findings,
        layout=_layout(folder),
        base=there,
        report=found,
        has_budget=bool(budget),
    )


# ---- The results


def _altered(folder: Path, checked: CheckReport, base: MergeBase) -> list[Problem]:
    """Return a problem for each version that was released at the base and changed since."""
    working, *past = (
        Folder(place.path.name, place.root, one.version)
        for place, one in zip(version_folders(folder, as_typed=True), checked.checked, strict=True)
    )
    return [problem for problem in frozen_problems(base.frozen, working, past) if problem.code in HELD]


def _report(checked: CheckReport, base: MergeBase, budget: Budget) -> DiffReport | None:
    version = checked.checked[0].version
    if version is None or base.version is None:
        return None
    manifest = version.policy.manifest
    options = () if manifest.effective_from <= utc_now() else ("--version", manifest.version)
    return make_diff_report(base.version, version, (base.name, "working tree"), budget=budget, options=options)


def _findings(working: VersionCheck, problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return the problems of all versions, and the findings of the working one."""
    beside = analyse(working.version.policy, draw_policy(working.version.policy)) if working.version else ()
    return tuple(sorted({*problems, *beside}))


def _trials(folder: Path, checked: CheckReport) -> Iterator[CaseRun]:
    """Run the cases of each version that could be built, to measure the time of each and record its rules."""
    for one in checked.checked:
        source = CaseSource(one.root, dict, folder.as_posix())
        if one.version is None:
            yield CaseRun(source=source, ref=None, problems=one.problems)
            continue
        decider = Decider(one.version)
        results = tuple(run_timed(decider, case) for case in one.cases)
        yield CaseRun(
            source=source,
            ref=one.version.ref,
            problems=one.problems,
            results=results,
            version=one.version,
            cases=one.cases,
        )


def _layout(folder: Path) -> Layout:
    """Return the files of the working version that are not formatted; past versions are never changed."""
    working = version_folders(folder, as_typed=True)[0]
    try:
        files = read_folder(working)
    except PolicyErrors:
        return Layout()
    made = {
        f"{working.root}/{name}": (text, format_text(f"{working.root}/{name}", text)) for name, text in files.items()
    }
    return Layout(
        len(files),
        tuple(name for name, (text, one) in made.items() if one.text != text and not one.left_alone),
        tuple(f"{name}: {one.left_alone}" for name, (_, one) in made.items() if one.left_alone),
    )


# ---- The sentence of each step


def _check(one: CiReport) -> CiStep:
    versions = [found.version for found in one.checked.checked if found.version is not None]
    cross_checks = [found.cross_check for found in one.checked.checked if found.cross_check is not None]
    compared = sum(
        table.extent is Extent.WHOLE and not table.disagreements for report in cross_checks for table in report.tables
    )
    held = sum(len(version.invariants) for version in versions)
    summary = f"{count(len(one.checked.checked), 'version')}, {count(len(one.problems), 'problem')}"
    if compared:
        summary += f"; {count(compared, 'table')} compared whole with durable-rules"
    if held:
        summary += f"; {count(held, 'invariant')} hold" + ("s" if held == 1 else "")
    return CiStep(name="check", code=ExitCode.POLICY if one.problems else ExitCode.OK, summary=summary)


def _test(one: CiReport) -> CiStep:
    failed, run = sum(len(trial.failed) for trial in one.trials), sum(len(trial.results) for trial in one.trials)
    if not run:
        return CiStep(name="test", code=ExitCode.OK, summary="no case was run", warned=True)
    broken = [trial.source.root for trial in one.trials if trial.ref is None]
    summary = cases_summary(failed, run, broken) if failed or broken else f"{count(run, 'case')} passed"
    return CiStep(name="test", code=ExitCode.CASES if failed else ExitCode.OK, summary=summary, warned=bool(broken))


def _analyze(one: CiReport) -> CiStep:
    if one.checked.checked[0].version is None:
        return CiStep(name="analyze", code=ExitCode.OK, summary="not run: the policies cannot be loaded", warned=True)
    numbers = Counter(finding.level for finding in one.findings)
    summary = ", ".join(count(numbers[level], level.value) for level in sorted(Level, key=lambda level: -level.weight))
    return CiStep(
        name="analyze",
        code=ExitCode.POLICY if numbers[Level.ERROR] else ExitCode.OK,
        summary=summary,
        warned=bool(numbers[Level.WARNING]),
    )


def _fmt(one: CiReport) -> CiStep:
    changed, alone = one.layout.changed, one.layout.left_alone
    summary = (
        f"{count(len(changed), 'file')} of {one.layout.files:,} not formatted: `guidepost fmt {one.folder.as_posix()}`"
        if changed
        else count(one.layout.files, "file")
    )
    return CiStep(
        name="fmt",
        code=ExitCode.POLICY if changed or alone else ExitCode.OK,
        summary=summary + (f"; {count(len(alone), 'file')} left unchanged" if alone else ""),
    )


def _diff(one: CiReport) -> CiStep:
    """Summarize the difference; if it cannot be determined, the step fails only if there is a budget."""
    if one.report is not None:
        beyond = one.report.excesses
        summary = headline(one.report.diff) + (f" {count(len(beyond), 'change')} beyond the limits." if beyond else "")
        return CiStep(name="diff", code=ExitCode.BUDGET if beyond else ExitCode.OK, summary=summary)
    if one.base.reason is NoVersion.NOT_FOUND:
        return CiStep(name="diff", code=ExitCode.USAGE, summary=f"not run: {one.base.message}")
    if one.base.reason is NoVersion.NOT_LOADED and one.has_budget:
        return CiStep(name="diff", code=ExitCode.BUDGET, summary=f"{one.base.message}; the limits could not be checked")
    return CiStep(
        name="diff", code=ExitCode.OK, summary=one.base.message or "not run: the policies cannot be loaded", warned=True
    )
