"""The model of the settings in, docs/settings.md out: ``python -m guidepost.server.settings.docs_page`` writes it anew."""

from __future__ import annotations

from dataclasses import Field
from pathlib import Path
from typing import Any, Final

from guidepost.server.settings.model import GROUPS, about, flag, settings, variable

PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "settings.md"

HEAD: Final = """\
# Settings

<!-- Written by `python -m guidepost.server.settings.docs_page`; tests/server/settings/test_settings.py holds it to the program. -->

`guidepost serve` and `python server.py` take the same settings, each under one name in three spellings:

| said | for example |
|---|---|
| as a flag | `--log-durability bounded` |
| in the environment | `GUIDEPOST_LOG_DURABILITY=bounded` |
| in a TOML file, named by `--config` or `GUIDEPOST_CONFIG` | `log-durability = "bounded"` |

A flag goes before the environment, that before the file, and that before the default.
What is overridden has to be right all the same, and a name that is no setting is refused, with what was perhaps meant.
Every problem is said at once, each with where it came from; the exit code is 2.
Yes and no are `--watch` and `--no-watch` as flags, else `true` and `false`; several words are a flag that is repeated, a list in the file, and words with commas between them in the environment.
A variable that is empty counts as not set.

Secrets are never written into a setting: keys are named by their files, and a URL with a password stands in the file that `decision-log-file` names.

`guidepost serve --check` checks everything that can be checked without serving, and says all of it at once:
the settings; keys and certificates, whether they can be read and fit each other; the decision log, whether it can be opened, and brought up to date if it is older; the ports, whether they are free; the policies, with their proof.
It warns of keys, callers files and logs that others can read or change, and if the heads of the log could not be signed.
It changes nothing, and ends with 0 if all is well, 2 if settings are wrong or something is in the way, 3 if only the policies are wrong.

Kubernetes sets variables such as `GUIDEPOST_PORT=tcp://…` in every pod for a service that is called `guidepost`; `enableServiceLinks: false` keeps them away.
"""

TAIL: Final = """
## A file

```toml
port = 50051
workers = 4
metrics = "127.0.0.1:9464"
log-durability = "bounded"
log-mask = ["service", "language"]
```
"""


def page() -> str:
    """Return the page."""
    return HEAD + "".join(_group(group) for group in GROUPS) + TAIL


def _group(group: str) -> str:
    rows = [_row(one) for one in settings() if about(one).group == group]
    return f"\n## {group}\n\n| flag | variable | default | means |\n|---|---|---|---|\n" + "".join(
        f"{row}\n" for row in rows
    )


def _row(one: Field[Any]) -> str:
    told = about(one)
    said = "" if told.kind.flag else f" {told.kind.metavar}".replace("|", "\\|")
    return f"| `{flag(one.name)}{said}` | `{variable(one.name)}` | {told.unset or f'`{shown_default(one)}`'} | {told.help} |"


def shown_default(one: Field[Any]) -> str:
    """Return a default as it would stand in the file.

    >>> [shown_default(one) for one in settings() if one.name in ("watch", "port", "host")]
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
