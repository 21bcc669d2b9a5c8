"""The docstring of every package has a map of its modules: these, and no others."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from tests.support.paths import ROOT

GENERATED: Final = ("guidepost/v1", "guidepost/decision_log/migrations", "guidepost/decision_log/migrations/versions")

PACKAGES: Final = sorted(
    str(path.parent.relative_to(ROOT))
    for root in ("engine", "guidepost")
    for path in (ROOT / root).rglob("__init__.py")
    if str(path.parent.relative_to(ROOT)) not in GENERATED
)


def modules(folder: Path) -> set[str]:
    """Return the names of the modules and packages in a folder."""
    return {
        path.stem
        for path in folder.iterdir()
        if (path.suffix == ".py" and not path.stem.startswith("__")) or (path / "__init__.py").is_file()
    }


def on_the_map(docstring: str) -> list[str]:
    """Return the first words of the lines below ``Modules::``.

    >>> on_the_map("A.\\n\\nModules::\\n\\n    one  what it is\\n         and more\\n\\n    two  the other")
    ['one', 'two']
    """
    return re.findall(r"^    (\w+)  ", docstring.partition("Modules::")[2], re.MULTILINE)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_map_names_every_module_of_its_package_once_and_nothing_else(package: str) -> None:
    docstring = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))) or ""

    assert sorted(on_the_map(docstring)) == sorted(modules(ROOT / package))
