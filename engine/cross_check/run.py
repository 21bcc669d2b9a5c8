"""Cross-check tables: start the child, wait for it, and compare its answers with the tables that serve.

The child is a process of its own, since durable-rules can end it by a segmentation fault; whatever happens to it is
returned as a value.
"""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from engine.cross_check.compare import Words, compare
from engine.cross_check.plan import BUDGET, Plan, plan
from engine.cross_check.report import CrossCheckReport, Disagreement, Failure, TableCrossCheck
from engine.cross_check.table import CrossCheckTable
from engine.cross_check.worker import NOT_INSTALLED

WORKER: Final = Path(__file__).with_name("worker.py")
COMMAND: Final = (sys.executable, "-P", str(WORKER))
"""The child: run by path, so that it need not import the engine; -P keeps this folder off its import path."""

TIMEOUT_SECONDS: Final = 120.0

_INSTALL: Final = "install Guidepost for Python 3.11 or 3.12; `guidepost check --no-cross-check` checks everything else"

_PROGRESS: Final = struct.Struct("<3q")
_NOT_STARTED: Final = (-1, -1, -1)


def cross_check_tables(
    tables: Iterable[CrossCheckTable],
    *,
    budget: int = BUDGET,
    seed: int = 0,
    timeout_seconds: float = TIMEOUT_SECONDS,
    command: Sequence[str] | None = None,
) -> CrossCheckReport:
    """Put tables to durable-rules and report where it disagrees with them.

    Args:
        tables: the tables to check.
        budget: network cells of a table up to which it is checked whole.
        seed: chooses the sample of a table beyond the budget.
        timeout_seconds: the child is ended after this time.
        command: the child, if not the usual one; gets the paths of plan, progress and answers.

    Returns:
        The report. A crash, time-out or error of the child is a failure in it; tables that were answered for before
        that are reported too.
    """
    planned = plan(tables, budget=budget, seed=seed)
    answers, failures = _ask(planned, timeout_seconds, COMMAND if command is None else command)
    results: list[TableCrossCheck] = []
    disagreements: list[Disagreement] = []
    start = 0
    for table in planned.tables:
        if start + table.asked > len(answers):
            break
        words: list[Words] = []
        for question in table.questions:
            words.append(answers[start : start + question.count])
            start += question.count
        result, found = compare(table, words)
        results.append(result)
        disagreements.extend(found)
    return CrossCheckReport(tuple(results), tuple(disagreements), failures)


def _ask(planned: Plan, timeout_seconds: float, command: Sequence[str]) -> tuple[Words, tuple[Failure, ...]]:
    """Run the child; return the answers that it wrote, and why there are no more."""
    if not planned.asked:
        return np.zeros(0, dtype=np.uint64), ()
    with TemporaryDirectory(prefix="guidepost-cross-check-") as name:
        folder = Path(name)
        paths = [folder / "plan.json", folder / "progress", folder / "answers"]
        paths[0].write_text(json.dumps(planned.as_plain()), encoding="utf-8")
        paths[1].write_bytes(_PROGRESS.pack(*_NOT_STARTED))
        paths[2].touch()
        with (folder / "stderr").open("w+b") as said:
            reason = _run([*command, *map(str, paths)], timeout_seconds, said.fileno())
            said.seek(0)
            last_words = said.read()[-4096:].decode(errors="replace").strip()
        written = paths[2].read_bytes()
        answers = np.frombuffer(written[: len(written) // 8 * 8], dtype=np.uint64)
        if not reason and len(answers) != planned.asked:
            reason = f"the child answered for {len(answers)} of {planned.asked} cells"
        if not reason:
            return answers, ()
        last = last_words.splitlines()[-1][:300] if last_words else ""
        if last.startswith(NOT_INSTALLED):
            return answers, (Failure(table=None, cell=None, reason=last, help=_INSTALL),)
        return answers, (_failure(planned, paths[1].read_bytes(), f"{reason}: {last}" if last else reason),)


def _run(command: Sequence[str], timeout_seconds: float, stderr: int) -> str:
    """Run a command; return what went wrong, "" for nothing."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the child was ended after {timeout_seconds:g} seconds"
    except OSError as error:
        return f"the child did not start: {error}"
    if done.returncode < 0:
        try:
            return f"the child was ended by {signal.Signals(-done.returncode).name}"
        except ValueError:
            return f"the child was ended by signal {-done.returncode}"
    return f"the child ended with exit code {done.returncode}" if done.returncode else ""


def _failure(planned: Plan, progress: bytes, reason: str) -> Failure:
    """Name the table and the cell at which the child stopped."""
    table, question, position = _PROGRESS.unpack(progress[: _PROGRESS.size])
    if table < 0:
        return Failure(table=None, cell=None, reason=reason)
    return Failure(table=planned.tables[table].table.name, cell=planned.cell(table, question, position), reason=reason)
