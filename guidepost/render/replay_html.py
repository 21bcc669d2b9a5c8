"""A replay as one HTML page: charts with their tables, regions, groups and a filter."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Final

from jinja2 import Template

from engine.diff.words import change_text, state_text, when_texts
from engine.replay.nouns import DeadlineReplay, Group, OutcomeReplay, TicketRegion
from guidepost.render.html import page_template
from guidepost.render.markdown import arrows
from guidepost.replay import text as replay_text
from guidepost.replay.report import SHOWN, ReplayReport, outcome_changes, outcome_counts, transition_table

MOST_STATES: Final = 12
"""Changes among more states than this are shown only as a table, not as squares."""

Row = tuple[str, int, str, str]
"""A bar: its label, its length, its text and its colour."""


def replay_html(report: ReplayReport) -> str:
    """Return a report as an HTML page."""
    return _template().render(report=report, most=SHOWN, most_states=MOST_STATES)


@cache
def _template() -> Template:
    return page_template("replay.html.j2", _FUNCTIONS, "replay.css")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _strength(number: int, greatest: int) -> int:
    """Return the strength of a square's colour in percent: visible for few tickets, and readable for many."""
    return 15 + round(35 * math.sqrt(number / greatest))


def _find(region: TicketRegion) -> str:
    return " ".join(f"{values.fact}={word}" for values in region.when for word in values.words)


def _changed_rows(one: OutcomeReplay) -> list[tuple[str, int]]:
    stays = one.tickets - one.changed
    return [
        *((arrows(change_text(change)), number) for change, number in outcome_changes(one).items()),
        *([("the same", stays)] if stays else []),
    ]


def _shift_rows(one: DeadlineReplay) -> list[Row]:
    return [
        (label, shift.tickets, f"{shift.tickets:,}", label.rpartition(" ")[2])
        for shift in one.shifts
        if shift.tickets
        for label in (replay_text.shift_text(shift),)
    ]


def _shift_figures(one: DeadlineReplay) -> list[tuple[str, int]]:
    ends = [
        (label, number) for label, number in (("due only after", one.appear), ("due only before", one.vanish)) if number
    ]
    return [*((replay_text.shift_text(shift), shift.tickets) for shift in one.shifts if shift.tickets), *ends]


def _decided_rows(report: ReplayReport, one: OutcomeReplay) -> list[Row]:
    return [
        (state_text(state), number, f"{number:,} ({100 * number / report.replay.tickets:.3g}%)", "")
        for state, number in list(outcome_counts(one).items())[:SHOWN]
    ]


def _grouped(report: ReplayReport) -> dict[str, list[Row]]:
    """Return the bars for each fact by which tickets are grouped."""

    def bar(one: Group) -> Row:
        changed = (
            (one.changed, f"{one.changed:,} of {one.tickets:,}")
            if report.compared
            else (one.tickets, f"{one.tickets:,}")
        )
        return replay_text.value_label(one.value), *changed, ""

    return {fact: [bar(one) for one in groups] for fact, groups in report.groups.items()}


def _mostly(one: OutcomeReplay | DeadlineReplay) -> str:
    return (
        arrows(replay_text.mostly_text(one))
        if isinstance(one, OutcomeReplay)
        else replay_text.moves_text(one).partition(": ")[2]
    )


def _conditions(region: TicketRegion) -> list[str]:
    return [*when_texts(region.when), *([f"decided by {region.version}"] if region.version else [])]


def _region_changes(region: TicketRegion) -> str:
    return arrows(replay_text.region_changes(region))


_FUNCTIONS: Final[dict[str, Any]] = {
    "headline": replay_text.headline,
    "notes": replay_text.notes,
    "alike_texts": replay_text.alike_texts,
    "sides": replay_text.sides,
    "compare_help": replay_text.compare_help,
    "unread_text": replay_text.unread_text,
    "outcome_text": replay_text.outcome_text,
    "moves_text": replay_text.moves_text,
    "extent_text": replay_text.extent_text,
    "elsewhere_text": replay_text.elsewhere_text,
    "region_count": replay_text.region_count,
    "region_changes": _region_changes,
    "conditions": _conditions,
    "find": _find,
    "mostly": _mostly,
    "label": replay_text.value_label,
    "crossed": transition_table,
    "changed_rows": _changed_rows,
    "shift_rows": _shift_rows,
    "shift_figures": _shift_figures,
    "decided_rows": _decided_rows,
    "grouped": _grouped,
    "cut": _cut,
    "strength": _strength,
}
