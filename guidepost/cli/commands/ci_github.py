"""The report of ``guidepost ci`` as annotations of a GitHub job."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.model.problems import Place
from guidepost.cli.commands.ci_report import CiReport
from guidepost.policies.merge_base import NoVersion
from guidepost.render.github import annotation


def annotation_lines(one: CiReport, address: Callable[[str], str]) -> Iterator[str]:
    """Yield an annotation for each cause of a failed step, at its place."""
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
        yield annotation(Place(file=name), "layout", f"not formatted: guidepost fmt {one.folder.as_posix()}", address)
    for excess in one.report.excesses if one.report else ():
        yield annotation(None, "beyond the limits", excess.message)
    if one.base.reason is NoVersion.NOT_FOUND:
        yield annotation(None, "base", f"{one.base.message}\n{one.base.help}".rstrip())
    elif one.base.reason is not NoVersion.NOTHING:
        yield annotation(None, "base", f"{one.base.message}\n{one.base.help}".rstrip(), level="warning")
