"""Writes cases as YAML, in the form that policy owners use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

_BARE: Final = re.compile(r"[A-Za-z0-9_][\w .()/+%'<>=-]*")


def cases_text(cases: Iterable[Mapping[str, object]], remarks: Iterable[str] = (), schema: str = "") -> str:
    """Write a file of cases: a mapping in one line wherever it stands, below the remarks.

    >>> print(
    ...     cases_text(
    ...         [
    ...             {
    ...                 "name": "A bike",
    ...                 "facts": {"part": "chain", "at": "08:00"},
    ...                 "expect": {"checks": ["oil, and wash"]},
    ...             }
    ...         ],
    ...         ["Read me."],
    ...     ),
    ...     end="",
    ... )
    # Read me.
    kind: cases
    cases:
      - name: A bike
        facts: {part: chain, at: "08:00"}
        expect: {checks: ["oil, and wash"]}
    """
    lines = [f"# yaml-language-server: $schema={schema}"] if schema else []
    lines += [*(f"# {remark}" for remark in remarks), "kind: cases", "cases:"]
    for number, case in enumerate(cases):
        lines += [""] if number else []
        lines += [
            f"  {'- ' if not at else '  '}{key}: {value_text(value)}" for at, (key, value) in enumerate(case.items())
        ]
    return "\n".join(lines) + "\n"


def value_text(value: object) -> str:
    """Write a text, a list or a mapping in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar_text(str(key))}: {value_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(value_text, value)) + "]"
    return scalar_text(str(value))


def scalar_text(text: str) -> str:
    """Write a text: bare if it is unambiguous, or in double quotes.

    >>> scalar_text("P1"), scalar_text("> 50"), scalar_text("a: b"), scalar_text(""), scalar_text("08:00")
    ('P1', '"> 50"', '"a: b"', '""', '"08:00"')
    """
    return text if _BARE.fullmatch(text) and not text.endswith(" ") else json.dumps(text, ensure_ascii=False)
