"""A difference as one HTML page that needs nothing else: matrices side by side, regions, and a filter."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from engine.diff import Change, Region
from engine.diff.wording import place_of
from engine.diff.words import alike_text, change_text, changes_text, decision_text, headline, outcome_text, region_text, ticket_text, wording_text
from service.diffs.report import Report


def html_page(shown: Report) -> str:
    """Write a report as a page."""
    return _template().render(shown=shown, diff=shown.diff)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("service.diffs", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )
    words: dict[str, Any] = {
        "headline": headline, "outcome_text": outcome_text, "decision_text": decision_text, "wording_text": wording_text, "place_of": place_of,
        "change_text": change_text, "alike_text": alike_text, "region_text": region_text, "changes_text": _changes, "command": _command,
    }
    environment.globals.update(words)
    return environment.get_template("page.html.j2")


def _changes(region: Region) -> str:
    changes: dict[Change, int] = dict(region.changes)
    return changes_text(changes)


def _command(decision: str, region: Region) -> str:
    return f"guidepost eval {decision} {ticket_text(region.example)}".removesuffix(" (no facts)")
