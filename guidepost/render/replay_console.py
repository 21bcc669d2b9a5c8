"""A replay for the terminal: changes, where they are and by how much, and rows that could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from engine.diff.words import change_text, state_text
from engine.model.quoting import visible
from engine.replay.nouns import Group, Moves, Replayed, TicketRegion
from guidepost.render.console import count, grid, indented, ruled_table
from guidepost.replay import text as replay_text
from guidepost.replay.report import SHOWN, ReplayReport, outcome_changes, outcome_counts

BAR: Final = 12
"""The columns of the longest bar."""


def replay_parts(shown: ReplayReport, *, every: bool) -> Iterator[RenderableType]:
    """Yield a report; ``every`` shows all regions, changes and groups."""
    yield from _head(shown)
    if not shown.compared:
        yield from _decided(shown, every)
    elif shown.changed or shown.moved:
        yield from _glance(shown)
    for said in replay_text.alike_texts(shown):
        yield from ("", Text(said))
    for one in shown.detailed if shown.compared else ():
        yield from _outcome(shown, one, every)
    for moves in shown.moved if shown.compared else ():
        yield from _moves(shown, moves)
    for fact, groups in shown.groups.items():
        yield from _groups(fact, groups, shown=shown, every=every)
    if shown.compared and not shown.replay.equal and shown.same:
        yield from ("", Text(f"The same for every ticket: {replay_text.same_text(shown)}", "dim"))
    yield from _unread(shown)
    if shown.excesses:
        yield from ("", Text("Beyond the limits", "bold underline red"))
        for excess in shown.excesses:
            where = f"\n    where {excess.region}" if excess.region else ""
            yield indented(
                Text.assemble(
                    (excess.message, "red"), where, f"\n    such as {excess.example}" if excess.example else ""
                )
            )


def _head(shown: ReplayReport) -> Iterator[RenderableType]:
    before, after = replay_text.sides(shown)
    yield Text.assemble((shown.source, "bold"), ": ", before, " -> ", (after, "bold"))
    yield Text(
        replay_text.headline(shown),
        "green" if shown.replay.equal and shown.replay.compared == shown.replay.tickets else "bold",
    )
    for note in replay_text.notes(shown):
        yield Text(note)
    if not shown.compared:
        yield Text(f"help: {replay_text.compare_help()}")
    if said := replay_text.unread_text(shown):
        yield Text(said, "yellow")


def _number(number: int) -> Text:
    return Text(f"{number:,}", justify="right")


def _share(number: int, all_: int) -> Text:
    return Text(f"{100 * number / all_ if all_ else 0:.3g}%", justify="right")


def _bar(number: int, most: int, style: str = "cyan") -> Text:
    """Return a bar; a number above zero has at least one column."""
    return Text("█" * max(round(BAR * number / most), 1 if number else 0) if most else "", style)


def _glance(shown: ReplayReport) -> Iterator[RenderableType]:
    rows = [
        (one.name, _number(one.changed), _share(one.changed, one.tickets), replay_text.mostly_text(one))
        for one in shown.changed
    ]
    rows += [
        (
            one.name,
            _number(one.changed),
            _share(one.changed, one.tickets),
            replay_text.moves_text(one, shown.unit).partition(": ")[2],
        )
        for one in shown.moved
    ]
    yield ""
    yield ruled_table(("outcome", shown.unit, "share", "mostly"), rows)


def _decided(shown: ReplayReport, every: bool) -> Iterator[RenderableType]:
    for one in shown.answer_outcomes:
        found = list(outcome_counts(one).items())
        yield from ("", Text(one.name, "bold cyan"))
        rows = [
            (state_text(state), _number(number), _share(number, shown.replay.tickets), _bar(number, found[0][1]))
            for state, number in found[: None if every else SHOWN]
        ]
        yield indented(grid(rows))
        yield from map(indented, _more(len(found) - SHOWN, "value", every))


def _outcome(shown: ReplayReport, one: Replayed, every: bool) -> Iterator[RenderableType]:
    yield ""
    yield Text.assemble((one.name, "bold cyan"), f": {replay_text.outcome_text(one, shown.unit)}")
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
            ("from -> to", shown.unit, "share", ""),
            [*rows, *([(Text("the same", "dim"), _number(stays), _share(stays, one.tickets), "")] if stays else [])],
        )
    )
    yield from map(indented, _more(len(found) - SHOWN, "change", every))
    for region in one.regions if every else one.regions[:SHOWN]:
        yield from map(indented, _region(shown, one, region))
    yield from map(indented, _more(len(one.regions) - SHOWN, "region", every))
    if said := replay_text.elsewhere_text(one):
        yield indented(Text(said, "dim"))


def _region(shown: ReplayReport, one: Replayed, region: TicketRegion) -> Iterator[RenderableType]:
    yield Text.assemble(
        f"{replay_text.where_text(region)}: ",
        (replay_text.region_changes(region), "bold yellow"),
        f"  {replay_text.region_count(region, shown.unit)}",
    )
    for example in region.examples[:1]:
        yield Text(
            f"    {f'{visible(example.name)}: ' if example.name else ''}{shown.command(one.name, example)}",
            "dim",
            no_wrap=True,
        )


def _moves(shown: ReplayReport, one: Moves) -> Iterator[RenderableType]:
    yield ""
    yield Text.assemble((one.name, "bold cyan"), f": {replay_text.moves_text(one, shown.unit)}")
    if said := replay_text.extent_text(one):
        yield indented(Text(f"they move {said}"))
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
                f"{f'{visible(example.name)}: ' if example.name else ''}{shown.command(one.name, example)}",
                "dim",
                no_wrap=True,
            )
        )


def _groups(fact: str, groups: tuple[Group, ...], *, shown: ReplayReport, every: bool) -> Iterator[RenderableType]:
    most = max(one.changed for one in groups)
    listed = groups if every else groups[:SHOWN]
    if shown.compared:
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
        table = ruled_table((f"by {fact}", shown.unit, "changed", "share", "", ""), rows)
    else:
        all_, largest = sum(one.tickets for one in groups), max(one.tickets for one in groups)
        table = ruled_table(
            (f"by {fact}", shown.unit, "share", ""),
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


def _unread(shown: ReplayReport) -> Iterator[RenderableType]:
    if not shown.replay.unread:
        return
    yield from ("", Text("Rows that could not be read", "bold underline yellow"))
    listed = list(shown.replay.unread.items())
    yield indented(grid([(_number(number), visible(what)) for what, number in listed[:SHOWN]]))
    yield from map(indented, _more(len(listed) - SHOWN, "kind", every=False))
    if shown.first_rejected:
        yield indented(
            ruled_table(
                ("row", "ticket", "field", "problem"),
                [
                    (_number(one.row), visible(one.name), visible(one.field), visible(one.message))
                    for one in shown.first_rejected
                ],
            )
        )


def _more(number: int, noun: str, every: bool) -> Iterator[RenderableType]:
    if number > 0 and not every:
        yield Text(f"and {count(number, noun)} more; --all shows them", "dim")
