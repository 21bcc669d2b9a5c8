"""``guidepost test``: the policies' own cases, run; what they cover; and cases for what they leave out."""

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

from engine.cases.coverage import percent
from engine.cases.propose import plain, propose
from engine.cases.select import NotAnExpression, Selection, read_selection
from engine.cases.written import cases_text
from engine.load.files import is_policy_name
from guidepost.cli.options.policies_folder import find_folder, refused_policies, utc_now
from guidepost.cli.options.version_spec import open_source
from guidepost.policies.format import format_text
from guidepost.policies.run_cases import CaseRun, CaseSource, run_cases
from guidepost.policies.sources.folder import read_folder, version_folders
from guidepost.render.cases_console import coverage_parts, plain_trials, share_text, summary_text, trial_parts
from guidepost.render.console import ExitCode, count, errors, meant, refused, results, show_json
from guidepost.render.junit import junit


class Output(StrEnum):
    """How the results are written."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


CLEAR: Final = "\x1b[2J\x1b[H"
"""What empties a terminal."""

CASES: Final = "cases"
"""The folder, in that of a version, that holds its cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a run."""

    sources: tuple[str, ...]
    version: str
    selection: Selection | None
    expression: str
    stop: bool
    verbose: bool
    output: Output
    junit: Path | None
    coverage: bool
    threshold: float | None
    cell_threshold: float | None


def policy_tests(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DIR|VERSION]...",
            help="Policies folders, with their past versions; or versions: a number, a git revision, a bundle.",
        ),
    ] = None,
    version: Annotated[str, typer.Option("--version", metavar="VERSION", help="Only the version of this number.")] = "",
    expression: Annotated[
        str,
        typer.Option(
            "-k",
            metavar="EXPRESSION",
            help="Only cases whose name, file or decision has these words; with `and`, `or`, `not` and parentheses.",
        ),
    ] = "",
    stop: Annotated[bool, typer.Option("-x", help="Stop at the first case that fails.")] = False,
    verbose: Annotated[bool, typer.Option("-v", help="List every case.")] = False,
    output: Annotated[Output, typer.Option("-o", "--output", help="How to write the results.")] = Output.TEXT,
    junit_file: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also write the results to a file, as JUnit XML.")
    ] = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="Say which rules and cells the cases cover.")] = False,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold", metavar="PERCENT", min=0, max=100, help="Fail if a version has fewer of its rules covered."
        ),
    ] = None,
    cell_threshold: Annotated[
        float | None,
        typer.Option(
            "--cell-threshold",
            metavar="PERCENT",
            min=0,
            max=100,
            help="Fail if a version has fewer of its cells covered.",
        ),
    ] = None,
    generate: Annotated[
        bool, typer.Option("--generate", help="Propose cases for what is not covered, as YAML to review.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="With --generate: propose them for everything.")] = False,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="With --generate: write a new file.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Run again whenever a file changes, until Ctrl-C.")] = False,
) -> None:
    """Run the policies' own cases: each ticket is decided, and the answer compared with what its case expects.

    Ends with 3 if a policy or a case has problems, with 4 if a case came out otherwise, with 5 if less is covered than
    asked for, and with 2 if there is no such case.
    """
    selection = _selection(expression)
    wanted = Wanted(
        sources=tuple(sources or ()),
        version=version,
        selection=selection,
        expression=expression,
        stop=stop,
        verbose=verbose,
        output=output,
        junit=junit_file,
        coverage=coverage or threshold is not None or cell_threshold is not None,
        threshold=threshold,
        cell_threshold=cell_threshold,
    )
    _fitting(wanted, generate=generate, everything=everything, to=to, watch=watch)
    if watch:
        _watch(wanted)
    elif generate:
        _generate(wanted, to, everything=everything)
    else:
        code = _run(wanted)
        if code is not ExitCode.OK:
            raise typer.Exit(int(code))


def _selection(expression: str) -> Selection | None:
    try:
        return read_selection(expression) if expression else None
    except NotAnExpression as error:
        shown = Text(f"  {expression}\n  {' ' * (error.at - 1)}^ {error.message}", no_wrap=True)
        raise refused("-k is a word, or words with `and`, `or`, `not` and parentheses", shown) from error


def _fitting(wanted: Wanted, *, generate: bool, everything: bool, to: Path | None, watch: bool) -> None:
    """Refuse options that say nothing together."""
    if (everything or to is not None) and not generate:
        raise refused("--all and --to are for --generate")
    if generate and (watch or wanted.expression or wanted.output is not Output.TEXT or wanted.junit or wanted.coverage):
        raise refused("--generate writes YAML: leave out -k, -o, --junit, --coverage, the thresholds and --watch")
    if watch and wanted.output is not Output.TEXT:
        raise refused("--watch is for people: leave out -o")
    if to is not None and to.exists():
        raise refused(f"{to} is there already; nothing is overwritten")


# ---- What is run


def _sources(wanted: Wanted) -> Iterator[CaseSource]:
    """Yield the versions that are asked for: all of each folder, and those that are named otherwise."""
    default = (
        find_folder(None) if not wanted.sources or not all(Path(name).is_dir() for name in wanted.sources) else Path()
    )
    for name in wanted.sources or (str(default),):
        if Path(name).is_dir():
            for folder in version_folders(Path(name), as_typed=True):
                yield CaseSource(folder.root, lambda folder=folder: read_folder(folder), name)  # type: ignore[misc]
            continue
        source = open_source(name, policies=default)
        yield CaseSource(source.root, lambda files=source.files: files, "")  # type: ignore[misc]


def _trials(wanted: Wanted, *, covered: bool) -> Iterator[CaseRun]:
    failed = False
    for source in _sources(wanted):
        with errors().working(f"testing {source.root}"):
            trial = (
                None
                if failed
                else run_cases(source, wanted.selection, only=wanted.version, stop=wanted.stop, measure=covered)
            )
        if trial is not None:
            failed = wanted.stop and bool(trial.failed)
            yield trial


def _run(wanted: Wanted) -> ExitCode:
    """Run the cases once, say what came of them, and give how the command ends."""
    start = perf_counter()
    trials = tuple(_trials(wanted, covered=wanted.coverage))
    seconds = perf_counter() - start
    code = _code(trials)
    nothing = _nothing(trials, wanted) if code is ExitCode.OK else ""
    below = [] if nothing or code is ExitCode.POLICY else list(_below(trials, wanted))
    if nothing:
        raise refused(nothing)
    if code is ExitCode.OK and below:
        code = ExitCode.COVERAGE
    if wanted.junit is not None:
        _write_report(wanted.junit, junit(trials))
    match wanted.output:
        case Output.JSON:
            show_json(plain_trials(trials, seconds, ok=code is ExitCode.OK))
        case Output.JUNIT:
            typer.echo(junit(trials), nl=False)
        case Output.TEXT:
            _show(trials, seconds, wanted)
    if below:
        errors().show(*below)
    return code


def _write_report(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise refused(f"{file} cannot be written: {error.strerror}") from error


def _code(trials: Sequence[CaseRun]) -> ExitCode:
    if any(one.problems for one in trials):
        return ExitCode.POLICY
    return ExitCode.CASES if any(one.failed for one in trials) else ExitCode.OK


def _nothing(trials: Sequence[CaseRun], wanted: Wanted) -> str:
    """Return why no case was run, or nothing if one was."""
    if any(one.results for one in trials):
        return ""
    if not trials:
        return f"no version {wanted.version} among these{meant(wanted.version, _numbers(wanted))}"
    return f"-k {wanted.expression}: no case has these words" if wanted.expression else "there are no cases"


def _numbers(wanted: Wanted) -> Iterable[str]:
    every = (run_cases(source, lambda _: False) for source in _sources(wanted))
    return [one.ref.version for one in every if one is not None and one.ref is not None]


def _below(trials: Sequence[CaseRun], wanted: Wanted) -> Iterator[Text]:
    """Yield which versions are covered less than was asked for."""
    for one in trials:
        if one.coverage is None:
            continue
        for what, least, share in (
            ("rules", wanted.threshold, one.coverage.rules),
            ("cells", wanted.cell_threshold, one.coverage.cells),
        ):
            if least is not None and percent(*share) < least:
                yield Text.assemble(
                    ("error: ", "bold red"),
                    f"{one.source.root}: the cases cover {share_text(*share)} % of the {what}; {least:g} % are asked for",
                )


def _show(trials: Sequence[CaseRun], seconds: float, wanted: Wanted) -> None:
    screen = results()
    for one in trials:
        screen.show(*trial_parts(one, verbose=wanted.verbose))
        if one.coverage is not None and one.version is not None:
            screen.show(*coverage_parts(one.version, one.coverage))
        screen.show("")
    screen.show(summary_text(trials, seconds))


# ---- Proposing cases


def _generate(wanted: Wanted, to: Path | None, *, everything: bool) -> None:
    """Propose cases for one version: the one that is asked for, else the first of the folder, the working one."""
    trial = next(_trials(wanted, covered=True), None)
    if trial is None:
        raise refused(_nothing((), wanted))
    if trial.problems or trial.version is None:
        raise refused_policies(Path(trial.source.root), trial.problems)
    proposals = propose(trial.version, trial.cases, trial.touched, everything=everything)
    ref = trial.version.ref
    if not proposals:
        errors().show(
            f"nothing to propose for {ref.name} {ref.version}: the cases cover every rule, threshold, deadline and turn"
        )
        return
    remarks = (
        f"Proposed for {ref.name} {ref.version}: each case expects what is answered now, right or wrong.",
        "Read each against the text that the policy restates; keep what is right, under a name of your own.",
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
        raise refused(f"{to} cannot be written: {error.strerror}") from error
    errors().show(f"wrote {count(len(proposals), 'case')} to {to}")


# ---- Watching


def _watch(wanted: Wanted) -> None:
    """Run the cases, and again after each change of a policy file, until Ctrl-C."""
    folders = [Path(name) for name in wanted.sources] or [find_folder(None)]
    if elsewhere := [str(folder) for folder in folders if not folder.is_dir()]:
        raise refused(f"--watch watches folders; {', '.join(elsewhere)} is none")
    run = False
    try:
        # It watches before the first run, so that a change during a run counts: the first round ends without any.
        for changes in watchfiles.watch(
            *folders, watch_filter=_is_policy, debounce=400, rust_timeout=100, yield_on_timeout=True
        ):
            if changes or not run:
                _once(wanted)
                run = True
    except KeyboardInterrupt:
        errors().show("")


def _is_policy(_: object, path: str) -> bool:
    return is_policy_name(Path(path).name)


def _once(wanted: Wanted, now: Callable[[], object] = utc_now) -> None:
    """Run the cases once on a clear screen; what is wrong is shown, and ends nothing."""
    if sys.stdout.isatty():
        sys.stdout.write(CLEAR)
    results().show(Text(f"{now():%Y-%m-%d %H:%M:%S} UTC", "dim"), "")
    with suppress(typer.Exit):
        _run(wanted)
    results().show(Text("watching; Ctrl-C ends it", "dim"))
