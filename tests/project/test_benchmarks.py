"""The benchmarks name functions and files that exist: a name that matches nothing would count nothing."""

from __future__ import annotations

from itertools import chain
from types import ModuleType
from typing import Final

import pytest

from benchmarks.load import STEPS
from benchmarks.serve.profile import PARTS, _part
from tests.support.paths import ROOT

PROJECT_FILES: Final = [
    path.relative_to(ROOT).as_posix()
    for path in chain(*((ROOT / root).rglob("*.py") for root in ("engine", "guidepost")))
]
OF_OTHERS: Final = ("/grpc/", "google/", "sqlalchemy/", "sqlite3")
"""The fragments of the files of libraries."""

FRAGMENTS: Final = [fragment for _, fragments in PARTS for fragment in fragments if fragment not in OF_OTHERS]


@pytest.mark.parametrize(("module", "function"), [step[1:] for step in STEPS])
def test_a_step_is_a_function_of_its_module(module: ModuleType, function: str) -> None:
    assert hasattr(module, function)


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_a_fragment_matches_a_file_of_the_project(fragment: str) -> None:
    assert any(fragment in file for file in PROJECT_FILES)


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("engine/tables/cells.py", "deciding"),
        ("engine/records/canonical_json.py", "the record"),
        ("site-packages/sqlalchemy/engine/result.py", "the record"),
        ("guidepost/server/wire/answer_bytes.py", "encoding"),
        ("engine/request/ticket.py", "reading"),
        ("guidepost/server/auth/jwt.py", "grpc"),
        ("json/encoder.py", "the rest"),
    ],
)
def test_the_longest_fragment_decides_the_part(file: str, part: str) -> None:
    assert _part(f"some/checkout/{file}", "f").startswith(part)
