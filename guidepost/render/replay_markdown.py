"""A replay as the Markdown summary of a pull request, with the details folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from engine.diff.words import change_text, state_text
from engine.replay.nouns import DeadlineReplay, Group, OutcomeReplay, TicketRegion
from guidepost.render.markdown import MOST_BYTES, code, escaped, fit_parts, folded, listed, prose
from guidepost.replay import text as replay_text
from guidepost.replay.report import SHOWN, ReplayReport, outcome_changes, outcome_counts

LENGTHS: Final = (100, 30, SHOWN)
"""The lengths of lists to try: the first with which the whole text is short enough is used."""


def replay_markdown(report: ReplayReport, most: int = MOST_BYTES) -> str:
    """Return a report as Markdown of at most ``most`` bytes."""
    return fit_parts(lambda length: _parts(report, length), LENGTHS, most, "guidepost replay")


def _parts(report: ReplayReport, length: int) -> Iterator[str]:
    before, after = replay_text.sides(report)
    yield f"## Past tickets by {escaped(report.after)}"
    yield f"**{escaped(replay_text.headline(report))}**"
    yield f"{code(report.source)}: {escaped(before)} → {escaped(after)}"
    if notes := replay_text.notes(report):
        yield "\n".join(f"- {prose(note)}" for note in notes)
    if not report.compared:
        yield prose(replay_text.compare_help())
    if sentence := replay_text.unread_text(report):
        yield f"⚠️ {escaped(sentence)}"
    if report.excesses:
        yield "### Beyond the limits"
        yield "\n".join(
            f"- ❌ {prose(one.message)}"
            + (f"; where {escaped(one.region)}" if one.region else "")
            + (f", such as {code(one.example)}" if one.example else "")
            for one in report.excesses
        )
    if report.compared:
        yield from _changed(report, length)
        if alike := replay_text.alike_texts(report):
            yield "\n".join(f"- {escaped(sentence)}" for sentence in alike)
    else:
        yield from _decided(report, length)
    yield from _groups(report, length)
    if report.compared and not report.replay.equal and report.same:
        yield f"The same for every ticket: {escaped(replay_text.same_text(report))}."
    yield from _unread(report, length)


def _share(number: int, all_: int) -> str:
    return f"{100 * number / all_ if all_ else 0:.3g}%"


def _table(headings: str, rows: Iterable[str], length: int, last: Sequence[str] = ()) -> list[str]:
    """Return a table of at most ``length`` rows, and ``last``; headings that begin with # are of numbers."""
    columns = headings.split("|")
    every = list(rows)
    head = [
        f"| {' | '.join(column.lstrip('#').strip() for column in columns)} |",
        f"|{'|'.join('---:' if column.startswith('#') else '---' for column in columns)}|",
    ]
    more = (
        ["", f"{len(every) - length:,} more are not shown: `guidepost replay -o html` lists them."]
        if len(every) > length
        else []
    )
    return [*head, *every[:length], *last, *more]


def _changed(report: ReplayReport, length: int) -> Iterator[str]:
    rows = [
        f"| {escaped(one.name)} | {one.changed:,} of {one.tickets:,} | {_share(one.changed, one.tickets)} | {escaped(replay_text.mostly_text(one))} |"
        for one in report.changed
    ]
    rows += [
        f"| {escaped(one.name)} | {one.changed:,} of {one.tickets:,} | {_share(one.changed, one.tickets)} | {replay_text.moves_text(one, report.unit).partition(': ')[2]} |"
        for one in report.moved
    ]
    if rows:
        yield "\n".join(_table(f"outcome|#{report.unit}|#share|mostly", rows, length))
    for one in report.detailed:
        yield folded(
            f"<b>{escape(one.name)}</b>: {escape(replay_text.outcome_text(one, report.unit))}",
            _outcome(report, one, length),
        )
    for moves in report.moved:
        yield folded(
            f"<b>{escape(moves.name)}</b>: {escape(replay_text.moves_text(moves, report.unit))}", _moves(report, moves)
        )


def _outcome(report: ReplayReport, one: OutcomeReplay, length: int) -> Iterator[str]:
    rows = [
        f"| {escaped(change_text(change))} | {number:,} | {_share(number, one.tickets)} |"
        for change, number in outcome_changes(one).items()
    ]
    stays = one.tickets - one.changed
    same = [f"| the same | {stays:,} | {_share(stays, one.tickets)} |"] if stays else []
    yield from _table(f"from → to|#{report.unit}|#share", rows, length, same)
    if one.regions:
        yield ""
        yield from _table(
            f"where|change|#{report.unit}|for example", (_region(report, one, region) for region in one.regions), length
        )
    if sentence := replay_text.elsewhere_text(one):
        yield from ("", sentence)


def _region(report: ReplayReport, one: OutcomeReplay, region: TicketRegion) -> str:
    example = code(report.command(one.name, region.examples[0]), in_table=True) if region.examples else ""
    return f"| {escaped(replay_text.where_text(region))} | {escaped(replay_text.region_changes(region))} | {replay_text.region_count(region, report.unit)} | {example} |"


def _moves(report: ReplayReport, one: DeadlineReplay) -> Iterator[str]:
    if sentence := replay_text.extent_text(one):
        yield f"They move {sentence}."
        yield ""
    yield from _table(
        f"moves by|#{report.unit}|#share",
        [
            f"| {replay_text.shift_text(shift)} | {shift.tickets:,} | {_share(shift.tickets, one.tickets)} |"
            for shift in one.shifts
            if shift.tickets
        ],
        len(one.shifts),
    )
    for example in one.examples[:1]:
        yield ""
        yield f"For example {code(report.command(one.name, example))}"


def _decided(report: ReplayReport, length: int) -> Iterator[str]:
    for one in report.answer_outcomes:
        rows = [
            f"| {escaped(state_text(state))} | {number:,} | {_share(number, report.replay.tickets)} |"
            for state, number in outcome_counts(one).items()
        ]
        yield folded(f"<b>{escape(one.name)}</b>", _table(f"decided|#{report.unit}|#share", rows, length))


def _groups(report: ReplayReport, length: int) -> Iterator[str]:
    for fact, groups in report.groups.items():
        headings = f"{escaped(fact)}|#{report.unit}" + ("|#changed|#share" if report.compared else "")
        yield folded(
            f"by <b>{escape(fact)}</b>",
            _table(headings, (_group(one, compared=report.compared) for one in groups), length),
        )


def _group(one: Group, *, compared: bool) -> str:
    changed = f" {one.changed:,} | {_share(one.changed, one.tickets)} |" if compared else ""
    return f"| {escaped(replay_text.value_label(one.value))} | {one.tickets:,} |{changed}"


def _unread(report: ReplayReport, length: int) -> Iterator[str]:
    if report.replay.unread:
        kinds = [f"- {number:,}× {prose(what)}" for what, number in report.replay.unread.items()]
        rows = (
            f"| {one.row:,} | {escaped(one.name)} | {escaped(one.field)} | {escaped(one.message)} |"
            for one in report.first_rejected
        )
        yield folded(
            f"rows that could not be read ({sum(report.replay.unread.values()):,})",
            [*listed(kinds, length), "", *_table("#row|ticket|field|problem", rows, length)],
        )
