"""A difference as Markdown: the summary of a pull request, long parts folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from engine.diff import DecisionDiff, MatrixDiff, OutcomeDiff, Region, Wording
from engine.diff.wording import place_of
from engine.diff.words import alike_text, change_text, changes_text, decision_text, headline, outcome_text, region_text, ticket_text, wording_text
from service.diffs.report import Report

MOST: Final = 200
"""How many regions of an outcome are written out: a summary of a pull request may not be longer than a megabyte."""


def markdown_text(shown: Report) -> str:
    """Write a report as Markdown."""
    return "\n".join(_lines(shown)) + "\n"


def _lines(shown: Report) -> Iterator[str]:
    one, other = shown.diff.before, shown.diff.after
    yield f"## {other.name}: {one.version} → {other.version}"
    yield f"\n{_escaped(headline(shown.diff))}\n"
    yield f"`{one.digest[:12]}` → `{other.digest[:12]}`"
    if shown.excesses:
        yield "\n### More than it may\n"
        for excess in shown.excesses:
            where = f"; where {_escaped(excess.region)}, such as `{excess.example}`" if excess.region else ""
            yield f"- ❌ {_escaped(excess.message)}{where}"
    for matrix in shown.changed_matrices:
        yield from _matrix(matrix)
    for decision in shown.diff.changed_decisions:
        yield from _decision(decision)
    if shown.diff.requests:
        yield "\n### What may be sent\n"
        yield from _wording(shown.diff.requests)
    if shown.wording or shown.citations:
        yield from _folded("What the text says", len(shown.diff.wording), [*_wording(shown.wording), *_citations(shown)])


def _decision(one: DecisionDiff) -> Iterator[str]:
    yield f"\n### {one.name}\n"
    if said := decision_text(one):
        yield f"{_escaped(said)}\n"
    for outcome in one.outcomes:
        yield from _outcome(one.name, outcome)
    if one.unchanged:
        yield f"\nThe same in every situation: {', '.join(one.unchanged)}."


def _outcome(decision: str, one: OutcomeDiff) -> Iterator[str]:
    yield f"\n**{one.name}**: {_escaped(outcome_text(one))}\n"
    if len(one.changes) > 1:
        yield "| change | situations |\n|---|---:|"
        yield from (f"| {_escaped(change_text(change))} | {cells:,} |" for change, cells in one.changes.items())
    if one.gist:
        yield from ("", *_regions(decision, one.gist, one.inputs))
    if one.regions != one.gist:
        yield from _folded("exactly, each region with one change", len(one.regions), _regions(decision, one.regions, one.inputs))


def _regions(decision: str, regions: tuple[Region, ...], inputs: bool) -> Iterator[str]:
    yield "| where | change | cells | for example |\n|---|---|---:|---|"
    for region in regions[:MOST]:
        example = "" if inputs else f"`guidepost eval {decision} {ticket_text(region.example)}`".replace(" (no facts)", "")
        yield f"| {_escaped(region_text(region))} | {_escaped(changes_text(region.changes))}{alike_text(region)} | {region.cells:,} | {example} |"
    if len(regions) > MOST:
        yield f"\n{len(regions) - MOST:,} regions more: `guidepost diff -o json` has them."


def _matrix(one: MatrixDiff) -> Iterator[str]:
    def cell(row: str, column: str) -> str:
        was, now = one.before.get((row, column), ""), one.after.get((row, column), "")
        return now or "-" if was == now else f"**{was or '-'} → {now or '-'}**"

    yield f"\n### {one.table}: {one.down} \\ {one.across}\n"
    yield f"| | {' | '.join(one.columns)} |\n|---|{'---|' * len(one.columns)}"
    yield from (f"| **{row}** | {' | '.join(_escaped(cell(row, column)) for column in one.columns)} |" for row in one.rows)


def _wording(wording: Iterable[Wording]) -> Iterator[str]:
    yield from (f"- {one.edit.value}: {_escaped(wording_text(one))} (`{place_of(one)}`)" for one in wording)


def _citations(shown: Report) -> Iterator[str]:
    for (one, other), there in shown.citations.items():
        yield f"- cited otherwise {len(there)}×: {_escaped(one)} → {_escaped(other)}"


def _folded(title: str, number: int, lines: Iterable[str]) -> Iterator[str]:
    yield f"\n<details><summary>{title} ({number:,})</summary>\n"
    yield from lines
    yield "\n</details>"


def _escaped(text: str) -> str:
    """Keep a text from being read as markup."""
    for mark in ("\\", "|", "*", "_", "<", "`", "[", "]"):
        text = text.replace(mark, f"\\{mark}" if mark != "<" else "&lt;")
    return text.replace(" -> ", " → ").replace("\n", " ")
