"""A difference as one HTML page: matrices side by side, regions and a filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from jinja2 import Template

from engine.diff import Change, OutcomeDiff, Values, Wording
from engine.diff.requests import ELAPSED
from engine.diff.summary import changed_tables, follows_text, is_explained, shown_by
from engine.diff.words import (
    change_text,
    changes_text,
    decision_text,
    headline,
    mostly_text,
    number_of,
    outcome_text,
    percent,
    when_texts,
    wording_text,
)
from guidepost.render.diff_report import SHOWN, DiffReport
from guidepost.render.html import coded, page_template
from guidepost.render.markdown import arrows


def diff_html(report: DiffReport) -> str:
    """Return a report as an HTML page."""
    return _template().render(report=report, diff=report.diff, most=SHOWN)


@cache
def _template() -> Template:
    return page_template("page.html.j2", _FUNCTIONS)


def _changes(changes: Mapping[Change, int]) -> str:
    return arrows(changes_text(changes))


def _change(change: Change) -> str:
    return arrows(change_text(change))


def _find(when: Sequence[Values]) -> str:
    """Return the words that find some conditions: each fact with each of its values."""
    return " ".join(f"{values.fact}={word}" for values in when for word in values.words)


def _mostly(one: OutcomeDiff) -> str:
    """Return the most frequent change of an outcome, or its summary if it has none."""
    return arrows(mostly_text(one)) or coded(follows_text(one))


def _worded(one: Wording) -> str:
    """Return a change of the text; backticks mean code only in sentences that Guidepost wrote."""
    sentence = arrows(wording_text(one))
    return coded(sentence) if one.part == ELAPSED else sentence


_FUNCTIONS: Final[dict[str, Any]] = {
    "headline": headline,
    "outcome_text": outcome_text,
    "decision_text": decision_text,
    "worded": _worded,
    "change_text": _change,
    "changes_text": _changes,
    "changed_tables": changed_tables,
    "is_explained": is_explained,
    "shown_by": shown_by,
    "when_texts": when_texts,
    "number_of": number_of,
    "percent": percent,
    "find": _find,
    "mostly": _mostly,
}
