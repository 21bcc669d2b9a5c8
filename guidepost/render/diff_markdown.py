"""A difference as the Markdown summary of a pull request, with long parts folded.

If the text is too long, its lists are shortened, and then it is cut between two parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from engine.diff import DecisionDiff, Diff, DiffRegion, MatrixDiff, OutcomeDiff, Wording
from engine.diff.requests import ELAPSED
from engine.diff.words import (
    alike_text,
    change_text,
    changes_text,
    decision_text,
    headline,
    mostly_text,
    outcome_text,
    region_text,
    wording_text,
)
from guidepost.render.diff_report import SHOWN, DiffReport, command
from guidepost.render.markdown import MOST_BYTES, code, escaped, fit_parts, folded, listed, prose

LENGTHS: Final = (200, 50, SHOWN)
"""The lengths of lists to try: the first with which the whole text is short enough is used."""


def diff_markdown(report: DiffReport, most: int = MOST_BYTES) -> str:
    """Return a report as Markdown of at most ``most`` bytes."""
    return fit_parts(lambda length: _parts(report, length), LENGTHS, most, "guidepost diff")


def _parts(report: DiffReport, length: int) -> Iterator[str]:
    one, other = report.diff.before, report.diff.after
    yield f"## {escaped(report.title)}"
    yield escaped(headline(report.diff))
    yield f"{escaped(report.names[0])} `{one.digest[:12]}` → {escaped(report.names[1])} `{other.digest[:12]}`"
    if report.excesses:
        yield "### Beyond the limits"
        yield "\n".join(
            f"- ❌ {prose(excess.message)}"
            + (f"; where {escaped(excess.region)}, such as {code(excess.example)}" if excess.region else "")
            for excess in report.excesses
        )
    if report.wording or report.citations:
        yield folded(
            f"What the text says ({len(report.diff.wording):,})",
            listed([*_wording(report.wording), *_citations(report)], length),
        )
    for matrix in report.changed_matrices:
        yield from _matrix(matrix)
    yield from _glance(report.diff)
    for decision in report.diff.changed_decisions:
        yield from _decision(report.diff, decision, length)
    if report.diff.requests:
        yield "### What may be sent"
        yield "\n".join(listed([*_wording(report.diff.requests)], length))


def _glance(diff: Diff) -> Iterator[str]:
    """Yield one row for each outcome that changes, if there are several."""
    rows = [
        f"| {escaped(decision.name)} | {escaped(one.name)} | {_share(one)} | {_mostly(one)} |"
        for decision in diff.changed_decisions
        for one in diff.outcomes_of(decision)
    ]
    if len(rows) > 1:
        yield "### At a glance"
        yield "\n".join(("| decision | outcome | decided differently | mostly |", "|---|---|---:|---|", *rows))


def _share(one: OutcomeDiff) -> str:
    return f"{one.changed:,} of {one.situations:,}" if one.changed else ""


def _mostly(one: OutcomeDiff) -> str:
    return escaped(mostly_text(one)) or "its inputs or terms"


def _decision(diff: Diff, one: DecisionDiff, length: int) -> Iterator[str]:
    yield f"### {escaped(one.name)}"
    if sentence := decision_text(one):
        yield prose(sentence)
    for outcome in diff.outcomes_of(one):
        yield from _outcome(one.name, outcome, length)
    if one.unchanged:
        yield f"The same in every situation: {escaped(', '.join(one.unchanged))}."


def _outcome(decision: str, one: OutcomeDiff, length: int) -> Iterator[str]:
    yield f"**{escaped(one.name)}**: {prose(outcome_text(one))}"
    if one.gist:
        yield "\n".join(_regions(decision, one.gist[:SHOWN], one.inputs))
    if more := one.gist[SHOWN:]:
        yield folded(
            f"{len(more):,} more", [*_regions(decision, more[:length], one.inputs), *_and_more(len(more) - length)]
        )
    if len(one.changes) > 1:
        rows = [f"| {escaped(change_text(change))} | {cells:,} |" for change, cells in one.changes.items()]
        yield folded(
            f"from what to what ({len(rows):,})",
            ["| change | situations |", "|---|---:|", *rows[:length], *_and_more(len(rows) - length)],
        )
    if one.regions != one.gist:
        rows = [*_regions(decision, one.regions[:length], one.inputs), *_and_more(len(one.regions) - length)]
        yield folded(f"exactly, each region with one change ({len(one.regions):,})", rows)


def _and_more(number: int) -> Iterator[str]:
    if number > 0:
        yield from ("", f"{number:,} more are not shown: `guidepost diff -o html` lists them.")


def _regions(decision: str, regions: Iterable[DiffRegion], inputs: bool) -> Iterator[str]:
    yield "| where | change | situations |" + ("" if inputs else " for example |")
    yield "|---|---|---:|" + ("" if inputs else "---|")
    for region in regions:
        example = code(command(decision, region), in_table=True)
        row = f"| {escaped(region_text(region))} | {escaped(changes_text(region.changes))}{alike_text(region)} | {region.situations:,} |"
        yield row if inputs else f"{row} {example} |"


def _matrix(one: MatrixDiff) -> Iterator[str]:
    def cell(row: str, column: str) -> str:
        was, now = one.before.get((row, column), ""), one.after.get((row, column), "")
        return escaped(now) or "–" if was == now else f"**{escaped(was) or '–'} → {escaped(now) or '–'}**"

    yield f"### {escaped(one.table)}: {escaped(one.down)} by {escaped(one.across)}"
    head = f"| | {' | '.join(map(escaped, one.columns))} |\n|---|{'---|' * len(one.columns)}"
    yield "\n".join(
        (
            head,
            *(
                f"| **{escaped(row)}** | {' | '.join(cell(row, column) for column in one.columns)} |"
                for row in one.rows
            ),
        )
    )


def _wording(wording: Iterable[Wording]) -> Iterator[str]:
    for one in wording:
        sentence = prose(wording_text(one)) if one.part == ELAPSED else escaped(wording_text(one))
        yield f"- {one.edit.value}: {sentence}" + (f" ({code(str(one.place))})" if one.place else "")


def _citations(report: DiffReport) -> Iterator[str]:
    for (one, other), there in report.citations.items():
        yield f"- citation changed {len(there)}×: {escaped(one or 'nothing')} → {escaped(other or 'nothing')}"
