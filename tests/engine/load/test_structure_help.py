"""The help of a problem says what to write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engine.load.schema import KINDS, structure
from engine.load.structure_help import keys_of
from engine.tables.check import _named


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


def test_a_witness_names_a_fact_only_if_another_value_of_it_would_not_show_the_problem() -> None:
    random = np.random.default_rng(5)
    for _ in range(200):
        where = random.random((3, 4, 3)) < 0.7
        for cell in np.argwhere(where).tolist():
            named = _named(where, cell)
            spread = where[
                tuple(value if at in named or not value else slice(1, None) for at, value in enumerate(cell))
            ]
            assert spread.all()
            for left_out in named:
                assert not where[
                    tuple(
                        value if (at in named and at != left_out) or not value else slice(1, None)
                        for at, value in enumerate(cell)
                    )
                ].all()
