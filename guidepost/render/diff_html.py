"""A difference as one HTML page that needs nothing else: matrices side by side, regions, and a filter."""

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


def diff_html(shown: DiffReport) -> str:
    """Write a report as a page."""
    return _template().render(shown=shown, diff=shown.diff, most=SHOWN)


@cache
def _template() -> Template:
    return page_template("page.html.j2", _WORDS)


def _changes(changes: Mapping[Change, int]) -> str:
    return arrows(changes_text(changes))


def _change(change: Change) -> str:
    return arrows(change_text(change))


def _find(region: DiffRegion) -> str:
    """Return what else a region is found by: each fact with each of its values, as a ticket has them."""
    return " ".join(f"{values.fact}={word}" for values in region.when for word in values.words)


def _mostly(one: OutcomeDiff) -> str:
    """Return what mostly becomes of an outcome, or whatever else there is to say of it."""
    return arrows(mostly_text(one)) or coded(outcome_text(one))


def _worded(one: Wording) -> str:
    """Return what the text says differently; only our own sentences have backticks that mean code."""
    said = arrows(wording_text(one))
    return coded(said) if one.part == ELAPSED else said


_WORDS: Final[dict[str, Any]] = {
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
