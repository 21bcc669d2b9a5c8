"""A difference as one HTML page that needs nothing else: matrices side by side, regions, and a filter.

What policies say is only ever put in as text; the page's own script is the only one that a browser lets it run.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from engine.diff import Change, OutcomeDiff, Region, Values
from engine.diff.wording import place_of
from engine.diff.words import (
    change_text,
    changes_text,
    decision_text,
    headline,
    outcome_text,
    ticket_text,
    values_text,
    wording_text,
)
from service.diffs.report import SHOWN, Report


def html_page(shown: Report) -> str:
    """Write a report as a page."""
    return _template().render(shown=shown, diff=shown.diff, most=SHOWN)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("service.diffs", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )
    environment.globals.update(_WORDS)
    for name in ("page.css", "page.js"):
        environment.globals[name.replace(".", "_")] = Markup(environment.get_template(name).render())  # noqa: S704 - our own file, which holds nothing of a policy
    script = str(environment.globals["page_js"])
    environment.globals["script_hash"] = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("page.html.j2")


def _changes(changes: Mapping[Change, int]) -> str:
    return changes_text(changes).replace(" -> ", " → ")


def _change(change: Change) -> str:
    return change_text(change).replace(" -> ", " → ")


def _conditions(region: Region) -> list[str]:
    """Say where a region is, one condition after the other; facts that are all just unknown, or known, come last and together."""
    said = [values_text(values) for values in region.when if not _is_bare(values)]
    for word in ("known", "unknown"):
        names = [values.fact for values in region.when if _is_bare(values) and values_text(values) == f"{values.fact} {word}"]
        said += [f"{', '.join(names)} {word}"] if names else []
    return said or ["always"]


def _is_bare(values: Values) -> bool:
    return values_text(values) in (f"{values.fact} known", f"{values.fact} unknown")


def _find(region: Region) -> str:
    """Give what else a region is found by: each fact with each of its values, as a ticket has them."""
    return " ".join(f"{values.fact}={word}" for values in region.when for word in values.words)


def _command(decision: str, region: Region) -> str:
    return f"guidepost eval {decision} {ticket_text(region.example)}".removesuffix(" (no facts)")


def _coded(text: str) -> Markup:
    """Show the words in backticks as code; all of it stays text."""
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(text.split("`")))


def _mostly(one: OutcomeDiff) -> str:
    """Give the most frequent change of an outcome, and say how many there are besides."""
    if not one.changes:
        return outcome_text(one)
    change, more = max(one.changes, key=lambda change: one.changes[change]), len(one.changes) - 1
    return _change(change) + (f", and {more:,} more" if more else "")


_WORDS: Final[dict[str, Any]] = {
    "headline": headline, "outcome_text": outcome_text, "decision_text": decision_text, "wording_text": wording_text, "place_of": place_of,
    "change_text": _change, "changes_text": _changes, "conditions": _conditions, "find": _find, "command": _command, "mostly": _mostly, "coded": _coded,
}
