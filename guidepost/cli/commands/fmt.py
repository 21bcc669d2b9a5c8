"""``guidepost fmt``: format policy files without changing their meaning."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from engine.load.files import ENDINGS
from engine.model.problems import Place, Problem
from guidepost.atomic_file import write_atomically
from guidepost.cli.options.policies_folder import find_folder
from guidepost.policies.format import Formatted, format_text
from guidepost.policies.sources.folder import MAX_BYTES
from guidepost.render.console import ExitCode, Screen, cannot_write, command_error, count, errors, results
from guidepost.render.messages import problem_text
from guidepost.text_encoding import decode_text

STANDARD: Final = "-"
"""The path that means standard input and output."""


def fmt(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH]...",
            help="Files and folders, with all YAML files below them; - is standard input. Default: the policies folder.",
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 3 if a file would change.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing; show what would change.")] = False,
) -> None:
    """Format policy files without changing their meaning.

    Sets indentation, the columns of matrices, spaces and empty lines. Comments, quotes and order are kept. A file whose
    meaning would change is left unchanged. Exits with 3 if a file cannot be read or formatted, and with --check also if
    a file would change.
    """
    if list(paths or ()) == [STANDARD]:
        _through(sys.stdin.read(), check=check, diff=diff)
        return
    changed: list[str] = []
    problems: list[Problem] = []
    left_alone: list[str] = []
    files = _files(paths or [str(find_folder(None))])
    for path in files:
        text = _read(path, problems)
        made = format_text(str(path), text) if text is not None else Formatted("")
        problems += made.problems
        left_alone += [f"{path}: left unchanged: {made.left_alone}"] if made.left_alone else []
        if text is None or made.text == text or made.problems or made.left_alone:
            continue
        changed.append(str(path))
        if diff:
            _show_diff(results(), text, made.text, str(path))
        elif not check:
            _replace(path, made.text)
    _say(files, changed, problems, left_alone, wrote=not (check or diff), check=check)


def _say(
    files: list[Path], changed: list[str], problems: list[Problem], left_alone: list[str], *, wrote: bool, check: bool
) -> None:
    verb = "wrote" if wrote else "would change"
    same = len(files) - len(changed)
    errors().show(
        *map(problem_text, sorted(problems)),
        *(Text(line, "yellow", no_wrap=True) for line in left_alone),
        *(Text(f"{verb} {name}", no_wrap=True) for name in changed),
        f"{count(len(files), 'file')}: {len(changed):,} {'written' if wrote else 'would change'}, {same:,} unchanged",
    )
    if problems or left_alone or (check and changed):
        raise typer.Exit(int(ExitCode.POLICY))


def _through(text: str, *, check: bool, diff: bool) -> None:
    """Format standard input to standard output; text that cannot be formatted is written unchanged."""
    made = format_text("<stdin>", text)
    if diff:
        _show_diff(results(), text, made.text, "<stdin>")
    elif not check:
        sys.stdout.write(made.text)
    messages: list[RenderableType] = [
        *map(problem_text, made.problems),
        *([f"left unchanged: {made.left_alone}"] if made.left_alone else []),
    ]
    if messages:
        errors().show(*messages)
    if made.problems or made.left_alone or (check and made.text != text):
        raise typer.Exit(int(ExitCode.POLICY))


def _files(paths: Iterable[str]) -> list[Path]:
    """Return the files of all paths, each once, in order."""
    return list(dict.fromkeys(path for name in paths for path in _below(Path(name))))


def _below(path: Path) -> Iterator[Path]:
    if path.is_dir():
        found = (one for end in ENDINGS for one in path.rglob(f"*{end}"))
        yield from sorted(
            one
            for one in found
            if one.is_file() and not any(part.startswith(".") for part in one.relative_to(path).parts)
        )
    elif path.is_file():
        yield path
    else:
        raise command_error(f"no such file or folder: {path}")


def _read(path: Path, problems: list[Problem]) -> str | None:
    try:
        if path.stat().st_size > MAX_BYTES:
            problems.append(
                Problem(
                    place=Place(file=str(path)),
                    code="too-large",
                    message=f"expected at most {MAX_BYTES:,} bytes, got {path.stat().st_size:,}",
                )
            )
            return None
        text = decode_text(str(path), path.read_bytes())
        if isinstance(text, str):
            return text
        problems.append(text)
    except OSError as error:
        problems.append(Problem(place=Place(file=str(path)), code="yaml", message=f"cannot be read: {error.strerror}"))
    return None


def _replace(path: Path, text: str) -> None:
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise cannot_write(path, error) from error


def _show_diff(screen: Screen, before: str, after: str, name: str) -> None:
    styles = {"+": "green", "-": "red", "@": "cyan"}
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), name, f"{name} (formatted)", lineterm=""):
        screen.show(Text(line, styles.get(line[:1], ""), no_wrap=True))
