"""A difference as the Markdown summary of a pull request, with long parts folded.

If the text is too long, its lists are shortened, and then it is cut between two parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from engine.diff import Diff, DiffRegion, MatrixDiff, OutcomeDiff, Wording
from engine.diff.requests import ELAPSED
from engine.diff.summary import ChangedTable, changed_tables, follows_text, is_explained, shown_by
from engine.diff.words import (
    alike_text,
    change_text,
    changes_text,
    decision_text,
    headline,
    number_of,
    outcome_text,
    region_text,
    wording_text,
)
from guidepost.render.diff_report import SHOWN, DiffReport
from guidepost.render.markdown import MOST_BYTES, code, escaped, fit_parts, folded, listed, prose

LENGTHS: Final = (200, 50, SHOWN)
"""The lengths of lists to try: the first with which the whole text is short enough is used."""


def diff_markdown(report: DiffReport, most: int = MOST_BYTES, *, every: bool = False) -> str:
    """Return a report as Markdown of at most ``most`` bytes; ``every`` adds each outcome by the facts that are sent."""
    return fit_parts(lambda length: _parts(report, length, every), LENGTHS, most, "guidepost diff")


def _parts(report: DiffReport, length: int, every: bool) -> Iterator[str]:
    diff = report.diff
    yield f"## {escaped(report.title)}"
    yield escaped(headline(diff))
    yield f"{escaped(report.names[0])} `{diff.before.digest[:12]}` → {escaped(report.names[1])} `{diff.after.digest[:12]}`"
    if report.excesses:
        yield "### Beyond the limits"
        yield "\n".join(
            f"- ❌ {prose(excess.message)}"
            + (f"; where {escaped(excess.region)}, such as {code(excess.example)}" if excess.region else "")
            for excess in report.excesses
        )
    if report.wording or report.citations:
        yield from _texts(report, length)
    for matrix in report.changed_matrices:
        yield from _matrix(matrix)
    if diff.requests:
        yield "### What may be sent"
        yield "\n".join(listed([*_wording(diff.requests)], length))
    if tables := changed_tables(diff):
        yield "### What the rules do"
        yield "\n".join(_tables(report, tables, length))
    if diff.changed_decisions:
        yield "### What follows" if tables else "### What it does"
        yield from _glance(diff)
    for outcome in diff.outcomes:
        if outcome.regions and (every or not is_explained(outcome)):
            yield from _outcome(report, outcome, length)


def _texts(report: DiffReport, length: int) -> Iterator[str]:
    lines = [*_wording(report.wording), *_citations(report)]
    if len(lines) <= SHOWN:
        yield "### What the text says"
        yield "\n".join(lines)
    else:
        yield folded(f"What the text says ({len(report.diff.wording):,})", listed(lines, length))


def _tables(report: DiffReport, tables: Iterable[ChangedTable], length: int) -> Iterator[str]:
    """Yield the changed tables in what they read, one row for each line."""
    yield "| table | where | change | situations | for example |"
    yield "|---|---|---|---:|---|"
    for table in tables:
        name = escaped(table.name)
        for line in table.lines[:length]:
            example = code(report.command(line.decision, line.example), in_table=True) if line.decision else ""
            yield f"| {name} | {escaped(line.where)} | {escaped(line.change)} | {line.share} | {example} |"
        if len(table.lines) > length:
            yield f"| {name} | {len(table.lines) - length:,} more, not shown | | | |"
        if table.others:
            yield f"| {name} | and {escaped(table.others)} | | | |"


def _glance(diff: Diff) -> Iterator[str]:
    """Yield one row for each outcome that changes, and a sentence for each decision that changes in itself."""
    rows = [
        f"| {escaped(one.name)} | {prose(follows_text(one)) or 'its inputs or terms'} | {escaped(', '.join(shown_by(diff, one.name)))} |"
        for one in diff.outcomes
    ]
    if rows:
        yield "\n".join(("| outcome | decided differently | shown by |", "|---|---|---|", *rows))
    for decision in diff.changed_decisions:
        if sentence := decision_text(decision):
            yield f"**{escaped(decision.name)}**: {prose(sentence)}"


def _outcome(report: DiffReport, one: OutcomeDiff, length: int) -> Iterator[str]:
    yield f"#### {escaped(one.name)}, by the facts that are sent"
    yield prose(outcome_text(one))
    decision = "" if one.inputs else shown_by(report.diff, one.name)[0]
    if one.gist:
        yield "\n".join(_regions(report, decision, one.gist[:SHOWN]))
    if more := one.gist[SHOWN:]:
        yield folded(
            f"{len(more):,} more", [*_regions(report, decision, more[:length]), *_and_more(len(more) - length)]
        )
    if len(one.changes) > 1:
        rows = [f"| {escaped(change_text(change))} | {number_of(cells)} |" for change, cells in one.changes.items()]
        yield folded(
            f"from what to what ({len(rows):,})",
            ["| change | situations |", "|---|---:|", *rows[:length], *_and_more(len(rows) - length)],
        )
    if one.regions != one.gist:
        rows = [*_regions(report, decision, one.regions[:length]), *_and_more(len(one.regions) - length)]
        yield folded(f"exactly, each region with one change ({len(one.regions):,})", rows)
    if one.unnamed:
        yield f"And {number_of(one.unnamed)} situations more, in too many regions to name."


def _and_more(number: int) -> Iterator[str]:
    if number > 0:
        yield from ("", f"{number:,} more are not shown: `guidepost diff -o html` lists them.")


def _regions(report: DiffReport, decision: str, regions: Iterable[DiffRegion]) -> Iterator[str]:
    yield "| where | change | situations |" + (" for example |" if decision else "")
    yield "|---|---|---:|" + ("---|" if decision else "")
    for region in regions:
        change = f"{escaped(changes_text(region.changes))}{alike_text(region)}"
        row = f"| {escaped(region_text(region))} | {change} | {number_of(region.situations)} |"
        yield f"{row} {code(report.command(decision, region.example), in_table=True)} |" if decision else row


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
