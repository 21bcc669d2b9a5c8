"""The name of the program, and the versions of what is installed."""

from __future__ import annotations

from importlib import metadata
from typing import Final

PROGRAM: Final = "guidepost"


def installed_version(name: str) -> str:
    """Return the version of an installed distribution, or say in words that it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "from a checkout" if name == PROGRAM else "not installed"
