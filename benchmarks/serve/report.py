"""The page with the results: figures, and ratios against the goals."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

DECISIONS: Final = 6
"""What one triage decides of a ticket: priority, response with its due time, channel, scope, coverage, intake."""

INTRODUCTION: Final = """\
# How fast a server answers

Written by `python -m benchmarks.serve`; do not edit. All servers run at once, each with two workers (Cerbos: with all cores),
and are loaded in turns on the same machine, which also runs the load; figures are medians of the rounds, ratios are taken
within each round. Processor time is that of all processes of a server.

How decisions are counted: Cerbos decides one thing of one ticket in a check (one action on one resource), its priority by
the same matrix, with an output. A triage decides six (priority, response with its due time, channel, scope, coverage, intake),
each with its rules, places and assumptions, and records them. "Decisions" counts six against one, "tickets" one against one.
Cerbos has no audit log here: it would only be slower with one. Its answer has 126 bytes, Guidepost's 12,200.
"""

NAMES: Final = {
    "off": "Guidepost, log off",
    "bounded": "Guidepost, log bounded",
    "sync": "Guidepost, log sync",
    "floor": "its floor: the same server, a constant answer",
}
Rounds = Mapping[str, Sequence[Mapping[str, float]]]


def page(found: Mapping[str, Any]) -> str:
    """Yield the lines of the page."""
    parts = [
        INTRODUCTION,
        "## Machine\n",
        *(f"- {what}: {value}" for what, value in found["machine"].items()),
        f"- rounds: {found['rounds']} of {found['seconds']} s",
    ]
    for calls, rounds in found.get("unary", {}).items():
        parts += [
            "",
            f"## One ticket a call, {calls} calls in flight",
            "",
            *_table(rounds, 1),
            "",
            *_goals(rounds, 1, {"sync": 2, "bounded": 3} if calls == "128" else {}),
        ]
    for size, rounds in found.get("batches", {}).items():
        parts += [
            "",
            f"## {size} tickets a call, 8 calls in flight",
            "",
            *_table(rounds, int(size)),
            "",
            *_goals(rounds, int(size), {"sync": 10, "bounded": 10}),
        ]
    if "coalescing" in found:
        parts += ["", "## The Python client, 64 callers at once", "", *_coalescing(found["coalescing"])]
    if "memory" in found:
        parts += ["", "## Memory of a worker", "", *_memory(found["memory"])]
    for what, one in found.get("profile", {}).items():
        parts += ["", f"## Where the time goes: {what}, log sync", "", *_profile(one)]
    return "\n".join(parts) + "\n"


def _table(rounds: Rounds, size: int) -> Iterator[str]:
    yield "| server | calls/s | tickets/s | processor a ticket | 50 % | 99 % |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name, seen in rounds.items():
        rate, processor, p50, p99 = (_middle(seen, what) for what in ("rate", "processor", "p50", "p99"))
        yield f"| {NAMES.get(name, name)} | {rate:,.0f} | {rate * size:,.0f} | {processor / size:,.0f} µs | {p50:.2f} ms | {p99:.2f} ms |"


def _goals(rounds: Rounds, size: int, goals: Mapping[str, float]) -> Iterator[str]:
    """Compare with Cerbos, in each round."""
    if "Cerbos" not in rounds:
        yield "Cerbos is not installed, and left out."
        return
    yield "| against Cerbos | decisions/s | goal | met | tickets/s | decisions for the same processor time | 99 % |"
    yield "|---|--:|--:|---|--:|--:|--:|"
    for name in ("sync", "bounded", "off"):
        tickets, cost, p99 = (_ratio(rounds, name, what) for what in ("rate", "processor", "p99"))
        goal, met = (
            (f"{goals[name]:g}x", "yes" if DECISIONS * tickets >= goals[name] else "no") if name in goals else ("", "")
        )
        slower = "lower" if p99 < 1 else "higher"
        yield f"| {NAMES[name]} | {DECISIONS * tickets:.2f}x | {goal} | {met} | {tickets:.2f}x | {DECISIONS / cost:.2f}x | {p99:.2f}x, {slower} |"
    if size > 1:
        yield ""
        yield f"25x would take {_middle(rounds['Cerbos'], 'processor') / size * DECISIONS / 25:.0f} µs of processor time a ticket, record and bytes included; it is {_middle(rounds['sync'], 'processor') / size:.0f} µs."


def _ratio(rounds: Rounds, name: str, what: str) -> float:
    return statistics.median(
        ours[what] / theirs[what] for ours, theirs in zip(rounds[name], rounds["Cerbos"], strict=True)
    )


def _coalescing(found: Mapping[str, Mapping[str, Sequence[float]]]) -> Iterator[str]:
    yield "| log | alone, triages/s | together, triages/s | together against alone | goal | met |"
    yield "|---|--:|--:|--:|--:|---|"
    for name, rates in found.items():
        ratio = statistics.median(two / one for one, two in zip(rates["alone"], rates["together"], strict=True))
        alone, together = (statistics.median(rates[what]) for what in ("alone", "together"))
        yield f"| {name} | {alone:,.0f} | {together:,.0f} | {ratio:.2f}x | 3x | {'yes' if ratio >= 3 else 'no'} |"


def _memory(held: Sequence[Mapping[str, float]]) -> Iterator[str]:
    yield "Tickets that came in batches count each; the log is bounded."
    yield ""
    yield "| tickets | resident | its own alone |"
    yield "|--:|--:|--:|"
    for one in held:
        yield f"| {one['tickets']:,} | {one['resident']:.0f} MB | {one['own']:.0f} MB |"
    most = max(one["resident"] for one in held)
    yield ""
    yield f"Goal: under 150 MB: {'yes' if most < 150 else 'no'}. From the second look to the last: {held[-1]['resident'] - held[1]['resident']:+.0f} MB."


def _profile(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"{one['microseconds']:,.0f} µs a call while every Python function is timed, which makes Python look dearer than it is."
    yield ""
    yield "| part | share |"
    yield "|---|--:|"
    for part, share in one["shares"].items():
        yield f"| {part} | {share:.0f} % |"


def _middle(seen: Sequence[Mapping[str, float]], what: str) -> float:
    return statistics.median(one[what] for one in seen)
