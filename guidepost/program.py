"""The name of the program, and the versions of installed packages."""

from __future__ import annotations

from importlib import metadata
from typing import Final

PROGRAM: Final = "guidepost"


def installed_version(name: str) -> str:
    """Return the version of a distribution, or the text "not installed" ("from a checkout" for the program itself)."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "from a checkout" if name == PROGRAM else "not installed"
