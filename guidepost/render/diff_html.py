"""A difference as one HTML page: matrices side by side, regions and a filter."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from jinja2 import Template

from engine.diff import Change, DiffRegion, OutcomeDiff
from engine.diff.nouns import Wording
from engine.diff.requests import ELAPSED
from engine.diff.words import (
    change_text,
    changes_text,
    conditions,
    decision_text,
    headline,
    mostly_text,
    outcome_text,
    wording_text,
)
from guidepost.render.diff_report import SHOWN, DiffReport, command
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


def _find(region: DiffRegion) -> str:
    """Return the words that find a region: each fact with each of its values."""
    return " ".join(f"{values.fact}={word}" for values in region.when for word in values.words)


def _mostly(one: OutcomeDiff) -> str:
    """Return the most frequent change of an outcome, or its summary if it has none."""
    return arrows(mostly_text(one)) or coded(outcome_text(one))


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
    "conditions": conditions,
    "find": _find,
    "command": command,
    "mostly": _mostly,
}
