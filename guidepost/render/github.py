"""Annotations and step summaries of a GitHub job, and paths relative to the repository."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from engine.model.problems import Place


def is_github() -> bool:
    """Return whether this process runs in GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def step_summary() -> Path | None:
    """Return the file for the summary of the step, or None outside GitHub Actions."""
    named = os.environ.get("GITHUB_STEP_SUMMARY", "")
    return Path(named) if named else None


def repository_path(file: str) -> str:
    """Return the path of a file in its repository, or relative to the working directory if it is in none."""
    path = Path(file).resolve()
    top = next((above for above in path.parents if (above / ".git").exists()), Path.cwd())
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else path.as_posix().lstrip("/")


def annotation(
    place: Place | None, title: str, message: str, address: Callable[[str], str] = str, level: str = "error"
) -> str:
    r"""Return the line that makes GitHub show a message at a place; ``address`` maps its file to a path.

    >>> annotation(Place(file="a,b.yaml", line=3, column=5), "unknown-value", "100% wrong\nhelp: mend it")
    '::error file=a%2Cb.yaml,line=3,col=5,title=unknown-value::100%25 wrong%0Ahelp: mend it'
    """
    at = f"file={_property(address(place.file))},line={place.line},col={place.column}," if place else ""
    return f"::{level} {at}title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
