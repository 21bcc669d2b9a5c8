"""Results of cases as JUnit XML, which build servers show."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from guidepost.policies.run_cases import CaseRun, TimedResult

PROGRAM = "guidepost"


def junit(trials: Iterable[CaseRun]) -> str:
    """Return the results as JUnit XML: a suite for each file, and a test with an error for each problem of a policy."""
    report = JUnitXml(PROGRAM)
    for one in trials:
        if one.problems:
            report.add_testsuite(_broken(one))
        by_file = sorted(one.results, key=lambda timed: timed.result.case.place)
        for file, results in groupby(by_file, key=lambda timed: timed.result.case.place.file):
            report.add_testsuite(_suite(file, one, list(results)))
    report.update_statistics()  # type: ignore[no-untyped-call]
    text: bytes = report.tostring()  # type: ignore[no-untyped-call]
    return text.decode().rstrip("\n") + "\n"


def _suite(file: str, trial: CaseRun, results: list[TimedResult]) -> TestSuite:
    suite = TestSuite(file)
    if trial.ref is not None:
        suite.add_property("policy", trial.ref.name)
        suite.add_property("version", trial.ref.version)
        suite.add_property("digest", trial.ref.digest)
    suite.add_testcases([_case(timed) for timed in results])
    return suite


def _case(timed: TimedResult) -> TestCase:
    result = timed.result
    case = TestCase(
        result.case.name, classname=f"{result.case.place.file}.{result.case.decision}", time=round(timed.seconds, 6)
    )
    if not result.passed:
        failure = Failure(result.differences[0], "difference")
        failure.text = "\n".join([str(result.case.place), *result.differences])
        case.result = [failure]
    return case


def _broken(trial: CaseRun) -> TestSuite:
    suite = TestSuite(trial.source.root)
    for problem in trial.problems:
        case = TestCase(f"{problem.place}: {problem.message}", classname=trial.source.root)
        error = Error(problem.message, problem.code)
        error.text = str(problem)
        case.result = [error]
        suite.add_testcase(case)
    return suite
