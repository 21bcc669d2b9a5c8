"""A difference for the terminal: changes of the text, of the requests, and of the decisions."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from engine.diff import DecisionDiff, Diff, DiffRegion, Edit, MatrixDiff, OutcomeDiff, Wording
from engine.diff.words import (
    alike_text,
    change_text,
    changes_text,
    decision_text,
    headline,
    outcome_text,
    region_text,
    wording_text,
)
from guidepost.render.console import count, grid, indented, ruled_table
from guidepost.render.diff_report import SHOWN, DiffReport, command

_STYLES = {Edit.ADDED: "green", Edit.REMOVED: "red", Edit.CHANGED: "yellow", Edit.RENAMED: "cyan"}


def diff_parts(report: DiffReport, *, every: bool) -> Iterator[RenderableType]:
    """Yield a report; ``every`` shows all regions and citations."""
    yield from _head(report)
    if report.wording or report.citations:
        yield from ("", Text("What the text says", "bold underline"))
        yield indented(grid([_wording_row(one) for one in report.wording]))
        yield from map(indented, _citations(report, every))
    for matrix in report.changed_matrices:
        yield from ("", _matrix(matrix))
    if report.diff.requests:
        yield from ("", Text("What may be sent", "bold underline"))
        yield indented(grid([_wording_row(one) for one in report.diff.requests]))
    if report.diff.changed_decisions:
        yield from ("", Text("What it does", "bold underline"))
    for decision in report.diff.changed_decisions:
        yield from map(indented, _decision(report.diff, decision, every))
    if report.excesses:
        yield from ("", Text("Beyond the limits", "bold underline red"))
        for excess in report.excesses:
            where = f"\n    where {excess.region}\n    such as {excess.example}" if excess.region else ""
            yield indented(Text.assemble((excess.message, "red"), where))


def _head(report: DiffReport) -> Iterator[RenderableType]:
    sides = [f"{ref.name} {ref.version} ({ref.digest[:12]})" for ref in (report.diff.before, report.diff.after)]
    yield Text.assemble((sides[0], "bold"), " -> ", (sides[1], "bold"))
    yield Text(headline(report.diff), "green" if report.diff.same_decisions else "")


def _wording_row(one: Wording) -> tuple[RenderableType, ...]:
    return Text(one.edit.value, _STYLES[one.edit]), wording_text(one), Text(str(one.place or ""), "dim")


def _citations(report: DiffReport, every: bool) -> Iterator[RenderableType]:
    pairs = report.citations
    if not pairs:
        return
    total = sum(map(len, pairs.values()))
    yield Text(
        f"{count(total, 'citation')} changed" + ("" if every else f" in {count(len(pairs), 'way')}; --all lists them"),
        "yellow",
    )
    if every:
        yield grid([(f"    {len(there)}", f"{one} -> {other}") for (one, other), there in pairs.items()])


def _matrix(one: MatrixDiff) -> RenderableType:
    def cell(row: str, column: str) -> Text:
        was, now = one.before.get((row, column), ""), one.after.get((row, column), "")
        return Text(now or "-", "dim") if was == now else Text(f"{was or '-'} -> {now or '-'}", "bold yellow")

    rows = [(Text(row, "bold"), *(cell(row, column) for column in one.columns)) for row in one.rows]
    return ruled_table((f"{one.table}: {one.down} \\ {one.across}", *one.columns), rows)


def _decision(diff: Diff, one: DecisionDiff, every: bool) -> Iterator[RenderableType]:
    yield ""
    yield Text.assemble((one.name, "bold"), f"  {summary}" if (summary := decision_text(one)) else "")
    for outcome in diff.outcomes_of(one):
        yield from map(indented, _outcome(one.name, outcome, every))
    if one.unchanged:
        yield indented(Text(f"the same in every situation: {', '.join(one.unchanged)}", "dim"))


def _outcome(decision: str, one: OutcomeDiff, every: bool) -> Iterator[RenderableType]:
    yield Text.assemble((one.name, "cyan"), f": {outcome_text(one)}")
    if len(one.changes) > 1:
        yield indented(
            grid([(Text(f"{cells:,}", justify="right"), change_text(change)) for change, cells in one.changes.items()])
        )
    if not one.regions:
        return
    summed = one.gist != one.regions
    yield from map(indented, _regions(decision, one.gist, one.inputs, every))
    if summed and not every:
        yield indented(
            Text(f"exactly: {count(len(one.regions), 'region')}, each with one change; --all shows them", "dim")
        )
    elif summed:
        yield indented(Text("exactly:", "dim"))
        yield from map(indented, _regions(decision, one.regions, one.inputs, every))


def _regions(decision: str, regions: tuple[DiffRegion, ...], inputs: bool, every: bool) -> Iterator[RenderableType]:
    for region in regions if every else regions[:SHOWN]:
        yield Text.assemble(
            (f"{region_text(region)}: ", ""),
            (changes_text(region.changes), "bold yellow"),
            f"  {count(region.situations, 'situation')}{alike_text(region)}",
        )
        if not inputs:
            yield Text(f"    {command(decision, region)}", "dim", no_wrap=True)
    if len(regions) > SHOWN and not every:
        yield Text(f"and {count(len(regions) - SHOWN, 'region')} more; --all shows them", "dim")
