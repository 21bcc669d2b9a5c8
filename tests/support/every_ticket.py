"""Every ticket that the rules of a small version distinguish."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from unittest.mock import patch

from engine.version.build import build
from engine.version.version import Version

CAME_AT = "2026-01-05T10:00:00Z"


def build_unchecked(files: dict[str, str]) -> Version:
    """Build a random policy although it has rules that never fire and values that no rule gives."""
    with patch("engine.version.build.table_problems", lambda *_: []):
        return build(files)


def every_ticket(version: Version, most: int = 1500) -> Iterator[dict[str, str]]:
    """Yield the tickets that rules distinguish; if there are more than ``most``, a random sample of them."""
    names = [name for name, fact in version.policy.facts.items() if fact.type != "instant"]
    values: list[list[str | None]] = []
    for name in names:
        texts = [str(sample) for sample in version.atoms[name].samples]
        values.append([None, *("" if text == "blank" else text for text in texts)])
    tickets = list(itertools.product(*values))
    for ticket in tickets if len(tickets) <= most else random.Random(1).sample(tickets, most):
        yield {name: value for name, value in zip(names, ticket, strict=True) if value is not None}


def is_small(version: Version) -> bool:
    """Return whether :func:`every_ticket` yields all tickets of a version by default."""
    size = 1
    for name in version.policy.facts:
        size *= len(version.atoms[name].samples) + 1
    return size <= 1500
