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

from engine.diff import Change, OutcomeDiff, Region
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
from service.diffs.report import SHOWN, Report, arrows, command


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
    return arrows(changes_text(changes))


def _change(change: Change) -> str:
    return arrows(change_text(change))


def _find(region: Region) -> str:
    """Give what else a region is found by: each fact with each of its values, as a ticket has them."""
    return " ".join(f"{values.fact}={word}" for values in region.when for word in values.words)


def _coded(text: str) -> Markup:
    """Show the words in backticks as code; all of it stays text."""
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(text.split("`")))


def _mostly(one: OutcomeDiff) -> str:
    """Say what mostly becomes of an outcome, or whatever else there is to say of it."""
    return arrows(mostly_text(one)) or outcome_text(one)


_WORDS: Final[dict[str, Any]] = {
    "headline": headline, "outcome_text": outcome_text, "decision_text": decision_text, "wording_text": wording_text,
    "change_text": _change, "changes_text": _changes, "conditions": conditions, "find": _find, "command": command, "mostly": _mostly, "coded": _coded,
}
