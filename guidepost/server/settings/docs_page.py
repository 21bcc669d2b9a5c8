"""Writes docs/settings.md from the model: ``python -m guidepost.server.settings.docs_page``."""

from __future__ import annotations

from dataclasses import Field
from pathlib import Path
from typing import Any, Final

from guidepost.server.settings.model import GROUPS, about, flag, settings, variable

PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "settings.md"

HEAD: Final = """\
# Settings

<!-- Written by `python -m guidepost.server.settings.docs_page`; tests/server/settings/test_settings.py compares it. -->

This page is for operators. `guidepost serve` and `python server.py` read the same settings from three sources:

| source | example |
|---|---|
| flag | `--log-durability bounded` |
| environment variable | `GUIDEPOST_LOG_DURABILITY=bounded` |
| TOML file that `--config` or `GUIDEPOST_CONFIG` names | `log-durability = "bounded"` |

A flag overrides a variable, which overrides the file, which overrides the default.
Overridden values must be valid, too, and an unknown name is rejected with the closest known one.
All problems are reported at once, each with its origin; the exit code is 2.
Boolean settings are the flags `--watch` and `--no-watch`, and `true` or `false` in the environment and the file.
For a setting with several values, repeat the flag, write a list in the file, or separate the values by commas in the environment.
An empty variable counts as not set.

Settings never contain secrets: they name the files of keys, and the file that `decision-log-file` names may contain a URL with a password.

`guidepost serve --check` checks everything that can be checked without serving, and reports all problems at once:
settings; keys and certificates (readable, and matching each other); the decision log (it can be opened, and upgraded if it is older); ports (free); policies (valid, and cross-checked).
It warns about keys, callers files and logs that other users can read or change, and if the heads of the log could not be signed.
It changes nothing. The exit code is 0 if all is well, 2 if settings are invalid or the environment has a problem, and 3 if only the policies are invalid.

For a service named `guidepost`, Kubernetes sets variables such as `GUIDEPOST_PORT=tcp://…` in every pod; set `enableServiceLinks: false` to prevent it.
"""

TAIL: Final = """
## Example of a file

```toml
port = 50051
workers = 4
metrics = "127.0.0.1:9464"
log-durability = "bounded"
log-mask = ["service", "language"]
```
"""


def page() -> str:
    """Return the text of the page."""
    return HEAD + "".join(_group(group) for group in GROUPS) + TAIL


def _group(group: str) -> str:
    rows = [_row(one) for one in settings() if about(one).group == group]
    return f"\n## {group}\n\n| flag | variable | default | meaning |\n|---|---|---|---|\n" + "".join(
        f"{row}\n" for row in rows
    )


def _row(one: Field[Any]) -> str:
    info = about(one)
    value = "" if info.kind.flag else f" {info.kind.metavar}".replace("|", "\\|")
    default = info.unset or f"`{default_text(one)}`"
    return f"| `{flag(one.name)}{value}` | `{variable(one.name)}` | {default} | {info.help} |"


def default_text(one: Field[Any]) -> str:
    """Return a default as it is written in the file.

    >>> [default_text(one) for one in settings() if one.name in ("watch", "port", "host")]
    ['127.0.0.1', '50051', 'true']
    """
    default = one.default
    return (
        str(default).lower()
        if isinstance(default, bool)
        else f"{default:g}"
        if isinstance(default, float)
        else str(default)
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
