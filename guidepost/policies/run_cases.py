"""Runs the cases of a version: reads and selects them, runs them, and measures what they cover.

The tables of a version without selected cases are not drawn, which would take most of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter

from engine.cases import Case, CaseResult, read_cases, run_case
from engine.cases.coverage import AnswerTrace, Coverage, coverage_of, trace
from engine.cases.select import Selection, is_selected
from engine.decide.decider import Decider
from engine.load import load_with_trees
from engine.load.digest import digest
from engine.model.answer import VersionRef
from engine.model.problems import PolicyErrors, Problem
from engine.version.build import version_of_policy
from engine.version.version import Version


@dataclass(frozen=True, slots=True)
class CaseSource:
    """The source of a version: the root of its paths in problems, a reader of its files, and its name for commands."""

    root: str
    files: Callable[[], Mapping[str, str]]
    policies: str


@dataclass(frozen=True, slots=True)
class TimedResult:
    """The result of a case, and how many seconds it took."""

    result: CaseResult
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRun:
    """The results of the cases of one version; ``ref`` is None if the version cannot be read.

    ``left_out`` counts the cases that were not selected, and those after the first failure if the run stops there.
    """

    source: CaseSource
    ref: VersionRef | None
    problems: tuple[Problem, ...] = ()
    results: tuple[TimedResult, ...] = ()
    left_out: int = 0
    version: Version | None = None
    cases: tuple[Case, ...] = ()
    touched: tuple[AnswerTrace, ...] = field(default=(), repr=False)
    coverage: Coverage | None = None

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """The cases that failed."""
        return tuple(one.result for one in self.results if not one.result.passed)


def run_cases(
    source: CaseSource, selection: Selection | None = None, *, only: str = "", stop: bool = False, measure: bool = False
) -> CaseRun | None:
    """Run the cases of one version.

    Args:
        source: the source of the version.
        selection: which cases to run; None is all of them.
        only: the only version to run, if it is not ""; None is returned for other versions.
        stop: whether to stop at the first case that fails.
        measure: whether to measure coverage; the tables are then drawn even if no case is run.
    """
    try:
        policy, trees = load_with_trees(source.files(), source.root)
    except PolicyErrors as error:
        return CaseRun(source=source, ref=None, problems=error.problems)
    ref = VersionRef(policy.manifest.name, policy.manifest.version, digest(trees))
    if only and ref.version != only:
        return None
    trial, problems = CaseRun(source=source, ref=ref), list[Problem]()
    cases, wrong = read_cases(source.files(), policy, source.root)
    problems += wrong
    chosen = tuple(case for case in cases if selection is None or is_selected(selection, case))
    trial = replace(trial, cases=cases, left_out=len(cases) - len(chosen), problems=tuple(problems))
    if not (chosen or measure or problems):
        return trial
    try:
        version = version_of_policy(policy, ref)
    except PolicyErrors as error:
        return replace(trial, problems=tuple(sorted([*problems, *error.problems])))
    results = _run(version, chosen, stop=stop)
    trial = replace(trial, version=version, results=results, left_out=len(cases) - len(results))
    if not measure:
        return trial
    touched = trace(version, (one.result for one in results))
    return replace(trial, touched=touched, coverage=coverage_of(version, touched))


def _run(version: Version, cases: tuple[Case, ...], *, stop: bool) -> tuple[TimedResult, ...]:
    decider = Decider(version)
    results: list[TimedResult] = []
    for case in cases:
        results.append(run_timed(decider, case))
        if stop and not results[-1].result.passed:
            break
    return tuple(results)


def run_timed(decider: Decider, case: Case) -> TimedResult:
    """Run one case and measure the time."""
    start = perf_counter()
    result = run_case(decider, case)
    return TimedResult(result, perf_counter() - start)
