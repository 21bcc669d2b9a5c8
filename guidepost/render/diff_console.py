"""A difference for the terminal: the text, the changed tables in what they read, and what follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import RenderableType
from rich.text import Text

from engine.diff import Diff, DiffRegion, Edit, MatrixDiff, OutcomeDiff, Wording
from engine.diff.summary import ChangedTable, changed_tables, follows_text, is_explained, shown_by
from engine.diff.words import (
    alike_text,
    change_text,
    changes_text,
    decision_text,
    headline,
    listed_text,
    number_of,
    outcome_text,
    region_text,
    wording_text,
)
from guidepost.render.console import count, grid, indented, listed_rows, ruled_table
from guidepost.render.diff_report import SHOWN, DiffReport

_STYLES = {Edit.ADDED: "green", Edit.REMOVED: "red", Edit.CHANGED: "yellow", Edit.RENAMED: "cyan"}


def diff_parts(report: DiffReport, *, every: bool) -> Iterator[RenderableType]:
    """Yield a report; ``every`` shows all regions, also by the facts that are sent, and all citations."""
    diff = report.diff
    yield from _head(report)
    if report.wording or report.citations:
        yield from ("", Text("What the text says", "bold underline"))
        yield indented(listed_rows([_wording_row(one) for one in report.wording]))
        yield from map(indented, _citations(report, every))
    for matrix in report.changed_matrices:
        yield from ("", _matrix(matrix))
    if diff.requests:
        yield from ("", Text("What may be sent", "bold underline"))
        yield indented(listed_rows([_wording_row(one) for one in diff.requests]))
    if tables := changed_tables(diff):
        yield from ("", Text("What the rules do", "bold underline"))
        for table in tables:
            yield from map(indented, _table(report, table, every))
    if diff.changed_decisions:
        yield from ("", Text("What follows" if tables else "What it does", "bold underline"))
        yield from map(indented, _follows(report, every))
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
    return Text(f"{one.edit.value:<7}", _STYLES[one.edit]), wording_text(one), Text(str(one.place or ""), "dim")


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
        yield listed_rows([(f"    {len(there)}", f"{one} -> {other}") for (one, other), there in pairs.items()])


def _matrix(one: MatrixDiff) -> RenderableType:
    def cell(row: str, column: str) -> Text:
        was, now = one.before.get((row, column), ""), one.after.get((row, column), "")
        return Text(now or "-", "dim") if was == now else Text(f"{was or '-'} -> {now or '-'}", "bold yellow")

    rows = [(Text(row, "bold"), *(cell(row, column) for column in one.columns)) for row in one.rows]
    return ruled_table((f"{one.table}: {one.down} \\ {one.across}", *one.columns), rows)


def _table(report: DiffReport, table: ChangedTable, every: bool) -> Iterator[RenderableType]:
    lines = table.lines if every else table.lines[:SHOWN]
    for line in lines:
        yield Text.assemble(
            (table.name, "cyan"), f": {line.where}: ", (line.change, "bold yellow"), f", {line.share} of situations"
        )
        if line.decision:
            yield _command(report, line.decision, line.example)
    if more := len(table.lines) - len(lines):
        yield Text.assemble((table.name, "cyan"), (f": {count(more, 'line')} more; --all shows them", "dim"))
    if table.others:
        yield Text.assemble((table.name, "cyan"), (f": and {table.others}", "dim"))


def _follows(report: DiffReport, every: bool) -> Iterator[RenderableType]:
    diff = report.diff
    for outcome in diff.outcomes:
        shown = shown_by(diff, outcome.name)
        what = outcome_text(outcome) if every else follows_text(outcome)
        yield Text.assemble((outcome.name, "cyan"), f": {what} ", (f"({', '.join(shown)})", "dim"))
        if every or not is_explained(outcome):
            yield from map(indented, _regions_of(report, outcome, shown[0], every))
    for decision in diff.changed_decisions:
        if sentence := decision_text(decision):
            yield Text.assemble((decision.name, "bold"), f": {sentence}")
    if same := _unchanged(diff) if every else ():
        yield Text(f"the same in every situation: {listed_text(same)}", "dim")
    elif any(map(is_explained, filter(lambda one: one.regions, diff.outcomes))) and not every:
        yield Text("--all shows where, by the facts that are sent", "dim")


def _unchanged(diff: Diff) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in diff.changed_decisions for name in one.unchanged))


def _regions_of(report: DiffReport, one: OutcomeDiff, decision: str, every: bool) -> Iterator[RenderableType]:
    if len(one.changes) > 1:
        yield grid(
            [(Text(number_of(cells), justify="right"), change_text(change)) for change, cells in one.changes.items()]
        )
    if not one.regions:
        return
    summed = one.gist != one.regions
    yield from _regions(report, one.gist, "" if one.inputs else decision, every)
    if summed and not every:
        yield Text(f"exactly: {count(len(one.regions), 'region')}, each with one change; --all shows them", "dim")
    elif summed:
        yield Text("exactly:", "dim")
        yield from _regions(report, one.regions, "" if one.inputs else decision, every)
    if one.unnamed:
        yield Text(f"and {number_of(one.unnamed)} situations more, in too many regions to name", "dim")


def _regions(
    report: DiffReport, regions: tuple[DiffRegion, ...], decision: str, every: bool
) -> Iterator[RenderableType]:
    for region in regions if every else regions[:SHOWN]:
        situations = "situation" if region.situations == 1 else "situations"
        yield Text.assemble(
            f"{region_text(region)}: ",
            (changes_text(region.changes), "bold yellow"),
            f"  {number_of(region.situations)} {situations}{alike_text(region)}",
        )
        if decision:
            yield _command(report, decision, region.example)
    if len(regions) > SHOWN and not every:
        yield Text(f"and {count(len(regions) - SHOWN, 'region')} more; --all shows them", "dim")


def _command(report: DiffReport, decision: str, ticket: Mapping[str, str]) -> RenderableType:
    return Text(f"    {report.command(decision, ticket)}", "dim", no_wrap=True)
