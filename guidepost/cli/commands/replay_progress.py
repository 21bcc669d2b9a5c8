"""A progress bar for a replay: rows, rows per second and the time left, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from guidepost.replay.run import OnProgress

LONGEST: Final = 32
"""How many characters of a name are shown next to the bar."""


class RateColumn(ProgressColumn):
    """The number of rows, and rows per second."""

    def render(self, task: Task) -> Text:
        """Return both as text."""
        rows = int(task.fields.get("rows", 0))
        rate = f"{rows / task.elapsed:,.0f} rows/s" if task.elapsed else ""
        return Text(f"{rows:,} rows  {rate}", style="cyan")


@contextmanager
def progress(what: str) -> Iterator[OnProgress]:
    """Show a bar on standard error while the block runs; yield the function that advances it."""
    if not sys.stderr.isatty():
        yield lambda _rows, _share: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), RateColumn(), TimeRemainingColumn())
    rows = 0
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(what if len(what) <= LONGEST else f"{what[: LONGEST - 1]}…", total=None)

        def watch(more: int, share: float | None) -> None:
            nonlocal rows
            rows += more
            bar.update(task, rows=rows)
            if share is not None:
                bar.update(task, total=1.0, completed=share)

        yield watch
