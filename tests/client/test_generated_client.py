"""The synchronous client is what scripts/generate-client makes of the asynchronous one."""

from __future__ import annotations

import ast
import runpy
from typing import Any

import pytest

from tests.support.paths import ROOT

SCRIPT: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "generate-client"))


def statements(text: str) -> list[str]:
    """Return the statements of a module, which the formatter may have laid out and sorted differently."""
    return sorted(ast.dump(one) for one in ast.parse(text).body)


@pytest.mark.parametrize(("source", "target"), SCRIPT["GENERATED"].items())
def test_the_synchronous_client_is_up_to_date(source: str, target: str) -> None:
    """If it fails, run `make generate` and commit the result."""
    committed = (SCRIPT["CLIENT"] / target).read_text(encoding="utf-8")

    assert statements(committed) == statements(SCRIPT["synchronous"](source))
