"""``guidepost test``: run the policies' own cases, measure what they cover, propose cases for the rest."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import Annotated, Final

import typer
import watchfiles
from rich.text import Text

from engine.cases.cases_yaml import cases_text
from engine.cases.coverage import percent
from engine.cases.propose import plain, propose
from engine.cases.select import NotAnExpression, Selection, read_selection
from engine.load.files import is_policy_name
from guidepost.cli.command_group import DefaultCommandGroup, command_group
from guidepost.cli.options.policies_folder import find_folder, policy_error, utc_now
from guidepost.cli.options.version_spec import open_source
from guidepost.policies.format import format_text
from guidepost.policies.run_cases import CaseRun, CaseSource, run_cases
from guidepost.policies.sources.folder import read_folder, version_folders
from guidepost.render.cases_console import case_run_parts, coverage_parts, plain_case_runs, share_text, summary_text
from guidepost.render.console import (
    ExitCode,
    cannot_write,
    command_error,
    count,
    errors,
    results,
    show_json,
    suggestion,
)
from guidepost.render.junit import junit

test: Final = command_group(
    "Run the cases of the policies, or propose new ones. `test DIR` is short for `test run DIR`.",
    cls=DefaultCommandGroup,
    no_args_is_help=False,
)


class Output(StrEnum):
    """The formats of test results."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


CLEAR: Final = "\x1b[2J\x1b[H"
"""Clears a terminal."""

CASES: Final = "cases"
"""The folder of a version's cases."""

SourcesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[DIR|VERSION]...",
        help="Policies folders, with their past versions, or versions: a number, a git revision, a bundle.",
    ),
]
VersionOption = Annotated[str, typer.Option("--version", metavar="VERSION", help="Only the version with this number.")]
ExpressionOption = Annotated[
    str,
    typer.Option(
        "-k",
        metavar="EXPRESSION",
        help="Only cases whose name, file or decision contains these words, combined with `and`, `or`, `not` and "
        "parentheses.",
    ),
]
StopOption = Annotated[bool, typer.Option("-x", help="Stop at the first failed case.")]
VerboseOption = Annotated[bool, typer.Option("-v", help="List every case.")]
CoverageOption = Annotated[bool, typer.Option("--coverage", help="Report which rules and cells the cases cover.")]
ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold", metavar="PERCENT", min=0, max=100, help="Exit with 5 if the cases cover fewer of the rules."
    ),
]
CellThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--cell-threshold", metavar="PERCENT", min=0, max=100, help="Exit with 5 if the cases cover fewer of the cells."
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The options of a run.

    Attributes:
        sources: folders and specs of versions; none means the policies folder.
        version: the only version to test, or "".
        expression: which cases to run, as typed; ``selection`` is what it means.
        stop: whether to stop at the first failure.
        coverage: whether to measure coverage.
        threshold: the least share of the rules, in percent; ``cell_threshold`` is that of the cells.
    """

    sources: tuple[str, ...] = ()
    version: str = ""
    selection: Selection | None = None
    expression: str = ""
    stop: bool = False
    verbose: bool = False
    output: Output = Output.TEXT
    junit: Path | None = None
    coverage: bool = False
    threshold: float | None = None
    cell_threshold: float | None = None


@test.command("run")
def run(
    sources: SourcesArgument = None,
    version: VersionOption = "",
    expression: ExpressionOption = "",
    stop: StopOption = False,
    verbose: VerboseOption = False,
    coverage: CoverageOption = False,
    threshold: ThresholdOption = None,
    cell_threshold: CellThresholdOption = None,
    output: Annotated[Output, typer.Option("-o", "--output", help="The format of the results.")] = Output.TEXT,
    junit_file: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also write the results to this file, as JUnit XML.")
    ] = None,
) -> None:
    """Run the cases of the policies.

    Decides the ticket of each case and compares the answer with the expected one. Exits with 3 if a policy or a case
    has problems, with 4 if a case fails, with 5 if coverage is below a threshold, and with 2 if there is no case to
    run.
    """
    code = _run(
        RunOptions(
            sources=tuple(sources or ()),
            version=version,
            selection=_selection(expression),
            expression=expression,
            stop=stop,
            verbose=verbose,
            output=output,
            junit=junit_file,
            coverage=coverage or threshold is not None or cell_threshold is not None,
            threshold=threshold,
            cell_threshold=cell_threshold,
        )
    )
    if code is not ExitCode.OK:
        raise typer.Exit(int(code))


@test.command("watch")
def watch(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[DIR]...", help="Policies folders, with their past versions.")
    ] = None,
    version: VersionOption = "",
    expression: ExpressionOption = "",
    stop: StopOption = False,
    verbose: VerboseOption = False,
    coverage: CoverageOption = False,
    threshold: ThresholdOption = None,
    cell_threshold: CellThresholdOption = None,
) -> None:
    """Run the cases whenever a policy file changes, until Ctrl-C."""
    watched = folders or [find_folder(None)]
    if files := [str(folder) for folder in watched if not folder.is_dir()]:
        raise command_error(f"expected folders to watch, got `{', '.join(files)}`")
    options = RunOptions(
        sources=tuple(map(str, watched)),
        version=version,
        selection=_selection(expression),
        expression=expression,
        stop=stop,
        verbose=verbose,
        coverage=coverage or threshold is not None or cell_threshold is not None,
        threshold=threshold,
        cell_threshold=cell_threshold,
    )
    ran = False
    try:
        # Watching begins before the first run, so that no change during it is lost: the first round has no changes.
        for changes in watchfiles.watch(
            *watched, watch_filter=_is_policy, debounce=400, rust_timeout=100, yield_on_timeout=True
        ):
            if changes or not ran:
                _run_on_clear_screen(options)
                ran = True
    except KeyboardInterrupt:
        errors().show("")


@test.command("propose")
def propose_cases(
    sources: SourcesArgument = None,
    version: VersionOption = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Propose cases for everything, not only for what no case covers.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write to this new file. Default: standard output.")
    ] = None,
) -> None:
    """Propose cases for what no case covers, as YAML to review.

    Each proposed case expects the present answer. Exits with 3 if the policy has problems.
    """
    if to is not None and to.exists():
        raise command_error(f"{to} exists already, and is not overwritten")
    options = RunOptions(sources=tuple(sources or ()), version=version)
    trial = next(_trials(options, covered=True), None)
    if trial is None:
        raise command_error(_no_case(options, ()))
    if trial.problems or trial.version is None:
        raise policy_error(Path(trial.source.root), trial.problems)
    proposals = propose(trial.version, trial.cases, trial.touched, everything=everything)
    ref = trial.version.ref
    if not proposals:
        errors().show(
            f"nothing to propose for {ref.name} {ref.version}: the cases cover every rule, threshold, deadline and turn"
        )
        return
    remarks = (
        f"Proposed for {ref.name} {ref.version}: each case expects the present answer, right or wrong.",
        "Compare each with the text that the policy restates; keep the right ones, under names of your own.",
    )
    schema = "../schemas/cases.schema.json" if to is not None and to.resolve().parent.name == CASES else ""
    text = format_text(str(to or "-"), cases_text(map(plain, proposals), remarks, schema)).text
    if to is None:
        typer.echo(text, nl=False)
        return
    try:
        with to.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise cannot_write(to, error) from error
    errors().show(f"wrote {count(len(proposals), 'case')} to {to}")


def _selection(expression: str) -> Selection | None:
    try:
        return read_selection(expression) if expression else None
    except NotAnExpression as error:
        shown = Text(f"  {expression}\n  {' ' * (error.at - 1)}^ {error.message}", no_wrap=True)
        raise command_error("-k expects words combined with `and`, `or`, `not` and parentheses", shown) from error


def _sources(options: RunOptions) -> Iterator[CaseSource]:
    """Yield the versions to test: every version of a folder, and each version that is named by a spec."""
    only_folders = bool(options.sources) and all(Path(name).is_dir() for name in options.sources)
    default = Path() if only_folders else find_folder(None)
    for name in options.sources or (str(default),):
        if Path(name).is_dir():
            for folder in version_folders(Path(name), as_typed=True):
                yield CaseSource(folder.root, lambda folder=folder: read_folder(folder), name)  # type: ignore[misc]
            continue
        source = open_source(name, policies=default)
        yield CaseSource(source.root, lambda files=source.files: files, "")  # type: ignore[misc]


def _trials(options: RunOptions, *, covered: bool) -> Iterator[CaseRun]:
    failed = False
    for source in _sources(options):
        with errors().working(f"testing {source.root}"):
            trial = (
                None
                if failed
                else run_cases(source, options.selection, only=options.version, stop=options.stop, measure=covered)
            )
        if trial is not None:
            failed = options.stop and bool(trial.failed)
            yield trial


def _run(options: RunOptions) -> ExitCode:
    """Run the cases once and show the results; return the exit code."""
    start = perf_counter()
    trials = tuple(_trials(options, covered=options.coverage))
    seconds = perf_counter() - start
    code = _exit_code(trials)
    no_case = _no_case(options, trials) if code is ExitCode.OK else ""
    if no_case:
        raise command_error(no_case)
    below = [] if code is ExitCode.POLICY else list(_below_threshold(options, trials))
    if code is ExitCode.OK and below:
        code = ExitCode.COVERAGE
    if options.junit is not None:
        _write_junit(options.junit, junit(trials))
    match options.output:
        case Output.JSON:
            show_json(plain_case_runs(trials, seconds, ok=code is ExitCode.OK))
        case Output.JUNIT:
            typer.echo(junit(trials), nl=False)
        case Output.TEXT:
            _show(options, trials, seconds)
    if below:
        errors().show(*below)
    return code


def _write_junit(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise cannot_write(file, error) from error


def _exit_code(trials: Sequence[CaseRun]) -> ExitCode:
    if any(one.problems for one in trials):
        return ExitCode.POLICY
    return ExitCode.CASES if any(one.failed for one in trials) else ExitCode.OK


def _no_case(options: RunOptions, trials: Sequence[CaseRun]) -> str:
    """Return why no case was run, or "" if one was."""
    if any(one.results for one in trials):
        return ""
    if not trials:
        return f"no version {options.version} among these{suggestion(options.version, _numbers(options))}"
    return f"-k {options.expression}: no case has these words" if options.expression else "there are no cases"


def _numbers(options: RunOptions) -> Iterable[str]:
    every = (run_cases(source, lambda _: False) for source in _sources(options))
    return [one.ref.version for one in every if one is not None and one.ref is not None]


def _below_threshold(options: RunOptions, trials: Sequence[CaseRun]) -> Iterator[Text]:
    """Yield a message for each version whose coverage is below a threshold."""
    for one in trials:
        if one.coverage is None:
            continue
        for what, least, share in (
            ("rules", options.threshold, one.coverage.rules),
            ("cells", options.cell_threshold, one.coverage.cells),
        ):
            if least is not None and percent(*share) < least:
                yield Text.assemble(
                    ("error: ", "bold red"),
                    f"{one.source.root}: the cases cover {share_text(*share)} % of the {what}; "
                    f"the threshold is {least:g} %",
                )


def _show(options: RunOptions, trials: Sequence[CaseRun], seconds: float) -> None:
    screen = results()
    for one in trials:
        screen.show(*case_run_parts(one, verbose=options.verbose))
        if one.coverage is not None and one.version is not None:
            screen.show(*coverage_parts(one.version, one.coverage))
        screen.show("")
    screen.show(summary_text(trials, seconds))


def _is_policy(_: object, path: str) -> bool:
    return is_policy_name(Path(path).name)


def _run_on_clear_screen(options: RunOptions, now: Callable[[], object] = utc_now) -> None:
    """Run the cases once on a clear screen; an error is shown, and does not end the watching."""
    if sys.stdout.isatty():
        sys.stdout.write(CLEAR)
    results().show(Text(f"{now():%Y-%m-%d %H:%M:%S} UTC", "dim"), "")
    with suppress(typer.Exit):
        _run(options)
    results().show(Text("watching; Ctrl-C ends it", "dim"))
