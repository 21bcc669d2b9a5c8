"""The terminal: standard output and error, colours, width and exit codes.

Results go to standard output, everything else to standard error. Colours are used on terminals only, unless
``NO_COLOR`` is set. Text in a file or a pipe is not wrapped, unless ``COLUMNS`` sets a width.

Control characters and marks of writing direction are written as escapes, whether they come from a fact, the name of a
file or a policy of a foreign branch.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import IntEnum, StrEnum
from io import StringIO
from pathlib import Path
from typing import Any, Final, TextIO

import typer
from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from engine.model.did_you_mean import nearest
from engine.model.quoting import visible_json, visible_lines
from guidepost.render.messages import Message

JsonObject = dict[str, Any]
"""An object of a JSON document."""

WIDE: Final = 10_000
"""The width of a console that is not a terminal, wider than any line."""

DID_YOU_MEAN: Final = "; did you mean"
"""The beginning of a suggestion at the end of a message."""

LONGEST_WORD: Final = 80
"""A table breaks words that are longer than this."""

_RULER: Final = Console(width=WIDE, file=StringIO(), markup=False, emoji=False, highlight=False, force_terminal=False)

RANKS: Final = ("bold red", "dark_orange", "yellow", "green", "cyan", "blue", "magenta")
"""The colours of the values of a choice, by their order in the vocabulary."""


class ExitCode(IntEnum):
    """The exit codes of all commands."""

    OK = 0
    UNHEALTHY = 1
    USAGE = 2
    POLICY = 3
    CASES = 4
    COVERAGE = 5
    BUDGET = 6
    LOG = 7


class TableOrJson(StrEnum):
    """The formats of an answer or a policy."""

    TABLE = "table"
    JSON = "json"


class TextOrJson(StrEnum):
    """The formats of a list of problems."""

    TEXT = "text"
    JSON = "json"


class _SafeConsole(Console):
    """A console that escapes the control characters of texts, but not its own colours."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible_lines(segment.text), segment.style)


class _WholeTable:
    """A table that is at least as wide as its longest words, even if the terminal is narrower."""

    def __init__(self, table: RenderableType) -> None:
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        least = Measurement.get(_RULER, _RULER.options, self._table).minimum
        yield from console.render(self._table, options.update(width=max(least, options.max_width)))


def _is_table(part: RenderableType) -> bool:
    return isinstance(part.renderable if isinstance(part, Padding) else part, Table)


