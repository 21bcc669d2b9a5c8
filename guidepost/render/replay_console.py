"""A replay for the terminal: changes, where they are and by how much, and rows that could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from engine.diff.words import change_text, state_text
from engine.model.quoting import visible
from engine.replay.nouns import DeadlineReplay, Group, OutcomeReplay, TicketRegion
from guidepost.render.console import count, grid, indented, ruled_table
from guidepost.replay import text as replay_text
from guidepost.replay.report import SHOWN, ReplayReport, outcome_changes, outcome_counts

BAR: Final = 12
"""The columns of the longest bar."""


def replay_parts(report: ReplayReport, *, every: bool) -> Iterator[RenderableType]:
    """Yield a report; ``every`` shows all regions, changes and groups."""
    yield from _head(report)
    if not report.compared:
        yield from _decided(report, every)
    elif report.changed or report.moved:
        yield from _glance(report)
    for sentence in replay_text.alike_texts(report):
        yield from ("", Text(sentence))
    for one in report.detailed if report.compared else ():
        yield from _outcome(report, one, every)
    for moves in report.moved if report.compared else ():
        yield from _moves(report, moves)
    for fact, groups in report.groups.items():
        yield from _groups(fact, groups, report=report, every=every)
    if report.compared and not report.replay.equal and report.same:
        yield from ("", Text(f"The same for every ticket: {replay_text.same_text(report)}", "dim"))
    yield from _unread(report)
    if report.excesses:
        yield from ("", Text("Beyond the limits", "bold underline red"))
        for excess in report.excesses:
            where = f"\n    where {excess.region}" if excess.region else ""
            yield indented(
                Text.assemble(
                    (excess.message, "red"), where, f"\n    such as {excess.example}" if excess.example else ""
                )
            )


def _head(report: ReplayReport) -> Iterator[RenderableType]:
    before, after = replay_text.sides(report)
    yield Text.assemble((report.source, "bold"), ": ", before, " -> ", (after, "bold"))
    yield Text(
        replay_text.headline(report),
        "green" if report.replay.equal and report.replay.compared == report.replay.tickets else "bold",
    )
    for note in replay_text.notes(report):
        yield Text(note)
    if not report.compared:
        yield Text(f"help: {replay_text.compare_help()}")
    if sentence := replay_text.unread_text(report):
        yield Text(sentence, "yellow")


def _number(number: int) -> Text:
    return Text(f"{number:,}", justify="right")


def _share(number: int, all_: int) -> Text:
    return Text(f"{100 * number / all_ if all_ else 0:.3g}%", justify="right")


def _bar(number: int, most: int, style: str = "cyan") -> Text:
    """Return a bar; a number above zero has at least one column."""
    return Text("█" * max(round(BAR * number / most), 1 if number else 0) if most else "", style)


def _glance(report: ReplayReport) -> Iterator[RenderableType]:
    rows = [
        (one.name, _number(one.changed), _share(one.changed, one.tickets), replay_text.mostly_text(one))
        for one in report.changed
    ]
    rows += [
        (
            one.name,
            _number(one.changed),
            _share(one.changed, one.tickets),
            replay_text.moves_text(one, report.unit).partition(": ")[2],
        )
        for one in report.moved
    ]
    yield ""
    yield ruled_table(("outcome", report.unit, "share", "mostly"), rows)


def _decided(report: ReplayReport, every: bool) -> Iterator[RenderableType]:
    for one in report.answer_outcomes:
        found = list(outcome_counts(one).items())
        yield from ("", Text(one.name, "bold cyan"))
        rows = [
            (state_text(state), _number(number), _share(number, report.replay.tickets), _bar(number, found[0][1]))
            for state, number in found[: None if every else SHOWN]
        ]
        yield indented(grid(rows))
        yield from map(indented, _more(len(found) - SHOWN, "value", every))


def _outcome(report: ReplayReport, one: OutcomeReplay, every: bool) -> Iterator[RenderableType]:
    yield ""
    yield Text.assemble((one.name, "bold cyan"), f": {replay_text.outcome_text(one, report.unit)}")
    found = list(outcome_changes(one).items())
    rows = [
        (
            replay_text.shorten(change_text(change)),
            _number(number),
            _share(number, one.tickets),
            _bar(number, found[0][1]),
        )
        for change, number in found[: None if every else SHOWN]
    ]
    stays = one.tickets - one.changed
    yield indented(
        ruled_table(
            ("from -> to", report.unit, "share", ""),
            [*rows, *([(Text("the same", "dim"), _number(stays), _share(stays, one.tickets), "")] if stays else [])],
        )
    )
    yield from map(indented, _more(len(found) - SHOWN, "change", every))
    for region in one.regions if every else one.regions[:SHOWN]:
        yield from map(indented, _region(report, one, region))
    yield from map(indented, _more(len(one.regions) - SHOWN, "region", every))
    if sentence := replay_text.elsewhere_text(one):
        yield indented(Text(sentence, "dim"))


def _region(report: ReplayReport, one: OutcomeReplay, region: TicketRegion) -> Iterator[RenderableType]:
    yield Text.assemble(
        f"{replay_text.where_text(region)}: ",
        (replay_text.region_changes(region), "bold yellow"),
        f"  {replay_text.region_count(region, report.unit)}",
    )
    for example in region.examples[:1]:
        yield Text(
            f"    {f'{visible(example.name)}: ' if example.name else ''}{report.command(one.name, example)}",
            "dim",
            no_wrap=True,
        )


def _moves(report: ReplayReport, one: DeadlineReplay) -> Iterator[RenderableType]:
    yield ""
    yield Text.assemble((one.name, "bold cyan"), f": {replay_text.moves_text(one, report.unit)}")
    if sentence := replay_text.extent_text(one):
        yield indented(Text(f"they move {sentence}"))
    most = max((shift.tickets for shift in one.shifts), default=0)
    if most:
        rows = [
            (
                replay_text.shift_text(shift),
                _number(shift.tickets),
                _share(shift.tickets, one.tickets),
                _bar(shift.tickets, most, "green" if "earlier" in replay_text.shift_text(shift) else "yellow"),
            )
            for shift in one.shifts
            if shift.tickets
        ]
        yield indented(grid(rows))
    for example in one.examples[:1]:
        yield indented(
            Text(
                f"{f'{visible(example.name)}: ' if example.name else ''}{report.command(one.name, example)}",
                "dim",
                no_wrap=True,
            )
        )


def _groups(fact: str, groups: tuple[Group, ...], *, report: ReplayReport, every: bool) -> Iterator[RenderableType]:
    most = max(one.changed for one in groups)
    listed = groups if every else groups[:SHOWN]
    if report.compared:
        rows = [
            (
                replay_text.value_label(one.value),
                _number(one.tickets),
                _number(one.changed),
                _share(one.changed, one.tickets),
                _bar(one.changed, most),
                Text(_by_outcome(one), "dim"),
            )
            for one in listed
        ]
        table = ruled_table((f"by {fact}", report.unit, "changed", "share", "", ""), rows)
    else:
        all_, largest = sum(one.tickets for one in groups), max(one.tickets for one in groups)
        table = ruled_table(
            (f"by {fact}", report.unit, "share", ""),
            [
                (
                    replay_text.value_label(one.value),
                    _number(one.tickets),
                    _share(one.tickets, all_),
                    _bar(one.tickets, largest),
                )
                for one in listed
            ],
        )
    yield from ("", table)
    yield from _more(len(groups) - SHOWN, "value", every)


def _by_outcome(one: Group) -> str:
    """Return the outcome that changes most in a group, with its number of changes."""
    found = sorted((-number, name) for name, number in one.outcomes.items() if number)
    return f"{found[0][1]} {-found[0][0]:,}{', …' if len(found) > 1 else ''}" if found else ""


def _unread(report: ReplayReport) -> Iterator[RenderableType]:
    if not report.replay.unread:
        return
    yield from ("", Text("Rows that could not be read", "bold underline yellow"))
    listed = list(report.replay.unread.items())
    yield indented(grid([(_number(number), visible(what)) for what, number in listed[:SHOWN]]))
    yield from map(indented, _more(len(listed) - SHOWN, "kind", every=False))
    if report.first_rejected:
        yield indented(
            ruled_table(
                ("row", "ticket", "field", "problem"),
                [
                    (_number(one.row), visible(one.name), visible(one.field), visible(one.message))
                    for one in report.first_rejected
                ],
            )
        )


def _more(number: int, noun: str, every: bool) -> Iterator[RenderableType]:
    if number > 0 and not every:
        yield Text(f"and {count(number, noun)} more; --all shows them", "dim")
