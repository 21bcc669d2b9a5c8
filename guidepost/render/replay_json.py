"""A replay as data, for JSON. Durations are in seconds, counts are tickets."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from engine.diff import Change
from engine.diff.words import change_text, state_text
from engine.replay.nouns import DeadlineReplay, Example, Group, OutcomeReplay, Repeats, TicketRegion
from guidepost.render.console import JsonObject
from guidepost.render.diff_json import plain_change, plain_values, plain_version
from guidepost.replay.report import ReplayReport
from guidepost.replay.text import headline, notes, where_text

FORMAT: Final = 1
"""The version of the format; readers reject a higher one."""


def plain_replay(report: ReplayReport) -> JsonObject:
    """Return a report as data."""
    one = report.replay
    return {
        "format": FORMAT,
        "source": report.source,
        "after": plain_version(one.after, report.after),
        "before": {"asked": report.before, "recorded": one.recorded, "versions": dict(one.before)},
        "compared": report.compared,
        "headline": headline(report),
        "rows": one.rows,
        "tickets": one.tickets,
        "compared_tickets": one.compared,
        "changed": one.changed,
        "counts": report.unit,
        "distinct_tickets": _repeats(one.repeats),
        "decided_by": dict(one.decided),
        "alike": list(one.alike),
        "notes": [*notes(report), *report.notes],
        "doubts": [{"fact": fact, "word": word, "rows": rows} for (fact, word), rows in report.doubts.items()],
        "outcomes": [_outcome(outcome) for outcome in one.outcomes],
        "deadlines": [_moves(moves) for moves in one.deadlines],
        "groups": {fact: [_group(group) for group in groups] for fact, groups in one.groups.items()},
        "unread": {
            "rows": sum(one.unread.values()),
            "by": dict(one.unread),
            "file": report.rejected_file,
            "first": [
                {"row": row.row, "ticket": row.name, "field": row.field, "message": row.message}
                for row in report.first_rejected
            ],
        },
        "budget": [
            {"rule": found.rule, "message": found.message, "region": found.region, "example": found.example}
            for found in report.excesses
        ],
    }


def _outcome(one: OutcomeReplay) -> JsonObject:
    return {
        "outcome": one.name,
        "tickets": one.tickets,
        "changed": one.changed,
        "within_tolerance": one.near,
        "matrix": [{**_change(change), "tickets": number} for change, number in one.matrix.items()],
        "regions": [_region(region) for region in one.regions],
        "elsewhere": one.elsewhere,
        "examples": [
            {"change": change_text(change), "tickets": list(map(_example, examples))}
            for change, examples in one.examples.items()
        ],
    }


def _change(change: Change) -> JsonObject:
    """Return a change; an unchanged state appears once."""
    plain = plain_change(change)
    return plain if change.before != change.after else {**plain, "text": state_text(change.after)}


def _region(one: TicketRegion) -> JsonObject:
    return {
        "text": where_text(one),
        "version": one.version or None,
        "when": [plain_values(values) for values in one.when],
        "tickets": one.tickets,
        "changed": one.changed,
        "changes": [{**plain_change(change), "tickets": number} for change, number in one.changes.items()],
        "examples": list(map(_example, one.examples)),
    }


def _moves(one: DeadlineReplay) -> JsonObject:
    return {
        "deadline": one.name,
        "tickets": one.tickets,
        "changed": one.changed,
        "within_tolerance": one.near,
        "both": one.both,
        "earlier": one.earlier,
        "later": one.later,
        "appear": one.appear,
        "vanish": one.vanish,
        "mean": _seconds(one.mean),
        "most_earlier": _seconds(one.most_earlier),
        "most_later": _seconds(one.most_later),
        "shifts": [
            {"from": _seconds(shift.least), "below": _seconds(shift.most), "tickets": shift.tickets}
            for shift in one.shifts
        ],
        "examples": list(map(_example, one.examples)),
    }


def _repeats(one: Repeats | None) -> JsonObject | None:
    if one is None:
        return None
    return {
        "tickets": one.tickets,
        "in_several_rows": one.repeated,
        "exact": one.exact,
        "examples": [{"ticket": name, "rows": rows} for name, rows in one.examples],
    }


def _group(one: Group) -> JsonObject:
    return {"value": one.value or None, "tickets": one.tickets, "changed": one.changed, "outcomes": dict(one.outcomes)}


def _example(one: Example) -> JsonObject:
    return {"row": one.row, "ticket": one.name, "facts": dict(one.facts), "now": one.now or None}


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()
