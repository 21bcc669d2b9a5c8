"""The help of a problem says what to write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.load.schema import KINDS, structure
from engine.load.structure_help import keys_of


def required(schema: Any) -> Iterator[str]:
    """Yield every key that some part of a schema needs."""
    if isinstance(schema, dict):
        yield from schema.get("required", ()) if "properties" in schema else ()
        for part in schema.values():
            yield from required(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from required(part)


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_that_a_file_needs_has_a_help(kind: str) -> None:
    assert {key for key in required(structure(kind)) if not keys_of(kind).get(key)} == set()
