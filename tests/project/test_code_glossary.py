"""The glossary of the code names classes and modules that exist, and defines each word once."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path
from typing import Final

import pytest

ROWS: Final = re.findall(
    r"^\| ([^|]+?) \| [^|]+ \| `([\w.]+)` \|$",
    (Path(__file__).resolve().parents[2] / "docs" / "code-glossary.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_each_word_is_defined_once() -> None:
    words = [word for word, _ in ROWS]

    assert len(words) > 40
    assert sorted(words) == sorted(set(words))


@pytest.mark.parametrize("name", sorted({name for _, name in ROWS}))
def test_what_the_glossary_names_exists(name: str) -> None:
    assert pkgutil.resolve_name(name) is not None