class Screen:
    """A stream for text and tables, as wide as the terminal or ``COLUMNS``, or else as wide as its lines."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._console = _SafeConsole(
            file=stream,
            width=None if self._is_terminal else _columns(),
            force_terminal=None if self._is_terminal else False,
            highlight=False,
            markup=False,
            emoji=False,
        )

    def show(self, *parts: RenderableType) -> None:
        """Write parts below each other, or an empty line; messages and texts with ``no_wrap`` keep their lines."""
        if self._is_terminal:
            self._print(parts)
            return
        with self._console.capture() as captured:
            self._print(parts)
        for line in captured.get().split("\n")[:-1]:
            self._stream.write(line.rstrip() + "\n")
        self._stream.flush()

    def _print(self, parts: Sequence[RenderableType]) -> None:
        for part in parts or ("",):
            lines = isinstance(part, Message) or (isinstance(part, Text) and bool(part.no_wrap))
            self._console.print(_WholeTable(part) if _is_table(part) else part, soft_wrap=lines, crop=False)

    def working(self, what: str) -> AbstractContextManager[object]:
        """Show on a terminal what is in progress while the block runs."""
        return self._console.status(what) if self._is_terminal else nullcontext()


def _columns() -> int:
    """Return the width of a stream that is not a terminal: ``COLUMNS``, or wider than any line."""
    wanted = os.environ.get("COLUMNS", "")
    return int(wanted) if wanted.isascii() and wanted.isdigit() and int(wanted) > 0 else WIDE


def results() -> Screen:
    """Return the screen for results: standard output."""
    return Screen(sys.stdout)


def errors() -> Screen:
    """Return the screen for messages: standard error."""
    return Screen(sys.stderr)


def show_json(plain: object) -> None:
    """Write data to standard output as indented JSON, without colours."""
    sys.stdout.write(json_text(plain))


def json_text(plain: object) -> str:
    """Return data as indented JSON with a final line break; control characters are escaped."""
    return visible_json(json.dumps(plain, indent=2, ensure_ascii=False)) + "\n"


def command_error(message: str, *details: RenderableType, code: ExitCode = ExitCode.USAGE) -> typer.Exit:
    """Report an error on standard error; return the exit to raise, which ends the command with this code."""
    screen = errors()
    # Escaped here because Rich drops some control characters, such as BEL and BS, and two words could look alike.
    screen.show(Text.assemble(("error: ", "bold red"), visible_lines(message)))
    if details:
        screen.show(*details)
    return typer.Exit(int(code))


def help_lines(help_: str) -> list[str]:
    """Return the line with the help of an error, if it has one."""
    return [f"help: {help_}"] if help_ else []


def cannot_write(path: Path | str, error: OSError) -> typer.Exit:
    """Report on standard error that a file cannot be written; return the exit to raise."""
    return command_error(f"{path} cannot be written: {error.strerror or error}")


def cannot_read(path: Path | str, error: OSError) -> typer.Exit:
    """Report on standard error that a file cannot be read; return the exit to raise."""
    return command_error(f"{path} cannot be read: {error.strerror or error}")


def indented(part: RenderableType, columns: int = 2) -> RenderableType:
    """Indent a part; a text with ``no_wrap``, such as a command to copy, keeps its lines."""
    if isinstance(part, Text) and part.no_wrap:
        return Text("\n", no_wrap=True).join(Text.assemble(" " * columns, line) for line in part.split("\n"))
    return Padding(part, (0, 0, 0, columns))


def grid(rows: Sequence[Sequence[RenderableType]], *styles: str) -> Table:
    """Return a table without rules; ``styles`` are for its columns. Like ``sectioned_table``, it breaks no word."""
    table = Table.grid(padding=(0, 2))
    for index in range(max((len(row) for row in rows), default=0)):
        table.add_column(style=styles[index] if index < len(styles) else "", overflow="fold")
    for row in rows:
        table.add_row(*row)
    _keep_words(table)
    return table


class _Rows:
    """Rows in columns on a terminal; elsewhere each on its own line, since no line is padded for another."""

    def __init__(self, rows: Sequence[Sequence[RenderableType]]) -> None:
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[RenderableType]:
        if options.max_width < WIDE // 2:
            yield _WholeTable(grid(self._rows))
        else:
            yield from (grid([row]) for row in self._rows)


def listed_rows(rows: Sequence[Sequence[RenderableType]]) -> RenderableType:
    """Return rows whose cells can be long."""
    return _Rows(rows)


def ruled_table(headings: Sequence[str], rows: Sequence[Sequence[RenderableType]]) -> Table:
    """Return a table with a rule below its headings."""
    return sectioned_table(headings, [rows])


def sectioned_table(headings: Sequence[str], groups: Iterable[Sequence[Sequence[RenderableType]]]) -> Table:
    """Return a table with a rule below its headings and between its groups of rows.

    No id, place or instant is broken: columns fold between words, and a table that still does not fit is wider than the
    terminal.
    """
    table = Table(box=box.HORIZONTALS, pad_edge=False, header_style="bold", show_edge=False)
    for position, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", no_wrap=position == 0)
    for rows in groups:
        for row in rows:
            table.add_row(*row)
        table.add_section()
    _keep_words(table)
    return table


def _keep_words(table: Table) -> None:
    """Set the minimum widths of a table's columns so that only texts of several words fold."""
    sizes = [_size(column) for column in table.columns]
    folding = [not column.no_wrap and least < most for column, (least, most) in zip(table.columns, sizes, strict=True)]
    # Rich narrows the widest columns first, down to a common width, so each gets room for the longest word of any.
    word = max((least for (least, _), folds in zip(sizes, folding, strict=True) if folds), default=0)
    for column, (_, most), folds in zip(table.columns, sizes, folding, strict=True):
        column.no_wrap = not folds
        column.min_width = min(most, word) if folds else most


def _size(column: Column) -> tuple[int, int]:
    """Return the widths of the longest word and the longest line of a column; very long words may break."""
    measured = [Measurement.get(_RULER, _RULER.options, cell) for cell in (column.header, *column.cells)]
    return min(LONGEST_WORD, max(one.minimum for one in measured)), max(one.maximum for one in measured)


def rank_style(value: object, values: Sequence[str]) -> str:
    """Return the colour of a choice's value, by its position among the values."""
    return RANKS[values.index(value) % len(RANKS)] if isinstance(value, str) and value in values else ""


def suggestion(word: str, known: Iterable[str], prefix: str = "") -> str:
    """Return the end of a message on an unknown word: the nearest known word, or "" if none is similar.

    >>> suggestion("prioritty", ["priority", "scope"]), suggestion("xyz", ["priority"])
    ('; did you mean `priority`?', '')
    """
    near = nearest(word, known, limit=1)
    return f"{DID_YOU_MEAN} `{prefix}{near[0]}`?" if near else ""


def count(number: int, noun: str, nouns: str = "") -> str:
    """Return a number with its noun in the singular or plural.

    >>> count(1, "case"), count(1200, "case"), count(2, "policy", "policies")
    ('1 case', '1,200 cases', '2 policies')
    """
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"
