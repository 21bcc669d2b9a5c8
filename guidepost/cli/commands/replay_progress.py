"""How far a replay is: rows, how many a second, and the time left; on a terminal, and nowhere else."""

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
"""How much of a name is shown beside the bar."""


class RateColumn(ProgressColumn):
    """How many rows there were, and how many a second."""

    def render(self, task: Task) -> Text:
        """Write both."""
        rows = int(task.fields.get("rows", 0))
        rate = f"{rows / task.elapsed:,.0f} rows/s" if task.elapsed else ""
        return Text(f"{rows:,} rows  {rate}", style="cyan")


@contextmanager
def progress(what: str) -> Iterator[OnProgress]:
    """Show on standard error how far something is, as long as the block runs; give what is to be told of it."""
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
