"""Run all measurements, print them, and write RESULTS.md and results.json beside this file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from benchmarks import changes, clock, columns, flatness, growth, load, log, look_up, peers, replay, start
from benchmarks.measure import Row, machine

HERE: Final = Path(__file__).resolve().parent

PARTS: Final = {
    "look_up": look_up,
    "load": load,
    "log": log,
    "flatness": flatness,
    "growth": growth,
    "peers": peers,
    "clock": clock,
    "changes": changes,
    "columns": columns,
    "replay": replay,
    "start": start,
}

INTRODUCTION: Final = """\
# How fast Guidepost is

Written by `python -m benchmarks`; do not edit. Each number is the median of several rounds, after a warm-up; where several
contestants are compared, they take turns. Medians and 99 % are of single calls by the wall clock; all other times are
processor time, unless it says otherwise. Both depend on the machine, and somewhat on what else it does. Ratios (x) are
taken within each round and travel better. A goal is a number to stay below.
"""


def main(chosen: list[str]) -> None:
    """Run the parts that are named, or all; only a run of all is written down."""
    rows: list[Row] = []
    for name, part in PARTS.items():
        if chosen and name not in chosen:
            continue
        print(f"… {name}", file=sys.stderr, flush=True)
        rows += part.rows()
    described = machine()
    print("\n".join(_lines(rows)))
    if not chosen:
        found = {"machine": described, "rows": [row.plain() for row in rows]}
        (HERE / "results.json").write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        (HERE / "RESULTS.md").write_text(_page(rows, described), encoding="utf-8")


def _page(rows: list[Row], described: dict[str, str]) -> str:
    about = "\n".join(f"- {what}: {value}" for what, value in described.items())
    return f"{INTRODUCTION}\n## Machine\n\n{about}\n\n## Numbers\n\n" + "\n".join(_lines(rows)) + "\n"


def _lines(rows: list[Row]) -> list[str]:
    """Write the rows as one table, in Markdown that also reads as it stands."""
    written = [("what", "", "value", "goal", "met")]
    last = ""
    for row in rows:
        goal = "" if row.goal is None else f"< {row.goal:g} {row.unit}"
        written.append(
            ("" if row.group == last else row.group, row.what, f"{_number(row.value)} {row.unit}", goal, row.met)
        )
        last = row.group
    widths = [max(len(cells[at]) for cells in written) for at in range(5)]
    lines = [
        "| "
        + " | ".join(
            cell.rjust(width) if at == 2 else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        + " |"
        for cells in written
    ]
    dashes = ["-" * (width - 1) + ":" if at == 2 else "-" * width for at, width in enumerate(widths)]
    return [lines[0], "| " + " | ".join(dashes) + " |", *lines[1:]]


def _number(value: float) -> str:
    return (
        f"{value:,.0f}"
        if value >= 100
        else f"{value:.1f}"
        if value >= 10
        else f"{value:.2f}"
        if value >= 0.1
        else f"{value:.3f}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
