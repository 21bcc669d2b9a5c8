"""One HTML page without other files: it contains its style and script, and browsers run no other script.

Texts of policies and tickets are always escaped.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from engine.model.quoting import visible_lines


def page_template(name: str, functions: Mapping[str, Any], *styles: str) -> Template:
    """Return a template; ``functions`` are those that it calls, ``styles`` its style sheets."""
    loader = PackageLoader("guidepost.render", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_safe
    )
    environment.globals.update(functions, coded=coded)
    style, script = (
        "\n".join(_own(environment, one) for one in names) for names in (("page.css", *styles), ("page.js",))
    )
    environment.globals.update(
        # These are files of this package, and contain no text of a policy.
        page_css=Markup(style),  # noqa: S704
        page_js=Markup(script),  # noqa: S704
        script_hash=b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    return environment.get_template(name)


def _safe(value: Any) -> Any:
    """Escape the control characters of a text; markup of this package stays."""
    return visible_lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def coded(text: str) -> Markup:
    """Return a text as HTML, with words in backticks as code; with an odd number of backticks, nothing is code.

    >>> str(coded("`a` < b")), str(coded("a ` b"))
    ('<code>a</code> &lt; b', 'a ` b')
    """
    parts = visible_lines(text).split("`")
    if len(parts) % 2 == 0:
        return Markup("{}").format(visible_lines(text))
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def _own(environment: Environment, name: str) -> str:
    return environment.get_template(name).render()
